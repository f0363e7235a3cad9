//! What people see: `print` on standard output, logs and failures on standard error.
//!
//! Owns both streams and the form of a log line. Refuses to let a process drive the terminal: what comes from a script
//! is text, and what can't be seen in it is spelled out.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::task::Waker;
use std::time::Duration;

use jiff::Timestamp;
use lunarium_app::Explained;
use lunarium_engine::{Failure, Level, LogField, Output, ProcessLabel, visibility, visible_json};
use lunarium_serve::LogLine;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::sleep;

use crate::arguments::{LogFormat, LogLevel};
use crate::interrupt::Interrupt;
use crate::lossy::Lossy;
use crate::stream::{Stream, Writer};

/// The streams of a run. Ended by [`Terminal::finish`].
pub struct Terminal {
    screen: Arc<Screen>,
    output: Writer,
    /// None: both are one.
    log: Option<Writer>,
}

/// Where processes print and log.
pub struct Screen {
    output: Stream,
    log: Stream,
    form: Arc<Form>,
    /// Log lines that found the stream full since the last that didn't.
    dropped: AtomicU64,
}

/// Which lines are shown, and how they are written: it may change while they are.
struct Form(RwLock<(Level, LogFormat)>);

impl Form {
    fn new(level: LogLevel, format: LogFormat) -> Self {
        Self(RwLock::new((level.into(), format)))
    }

    fn set(&self, level: LogLevel, format: LogFormat) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = (level.into(), format);
    }

    fn level(&self) -> Level {
        self.0.read().unwrap_or_else(PoisonError::into_inner).0
    }

    fn format(&self) -> LogFormat {
        self.0.read().unwrap_or_else(PoisonError::into_inner).1
    }
}

impl Terminal {
    /// Starts both streams. `interrupts` is told when standard output goes away.
    ///
    /// Errors: no thread can be started.
    pub fn start(level: LogLevel, format: LogFormat, interrupts: UnboundedSender<Interrupt>) -> io::Result<Self> {
        Self::over(io::stdout(), level, format, interrupts)
    }

    /// The same for who prints nothing: standard output, where it is standard error, too, is a log.
    ///
    /// Errors: no thread can be started.
    pub fn of_logs(level: LogLevel, format: LogFormat, interrupts: UnboundedSender<Interrupt>) -> io::Result<Self> {
        let form = Arc::new(Form::new(level, format));
        Self::of_form(log_to(io::stdout(), &form), form, interrupts)
    }

    /// The same where standard output is written to by way of `output`; standard error too, if both are one.
    ///
    /// Errors: as above.
    pub fn over(
        output: impl Write + Send + 'static,
        level: LogLevel,
        format: LogFormat,
        interrupts: UnboundedSender<Interrupt>,
    ) -> io::Result<Self> {
        Self::of_form(output, Arc::new(Form::new(level, format)), interrupts)
    }

    fn of_form(
        output: impl Write + Send + 'static,
        form: Arc<Form>,
        interrupts: UnboundedSender<Interrupt>,
    ) -> io::Result<Self> {
        let (output, output_writer) = Stream::start("stdout", output, move |error| {
            // The receiver outlives the run.
            let _ = interrupts.send(Interrupt::OutputLost(error.kind()));
        })?;
        let (log, log_writer) = if is_one() {
            // One queue keeps the order in which lines came.
            (output.clone(), None)
        } else {
            // Without standard error there is nobody to tell.
            let (log, writer) = Stream::start("stderr", log_to(io::stderr(), &form), |_| ())?;
            (log, Some(writer))
        };
        let screen = Arc::new(Screen { output, log, form, dropped: AtomicU64::new(0) });
        Ok(Self { screen, output: output_writer, log: log_writer })
    }

    /// Where processes print and log.
    pub fn screen(&self) -> Arc<Screen> {
        Arc::clone(&self.screen)
    }

    /// Waits until what was taken so far is written. False: some of the output was given up before.
    pub async fn finish(self) -> bool {
        self.output.finish().await;
        if let Some(log) = self.log {
            log.finish().await;
        }
        !self.screen.output.is_given_up()
    }
}

impl Screen {
    /// Writes a failure of the command itself when nothing else is written any more.
    pub fn tell_last(&self, message: &str) {
        write_error(&(own_line(self.form.format(), Level::Error, message) + "\n"));
    }

    /// From now on lines are shown from this level on, and written so.
    pub fn set_form(&self, level: LogLevel, format: LogFormat) {
        self.form.set(level, format);
    }

    /// Whether lines of this level are shown.
    pub fn shows(&self, level: Level) -> bool {
        level >= self.form.level()
    }

    /// Writes a log line of the command itself.
    pub fn note(&self, level: Level, message: &str, fields: &[LogField]) {
        self.write(Whose::default(), level, message, fields, "");
    }

    /// Writes a line of a tenant's log.
    pub fn tenant(&self, tenant: &str, line: &LogLine) {
        let whose = Whose { tenant: Some(tenant), process: line.process.as_ref() };
        // What the host says may have more lines, which stand further in than what begins a line of the log.
        let (first, rest) = match line.message.split_once('\n') {
            Some((first, rest)) if line.process.is_none() && self.form.format() == LogFormat::Text => (first, rest),
            _ => (&*line.message, ""),
        };
        let rest = visible(rest.trim_end()).lines().map(|line| format!("\n  {line}")).collect::<String>();
        self.write(whose, line.level, first, &line.fields, &rest);
    }

    /// Waits for the end of a span in which nobody took anything of a standard output that is full, and gives it up: who
    /// waited to print goes on.
    ///
    /// Cancel safety: nothing is given up before.
    pub async fn give_up_unread(&self, patience: Duration) {
        loop {
            let before = self.output.rounds();
            sleep(patience).await;
            if self.output.give_up(before) {
                return self.tell("standard output is not read: what is printed from now on is lost");
            }
        }
    }

    /// Writes text to standard output, once there is room for it. Nothing in it can drive the terminal.
    pub async fn show(&self, text: &str) {
        let text = visible(text);
        while !self.output.push_own(text.as_bytes()) {
            self.output.written().await;
        }
    }

    /// Waits until all that was taken so far is written.
    pub async fn written(&self) {
        self.output.written().await;
        self.log.written().await;
    }

    /// Writes a line to standard error that is no log line and has no level.
    pub fn tell(&self, text: &str) {
        self.log.push_own(own_line(self.form.format(), Level::Info, &visible(text)).as_bytes());
    }

    /// Writes text to standard error that may hold colours: nothing in it may be a script's that isn't made visible.
    pub fn tell_rendered(&self, level: Level, text: &str) {
        self.log.push_own(own_line(self.form.format(), level, text).as_bytes());
    }

    /// Whether what is rendered for [`Screen::tell_rendered`] may hold colours.
    pub fn has_colours(&self) -> bool {
        self.form.format() == LogFormat::Text && has_colours()
    }

    /// Logs a failure: for people its explanation below the line, for programs the traceback in a field.
    pub fn failure(
        &self,
        level: Level,
        message: &str,
        mut fields: Vec<LogField>,
        failure: &Failure,
        explained: Option<&Explained>,
    ) {
        if self.form.format() == LogFormat::Json {
            fields.extend(failure.stack.iter().map(|stack| LogField::text("stack", stack.as_str())));
        }
        let explained = explained.filter(|explained| self.form.format() == LogFormat::Text && !explained.is_bare());
        // Further in than what begins a line of the log.
        let below = explained.map(|explained| explained.render(has_colours()).replace('\n', "\n  "));
        let below = below.map_or_else(String::new, |below| format!("\n  {below}"));
        self.write(Whose::default(), level, message, &fields, &below);
    }

    /// `below` is rendered text that stays with the line.
    fn write(&self, whose: Whose<'_>, level: Level, message: &str, fields: &[LogField], below: &str) {
        if !self.shows(level) {
            return;
        }
        let time = Timestamp::now();
        let line = |whose, level, message: &str, fields: &[LogField]| match self.form.format() {
            LogFormat::Text => text_line(time, whose, level, message, fields),
            LogFormat::Json => json_line(time, whose, level, message, fields),
        };
        let push = |line: &str| match whose {
            Whose { tenant: None, process: None } => self.log.push_own(line.as_bytes()),
            _ => self.log.push(line.as_bytes()),
        };
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        let lost =
            dropped != 0 && !push(&line(Whose::default(), Level::Warn, &format!("{dropped} log lines dropped"), &[]));
        let taken = !lost && push(&(line(whose, level, message, fields) + below));
        let missing = if lost { dropped.saturating_add(1) } else { u64::from(!taken) };
        self.dropped.fetch_add(missing, Ordering::Relaxed);
    }
}

impl Output for Screen {
    fn print(&self, _process: &ProcessLabel, line: &str) -> bool {
        self.output.push(line.as_bytes())
    }

    fn on_ready(&self, waker: Waker) {
        self.output.on_ready(waker);
    }

    fn log(&self, process: &ProcessLabel, level: Level, message: &str, fields: &[LogField]) {
        self.write(Whose { tenant: None, process: Some(process) }, level, message, fields, "");
    }
}

/// Whose a line is; nobody's: the command's own.
#[derive(Debug, Clone, Copy, Default)]
struct Whose<'l> {
    tenant: Option<&'l str>,
    process: Option<&'l ProcessLabel>,
}

fn text_line(time: Timestamp, whose: Whose<'_>, level: Level, message: &str, fields: &[LogField]) -> String {
    let mut line = format!("{time:.3} {:5} ", level.as_str().to_uppercase());
    if let Some(tenant) = whose.tenant {
        line.push_str(tenant);
        line.push(' ');
    }
    // Writing to a String can't fail.
    if let Some(process) = whose.process {
        let _ = write!(line, "{} {} ", process.frame, process.pid);
    }
    line.push_str(&one_line(message));
    for field in fields {
        push_field(&mut line, field.name(), field.as_str());
    }
    line
}

/// Appends a field as text has it: quoted where the next one would begin inside of it.
pub fn push_field(line: &mut String, name: &str, text: &str) {
    let text = one_line(text);
    let quote = if text.is_empty() || text.contains([' ', '"', '=']) { "\"" } else { "" };
    // Writing to a String can't fail.
    let _ = write!(line, " {}={quote}{}{quote}", one_line(name), text.replace('"', "\\\""));
}

fn json_line(time: Timestamp, whose: Whose<'_>, level: Level, message: &str, fields: &[LogField]) -> String {
    let mut object = Map::new();
    object.insert("time".to_owned(), json!(format!("{time:.3}")));
    object.insert("level".to_owned(), json!(level.as_str()));
    if let Some(tenant) = whose.tenant {
        object.insert("tenant".to_owned(), json!(tenant));
    }
    if let Some(process) = whose.process {
        object.insert("frame".to_owned(), json!(&*process.frame));
        object.insert("pid".to_owned(), json!(process.pid.as_str()));
    }
    object.insert("message".to_owned(), json!(message));
    if !fields.is_empty() {
        let fields = fields.iter().map(|field| (field.name().to_owned(), json!(field.value()))).collect();
        object.insert("fields".to_owned(), Value::Object(fields));
    }
    visible_json(&Value::Object(object).to_string())
}

/// Text in which everything that can't be seen is spelled out, but for tab and newline.
pub fn visible(text: &str) -> String {
    spelled(text, &['\t', '\n'])
}

/// Text that stays on its line.
pub fn one_line(text: &str) -> String {
    spelled(text, &[])
}

fn spelled(text: &str, kept: &[char]) -> String {
    let mut clean = String::with_capacity(text.len());
    for (character, stands) in visibility(text) {
        match character {
            c if stands || kept.contains(&c) => clean.push(c),
            '\n' => clean.push_str("\\n"),
            '\t' => clean.push_str("\\t"),
            // Writing to a String can't fail.
            c if c.is_control() => drop(write!(clean, "\\x{:02x}", u32::from(c))),
            c => drop(write!(clean, "\\u{{{:x}}}", u32::from(c))),
        }
    }
    clean
}

/// A log that outlives a full disk.
fn log_to<W: Write>(target: W, form: &Arc<Form>) -> Lossy<W> {
    let form = Arc::clone(form);
    Lossy::new(target, move |text| match form.format() {
        LogFormat::Text => text_line(Timestamp::now(), Whose::default(), Level::Warn, text, &[]),
        LogFormat::Json => json_line(Timestamp::now(), Whose::default(), Level::Warn, text, &[]),
    })
}

/// A line of the command itself that is no log line; for programs it is one all the same. Nothing in it may be a script's that isn't
/// made visible.
pub fn own_line(format: LogFormat, level: Level, text: &str) -> String {
    match format {
        LogFormat::Text => text.to_owned(),
        LogFormat::Json => json_line(Timestamp::now(), Whose::default(), level, text.trim_end(), &[]),
    }
}

/// Whether both standard streams lead to one file, pipe or terminal.
fn is_one() -> bool {
    let one = rustix::fs::fstat(io::stdout()).ok().zip(rustix::fs::fstat(io::stderr()).ok());
    one.is_some_and(|(output, error)| (output.st_dev, output.st_ino) == (error.st_dev, error.st_ino))
}

/// True when standard error shows colours: it is a terminal, and nobody asked for none (`NO_COLOR`).
pub fn has_colours() -> bool {
    let asked_for_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    io::stderr().is_terminal() && !asked_for_none && !is_dumb
}

/// Writes to standard error without a stream: before there is one, and where nothing else runs.
pub fn write_error(text: &str) {
    // Without standard error there is nobody to tell.
    let _ = io::stderr().write_all(text.as_bytes());
}
