//! The end of a process: reported, forced, by deadline or lifetime, and as the consequence of another. Owns what one end is, in which order
//! it is told, and that a dead process leaves nothing behind. Does not stop an instance: `Ended { forced: true }` says so.
//!
//! An end is one process's: it leaves the state, its names become free, and then it is told. So a name is free before
//! anybody learns of the end. Who hangs on it, by a link or an `exec`, ends later, in its own turn (`consequence.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::consequence::LinkFailure;
use crate::text::cut;
use crate::{
    Deadline, Effect, ErrorKind, Event, Failure, Kernel, Lifetime, Outcome, Pid, Process, ResolveError, Timestamp,
    Uptime,
};

/// Bytes of the first failure's message that stand in the failures of all who end because of it. Each of 8,000 may hold
/// its own copy, and the message comes from a script.
const CAUSE: usize = 1024;

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
        self.deliver(to, event);
        Ok(())
    }

    /// A process has ended by itself. Ignored when it is dead already: it was killed while it ran to its end.
    pub fn handle_exit(&mut self, pid: &Pid, outcome: Outcome, at: Timestamp) {
        if self.is_alive(pid) {
            self.end(pid.number(), outcome, false, at);
        }
    }

    /// Time has passed: ends the one process whose cancel deadline or lifetime is over first, when that isn't later than `now`.
    /// Thousands may have one deadline, so whoever calls it calls again while [`Kernel::next_deadline`] isn't later, with
    /// others in between. `at` is what others are told.
    pub fn handle_timeout(&mut self, now: Uptime, at: Timestamp) {
        let due = self.next_deadline().filter(|deadline| *deadline <= now);
        let Some(due) = due else { return };
        // Taken out also when nobody has the number: whoever calls until none is due must come to an end.
        if let Some(number) = pop_due(&mut self.deadlines, due) {
            self.end(number, terminated(), true, at);
        } else if let Some(number) = pop_due(&mut self.lifetimes, due) {
            let lifetime = self.processes.get_mut(&number).and_then(|process| process.lifetime.take());
            let outcome = lifetime.map_or_else(terminated, |lifetime| lifetime.outcome);
            self.end(number, outcome, true, at);
        }
    }

    /// Says anew how long a process may live.
    pub(crate) fn set_lifetime(&mut self, number: u64, lifetime: Option<Lifetime>) {
        let Some(process) = self.processes.get_mut(&number) else { return };
        let until = lifetime.as_ref().map(|lifetime| lifetime.until);
        if let Some(before) = std::mem::replace(&mut process.lifetime, lifetime) {
            self.lifetimes.remove(&(before.until, number));
        }
        self.lifetimes.extend(until.map(|until| (until, number)));
    }

    /// When [`Kernel::handle_timeout`] is due next; none: nothing is.
    pub fn next_deadline(&self) -> Option<Uptime> {
        let first = |times: &BTreeSet<(Uptime, u64)>| times.first().map(|(time, _)| *time);
        first(&self.deadlines).into_iter().chain(first(&self.lifetimes)).min()
    }

    fn end(&mut self, number: u64, outcome: Outcome, forced: bool, at: Timestamp) {
        let cause = outcome.failure().map(|failure| cut(&failure.message, CAUSE).into());
        self.end_because(number, outcome, forced, cause, at);
    }

    /// A callee ends because its caller did, or started over.
    pub(crate) fn end_orphan(&mut self, number: u64, at: Timestamp) {
        self.end(number, terminated(), true, at);
    }

    /// A process ends because one that it was linked with has failed.
    pub(crate) fn end_along(&mut self, number: u64, failure: &LinkFailure, at: Timestamp) {
        let cause = Arc::clone(&failure.cause);
        self.end_because(number, link_failure(&failure.from, &cause), true, Some(cause), at);
    }

    /// The end of one process. `cause` is what the failures of those say that end because of it; none: a normal end.
    fn end_because(&mut self, number: u64, outcome: Outcome, forced: bool, cause: Option<Arc<str>>, at: Timestamp) {
        let Some(process) = self.processes.remove(&number) else { return };
        self.forget(&process);
        let from = process.pid().clone();
        self.effects.push_back(Effect::Ended { pid: from.clone(), outcome: outcome.clone(), forced });
        self.tell_watchers(&process, &outcome, at);
        // Callees first: one that is linked too ends as what it is.
        process.callees.iter().for_each(|callee| self.note_orphan(*callee));
        if let Some(cause) = cause {
            let failure = LinkFailure { from, outcome: outcome.clone(), cause, at };
            self.tell_linked(&process, &Arc::new(failure));
        }
        if let Some(call) = process.call
            && let Some(caller) = self.processes.get(&call.caller)
        {
            let to = caller.pid().clone();
            self.effects.push_back(Effect::Reply { to, request: call.request, outcome });
        }
        self.forget_groups(number, &process.groups, &process.watched_groups);
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
        self.links = self.links.saturating_sub(process.links.len());
        self.monitors = self.monitors.saturating_sub(process.monitors.len()).saturating_sub(process.watchers.len());
        for callee in &process.callees {
            if let Some(callee) = self.processes.get_mut(callee) {
                callee.call = None;
            }
        }
        if let Some(call) = process.call {
            self.change(call.caller, |caller| &mut caller.callees, number);
        }
        self.forget_consequence(number, process.consequence.as_ref());
        for name in &process.names {
            self.take_name(name.clone());
        }
        if let Some(deadline) = process.deadline {
            self.deadlines.remove(&(deadline, number));
        }
        if let Some(lifetime) = &process.lifetime {
            self.lifetimes.remove(&(lifetime.until, number));
        }
        process.host().leave(process.rank);
        self.places.give_back(1, process.rank);
    }

    fn change(&mut self, number: u64, set: fn(&mut Process) -> &mut BTreeSet<u64>, gone: u64) {
        if let Some(process) = self.processes.get_mut(&number) {
            set(process).remove(&gone);
        }
    }

    fn tell_watchers(&mut self, process: &Process, outcome: &Outcome, at: Timestamp) {
        for watcher in process.watchers.iter().filter_map(|number| self.processes.get(number)) {
            let event = Event::Exit { from: process.pid().clone(), outcome: outcome.clone(), at };
            self.effects.push_back(Effect::Deliver { to: watcher.pid().clone(), event });
        }
    }

    /// Who traps links gets its LINK_DOWN, unless an earlier one waits; for all others it is noted.
    fn tell_linked(&mut self, process: &Process, failure: &Arc<LinkFailure>) {
        for number in &process.links {
            let Some(other) = self.processes.get(number) else { continue };
            if other.trap_links && other.consequence.is_none() {
                let to = other.pid().clone();
                self.deliver(to, failure.event());
            } else {
                self.note_failure(*number, failure);
            }
        }
    }

    pub(crate) fn deliver(&mut self, to: Pid, event: Event) {
        self.effects.push_back(Effect::Deliver { to, event });
    }
}

/// Takes out the number for this time, when it stands first.
fn pop_due(times: &mut BTreeSet<(Uptime, u64)>, due: Uptime) -> Option<u64> {
    if times.first()?.0 > due { None } else { times.pop_first().map(|(_, number)| number) }
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
