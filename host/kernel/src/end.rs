//! The end of processes: reported, forced, by deadline, along links, and with their caller. Owns who ends with whom, in
//! which order it is told, and that a dead process leaves nothing behind. Does not stop an instance: `Ended { forced: true }` says so.
//!
//! One end can end thousands (a ring, a star). All who end together are found first, by a list and never by
//! recursion; then all of them leave the state, and their names become free; then their ends are told. So a name is free
//! before anybody learns of the end, and nobody who ends too is told of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::text::cut;
use crate::{
    Deadline, Effect, ErrorKind, Event, Failure, Kernel, Outcome, Pid, Process, ResolveError, Timestamp, Uptime,
};

/// Bytes of the first failure's message that stand in the failures of all who end with it. Each of 8,000 may hold its
/// own copy, and the message comes from a script.
const CAUSE: usize = 1024;

/// One process's end, decided and not yet carried out.
struct Death {
    process: Process,
    outcome: Outcome,
    forced: bool,
    /// What the failures of those linked with it say: the first failure's message, cut. None: a normal end.
    cause: Option<Arc<str>>,
}

impl Death {
    fn new(process: Process, outcome: Outcome, forced: bool) -> Self {
        let cause = outcome.failure().map(|failure| cut(&failure.message, CAUSE).into());
        Self { process, outcome, forced, cause }
    }

    /// A callee ends because its caller does, or starts over.
    fn with_caller(process: Process) -> Self {
        Self::new(process, terminated(), true)
    }
}

impl Kernel {
    /// Ends a process by force, at once, oneself too. Errors: `Canceled` (the caller has ended), `NotFound`.
    pub fn terminate(&mut self, caller: Option<&Pid>, pid: &Pid, at: Timestamp) -> Result<(), ResolveError> {
        self.check_caller(caller)?;
        self.living(pid)?;
        self.end(pid.number(), terminated(), true, at);
        Ok(())
    }

    /// Asks a process to end: it gets a CANCEL. With a deadline it is terminated when that passes; of several deadlines
    /// the earliest counts, and none takes one away. Errors: `Canceled` (the caller has ended), `NotFound`.
    pub fn cancel(
        &mut self,
        caller: Option<&Pid>,
        pid: &Pid,
        deadline: Option<Deadline>,
        at: Timestamp,
    ) -> Result<(), ResolveError> {
        self.check_caller(caller)?;
        let to = self.living(pid)?.pid().clone();
        if let (Some(deadline), Some(process)) = (deadline, self.processes.get_mut(&to.number())) {
            let earliest = process.deadline.map_or(deadline.due, |earlier| earlier.min(deadline.due));
            if let Some(later) = process.deadline.replace(earliest) {
                self.deadlines.remove(&(later, to.number()));
            }
            self.deadlines.insert((earliest, to.number()));
        }
        let event = Event::Cancel { from: caller.cloned(), deadline: deadline.map(|deadline| deadline.shown), at };
        self.effects.push_back(Effect::Deliver { to, event });
        Ok(())
    }

    /// A process has ended by itself. Ignored when it is dead already: it was killed while it ran to its end.
    pub fn handle_exit(&mut self, pid: &Pid, outcome: Outcome, at: Timestamp) {
        if self.is_alive(pid) {
            self.end(pid.number(), outcome, false, at);
        }
    }

    /// Time has passed: terminates whose cancel deadline isn't later than `now`. `at` is what others are told.
    pub fn handle_timeout(&mut self, now: Uptime, at: Timestamp) {
        while let Some((deadline, number)) = self.deadlines.first().copied() {
            if deadline > now {
                return;
            }
            // Also when nobody has the number: this loop must end.
            self.deadlines.remove(&(deadline, number));
            self.end(number, terminated(), true, at);
        }
    }

    /// When [`Kernel::handle_timeout`] is due next; none: nothing is.
    pub fn next_deadline(&self) -> Option<Uptime> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    fn end(&mut self, number: u64, outcome: Outcome, forced: bool, at: Timestamp) {
        let Some(process) = self.processes.remove(&number) else { return };
        self.end_all(vec![Death::new(process, outcome, forced)], at);
    }

    /// Ends everybody whom the process executes, and who ends with them; itself only by a link.
    pub(crate) fn end_callees(&mut self, number: u64, at: Timestamp) {
        let callees = self.processes.get(&number).map(|process| process.callees.clone()).unwrap_or_default();
        let deaths = callees.into_iter().filter_map(|callee| self.processes.remove(&callee)).map(Death::with_caller);
        let deaths = deaths.collect();
        self.end_all(deaths, at);
    }

    fn end_all(&mut self, first: Vec<Death>, at: Timestamp) {
        let deaths = self.take_dying(first);
        for death in &deaths {
            self.forget(&death.process);
        }
        for death in deaths {
            self.announce(death, at);
        }
    }

    /// Takes everybody who ends with these, as callees and along links, out of the living: nearest first. Each leaves
    /// the living when it is found, so that the list never has anybody twice, however dense the links are.
    fn take_dying(&mut self, mut deaths: Vec<Death>) -> Vec<Death> {
        let mut reached = 0;
        while let Some(Death { process, cause, .. }) = deaths.get(reached) {
            let cause = cause.clone();
            let failure = cause.as_deref().map(|cause| link_failure(process.pid(), cause));
            let callees: Vec<u64> = process.callees.iter().copied().collect();
            let links: Vec<u64> = failure.iter().flat_map(|_| process.links.iter().copied()).collect();
            // Callees first: one that is linked too ends as what it is.
            let callees = callees.into_iter().filter_map(|callee| self.processes.remove(&callee));
            deaths.extend(callees.map(Death::with_caller));
            if let Some(outcome) = failure {
                let dying = links.into_iter().filter_map(|other| self.take_follower(other));
                deaths.extend(dying.map(|process| Death {
                    process,
                    outcome: outcome.clone(),
                    forced: true,
                    cause: cause.clone(),
                }));
            }
            reached += 1;
        }
        deaths
    }

    /// Takes a linked process out of the living, when it lives and ends with the failing one.
    fn take_follower(&mut self, number: u64) -> Option<Process> {
        let follows = self.processes.get(&number).is_some_and(|process| !process.trap_links);
        if follows { self.processes.remove(&number) } else { None }
    }

    /// Removes what the living and the tables still hold of a dead process.
    fn forget(&mut self, process: &Process) {
        let number = process.pid().number();
        for other in &process.links {
            self.change(*other, |other| &mut other.links, number);
        }
        for watcher in &process.watchers {
            self.change(*watcher, |watcher| &mut watcher.monitors, number);
        }
        for target in &process.monitors {
            self.change(*target, |target| &mut target.watchers, number);
        }
        if let Some(call) = process.call {
            self.change(call.caller, |caller| &mut caller.callees, number);
        }
        for name in &process.names {
            self.take_name(name.clone());
        }
        if let Some(deadline) = process.deadline {
            self.deadlines.remove(&(deadline, number));
        }
        process.host().leave(process.rank);
        self.places.give_back(process.rank);
    }

    fn change(&mut self, number: u64, set: fn(&mut Process) -> &mut BTreeSet<u64>, gone: u64) {
        if let Some(process) = self.processes.get_mut(&number) {
            set(process).remove(&gone);
        }
    }

    /// Queues what the world learns of a death: first that it is one, then EXIT to who watches, then LINK_DOWN to who
    /// is linked and lives, which only those who trap do; last the answer to who executes it.
    fn announce(&mut self, death: Death, at: Timestamp) {
        let Death { process, outcome, forced, .. } = death;
        let from = process.pid().clone();
        self.effects.push_back(Effect::Ended { pid: from.clone(), outcome: outcome.clone(), forced });
        for watcher in process.watchers.iter().filter_map(|number| self.processes.get(number)) {
            let event = Event::Exit { from: from.clone(), outcome: outcome.clone(), at };
            self.effects.push_back(Effect::Deliver { to: watcher.pid().clone(), event });
        }
        if outcome.failure().is_some() {
            for other in process.links.iter().filter_map(|number| self.processes.get(number)) {
                let event = Event::LinkDown { from: from.clone(), outcome: outcome.clone(), at };
                self.effects.push_back(Effect::Deliver { to: other.pid().clone(), event });
            }
        }
        if let Some(call) = process.call
            && let Some(caller) = self.processes.get(&call.caller)
        {
            let to = caller.pid().clone();
            self.effects.push_back(Effect::Reply { to, request: call.request, outcome });
        }
    }
}

fn terminated() -> Outcome {
    Outcome::failed(Failure::new(ErrorKind::Canceled, "process terminated"))
}

/// What a process ends with that is linked with `failed`. It names the neighbour and the first failure's message, not
/// the way between: along a ring of thousands, nested messages would grow with the square of its length.
fn link_failure(failed: &Pid, cause: &str) -> Outcome {
    let message = format!("linked process failed: {failed}: {cause}");
    Outcome::Failed(Arc::new(Failure::new(ErrorKind::Internal, message)))
}

#[cfg(test)]
mod tests;
