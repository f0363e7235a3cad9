//! `lunarium repl`: what is typed, evaluated in a process, one input after the other.
//!
//! Owns the order: everything is opened, the wall is built, a thread reads inputs, and each is evaluated and told before the next
//! is asked for; and the exit code. What an evaluation is stands in `session`, where inputs come from in `editor` and `lines`.

mod editor;
mod history;
mod input;
mod lines;
mod session;
mod word;

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use lunarium_app::Draft;
use lunarium_engine::{Level, Module};
use tokio::runtime::Builder;
use tokio::select;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use self::editor::Editor;
use self::history::History;
use self::input::{MOST_INPUT, Said};
use self::lines::Lines;
use self::session::{Evaluated, Session};
use crate::arguments::{LogFormat, Repl};
use crate::given::{Prepared, Started};
use crate::interrupt::{self, Interrupt, Interrupts};
use crate::modules::need_sockets;
use crate::run::{finish, output_lost};
use crate::terminal::{Screen, Terminal, visible, write_error};
use crate::verdict::{FAILURE, INTERRUPTED, SUCCESS, Verdict};
use crate::wall::{Sockets, Wall};
use crate::{Refused, finished, open};

/// Reads and evaluates, and returns the exit code.
///
/// Errors: the command line or the application is wrong, or the machine refuses; nothing was evaluated then.
pub fn run(options: &Repl) -> Result<u8, Refused> {
    let prepared = Prepared::new(&options.given, |modules| draft(options, modules))?;
    let source = Source::open(options)?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Refused::deaf)?;
    let (tell, interrupts) = runtime.block_on(async { interrupt::watch_each() }).map_err(Refused::deaf)?;
    let (wanted, sockets) = (!options.given.no_confine, Sockets::of(need_sockets(&prepared.draft), false));
    let wall = match &source {
        Source::Editor(..) => Wall::at_terminal(wanted, prepared.directories(), sockets)?,
        Source::Lines => Wall::build(wanted, prepared.directories(), sockets)?,
    };
    let (level, format) = (options.given.log_level, LogFormat::Text);
    let (ask, asked) = channel();
    let (say, said) = unbounded_channel();
    let is_edited = matches!(source, Source::Editor(..));
    let terminal = match source {
        Source::Editor(editor, printer) => {
            let terminal = Terminal::over(printer, level, format, tell).map_err(Refused::no_thread)?;
            start_reading(move || editor.run(&asked, say)).map_err(Refused::no_thread)?;
            terminal
        }
        Source::Lines => {
            let terminal = Terminal::start(level, format, tell).map_err(Refused::no_thread)?;
            start_reading(move || read_lines(&asked, say)).map_err(Refused::no_thread)?;
            terminal
        }
    };
    wall.tell(&terminal.screen());
    let prompt = Prompt { screen: terminal.screen(), interrupts, ask, said, is_edited };
    Ok(runtime.block_on(attend(prompt, prepared, terminal)))
}

/// What the command line names.
fn draft(options: &Repl, modules: &[Module]) -> Result<Draft, Refused> {
    match &options.path {
        Some(path) => open::read_any(path, modules).map_err(|error| Refused::usage(error.to_string(), None)),
        None => Ok(Draft::of_nothing()),
    }
}

/// Where inputs come from.
enum Source {
    /// A terminal that can be edited at.
    Editor(Box<Editor>, editor::Printer),
    /// Anything else on standard input.
    Lines,
}

impl Source {
    /// Opens the history and takes the terminal, where there is one.
    ///
    /// Errors: the terminal refuses.
    fn open(options: &Repl) -> Result<Self, Refused> {
        if !editor::is_usable() {
            return Ok(Self::Lines);
        }
        let (history, complaint) = History::open(options.history.as_deref());
        if let Some(complaint) = complaint {
            write_error(&visible(&format!("warning: what is typed is not kept: {complaint}\n")));
        }
        let refused = |error: io::Error| Refused::machine(format!("the terminal can't be used: {error}"));
        let (editor, printer) = Editor::open(history).map_err(refused)?;
        Ok(Self::Editor(Box::new(editor), printer))
    }
}

/// It ends with the program: nothing can wake a thread that waits for a terminal.
fn start_reading(read: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name("prompt".to_owned()).spawn(read).map(drop)
}

fn read_lines(asked: &Receiver<()>, say: UnboundedSender<Said>) {
    Lines::new(io::stdin().lock(), say).run(asked);
}

/// From the node's start to the last line that is written.
async fn attend(mut prompt: Prompt, prepared: Prepared, terminal: Terminal) -> u8 {
    let modes = prompt.is_edited.then(editor::Modes::of_terminal);
    let verdict = prompt.run(prepared).await.unwrap_or_else(Verdict::from);
    if let Some(message) = &verdict.message {
        prompt.screen.tell_rendered(Level::Error, message);
    }
    let code = finish(prompt.interrupts, terminal, verdict.code).await;
    // The thread may be at an input still.
    if let Some(modes) = modes {
        modes.restore();
    }
    code
}

struct Prompt {
    screen: Arc<Screen>,
    interrupts: Interrupts,
    ask: Sender<()>,
    said: UnboundedReceiver<Said>,
    /// A person edits at a terminal.
    is_edited: bool,
}

/// What comes next.
enum Next {
    Input(String),
    /// Something can't be evaluated, for this reason.
    Wrong(String),
    End(Verdict),
}

impl Prompt {
    /// Evaluates until nothing more comes; no process is left then.
    async fn run(&mut self, prepared: Prepared) -> Result<Verdict, Refused> {
        let Started { node, limits, grants, mut draft } = prepared.start(&self.screen, 1)?;
        draft.compile(&node).await;
        let app = finished(draft, self.screen.has_colours())?;
        let mut session = Session::start(node, app, limits, grants, self.screen.has_colours()).await?;
        if self.is_edited {
            let version = env!("CARGO_PKG_VERSION");
            self.screen.show(&format!("Lunarium {version}, Lua 5.4; Ctrl+D or `exit` ends")).await;
        }
        let mut has_failed = false;
        let verdict = loop {
            if self.is_edited
                && let Some(verdict) = self.all_written().await
            {
                break verdict;
            }
            let text = match self.next(&mut session).await {
                Next::Input(text) if matches!(text.trim(), "exit" | "exit()") => break ended(SUCCESS),
                Next::Input(text) => text,
                Next::Wrong(why) => {
                    has_failed = true;
                    self.screen.tell_rendered(Level::Error, &visible(&format!("error: {why}")));
                    continue;
                }
                Next::End(verdict) => break verdict,
            };
            match session.evaluate(of_lua(&text), &mut self.interrupts).await {
                Evaluated::Shown(text) => {
                    if let Some(text) = text {
                        self.screen.show(&text).await;
                    }
                }
                Evaluated::Failed(message) => {
                    has_failed = true;
                    self.screen.tell_rendered(Level::Error, &message);
                }
                Evaluated::Left(interrupt) => break left(interrupt),
            }
        };
        session.end().await;
        Ok(match verdict {
            // A person has seen what failed.
            Verdict { code: SUCCESS, message } if has_failed && !self.is_edited => Verdict { code: FAILURE, message },
            verdict => verdict,
        })
    }

    /// Waits for the next input, and answers what its reader asks meanwhile.
    async fn next(&mut self, session: &mut Session) -> Next {
        // The reader waits for nothing else, as long as it lives.
        let _ = self.ask.send(());
        loop {
            let said = select! {
                biased;
                interrupt = self.interrupts.next() => match interrupt {
                    // It came while nothing was evaluated: the editor hears of its own.
                    Interrupt::Signal(INTERRUPTED) if self.is_edited => continue,
                    interrupt => return Next::End(left(interrupt)),
                },
                said = self.said.recv() => said,
                message = session.ended() => {
                    self.screen.tell_rendered(Level::Error, &message);
                    continue;
                }
            };
            match said {
                Some(Said::Check(text, reply)) => drop(reply.send(session.is_complete(of_lua(&text)).await)),
                Some(Said::Names(word, reply)) => drop(reply.send(session.names(&word).await)),
                Some(Said::Input(text)) if text.len() > MOST_INPUT => {
                    return Next::Wrong(format!("the input has more than {MOST_INPUT} bytes, the limit"));
                }
                Some(Said::Input(text)) => return Next::Input(text),
                Some(Said::Wrong(why)) => return Next::Wrong(why),
                Some(Said::End) => return Next::End(ended(SUCCESS)),
                Some(Said::Broken(why)) => {
                    return Next::End(Verdict { code: FAILURE, message: Some(visible(&format!("error: {why}"))) });
                }
                None => return Next::End(ended(FAILURE)),
            }
        }
    }

    /// Waits until a person sees all that was printed. None: it is so.
    async fn all_written(&mut self) -> Option<Verdict> {
        let mut written = pin!(self.screen.written());
        loop {
            select! {
                biased;
                () = &mut written => return None,
                interrupt = self.interrupts.next() => match interrupt {
                    Interrupt::Signal(INTERRUPTED) => {}
                    interrupt => return Some(left(interrupt)),
                },
            }
        }
    }
}

/// An input without what Lua's own prompt lets stand before an expression.
fn of_lua(input: &str) -> &str {
    input.strip_prefix('=').unwrap_or(input)
}

fn ended(code: u8) -> Verdict {
    Verdict { code, message: None }
}

/// The verdict on what ends the command from outside.
fn left(interrupt: Interrupt) -> Verdict {
    match interrupt {
        Interrupt::Signal(code) => ended(code),
        Interrupt::OutputLost(kind) => output_lost(kind),
    }
}
