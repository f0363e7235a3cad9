//! `lunarium run`: from a checked application to an exit code.
//!
//! Owns the life of a run: start, wait, stop, in this order whatever ends it; and that everything is opened, then the wall
//! is built, and only then a thread is started. Refuses to know how things look: see `terminal` and `verdict`.

use std::ffi::OsString;
use std::future::pending;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lunarium_app::{App, Draft, Services};
use lunarium_engine::{EntryId, Handle, HostId, Level, LimitsOverride, Module, Node, Outcome, SpawnRequest, Value};
use tokio::runtime::Builder;
use tokio::select;
use tokio::time::sleep;

use crate::arguments::Run;
use crate::endpoints::{self, Listening};
use crate::given::{Prepared, Started};
use crate::interrupt::{self, Interrupt, Interrupts};
use crate::modules::need_sockets;
use crate::plan::{Plan, Wish, plan};
use crate::services::Watch;
use crate::terminal::{Screen, Terminal};
use crate::verdict::{Ended, FAILURE, SUCCESS, Verdict};
use crate::wall::{Sockets, Wall};
use crate::{Refused, finished, open, read, stdin};

/// How long services may take to stop. At the limit: what is left is terminated.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the output may stand still when a signal has come and processes wait to print; and how long the rest of it
/// may take when nothing runs any more. At the limit: it is given up. Whoever reads at all has read half a MiB by then.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Runs what was asked for and returns the exit code.
///
/// Errors: the machine refuses; nothing has run then.
pub fn run(options: Run) -> Result<u8, Refused> {
    // Nobody listens for signals yet, so one ends the program whatever it waits for: a disk, or a reader of the refusal.
    let (prepared, listening) = prepare(&options)?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Refused::deaf)?;
    // Makes a pair of sockets, and has no thread.
    let (tell, interrupts) = runtime.block_on(async { interrupt::watch() }).map_err(Refused::deaf)?;
    let sockets = Sockets::of(need_sockets(&prepared.draft), listening.is_some());
    let wall = Wall::build(!options.given.no_confine, prepared.directories(), sockets)?;
    let terminal = Terminal::start(options.given.log_level, options.log_format, tell);
    let terminal = terminal.map_err(Refused::no_thread)?;
    wall.tell(&terminal.screen());
    Ok(runtime.block_on(attend(options, prepared, listening, terminal, interrupts)))
}

/// From the node's start to the last line that is written.
async fn attend(
    options: Run,
    prepared: Prepared,
    listening: Option<Listening>,
    terminal: Terminal,
    interrupts: Interrupts,
) -> u8 {
    let mut run = Running { screen: terminal.screen(), interrupts };
    // A refusal is written as everything else is: a stream that nobody reads must not hold up a signal.
    let verdict = run.run(options, prepared, listening).await.unwrap_or_else(Verdict::from);
    if let Some(message) = &verdict.message {
        run.screen.tell_rendered(Level::Error, message);
    }
    finish(run.interrupts, terminal, verdict.code).await
}

/// Looks at everything that the command line names; and where requests will come in.
fn prepare(options: &Run) -> Result<(Prepared, Option<Listening>), Refused> {
    let mut prepared = Prepared::new(&options.given, |modules| draft(options, modules))?;
    if prepared.draft.is_single() {
        // Whoever starts one script gives it what he gives the command.
        prepared.grants.modules.insert(stdin::NAME.into());
    }
    let listening = Listening::open(options.http.as_deref(), &prepared.draft)?;
    Ok((prepared, listening))
}

/// What the command line names: a folder, a file, standard input, or itself.
fn draft(options: &Run, modules: &[Module]) -> Result<Draft, Refused> {
    match (&options.code, &options.path) {
        (Some(code), _) => Ok(Draft::of_text("-e", code)),
        (None, Some(path)) if path == Path::new("-") => {
            let text = open::script(io::stdin()).map_err(|error| Refused::usage(error.to_string(), None))?;
            Ok(Draft::of_text("stdin", &text))
        }
        (None, Some(path)) => read(path, modules),
        // The parser of the command line asks for one of both.
        (None, None) => Err(Refused::usage("nothing to run is named".to_owned(), None)),
    }
}

/// Arguments reach `main` as strings, whatever bytes they hold. With `-e` the first stands where a path would.
fn arguments(options: &Run) -> Vec<Value> {
    let first = options.path.iter().map(|path| path.as_os_str()).filter(|_| options.code.is_some());
    let arguments = first.chain(options.arguments.iter().map(OsString::as_os_str));
    arguments.map(|argument| Value::String(argument.as_encoded_bytes().to_vec())).collect()
}

struct Running {
    screen: Arc<Screen>,
    interrupts: Interrupts,
}

impl Running {
    /// Runs what was asked for to its end; no process is left then.
    async fn run(
        &mut self,
        options: Run,
        prepared: Prepared,
        listening: Option<Listening>,
    ) -> Result<Verdict, Refused> {
        let Started { node, limits, grants, mut draft } = prepared.start(&self.screen, 0)?;
        draft.compile(&node).await;
        let misspelt = draft.misspelt();
        if !misspelt.is_empty() && !draft.is_wrong() {
            self.screen.tell_rendered(Level::Warn, misspelt.render(self.screen.has_colours()).trim_end());
        }
        let mut app = finished(draft, self.screen.has_colours())?;
        let wish = Wish {
            execute: options.execute.as_deref(),
            host: options.host.as_deref(),
            has_arguments: !options.arguments.is_empty(),
            has_limits: !options.given.limits.is_empty(),
            has_grants: !grants.is_empty(),
            is_served: listening.is_some(),
        };
        let plan = plan(&app, wish).map_err(|error| Refused::usage(error.to_string(), error.hint(&app)))?;
        let verdict = match plan {
            Plan::Services => {
                app.face(stdin::NAME, stdin::FACE);
                self.services(&node, &app, listening).await?
            }
            Plan::Process { entry, host } => {
                app.grant(&entry, &grants);
                app.face(stdin::NAME, stdin::FACE);
                self.process(&node, &app, request(entry, host, arguments(&options), limits)).await?
            }
        };
        node.shutdown(Duration::ZERO).await;
        Ok(verdict)
    }

    async fn process(&mut self, node: &Node, app: &App, request: SpawnRequest) -> Result<Verdict, Refused> {
        let (entry, host, limits) = (request.entry.clone(), request.host.clone(), request.limits.clone());
        app.install(node, Some(&host)).map_err(|error| Refused::usage(error.to_string(), None))?;
        let handle = node.spawn(request).map_err(|error| Refused::usage(error.to_string(), None))?;
        let process = Ended { app, entry: &entry, host: &host, pid: handle.pid(), limits: &limits };
        let ended = self.wait(node, &handle).await;
        Ok(ended.map_or_else(|verdict| verdict, |outcome| process.verdict(&outcome, self.screen.has_colours())))
    }

    /// Waits for the process; a signal asks it to end.
    ///
    /// Errors: what ends the run instead.
    async fn wait(&mut self, node: &Node, handle: &Handle) -> Result<Outcome, Verdict> {
        loop {
            let interrupt = select! {
                biased;
                outcome = handle.wait() => return Ok(outcome),
                interrupt = self.interrupts.next() => interrupt,
            };
            match interrupt {
                Interrupt::Signal(_) => {
                    announce_stop(&self.screen);
                    // It may be ending just now.
                    let _ = node.cancel(handle.pid(), Some(PATIENCE));
                }
                Interrupt::OutputLost(kind) => return Err(output_lost(kind)),
            }
        }
    }

    /// The run ends when no service is under way and no process lives: a service may have started others and ended. One that is served ends
    /// by an interrupt only, which stops what there is.
    async fn services(&mut self, node: &Node, app: &App, listening: Option<Listening>) -> Result<Verdict, Refused> {
        app.install(node, None).map_err(|error| Refused::usage(error.to_string(), None))?;
        let Self { screen, interrupts } = self;
        let mut services = Services::start(node, app);
        let mut watch = Watch::new(app);
        let server = listening.map(|listening| listening.serve(node, app, &services, screen)).transpose()?;
        if server.is_none() && !app.endpoints().is_empty() {
            screen.note(Level::Info, "nobody serves the endpoints: `--http ADDRESS` does", &[]);
        }
        let is_served = server.is_some();
        let ended = async {
            watch.follow(&mut services, screen).await;
            node.idle().await;
            if is_served {
                pending::<()>().await;
            }
        };
        let interrupt = select! {
            biased;
            () = ended => None,
            interrupt = interrupts.next() => Some(interrupt),
        };
        match interrupt {
            None => return Ok(watch.verdict()),
            Some(Interrupt::OutputLost(kind)) => return Ok(output_lost(kind)),
            Some(Interrupt::Signal(_)) => announce_stop(screen),
        }
        // Requests under way may need services, which go on meanwhile.
        if let Some(server) = server {
            let follow = async {
                watch.follow(&mut services, screen).await;
                pending::<()>().await;
            };
            select! {
                biased;
                () = endpoints::stop(server, screen) => {}
                () = follow => {}
                kind = interrupts.output_lost() => return Ok(output_lost(kind)),
            }
        }
        services.begin_stop();
        Ok(select! {
            biased;
            () = watch.follow(&mut services, screen) => watch.verdict(),
            kind = interrupts.output_lost() => output_lost(kind),
            () = sleep(PATIENCE) => out_of_patience(),
        })
    }
}

/// Writes out what is left, as long as somebody reads it: after a signal, which has nobody else to ask, not for long.
pub async fn finish(mut interrupts: Interrupts, terminal: Terminal, code: u8) -> u8 {
    let given_up = async {
        let code = interrupts.signal().await;
        sleep(LAST_WORDS).await;
        code
    };
    let screen = terminal.screen();
    let written = select! {
        biased;
        written = terminal.finish() => written,
        code = given_up => return code,
    };
    if !written {
        return interrupts.signal().await;
    }
    // What nobody can read is a failure of who has none, also when it was the last that was said.
    match interrupts.output_was_lost().filter(|_| code == SUCCESS) {
        None => code,
        Some(kind) => {
            let verdict = output_lost(kind);
            if let Some(message) = &verdict.message {
                screen.tell_last(message);
            }
            verdict.code
        }
    }
}

fn request(entry: EntryId, host: HostId, arguments: Vec<Value>, limits: LimitsOverride) -> SpawnRequest {
    let mut request = SpawnRequest::new(entry, host);
    request.arguments = arguments;
    request.limits = limits;
    request
}

/// Says that the first signal was heard, and sees to it that processes hear of it, too: who waits to print where nobody
/// reads would wait for ever.
fn announce_stop(screen: &Arc<Screen>) {
    screen.tell("stopping; a second interrupt stops at once");
    let screen = Arc::clone(screen);
    tokio::spawn(async move { screen.give_up_unread(LAST_WORDS).await });
}

fn out_of_patience() -> Verdict {
    let message = format!("error: services are still there after {PATIENCE:?} and are terminated");
    Verdict { code: FAILURE, message: Some(message) }
}

/// A reader that has read enough is no failure to speak of.
pub fn output_lost(kind: io::ErrorKind) -> Verdict {
    Refused::output(&kind.into()).map_or_else(Verdict::from, |code| Verdict { code, message: None })
}
