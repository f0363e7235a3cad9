//! The process that evaluates: started when there is something to evaluate, and anew when it has ended.
//!
//! Owns how an evaluation comes to its end, whatever ends it, and what is said about that. Globals are the process's: what ends it
//! loses them. Its functions can be called by whoever knows its pid, so each asks for a key, which a module gives to this process alone.

use std::future::pending;
use std::hash::{BuildHasher as _, RandomState};
use std::pin::pin;
use std::time::Duration;

use lunarium_app::App;
use lunarium_engine::{
    CallError, Caller, Chunk, CompileError, EntryId, ErrorKind, Failure, FunctionError, Grants, Handle, HostId,
    LimitsOverride, Module, Node, Outcome, Pid, SpawnRequest, Value,
};
use tokio::select;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::input::Known;
use super::word::Word;
use crate::Refused;
use crate::interrupt::{Interrupt, Interrupts};
use crate::terminal::visible;
use crate::verdict::{Ended, INTERRUPTED};

const PROGRAM: &str = include_str!("prompt.lua");
const SHOW: &str = include_str!("show.lua");

/// The entry and the process host of the prompt's process.
const ID: &str = "lunarium:prompt";
/// The module that has the key.
const DOOR: &str = "prompt";
/// How messages call what is typed.
const INPUT: &str = "=input";

/// CPU time that an evaluation may take after an interrupt, until its process is ended: one that waits now and then is stopped at its next
/// wait. Not the clock's: a machine may be slow. The number: who has pressed a key waits no longer.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long names for a completion may take. At the limit: there are none.
const NAMES: Duration = Duration::from_millis(500);

const LOST: &str = "its globals are lost: what comes next runs in a new process";

/// How an evaluation came to its end.
pub enum Evaluated {
    /// With this to be seen.
    Shown(Option<String>),
    /// What is to be said about it.
    Failed(String),
    /// Something else has to be done.
    Left(Interrupt),
}

pub struct Session {
    node: Node,
    app: App,
    limits: LimitsOverride,
    styled: bool,
    key: String,
    /// Whom the key is for.
    known: watch::Sender<Option<Pid>>,
    process: Option<Handle>,
}

impl Session {
    /// Gives the node the application and the prompt's program, and starts its process.
    ///
    /// Errors: it can't run, or the machine refuses.
    pub async fn start(
        node: Node,
        mut app: App,
        limits: LimitsOverride,
        mut grants: Grants,
        styled: bool,
    ) -> Result<Self, Refused> {
        let refused = |error: &dyn std::fmt::Display| Refused::usage(error.to_string(), None);
        let (known, who) = watch::channel(None);
        let key = random();
        grants.modules.insert(DOOR.into());
        app.add_own(ID, PROGRAM, &[("show", SHOW)], grants);
        app.allow_everything(&node);
        node.add_module(door(key.clone(), who)).map_err(|error| refused(&error))?;
        app.install(&node, None).map_err(|error| refused(&error))?;
        let mut session = Self { node, app, limits, styled, key, known, process: None };
        match session.running().await {
            Ok(_) => Ok(session),
            Err(message) => Err(Refused { text: message, code: crate::FAILURE }),
        }
    }

    /// The process; a new one if there is none.
    ///
    /// Errors: what is to be said: none can be started.
    async fn running(&mut self) -> Result<Handle, String> {
        if let Some(handle) = &self.process {
            return Ok(handle.clone());
        }
        self.known.send_replace(None);
        let mut request = SpawnRequest::new(EntryId::new(ID), HostId::new(ID));
        request.limits = self.limits.clone();
        let handle = self.node.spawn(request).map_err(|error| visible(&format!("error: {error}")))?;
        self.known.send_replace(Some(handle.pid().clone()));
        if !handle.started().await {
            return Err(self.why(&handle, &handle.wait().await));
        }
        self.process = Some(handle.clone());
        Ok(handle)
    }

    /// Evaluates an input. An interrupt stops it, and ends its process when it doesn't give way.
    pub async fn evaluate(&mut self, text: &str, interrupts: &mut Interrupts) -> Evaluated {
        let handle = match self.running().await {
            Ok(handle) => handle,
            Err(message) => return Evaluated::Failed(message),
        };
        let arguments = [Value::from(self.key.as_str()), Value::from(text)];
        let mut call = pin!(handle.call("evaluate", &arguments));
        select! {
            biased;
            answer = &mut call => return self.answered(&handle, answer),
            interrupt = interrupts.next() => if interrupt != Interrupt::Signal(INTERRUPTED) {
                return Evaluated::Left(interrupt);
            }
        }
        let key = [Value::from(self.key.as_str())];
        let mut stop = pin!(handle.call("interrupt", &key));
        let before = cpu(&handle);
        let stopped = loop {
            select! {
                biased;
                answer = &mut call => return self.answered(&handle, answer),
                stopped = &mut stop => break stopped.is_ok(),
                interrupt = interrupts.next() => match interrupt {
                    Interrupt::Signal(INTERRUPTED) => break false,
                    interrupt => return Evaluated::Left(interrupt),
                },
                () = sleep(LOOK) => if cpu(&handle).saturating_sub(before) >= PATIENCE {
                    break false;
                }
            }
        };
        if stopped {
            return Evaluated::Failed("interrupted".to_owned());
        }
        // It may have ended just now.
        let _ = handle.terminate();
        handle.wait().await;
        self.process = None;
        Evaluated::Failed(format!("interrupted: the process did not give way and was ended; {LOST}"))
    }

    fn answered(&mut self, handle: &Handle, answer: Result<Vec<Value>, CallError>) -> Evaluated {
        let error = match answer {
            Ok(values) => return shown(&values),
            Err(error) => error,
        };
        if let Some(outcome) = handle.outcome() {
            self.process = None;
            return Evaluated::Failed(self.end_of(handle, outcome));
        }
        if handle.inspect().is_some_and(|details| details.info.entry.as_str() != ID) {
            self.process = None;
            let pid = handle.pid();
            return Evaluated::Failed(visible(&format!("error: {pid} goes on as another program; {LOST}")));
        }
        match error {
            CallError::Failed(failure) => Evaluated::Failed(self.failed(&failure)),
            // Nothing it is sent arrives any more, so nothing can make room.
            error if error.kind() == ErrorKind::RateLimited => {
                let _ = handle.terminate();
                self.process = None;
                Evaluated::Failed(visible(&format!("error: {error}: the process was ended; {LOST}")))
            }
            error => Evaluated::Failed(visible(&format!("error: {error}"))),
        }
    }

    fn failed(&self, failure: &Failure) -> String {
        self.app.explain("", failure, None).render(self.styled)
    }

    /// What is said when the process has ended, and something was in it.
    fn end_of(&self, handle: &Handle, outcome: &Outcome) -> String {
        format!("{}\n{LOST}", self.why(handle, outcome))
    }

    fn why(&self, handle: &Handle, outcome: &Outcome) -> String {
        let (entry, host) = (EntryId::new(ID), HostId::new(ID));
        let process = Ended { app: &self.app, entry: &entry, host: &host, pid: handle.pid(), limits: &self.limits };
        match outcome {
            Outcome::Completed(_) => format!("error: {} has ended", handle.pid()),
            Outcome::Failed(failure) => {
                process.explain(&format!("{} has ended: ", handle.pid()), failure).render(self.styled)
            }
        }
    }

    /// Waits until the process has ended while nothing is evaluated: what is to be said. For ever while there is none.
    ///
    /// Cancel safety: nothing is lost.
    pub async fn ended(&mut self) -> String {
        let Some(handle) = self.process.clone() else { return pending().await };
        let outcome = handle.wait().await;
        self.process = None;
        self.end_of(&handle, &outcome)
    }

    /// Whether an input is a whole one: an expression or statements, or so wrong that more wouldn't help.
    pub async fn is_complete(&self, text: &str) -> bool {
        let is_open = |error: &CompileError| error.message.ends_with("near <eof>");
        let Err(expression) = self.node.check(&Chunk::new(INPUT, format!("return {text}"))).await else { return true };
        let Err(statements) = self.node.check(&Chunk::new(INPUT, text)).await else { return true };
        !is_open(&expression) && !is_open(&statements)
    }

    /// What a word can be completed to; nothing while the process is busy or not there.
    pub async fn names(&self, word: &Word) -> Known {
        let Some(handle) = &self.process else { return Known::default() };
        let path = word.path.iter().map(|name| Value::from(name.as_str())).collect();
        let (prefix, is_method) = (Value::from(word.prefix.as_str()), Value::Boolean(word.is_method));
        let arguments = [Value::from(self.key.as_str()), Value::Array(path), prefix, is_method];
        let Ok(Ok(results)) = timeout(NAMES, handle.call("names", &arguments)).await else { return Known::default() };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let names = match results.first() {
            Some(Value::Array(names)) => names.iter().filter_map(text).collect(),
            _ => Vec::new(),
        };
        Known { names, kind: results.get(1).and_then(text) }
    }

    /// Ends all that runs.
    pub async fn end(self) {
        self.node.shutdown(Duration::ZERO).await;
    }
}

/// What an evaluation says of itself.
fn shown(values: &[Value]) -> Evaluated {
    let text = |value: &Value| match value {
        Value::String(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    };
    match values {
        [Value::Boolean(true), rest @ ..] => Evaluated::Shown(rest.first().and_then(text)),
        [_, wrong, ..] => Evaluated::Failed(visible(&format!("error: {}", text(wrong).unwrap_or_default()))),
        _ => Evaluated::Shown(None),
    }
}

/// What it has used so far; of one that has ended, nothing.
fn cpu(handle: &Handle) -> Duration {
    handle.usage().map(|usage| usage.cpu).unwrap_or_default()
}

/// Gives the key to the process that it is for.
fn door(key: String, who: watch::Receiver<Option<Pid>>) -> Module {
    Module::new(DOOR).function("key", move |caller: Caller, ()| {
        let (key, mut who) = (key.clone(), who.clone());
        async move {
            // Known as soon as it was started.
            let is_meant = who.wait_for(Option::is_some).await.is_ok_and(|who| who.as_ref() == Some(caller.pid()));
            let refused =
                || FunctionError::new(ErrorKind::PermissionDenied, "only the prompt's own process has the key");
            is_meant.then_some(key).ok_or_else(refused)
        }
    })
}

/// What no script can guess: from the operating system.
fn random() -> String {
    let part = || RandomState::new().hash_one("lunarium repl");
    format!("{:016x}{:016x}", part(), part())
}
