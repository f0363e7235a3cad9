//! Inputs at a terminal: a line editor with history, completion, parameters of what is called, and inputs of several lines.
//!
//! Owns the terminal while one is typed, and that what is printed meanwhile stands above it. What an input means, it asks.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _, Write};
use std::sync::mpsc::Receiver;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hint, Hinter};
use rustyline::history::MemHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, ExternalPrinter, Helper};
use tokio::sync::mpsc::UnboundedSender;

use super::history::{History, KEPT};
use super::input::{Known, Said, is_whole, known};
use super::word::{Call, Word};
use crate::library::Signatures;
use crate::terminal::has_colours;

const PROMPT: &str = "> ";

/// Whether somebody can edit here: both streams are a terminal that can do more than print.
pub fn is_usable() -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    io::stdin().is_terminal() && io::stdout().is_terminal() && !is_dumb
}

/// The editor.
pub struct Editor {
    editor: rustyline::Editor<Asking, MemHistory>,
    history: History,
}

/// Prints above what is typed.
pub struct Printer(Box<dyn FnMut(String) -> io::Result<()> + Send>);

impl Editor {
    /// Takes the terminal.
    ///
    /// Errors: it refuses.
    pub fn open(history: History) -> io::Result<(Self, Printer)> {
        let config = Config::builder().max_history_size(KEPT).map_err(io_error)?;
        let config = config.completion_type(CompletionType::List).build();
        let memory = MemHistory::with_config(&config);
        let mut editor = rustyline::Editor::with_history(config, memory).map_err(io_error)?;
        for entry in &history.entries {
            editor.add_history_entry(entry.as_str()).map_err(io_error)?;
        }
        let mut printer = editor.create_external_printer().map_err(io_error)?;
        let print = move |text| printer.print(text).map_err(io_error);
        Ok((Self { editor, history }, Printer(Box::new(print))))
    }

    /// Says one input each time that it is asked.
    pub fn run(mut self: Box<Self>, asked: &Receiver<()>, say: UnboundedSender<Said>) {
        self.editor.set_helper(Some(Asking::new(say.clone(), has_colours())));
        for () in asked {
            if say.send(self.read()).is_err() {
                return;
            }
        }
    }

    fn read(&mut self) -> Said {
        if let Some(helper) = self.editor.helper() {
            helper.asked.replace(None);
        }
        loop {
            match self.editor.readline(PROMPT) {
                Ok(text) if text.trim().is_empty() => {}
                Ok(text) => {
                    if self.history.add(&text) {
                        // In memory: nothing can fail.
                        let _ = self.editor.add_history_entry(text.as_str());
                    }
                    return Said::Input(text);
                }
                // What was typed is dropped.
                Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => {}
                Err(ReadlineError::Eof) => return Said::End,
                // A key that is no UTF-8.
                Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {}
                Err(error) => return Said::Broken(format!("the terminal can't be read: {error}")),
            }
        }
    }
}

impl Write for Printer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Lines come whole.
        (self.0)(String::from_utf8_lossy(bytes).into_owned())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn io_error(error: ReadlineError) -> io::Error {
    match error {
        ReadlineError::Io(error) => error,
        ReadlineError::Errno(error) => error.into(),
        error => io::Error::other(error.to_string()),
    }
}

/// How the terminal was before; none of it where it can't be asked.
pub struct Modes(Option<Termios>);

impl Modes {
    /// As it is now.
    pub fn of_terminal() -> Self {
        Self(tcgetattr(io::stdin()).ok())
    }

    /// As it was, on a line of its own if somebody was typing.
    pub fn restore(self) {
        let Some(before) = self.0 else { return };
        let is_changed = tcgetattr(io::stdin()).is_ok_and(|now| now.local_modes != before.local_modes);
        if is_changed {
            // Nobody is left who could be told.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
            let _ = io::stdout().write_all(b"\x1b[?2004l\r\n");
        }
    }
}

/// Asks who evaluates, and knows what the modules' functions take.
struct Asking {
    say: UnboundedSender<Said>,
    signatures: Signatures,
    /// What is shown can be told from what is typed.
    styled: bool,
    /// What the methods of a path were of when it was asked last: a key mustn't wait for who is busy.
    asked: RefCell<Option<(Vec<String>, Option<String>)>>,
}

impl Asking {
    fn new(say: UnboundedSender<Said>, styled: bool) -> Self {
        Self { say, signatures: Signatures::of_library(), styled, asked: RefCell::new(None) }
    }

    /// The parameters of the function with this name at a word's place, where something of this type is before it.
    fn parameters(&self, word: &Word, kind: Option<&str>, name: &str) -> Option<&[String]> {
        let of_type = kind.filter(|_| word.is_method).and_then(|kind| self.signatures.method(kind, name));
        of_type.or_else(|| {
            let whole: Vec<_> = word.path.iter().map(String::as_str).chain([name]).collect();
            self.signatures.function(&whole.join("."))
        })
    }

    /// The type of what is before a method.
    fn kind(&self, word: &Word) -> Option<String> {
        let mut asked = self.asked.borrow_mut();
        match &*asked {
            Some((path, kind)) if *path == word.path => kind.clone(),
            _ => {
                let kind = known(&self.say, word.clone()).kind;
                *asked = Some((word.path.clone(), kind.clone()));
                kind
            }
        }
    }
}

impl Helper for Asking {}

impl Highlighter for Asking {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[2m{hint}\x1b[0m"))
    }
}

/// The parameters that come next: to be read, not to be taken.
struct Next(String);

impl Hint for Next {
    fn display(&self) -> &str {
        &self.0
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Hinter for Asking {
    type Hint = Next;

    fn hint(&self, line: &str, cursor: usize, _: &Context<'_>) -> Option<Next> {
        if !self.styled || cursor < line.len() {
            return None;
        }
        let call = Call::at_end_of(line)?;
        let kind = if call.name.is_method { self.kind(&call.name) } else { None };
        let parameters = self.parameters(&call.name, kind.as_deref(), &call.name.prefix)?;
        next_parameters(parameters, &call, line).map(Next)
    }
}

/// What comes behind the cursor, with the parenthesis.
fn next_parameters(parameters: &[String], call: &Call, line: &str) -> Option<String> {
    let takes_more = parameters.last().is_some_and(|last| last == "...");
    let most = if takes_more { parameters.len().saturating_sub(1) } else { parameters.len() };
    let typed = call.before.saturating_add(usize::from(call.is_begun)).min(most);
    let rest = parameters.get(typed..).unwrap_or_default().join(", ");
    let joint = match (call.is_begun && !rest.is_empty(), line.ends_with(',')) {
        (true, _) => ", ",
        (false, true) => " ",
        (false, false) => "",
    };
    (!rest.is_empty() || call.before == 0).then(|| format!("{joint}{rest})"))
}

impl Validator for Asking {
    fn validate(&self, typed: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match is_whole(&self.say, typed.input()) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

impl Completer for Asking {
    type Candidate = Pair;

    fn complete(&self, line: &str, cursor: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let Some(word) = line.get(..cursor).and_then(Word::at_end_of) else { return Ok((cursor, Vec::new())) };
        let Known { names, kind } = known(&self.say, word.clone());
        let kind = kind.as_deref();
        // Those that no table has: a type may look its methods up by a function.
        let typed = kind.filter(|_| word.is_method).map(|kind| self.signatures.methods(kind, &word.prefix));
        let names: BTreeSet<&str> = names.iter().map(String::as_str).chain(typed.into_iter().flatten()).collect();
        let pair = |name: &str| {
            let parameters = self.parameters(&word, kind, name);
            let display = parameters.map_or(name.to_owned(), |names| format!("{name}({})", names.join(", ")));
            Pair { display, replacement: name.to_owned() }
        };
        let keywords = word.keywords().map(|word| Pair { display: word.to_owned(), replacement: word.to_owned() });
        Ok((word.start, names.into_iter().map(pair).chain(keywords).collect()))
    }
}
