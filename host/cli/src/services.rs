//! What is said about services: a log line for each thing that happens, and the verdict when none is left.
//!
//! Owns levels and words. Decides nothing about services: they are supervised elsewhere.

use std::time::Duration;

use lunarium_app::{App, Explained, Service, ServiceChange, ServiceEvent, Services};
use lunarium_engine::{EntryId, ErrorKind, Failure, Level, LimitsOverride, Outcome, Pid};
use tokio::task;

use crate::terminal::{Screen, visible};
use crate::verdict::{Ended, FAILURE, SUCCESS, Verdict};

/// Takes the events of services and remembers what counts in the end.
pub struct Watch<'a> {
    /// Where their sources stand.
    app: &'a App,
    /// A line for each service that was given up.
    given_up: Vec<String>,
}

/// A log line of the command.
struct Note<'a> {
    level: Level,
    message: String,
    fields: Vec<(String, String)>,
    /// Whose, and why.
    failure: Option<(&'a Pid, &'a Failure)>,
}

impl<'a> Watch<'a> {
    /// Nothing has happened yet.
    pub fn new(app: &'a App) -> Self {
        Self { app, given_up: Vec::new() }
    }

    /// Logs what happens, until no service is under way.
    ///
    /// Cancel safety: what was logged is remembered; call it again to go on.
    pub async fn follow(&mut self, services: &mut Services, screen: &Screen) {
        while let Some(event) = services.next_event().await {
            if let ServiceChange::GivenUp { failure, attempts, .. } = &event.change {
                self.given_up.push(given_up(&event.service, failure, *attempts));
            }
            let note = note(&event, self.service(&event.service));
            match note.failure {
                Some((pid, failure)) => {
                    let explained = self.explain(&event.service, pid, failure);
                    screen.failure(note.level, &note.message, note.fields, failure, explained.as_ref());
                }
                None => screen.note(note.level, &note.message, &note.fields),
            }
            // A service that is refused and restarted without delay always has an event: a signal must come through.
            task::yield_now().await;
        }
    }

    fn service(&self, id: &EntryId) -> Option<&'a Service> {
        self.app.services().iter().find(|known| known.id == *id)
    }

    fn explain(&self, service: &EntryId, pid: &Pid, failure: &Failure) -> Option<Explained> {
        let service = self.service(service)?;
        let (limits, app) = (&LimitsOverride::default(), self.app);
        Some(Ended { app, entry: &service.process, host: &service.host, pid, limits }.explain("", failure))
    }

    /// The verdict on services that have ended: the failure of those that were given up.
    pub fn verdict(self) -> Verdict {
        if self.given_up.is_empty() {
            return Verdict { code: SUCCESS, message: None };
        }
        Verdict { code: FAILURE, message: Some(self.given_up.join("\n")) }
    }
}

fn given_up(service: &EntryId, failure: &Failure, attempts: u32) -> String {
    let kind = failure.kind.as_str();
    let kind = if kind.is_empty() { String::new() } else { format!(" ({kind})") };
    format!("error: service {service} was given up after {}: {}{kind}", restarts(attempts), visible(&failure.message))
}

fn note<'a>(event: &'a ServiceEvent, known: Option<&Service>) -> Note<'a> {
    let service = &event.service;
    match &event.change {
        ServiceChange::Started { pid } => {
            Note::new(Level::Info, format!("service {service} has started")).pid(Some(pid))
        }
        ServiceChange::Ended { pid } => Note::new(Level::Info, format!("service {service} has ended")).pid(Some(pid)),
        ServiceChange::Restarting { pid, failure, delay, attempt, max_attempts } => {
            let limit = if *max_attempts == 0 { String::new() } else { format!(" of {max_attempts}") };
            let delay = shown(*delay);
            let message = format!("service {service} has failed and restarts in {delay}, attempt {attempt}{limit}");
            Note::new(Level::Warn, message).failure(pid.as_ref(), failure)
        }
        ServiceChange::GivenUp { pid, failure, attempts, delays } => {
            let tried = format!("{}, {}", restarts(*attempts), delayed(*attempts, delays));
            let message = format!("service {service} has failed and is given up after {tried}");
            Note::new(Level::Error, message).failure(pid.as_ref(), failure)
        }
        ServiceChange::NotStarted { needs } => {
            let message = format!("service {service} does not start: {needs}, which it depends on, never will");
            Note::new(Level::Error, message)
        }
        ServiceChange::Stopped { pid, outcome: Outcome::Completed(_) } => {
            Note::new(Level::Info, format!("service {service} has stopped")).pid(Some(pid))
        }
        ServiceChange::Stopped { pid, outcome: Outcome::Failed(failure) } => {
            let message = match known {
                // Who stops has nobody else who would terminate it.
                Some(known) if failure.kind == ErrorKind::Canceled => {
                    let timeout = shown(known.lifecycle.stop_timeout);
                    format!("service {service} did not stop within its stop_timeout of {timeout} and was terminated")
                }
                _ => format!("service {service} has failed while stopping"),
            };
            Note::new(Level::Warn, message).failure(Some(pid), failure)
        }
    }
}

impl<'a> Note<'a> {
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
    fn failure(self, pid: Option<&'a Pid>, failure: &'a Failure) -> Self {
        let note = self.pid(pid).field("error", &failure.message).field("kind", failure.kind.as_str());
        Self { failure: pid.map(|pid| (pid, failure)), ..note }
    }

    fn field(mut self, key: &str, value: &str) -> Self {
        self.fields.push((key.to_owned(), value.to_owned()));
        self
    }
}

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
