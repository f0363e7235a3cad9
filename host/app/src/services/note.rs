//! What is said about services: a log line for each thing that happens.
//!
//! Owns levels and words. Writes nothing.

use std::time::Duration;

use lunarium_engine::{Level, LogField};
use lunarium_kernel::{EntryId, ErrorKind, Failure, Outcome, Pid};

use super::event::{ServiceChange, ServiceEvent};
use crate::application::Service;

/// A log line about a service.
#[derive(Debug)]
#[non_exhaustive]
pub struct ServiceNote<'e> {
    /// How much it matters.
    pub level: Level,
    /// What has happened.
    pub message: String,
    /// The process and the error, as far as there are any.
    pub fields: Vec<LogField>,
    /// Which process has failed, and why. None where the words say all.
    pub failure: Option<(&'e Pid, &'e Failure)>,
}

impl ServiceEvent {
    /// The log line of it. `known` is the service.
    pub fn note(&self, known: Option<&Service>) -> ServiceNote<'_> {
        let service = &self.service;
        match &self.change {
            ServiceChange::Started { pid } => {
                ServiceNote::new(Level::Info, format!("service {service} has started")).pid(Some(pid))
            }
            ServiceChange::Ended { pid } => {
                ServiceNote::new(Level::Info, format!("service {service} has ended")).pid(Some(pid))
            }
            ServiceChange::Restarting { pid, failure, delay, attempt, max_attempts } => {
                let limit = if *max_attempts == 0 { String::new() } else { format!(" of {max_attempts}") };
                let delay = shown(*delay);
                let message = format!("service {service} has failed and restarts in {delay}, attempt {attempt}{limit}");
                ServiceNote::new(Level::Warn, message).failure(pid.as_ref(), failure)
            }
            ServiceChange::GivenUp { pid, failure, attempts, delays } => {
                let tried = format!("{}, {}", restarts(*attempts), delayed(*attempts, delays));
                let message = format!("service {service} has failed and is given up after {tried}");
                ServiceNote::new(Level::Error, message).failure(pid.as_ref(), failure)
            }
            ServiceChange::NotStarted { needs } => {
                let message = format!("service {service} does not start: {needs}, which it depends on, never will");
                ServiceNote::new(Level::Error, message)
            }
            ServiceChange::Replaced { pid, outcome: Outcome::Completed(_) } => {
                ServiceNote::new(Level::Info, format!("service {service} has changed and restarts")).pid(Some(pid))
            }
            ServiceChange::Replaced { pid, outcome: Outcome::Failed(failure) } => {
                let message = format!("service {service} has changed and restarts; it failed to stop");
                ServiceNote::new(Level::Warn, message).failure(Some(pid), failure)
            }
            ServiceChange::Upgraded { pid } => {
                ServiceNote::new(Level::Info, format!("service {service} has changed and goes on")).pid(Some(pid))
            }
            ServiceChange::Stopped { pid, outcome: Outcome::Completed(_) } => {
                ServiceNote::new(Level::Info, format!("service {service} has stopped")).pid(Some(pid))
            }
            ServiceChange::Stopped { pid, outcome: Outcome::Failed(failure) } => {
                let message = match known {
                    // Who stops has nobody else who would terminate it.
                    Some(known) if failure.kind == ErrorKind::Canceled => {
                        let timeout = shown(known.lifecycle.stop_timeout);
                        format!(
                            "service {service} did not stop within its stop_timeout of {timeout} and was terminated"
                        )
                    }
                    _ => format!("service {service} has failed while stopping"),
                };
                ServiceNote::new(Level::Warn, message).failure(Some(pid), failure)
            }
        }
    }
}

impl<'e> ServiceNote<'e> {
    fn new(level: Level, message: String) -> Self {
        Self { level, message, fields: Vec::new(), failure: None }
    }

    fn pid(self, pid: Option<&Pid>) -> Self {
        match pid {
            Some(pid) => self.field("pid", pid.as_str()),
            None => self,
        }
    }

    /// Without a process there is nothing to explain beyond the words.
    fn failure(self, pid: Option<&'e Pid>, failure: &'e Failure) -> Self {
        let note = self.pid(pid).field("error", &failure.message).field("kind", failure.kind.as_str());
        Self { failure: pid.map(|pid| (pid, failure)), ..note }
    }

    fn field(mut self, key: &str, value: &str) -> Self {
        self.fields.push(LogField::text(key, value));
        self
    }
}

/// That a service was given up after so many restarts, and why.
pub fn given_up(service: &EntryId, attempts: u32, failure: &Failure) -> String {
    let kind = failure.kind.as_str();
    let kind = if kind.is_empty() { String::new() } else { format!(" ({kind})") };
    format!("service {service} was given up after {}: {}{kind}", restarts(attempts), failure.message)
}

/// So many restarts, in words.
fn restarts(attempts: u32) -> String {
    if attempts == 1 { "1 restart".to_owned() } else { format!("{attempts} restarts") }
}

/// The delays that are known of so many attempts.
fn delayed(attempts: u32, delays: &[Duration]) -> String {
    let more = usize::try_from(attempts).map_or(true, |attempts| attempts > delays.len());
    let more = more.then(|| "…".to_owned());
    let shown: Vec<String> = delays.iter().copied().map(shown).chain(more).collect();
    format!("delayed by {}", shown.join(", "))
}

/// A delay as people read it: what is below a millisecond tells nothing.
fn shown(delay: Duration) -> String {
    let milliseconds = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
    if milliseconds == 0 { "0s".to_owned() } else { format!("{:?}", Duration::from_millis(milliseconds)) }
}
