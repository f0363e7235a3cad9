//! What is said about services: a log line for each thing that happens, and the verdict when none is left.
//!
//! Owns the verdict's words, and where lines go. Decides nothing about services: they are supervised elsewhere.

use lunarium_app::{App, Explained, Service, ServiceChange, Services, given_up};
use lunarium_engine::{EntryId, Failure, LimitsOverride, Pid};
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
                let why = given_up(&event.service, *attempts, failure);
                self.given_up.push(format!("error: {}", visible(&why)));
            }
            let note = event.note(self.service(&event.service));
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
