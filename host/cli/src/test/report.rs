//! What came of the cases, as people and as programs read it.
//!
//! Owns the three forms, and that everything a test says is made visible. Decides nothing but whether a case has failed: it
//! did when its process did, or when it was given up.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use lunarium_app::App;
use lunarium_engine::{ErrorKind, Failure, Outcome, Value};

use super::capture::Capture;
use super::case::{End, PATIENCE, Ran};
use super::diff::{Change, diff};
use crate::arguments::TestFormat;
use crate::terminal::visible;

/// Lines of what a failed case has printed and logged that are shown: the last ones.
const SHOWN: usize = 40;

/// A case that has run, or the file itself where there is no name.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    pub file: &'a str,
    pub name: Option<&'a str>,
    pub ran: &'a Ran,
}

/// The report of one run.
pub struct Report<'a> {
    app: &'a App,
    format: TestFormat,
    seed: u64,
    styled: bool,
    /// The file of the last line.
    file: String,
    passed: usize,
    skipped: usize,
    left_out: usize,
    /// Names and why.
    failures: Vec<(String, String)>,
    /// For JUnit, which says how many there are before it says which.
    elements: String,
    /// Why not all could be written.
    lost: Option<io::Error>,
}

impl<'a> Report<'a> {
    pub fn new(app: &'a App, format: TestFormat, seed: u64, styled: bool) -> Self {
        let (file, failures, elements) = (String::new(), Vec::new(), String::new());
        let (passed, skipped, left_out) = (0, 0, 0);
        let mut report =
            Self { app, format, seed, styled, file, passed, skipped, left_out, failures, elements, lost: None };
        if format == TestFormat::Tap {
            report.print(&format!("TAP version 14\n# seed {seed}\n"));
        }
        report
    }

    /// Nothing was told, and nothing failed.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    fn count(&self) -> usize {
        self.passed.saturating_add(self.skipped).saturating_add(self.failures.len())
    }

    /// A case that wasn't asked for.
    pub fn leave_out(&mut self) {
        self.left_out = self.left_out.saturating_add(1);
    }

    /// A case that says of itself that it isn't to be run.
    pub fn skip(&mut self, file: &str, name: &str) {
        self.skipped = self.skipped.saturating_add(1);
        self.line(file, name, "skipped", None, &[]);
    }

    /// What came of a case.
    pub fn tell(&mut self, told: Told<'_>) {
        let name = told.name.unwrap_or("the file itself");
        let why = self.why(told.ran);
        let notes = notes(told.ran);
        match why {
            None => {
                self.passed = self.passed.saturating_add(1);
                self.line(told.file, name, "ok", None, &notes);
            }
            Some(why) => {
                let why = why + &self.failed(told.ran) + &said(&told.ran.capture);
                self.failures.push((format!("{}: {}", visible(told.file), visible(name)), why.clone()));
                self.line(told.file, name, "FAILED", Some(&why), &notes);
            }
        }
    }

    fn line(&mut self, file: &str, name: &str, result: &str, why: Option<&str>, notes: &[String]) {
        let (file, name) = (visible(file), visible(name));
        match self.format {
            TestFormat::Text => {
                let mut text = String::new();
                if self.file != file {
                    // Writing to a String can't fail.
                    let _ = writeln!(text, "{file}");
                    self.file.clone_from(&file);
                }
                let _ = writeln!(text, "  {result:<7} {name}");
                for note in notes {
                    let _ = writeln!(text, "          {note}");
                }
                self.print(&text);
            }
            TestFormat::Tap => {
                let number = self.count();
                // A `#` begins a directive.
                let name = format!("{file}: {name}").replace('\\', "\\\\").replace('#', "\\#");
                let mut text = match result {
                    "ok" => format!("ok {number} - {name}\n"),
                    "skipped" => format!("ok {number} - {name} # SKIP\n"),
                    _ => format!("not ok {number} - {name}\n"),
                };
                let more = why.into_iter().flat_map(str::lines).chain(notes.iter().map(String::as_str));
                for line in more {
                    let _ = writeln!(text, "# {line}");
                }
                self.print(&text);
            }
            TestFormat::Junit => {
                let _ = write!(self.elements, "  <testcase classname=\"{}\" name=\"{}\"", xml(&file), xml(&name));
                match (result, why) {
                    ("skipped", _) => self.elements.push_str("><skipped/></testcase>\n"),
                    (_, Some(why)) => {
                        let first = why.lines().next().unwrap_or_default();
                        let _ = writeln!(
                            self.elements,
                            "><failure message=\"{}\">{}</failure></testcase>",
                            xml(first),
                            xml(why)
                        );
                    }
                    (_, None) if !notes.is_empty() => {
                        let notes = xml(&notes.join("\n"));
                        let _ = writeln!(self.elements, "><system-out>{notes}</system-out></testcase>");
                    }
                    _ => self.elements.push_str("/>\n"),
                }
            }
        }
    }

    fn print(&mut self, text: &str) {
        let written = io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush());
        if let Err(error) = written {
            self.lost.get_or_insert(error);
        }
    }

    /// Writes what comes last. True: no case has failed.
    ///
    /// Errors: not all could be written. Whoever reads no more has read enough.
    pub fn finish(mut self) -> io::Result<bool> {
        let (count, failed) = (self.count(), self.failures.len());
        match self.format {
            TestFormat::Text => {
                let mut text = String::new();
                for (name, why) in &self.failures {
                    let _ = write!(text, "\n{name}\n{}", indented(why));
                }
                let _ = write!(text, "\n{} passed, {failed} failed", self.passed);
                for (count, what) in [(self.skipped, "skipped"), (self.left_out, "left out")] {
                    if count > 0 {
                        let _ = write!(text, ", {count} {what}");
                    }
                }
                let _ = writeln!(text, "; --seed {}", self.seed);
                self.print(&text);
            }
            TestFormat::Tap => self.print(&format!("1..{count}\n")),
            TestFormat::Junit => self.print(&format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"lunarium\" tests=\"{count}\" \
                 failures=\"{failed}\" skipped=\"{}\">\n  <properties><property name=\"seed\" value=\"{}\"/></properties>\n\
                 {}</testsuite>\n",
                self.skipped, self.seed, self.elements
            )),
        }
        match self.lost.filter(|error| error.kind() != io::ErrorKind::BrokenPipe) {
            Some(error) => Err(error),
            None => Ok(failed == 0),
        }
    }

    /// Why a case has failed, in lines. None: it hasn't.
    fn why(&self, ran: &Ran) -> Option<String> {
        match &ran.end {
            End::Outcome(Outcome::Completed(_)) => None,
            End::Outcome(Outcome::Failed(failure)) => Some(self.explained(failure)),
            End::Stuck(stack) => Some(self.waits(
                "it waits for something that can't come: all processes wait, and none for a time".to_owned(),
                stack.clone(),
                "a message to who wasn't there yet is refused, `nil, err`: `test.settle()` lets all begin",
            )),
            End::Endless(stack) => Some(self.waits(
                format!("it still waits after {PATIENCE:?} of its clock: timers go on, and nothing comes of them"),
                stack.clone(),
                "`test.advance` lets more time go by",
            )),
            End::TimedOut => {
                Some("error: it took longer than `--timeout` lets it: processes go on without end\n".to_owned())
            }
        }
    }

    /// What is said of a case that waits there.
    fn waits(&self, what: String, stack: Option<String>, hint: &str) -> String {
        let failure = Failure { stack, ..Failure::new(ErrorKind::Unknown, what) };
        let styled = self.styled && self.format == TestFormat::Text;
        self.app.explain("", &failure, Some(hint.to_owned())).render(styled) + "\n"
    }

    /// Why processes that the case has spawned have failed: that may be why it has.
    fn failed(&self, ran: &Ran) -> String {
        const TOLD: usize = 5;
        let mut text = String::new();
        for (who, failure) in ran.failed.iter().take(TOLD) {
            let explained = self.app.explain(&format!("{who} failed: "), failure, None);
            text.push_str(&explained.render(self.styled && self.format == TestFormat::Text));
            text.push('\n');
        }
        if ran.failed.len() > TOLD {
            // Writing to a String can't fail.
            let _ = writeln!(text, "… {} more have failed", ran.failed.len().saturating_sub(TOLD));
        }
        text
    }

    fn explained(&self, failure: &Failure) -> String {
        let details = failure.details.as_ref().and_then(|details| Value::decode(details).ok());
        let text = |key: &str| details.as_ref()?.get(key)?.as_str().map(str::to_owned);
        let both = text("want").zip(text("got"));
        let mut shown = failure.clone();
        if both.is_some() {
            shown.details = None;
        }
        let mut text = self.app.explain("", &shown, None).render(self.styled && self.format == TestFormat::Text);
        text.push('\n');
        if let Some((want, got)) = both {
            text.push_str("- wanted  + got\n");
            for change in diff(&want, &got) {
                let (sign, line) = match change {
                    Change::Same(line) => (' ', line),
                    Change::Missing(line) => ('-', line),
                    Change::Extra(line) => ('+', line),
                };
                let _ = writeln!(text, "{sign} {}", visible(line));
            }
        }
        text
    }
}

/// What is no failure, and worth a line.
fn notes(ran: &Ran) -> Vec<String> {
    const NAMED: usize = 5;
    let mut notes = Vec::new();
    if let (End::Outcome(_), [_, ..]) = (&ran.end, ran.left.as_slice()) {
        let named: Vec<&str> = ran.left.iter().take(NAMED).map(String::as_str).collect();
        let more = if ran.left.len() > NAMED { ", …" } else { "" };
        let noun = if ran.left.len() == 1 { "process" } else { "processes" };
        notes.push(format!("note: left {} {noun} behind: {}{more}", ran.left.len(), visible(&named.join(", "))));
    }
    notes
}

/// What the case has printed and logged, in lines.
fn said(capture: &Capture) -> String {
    let lines = capture.lines();
    let mut text = String::new();
    if lines.lines.is_empty() {
        return text;
    }
    text.push_str("printed and logged:\n");
    let hidden = lines.lines.len().saturating_sub(SHOWN);
    if hidden > 0 {
        let _ = writeln!(text, "  … {hidden} lines before");
    }
    for line in lines.lines.iter().skip(hidden) {
        let _ = match &line.log {
            None => writeln!(text, "  {}", visible(&line.text)),
            Some(log) => {
                let mut fields = String::new();
                for field in &log.fields {
                    let _ = write!(fields, " {}={}", field.name(), field.as_str());
                }
                writeln!(text, "  {} {}{}", log.level.as_str().to_uppercase(), visible(&line.text), visible(&fields))
            }
        };
    }
    if lines.dropped > 0 {
        let _ = writeln!(text, "  … {} lines were dropped", lines.dropped);
    }
    text
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") }).collect()
}

/// Text inside of XML, which has no form for most control characters: they are spelled out already.
fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
