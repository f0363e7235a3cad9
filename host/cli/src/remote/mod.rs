//! The command as a client of a host that stays up: every command that looks at one or changes it.
//!
//! Owns what these commands have in common: where the host is, how an answer or a refusal is shown, exit codes. What is shown of scripts
//! has nothing invisible in it.

mod act;
pub mod arguments;
mod change;
mod http;
mod logs;
mod look;
mod observe;
mod pack;
pub mod place;
pub mod show;

use std::io::{self, Write as _};

use lunarium_engine::visible_json;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use arguments::{Remote, Target};
pub use http::{Client, Refusal, process_path, processes_path};
pub use look::details;

use crate::Refused;
use crate::terminal::visible;
use crate::verdict::{FAILURE, SUCCESS};

/// Runs one of these commands: its exit code.
///
/// Errors: the command line is wrong, or the host isn't there or refuses.
pub fn run(command: Remote) -> Result<u8, Refused> {
    let done = match command {
        Remote::Tenants(options) => look::tenants(&options),
        Remote::Ps(options) => look::processes(&options),
        Remote::Top(options) => return crate::top::run(&options),
        Remote::Observe(options) => observe::observe(&options),
        Remote::Logs(options) => logs::logs(&options),
        Remote::Send(options) => act::send(&options),
        Remote::Call(options) => act::call(&options),
        Remote::Kill(options) => act::kill(&options),
        Remote::Deploy(options) => change::deploy(&options),
        Remote::Reload(options) => change::reload(&options),
        Remote::Restart(options) => change::restart(&options),
        Remote::Rollback(options) => change::rollback(&options),
        Remote::Remove(options) => change::remove(&options),
    };
    match done {
        Ok(()) => Ok(SUCCESS),
        Err(Failed::Refused(refused)) => Err(refused),
        Err(Failed::Output(error)) => Refused::output(&error),
    }
}

/// Why a command has failed.
pub enum Failed {
    Refused(Refused),
    /// Nobody reads what it prints.
    Output(io::Error),
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { text: visible(&refusal.to_string()), code: FAILURE }
    }
}

/// A host to ask, and a runtime to wait in.
pub struct Asking {
    pub client: Client,
    pub runtime: Runtime,
}

impl Asking {
    /// Errors: no host is named and none is found, or its token can't be read.
    pub fn new(target: &Target) -> Result<Self, Refused> {
        let client = Client::new(place::find(target)?);
        let runtime = Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.map_err(|error| Refused::machine(format!("cannot wait for answers: {error}")))?;
        Ok(Self { client, runtime })
    }

    /// What is there.
    ///
    /// Errors: the host isn't there or refuses.
    pub fn get(&self, path: &str) -> Result<Value, Refusal> {
        self.runtime.block_on(self.client.get(path))
    }

    /// Asks for a change.
    ///
    /// Errors: as [`Asking::get`].
    pub fn post(&self, path: &str, body: Option<&Value>) -> Result<Value, Refusal> {
        self.runtime.block_on(self.client.post(path, body))
    }
}

/// Prints an answer as it is.
///
/// Errors: nobody reads.
fn print_json(value: &Value) -> Result<(), Failed> {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    Ok(writeln!(io::stdout().lock(), "{}", visible_json(&text))?)
}

/// Prints a line.
///
/// Errors: nobody reads.
fn print(line: &str) -> Result<(), Failed> {
    Ok(writeln!(io::stdout().lock(), "{line}")?)
}
