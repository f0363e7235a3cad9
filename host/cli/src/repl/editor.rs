//! Inputs at a terminal: a line editor with history, completion, and inputs of several lines.
//!
//! Owns the terminal while one is typed, and that what is printed meanwhile stands above it. What an input means, it asks.

use std::io::{self, IsTerminal as _, Write};
use std::sync::mpsc::Receiver;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, ExternalPrinter, Helper};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::history::{History, KEPT};
use super::input::{Said, is_whole};
use super::word::Word;

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
        self.editor.set_helper(Some(Asking(say.clone())));
        for () in asked {
            if say.send(self.read()).is_err() {
                return;
            }
        }
    }

    fn read(&mut self) -> Said {
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

/// Asks who evaluates.
struct Asking(UnboundedSender<Said>);

impl Helper for Asking {}
impl Highlighter for Asking {}

impl Hinter for Asking {
    type Hint = String;
}

impl Validator for Asking {
    fn validate(&self, typed: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match is_whole(&self.0, typed.input()) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

impl Completer for Asking {
    type Candidate = String;

    fn complete(&self, line: &str, cursor: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let Some(word) = line.get(..cursor).and_then(Word::at_end_of) else { return Ok((cursor, Vec::new())) };
        let (start, keywords) = (word.start, word.keywords().map(str::to_owned).collect::<Vec<_>>());
        let (reply, answer) = oneshot::channel();
        let asked = self.0.send(Said::Names(word, reply));
        let names = if asked.is_ok() { answer.blocking_recv().unwrap_or_default() } else { Vec::new() };
        Ok((start, names.into_iter().chain(keywords).collect()))
    }
}
