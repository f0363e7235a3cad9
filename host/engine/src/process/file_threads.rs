//! Performing file operations, on threads of the node's own: a disk that doesn't answer holds up nobody of another node.
//!
//! Owns how many threads there are, and what is said when there are none. Refuses to know what an operation does, and how
//! many a process may have under way: the inbox counts them, until their replies are handed over.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use lunarium_kernel::{ErrorKind, Failure, Outcome};
use parking_lot::{Condvar, Mutex, MutexGuard};

use super::Process;
use crate::value::{bug, refused};

/// Threads of a node at most: as many operations as disks do at once. One that doesn't come back keeps its thread, so with
/// so many of them the node's other operations wait too.
const MOST: usize = 32;

/// How long a thread waits for the next operation before it ends.
const IDLE: Duration = Duration::from_secs(5);

/// Addresses of processes that have ended are swept out when there are twice as many as after the last time, or so many.
const SWEPT: usize = 1_000;

/// The threads of a node, and who waits for one.
#[derive(Default)]
pub(crate) struct FileThreads {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Once for each operation. Only addresses: a process that has ended holds no memory by it but its record's.
    waiting: VecDeque<Weak<Process>>,
    threads: usize,
    /// Those that have nothing to do.
    idle: usize,
    /// How many were left after the last sweep.
    swept: usize,
    closed: bool,
}

impl FileThreads {
    /// Lets a thread perform the next operation of a process. Where there is no thread, and none to be had, what waits is
    /// refused.
    pub(crate) fn perform(self: &Arc<Self>, process: &Arc<Process>) {
        let mut state = self.state.lock();
        state.waiting.push_back(Arc::downgrade(process));
        if state.waiting.len() > SWEPT.max(state.swept.saturating_mul(2)) {
            state.waiting.retain(|process| process.strong_count() > 0);
            state.swept = state.waiting.len();
        }
        if state.waiting.len() <= state.idle {
            drop(state);
            self.changed.notify_one();
        } else if state.threads < MOST {
            state.threads += 1;
            drop(state);
            self.start();
        }
    }

    fn start(self: &Arc<Self>) {
        let threads = Arc::clone(self);
        if thread::Builder::new().name("lunarium-files".into()).spawn(move || threads.work()).is_err() {
            let mut state = self.state.lock();
            state.threads -= 1;
            // Others come back to it.
            if state.threads == 0 {
                let waiting = std::mem::take(&mut state.waiting);
                drop(state);
                waiting.iter().for_each(refuse);
            }
        }
    }

    fn work(&self) {
        while let Some(process) = self.next() {
            // Its answer has told of it.
            let _ = catch_unwind(AssertUnwindSafe(|| perform(&process)));
        }
    }

    /// The next to perform an operation of; none: this thread ends.
    fn next(&self) -> Option<Weak<Process>> {
        let mut state = self.state.lock();
        loop {
            if let Some(process) = state.waiting.pop_front() {
                return Some(process);
            }
            if state.closed || self.is_idle_for_long(&mut state) {
                state.threads -= 1;
                return None;
            }
        }
    }

    fn is_idle_for_long(&self, state: &mut MutexGuard<'_, State>) -> bool {
        state.idle += 1;
        let timed_out = self.changed.wait_for(state, IDLE).timed_out();
        state.idle -= 1;
        timed_out && state.waiting.is_empty()
    }

    /// Nobody asks any more: threads end when nothing waits.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
    }
}

fn perform(process: &Weak<Process>) {
    let Some(process) = process.upgrade() else { return };
    let Some((request, charged)) = process.next_file() else { return };
    let mut answer = Answer { process, request, outcome: None };
    answer.outcome = Some(match charged.task.run() {
        Ok(payload) => Outcome::Completed(payload.into()),
        Err(error) => Outcome::failed(refused(&error)),
    });
}

/// Answers the next operation of a process without performing it.
fn refuse(process: &Weak<Process>) {
    let Some(process) = process.upgrade() else { return };
    let Some((request, _)) = process.next_file() else { return };
    let text = "the system gives no thread for operations on files";
    let failure = Failure { retryable: Some(true), ..Failure::new(ErrorKind::Unavailable, text) };
    drop(Answer { process, request, outcome: Some(Outcome::failed(failure)) });
}

/// Answers when dropped; a panic on the way is an answer too, or its coroutine would wait for ever.
struct Answer {
    process: Arc<Process>,
    request: u64,
    outcome: Option<Outcome>,
}

impl Drop for Answer {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or_else(|| bug("a file operation panicked"));
        // Never a flood: what may be under way bounds it.
        let _ = self.process.reply(self.request, outcome);
    }
}
