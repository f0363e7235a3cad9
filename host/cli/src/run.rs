//! `lunarium run`: from a checked application to an exit code.
//!
//! Owns the life of a run: start, wait, stop, in this order whatever ends it. Refuses to know how things look: see
//! `terminal` and `verdict`.

use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use futures_lite::future;
use lunarium_app::{App, Draft, Services};
use lunarium_engine::{EntryId, Handle, HostId, Level, LimitsOverride, Node, NodeConfig, Outcome, SpawnRequest, Value};

use crate::arguments::Run;
use crate::grant::grants;
use crate::interrupt::{self, Interrupt};
use crate::plan::{Plan, Wish, plan};
use crate::services::Watch;
use crate::terminal::{Screen, Terminal, has_colours};
use crate::verdict::{Ended, FAILURE, OUTPUT_CLOSED, Verdict};
use crate::{FEW_PROCESSES, Refused, finished, limits, read};

/// How long a graceful stop may take, everything included. At the limit: what is left is terminated.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs what was asked for and returns the exit code.
///
/// Errors: the command line or the application is wrong, or the machine refuses; nothing has run then.
pub fn run(options: &Run) -> Result<u8, Refused> {
    let limits = limits(&options.limits)?;
    let grants =
        grants(&options.grant_env, &options.grant_fs).map_err(|error| Refused::usage(error.to_string(), None))?;
    let (tell, interrupts) = async_channel::unbounded();
    let refused = |error: io::Error| Refused::machine(format!("cannot start a thread: {error}"));
    interrupt::watch(tell.clone()).map_err(refused)?;
    let terminal = Terminal::start(options.log_level, options.log_format, tell.clone()).map_err(refused)?;
    let screen = terminal.screen();
    let mut draft = read(&options.path)?;
    let node = start_node(&draft, Arc::clone(&screen))?;
    future::block_on(draft.compile(&node));
    let mut app = finished(draft)?;
    let wish = Wish {
        execute: options.execute.as_deref(),
        host: options.host.as_deref(),
        has_arguments: !options.arguments.is_empty(),
        has_limits: !options.limits.is_empty(),
        has_grants: !grants.is_empty(),
    };
    let plan = plan(&app, wish).map_err(|error| Refused::usage(error.to_string(), error.hint(&app)))?;
    let mut run = Running { node: node.clone(), screen, interrupts, tell };
    let verdict = match plan {
        Plan::Services => run.services(&app)?,
        Plan::Process { entry, host } => {
            app.grant(&entry, &grants);
            run.process(&app, entry, host, arguments(&options.arguments), limits)?
        }
    };
    future::block_on(node.shutdown());
    if let Some(message) = &verdict.message {
        run.screen.tell_rendered(message);
    }
    terminal.finish();
    Ok(verdict.code)
}

/// A node as large as the application's hosts, and no larger than the default: a start is refused where the machine has
/// too few mappings for every process there could be.
fn start_node(draft: &Draft, screen: Arc<Screen>) -> Result<Node, Refused> {
    let mut config = NodeConfig::new(screen);
    let wanted = draft.max_processes().unwrap_or(config.max_processes);
    config.max_processes = wanted.clamp(FEW_PROCESSES, config.max_processes);
    Node::start(config).map_err(|error| Refused::machine(error.to_string()))
}

/// Arguments reach `main` as strings, whatever bytes they hold.
fn arguments(arguments: &[OsString]) -> Vec<Value> {
    arguments.iter().map(|argument| Value::String(argument.as_encoded_bytes().to_vec())).collect()
}

struct Running {
    node: Node,
    screen: Arc<Screen>,
    interrupts: Receiver<Interrupt>,
    tell: Sender<Interrupt>,
}

impl Running {
    fn process(
        &mut self,
        app: &App,
        entry: EntryId,
        host: HostId,
        arguments: Vec<Value>,
        limits: LimitsOverride,
    ) -> Result<Verdict, Refused> {
        app.install(&self.node, Some(&host)).map_err(|error| Refused::usage(error.to_string(), None))?;
        let request =
            SpawnRequest { arguments, limits: limits.clone(), ..SpawnRequest::new(entry.clone(), host.clone()) };
        let handle = self.node.spawn(request).map_err(|error| Refused::usage(error.to_string(), None))?;
        let ended = future::block_on(self.wait(&handle));
        let process = Ended { app, entry: &entry, host: &host, pid: handle.pid(), limits: &limits };
        Ok(ended.unwrap_or_else(|outcome| process.verdict(&outcome, has_colours())))
    }

    /// Waits for the process; an interrupt asks it to end. `Err` is its outcome, `Ok` what ends the run instead.
    async fn wait(&self, handle: &Handle) -> Result<Verdict, Outcome> {
        loop {
            let ended = async { Err(handle.wait().await) };
            match future::or(ended, async { Ok(self.interrupts.recv().await) }).await? {
                Ok(Interrupt::Signal) => {
                    self.announce_stop();
                    // It may be ending just now.
                    let _ = self.node.cancel(handle.pid(), Some(PATIENCE));
                }
                Ok(Interrupt::OutputLost(kind)) => return Ok(output_lost(kind)),
                // Its CANCEL has a deadline of its own.
                Ok(Interrupt::OutOfPatience) | Err(_) => {}
            }
        }
    }

    fn services(&mut self, app: &App) -> Result<Verdict, Refused> {
        app.install(&self.node, None).map_err(|error| Refused::usage(error.to_string(), None))?;
        let mut services = Services::start(&self.node, app);
        Ok(future::block_on(self.serve(app, &mut services)))
    }

    /// The run ends when no service is under way and no process lives: a service may have started others and ended. An
    /// interrupt stops what there is.
    async fn serve(&self, app: &App, services: &mut Services) -> Verdict {
        let mut watch = Watch::new(app);
        let ended = async {
            watch.follow(services, &self.screen).await;
            self.node.idle().await;
            None
        };
        match future::or(ended, async { Some(self.next_interrupt().await) }).await {
            None => return watch.verdict(),
            Some(Interrupt::OutputLost(kind)) => return output_lost(kind),
            Some(Interrupt::Signal | Interrupt::OutOfPatience) => self.announce_stop(),
        }
        if let Err(error) = interrupt::after(PATIENCE, self.tell.clone()) {
            self.screen.note(Level::Warn, &format!("the stop has no deadline: {error}"), &[]);
        }
        services.begin_stop();
        let stopped = async {
            watch.follow(services, &self.screen).await;
            watch.verdict()
        };
        future::or(stopped, self.out_of_patience()).await
    }

    async fn next_interrupt(&self) -> Interrupt {
        match self.interrupts.recv().await {
            Ok(interrupt) => interrupt,
            // We hold a sender.
            Err(_) => future::pending().await,
        }
    }

    async fn out_of_patience(&self) -> Verdict {
        loop {
            match self.next_interrupt().await {
                Interrupt::OutOfPatience => {
                    let message = format!("error: services are still there after {PATIENCE:?} and are terminated");
                    return Verdict { code: FAILURE, message: Some(message) };
                }
                Interrupt::OutputLost(kind) => return output_lost(kind),
                Interrupt::Signal => {}
            }
        }
    }

    fn announce_stop(&self) {
        self.screen.tell("stopping; a second interrupt stops at once");
    }
}

/// A reader that has read enough is no failure to speak of.
fn output_lost(kind: io::ErrorKind) -> Verdict {
    if kind == io::ErrorKind::BrokenPipe {
        return Verdict { code: OUTPUT_CLOSED, message: None };
    }
    Verdict { code: FAILURE, message: Some(format!("error: standard output can't be written: {kind}")) }
}
