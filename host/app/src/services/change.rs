//! From the services of one application to those of the next, while they run.
//!
//! Owns what becomes of each: what hasn't changed isn't touched. A service is compared by what its process was started with.

use std::collections::HashMap;
use std::mem;

use lunarium_kernel::EntryId;

use super::Services;
use super::event::ServiceChange;
use super::supervised::{Program, State, Supervised};
use crate::application::{App, Service};
use crate::notation::OnChange;

/// What a change of the application does to a service. One that isn't touched has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceAction {
    /// It is new, or had ended, and starts.
    Starts,
    /// Its process ends, and it starts anew.
    Restarts,
    /// Its process goes on as the new program.
    Upgrades,
    /// It runs on as it is, though its code has changed.
    Keeps,
    /// It is no service any more: its process ends.
    Stops,
}

impl ServiceAction {
    /// The word for it: `starts`, `restarts`, `upgrades`, `keeps` or `stops`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starts => "starts",
            Self::Restarts => "restarts",
            Self::Upgrades => "upgrades",
            Self::Keeps => "keeps",
            Self::Stops => "stops",
        }
    }
}

impl Services {
    /// From now on the services are those of this application, which the node knows already. What becomes of each that isn't left
    /// as it is; the rest follows as the events are taken.
    pub fn replace(&mut self, app: &App) -> Vec<(EntryId, ServiceAction)> {
        let mut before: HashMap<EntryId, u64> = HashMap::new();
        for key in mem::take(&mut self.order) {
            let known = self.all.get(&key).filter(|supervised| !supervised.leaves);
            before.extend(known.map(|supervised| (supervised.service.id.clone(), key)));
        }
        let mut actions = Vec::new();
        let mut keys: HashMap<&EntryId, u64> = HashMap::new();
        for service in app.services() {
            let program = Program::of(app, service);
            let key = match before.remove(&service.id) {
                Some(key) => {
                    let action = self.update(key, service, program);
                    actions.extend(action.map(|action| (service.id.clone(), action)));
                    key
                }
                None => {
                    self.last = self.last.saturating_add(1);
                    self.all.insert(self.last, Supervised::new(service, program));
                    actions.push((service.id.clone(), ServiceAction::Starts));
                    self.last
                }
            };
            keys.insert(&service.id, key);
            self.order.push(key);
            // What it depends on besides is a process host, which is there from the start.
            let needs = service.lifecycle.depends_on.iter().filter_map(|need| keys.get(need).copied()).collect();
            if let Some(supervised) = self.all.get_mut(&key) {
                supervised.needs = needs;
            }
        }
        for (id, key) in before {
            self.leave(key);
            actions.push((id, ServiceAction::Stops));
        }
        self.ask();
        if !self.stopping {
            self.start_ready();
        }
        actions
    }

    /// What becomes of a service that stays. None: nothing.
    fn update(&mut self, key: u64, service: &Service, program: Program) -> Option<ServiceAction> {
        let node = self.node.clone();
        let supervised = self.all.get_mut(&key)?;
        let changed = supervised.has_changed(service, &program);
        let same_host = supervised.runs.as_ref().is_none_or(|runs| runs.shares_host(&program));
        let can_upgrade = supervised.shares_place(service) && same_host;
        supervised.service = service.clone();
        supervised.program = program;
        let on_change = service.lifecycle.on_change;
        match &supervised.state {
            // It starts as what it is now.
            State::Waiting => None,
            State::Unreached => {
                supervised.reset();
                None
            }
            _ if !changed => None,
            State::Up(..) | State::Starting(_) if on_change == OnChange::Keep => Some(ServiceAction::Keeps),
            State::Up(handle, _) if on_change == OnChange::Upgrade && can_upgrade => {
                let pid = handle.pid().clone();
                if node.upgrade(&pid, &service.process, &service.input).is_err() {
                    return Some(self.restart(key));
                }
                supervised.runs = Some(supervised.program.clone());
                self.tell(key, ServiceChange::Upgraded { pid });
                Some(ServiceAction::Upgrades)
            }
            State::Up(..) | State::Starting(_) => Some(self.restart(key)),
            State::Pausing | State::Done | State::GivenUp | State::Stopped => {
                supervised.reset();
                Some(ServiceAction::Starts)
            }
        }
    }

    /// Has a service's process end, and the service start anew then.
    fn restart(&mut self, key: u64) -> ServiceAction {
        if let Some(supervised) = self.all.get_mut(&key) {
            supervised.again = true;
            if let Some(handle) = supervised.handle() {
                // It may have ended by itself in between.
                let _ = self.node.cancel(handle.pid(), Some(supervised.service.lifecycle.stop_timeout));
            }
        }
        ServiceAction::Restarts
    }

    /// A service is none any more.
    fn leave(&mut self, key: u64) {
        let Some(supervised) = self.all.get_mut(&key) else { return };
        if supervised.handle().is_none() {
            self.all.remove(&key);
            return;
        }
        supervised.leaves = true;
        self.order.push(key);
    }

    pub(super) fn forget(&mut self, key: u64) {
        self.all.remove(&key);
        self.order.retain(|known| *known != key);
    }
}
