//! The host's half of the module `test`: time, processes, what they printed, and modules in place of the real ones.
//!
//! Owns what a case can ask of its node. Whether a test has failed is decided in Lua; when time goes on, by whoever runs the
//! case: the wish is passed on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lunarium_contract::nearest;
use lunarium_engine::{
    CallError, Caller, EntryId, ErrorKind, Failure, FunctionError, Handle, HostId, Module, Node, Outcome, Raw, Refusal,
    SpawnRequest, Value,
};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::capture::Capture;

/// The name of the module, of its Lua half, and of what a test file requires.
pub const NAME: &str = "test";

/// The case wants time to go on by so much, and waits until it has.
pub struct Wish {
    pub by: Duration,
    pub done: oneshot::Sender<()>,
}

/// A process that a test has spawned.
#[derive(Clone)]
pub struct Spawned {
    pub entry: String,
    pub handle: Handle,
}

/// What a case has.
#[derive(Clone)]
pub struct Bench {
    /// Where a process is spawned for which nothing else is said.
    pub host: HostId,
    pub capture: Arc<Capture>,
    pub wishes: UnboundedSender<Wish>,
    /// What can be spawned.
    pub entries: Arc<[String]>,
    /// Those that the test has spawned, by their pids.
    pub spawned: Arc<Mutex<BTreeMap<String, Spawned>>>,
}

type Done<T> = Result<T, FunctionError>;

/// The module of one case's node.
pub fn module(bench: &Bench) -> Module {
    let of = || bench.clone();
    let (advance, spawn, wait, cancel, terminate) = (of(), of(), of(), of(), of());
    let (alive, printed, logged) = (of(), of(), of());
    Module::new(NAME)
        .function("advance", move |_, (by,): (Value,)| advance.advance(by))
        .immediate("spawn", move |caller, (host, entry, arguments): (Option<String>, String, Value)| {
            spawn.spawn(&node(&caller)?, host, &entry, arguments)
        })
        .function("wait", move |_, (pid,): (String,)| {
            let handle = wait.handle(&pid);
            async move { ended(handle?.wait().await) }
        })
        .immediate("cancel", move |_, (pid, within): (String, Option<Value>)| -> Done<bool> {
            let within = within.map(|within| duration(&within)).transpose()?;
            cancel.handle(&pid)?.cancel(within).map_err(|refusal| refused(&refusal))?;
            Ok(true)
        })
        .immediate("terminate", move |_, (pid,): (String,)| -> Done<bool> {
            terminate.handle(&pid)?.terminate().map_err(|refusal| refused(&refusal))?;
            Ok(true)
        })
        .immediate("is_alive", move |_, (pid,): (String,)| -> Done<bool> {
            Ok(alive.handle(&pid)?.outcome().is_none())
        })
        .immediate("output", move |_, (pid,): (Option<String>,)| -> Done<Value> {
            Ok(printed.capture.printed(pid.as_deref()))
        })
        .immediate("logs", move |_, (pid,): (Option<String>,)| -> Done<Value> {
            Ok(logged.capture.logged(pid.as_deref()))
        })
        .immediate("mock", |caller, (name, functions): (String, Vec<String>)| mock(&caller, name, functions))
}

impl Bench {
    fn advance(&self, by: Value) -> impl Future<Output = Done<()>> + Send + use<> {
        let asked = duration(&by).map(|by| {
            let (done, over) = oneshot::channel();
            // Whoever runs the case outlives it.
            let _ = self.wishes.send(Wish { by, done });
            over
        });
        async move {
            // The case has been given up: nothing is told to it any more.
            let _ = asked?.await;
            Ok(())
        }
    }

    fn spawn(&self, node: &Node, host: Option<String>, entry: &str, arguments: Value) -> Done<String> {
        let host = host.map_or_else(|| self.host.clone(), HostId::new);
        let request = SpawnRequest::new(EntryId::new(entry), host).with_arguments(unpacked(arguments));
        let handle = node.spawn(request).map_err(|refusal| {
            let meant = self.meant(entry);
            let meant = meant.map(|meant| format!(": did you mean `{meant}`?")).unwrap_or_default();
            FunctionError::new(refusal.kind(), format!("{refusal}{meant}"))
        })?;
        let pid = handle.pid().to_string();
        self.spawned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(pid.clone(), Spawned { entry: entry.to_owned(), handle });
        Ok(pid)
    }

    /// The entry that was probably meant: one whose name without its namespace this is, or one that is nearly the same.
    fn meant(&self, entry: &str) -> Option<&str> {
        if self.entries.iter().any(|id| id == entry) {
            return None;
        }
        let named = |id: &&String| id.split_once(':').is_some_and(|(_, name)| name == entry);
        let found = self.entries.iter().find(named);
        found.or_else(|| nearest(entry, &*self.entries, |id| id.as_str())).map(String::as_str)
    }

    /// Those that have failed of themselves, each by what it ran and its pid.
    pub fn failed(&self) -> Vec<(String, Arc<Failure>)> {
        let spawned = self.spawned.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = spawned.iter().filter_map(|(pid, Spawned { entry, handle })| match handle.outcome()? {
            // Ended by the test.
            Outcome::Failed(failure) if failure.kind == ErrorKind::Canceled => None,
            Outcome::Failed(failure) => Some((format!("{entry} {pid}"), Arc::clone(failure))),
            Outcome::Completed(_) => None,
        });
        failed.collect()
    }

    fn handle(&self, pid: &str) -> Done<Handle> {
        let spawned = self.spawned.lock().unwrap_or_else(PoisonError::into_inner);
        let none = || FunctionError::new(ErrorKind::NotFound, format!("`{pid}` wasn't spawned by `test.spawn`"));
        spawned.get(pid).map(|spawned| spawned.handle.clone()).ok_or_else(none)
    }
}

fn node(caller: &Caller) -> Done<Node> {
    caller.node().ok_or_else(|| FunctionError::new(ErrorKind::Canceled, "the test is over"))
}

fn refused(refusal: &(impl Refusal + ?Sized)) -> FunctionError {
    FunctionError::new(refusal.kind(), refusal.to_string())
}

fn duration(value: &Value) -> Done<Duration> {
    value.to_duration().map_err(|error| FunctionError::new(ErrorKind::Invalid, error.to_string()))
}

/// The values of a table `{n = …, …}`.
fn unpacked(packed: Value) -> Vec<Value> {
    match packed {
        Value::Map(pairs) => {
            let count = pairs.iter().find_map(|(key, value)| match (key.as_str(), value) {
                (Some("n"), Value::Integer(count)) => usize::try_from(*count).ok(),
                _ => None,
            });
            let mut values = vec![Value::Nil; count.unwrap_or_default().min(256)];
            for (key, value) in pairs {
                let Value::Integer(place) = key else { continue };
                let place = usize::try_from(place).ok().and_then(|place| place.checked_sub(1));
                if let Some(slot) = place.and_then(|place| values.get_mut(place)) {
                    *slot = value;
                }
            }
            values
        }
        _ => Vec::new(),
    }
}

/// A process's end as results.
fn ended(outcome: Outcome) -> Done<Value> {
    match outcome {
        Outcome::Completed(payload) => Ok(Value::decode(&payload).unwrap_or_default()),
        Outcome::Failed(failure) => Err(FunctionError::from((*failure).clone())),
    }
}

/// A module whose functions are the test's: each call is one of its process.
fn mock(caller: &Caller, name: String, functions: Vec<String>) -> Done<bool> {
    let test = caller.pid().to_string();
    let mut module = Module::new(name.clone());
    for function in functions {
        let (test, name, called) = (test.clone(), name.clone(), function.clone());
        module = module.function(function, move |caller: Caller, Raw(arguments): Raw| {
            let (test, name, called) = (test.clone(), name.clone(), called.clone());
            async move {
                let mut all = vec![Value::from(name.as_str()), Value::from(called.as_str())];
                if let Ok(Value::Array(given)) = Value::decode(&arguments) {
                    all.extend(given);
                }
                let node = node(&caller)?;
                let results = node.call(&test, "mock", &all).await.map_err(|error| match error {
                    CallError::Failed(failure) => FunctionError::from((*failure).clone()),
                    error => FunctionError::new(error.kind(), error.to_string()),
                })?;
                Ok::<_, FunctionError>(Raw(Value::Array(results).encode().into()))
            }
        });
    }
    node(caller)?.replace_module(module).map_err(|error| refused(&error))?;
    Ok(true)
}
