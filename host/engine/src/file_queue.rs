//! The file operations of one process: those that wait for a thread, and how many are under way.
//!
//! Owns their limit and the threads' way to the next one. Refuses to know what an operation does. An operation is under
//! way until its reply is *handed over*, so that a guest that reads on and never waits can't pile up what it has read.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use lunarium_kernel::{ErrorKind, Failure, Outcome, Refusal};

use crate::files::{FileError, Task};
use crate::process::Process;
use crate::requests::Reply;

/// Operations of one process under way. At the limit: refused, `ResourceExhausted`; the guest lets coroutines wait before
/// that. 8: enough to keep a disk busy, and each may hold a message's bytes here.
pub(crate) const MAX_OPERATIONS: usize = 8;

#[derive(Debug, Default)]
pub(crate) struct FileQueue {
    waiting: VecDeque<(u64, Task)>,
    under_way: Vec<u64>,
}

impl FileQueue {
    /// Errors: too many are under way.
    pub(crate) fn check(&self) -> Result<(), FileError> {
        if self.under_way.len() >= MAX_OPERATIONS { Err(FileError::Busy(MAX_OPERATIONS)) } else { Ok(()) }
    }

    pub(crate) fn push(&mut self, request: u64, task: Task) {
        self.under_way.push(request);
        self.waiting.push_back((request, task));
    }

    /// The next to perform; none when the process has ended meanwhile.
    pub(crate) fn next(&mut self) -> Option<(u64, Task)> {
        self.waiting.pop_front()
    }

    /// The replies have been handed over.
    pub(crate) fn done(&mut self, replies: &[Reply]) {
        self.under_way.retain(|request| replies.iter().all(|reply| reply.request != *request));
    }

    /// Forgets what wasn't begun, for who asked is gone; how many these were. What is under way stays counted until its
    /// reply is handed over, to whoever is there then.
    pub(crate) fn forget_waiting(&mut self) -> usize {
        let forgotten: Vec<u64> = self.waiting.drain(..).map(|(request, _)| request).collect();
        self.under_way.retain(|request| !forgotten.contains(request));
        forgotten.len()
    }

    /// Forgets what wasn't begun: the process has ended.
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }
}

/// Lets a thread for blocking work perform the next operation of a process.
pub(crate) fn perform_one(process: &Arc<Process>) {
    // What waits in the pool is an address: a process that has ended holds no memory by it.
    let process = Arc::downgrade(process);
    blocking::unblock(move || perform(&process)).detach();
}

fn perform(process: &Weak<Process>) {
    let Some(process) = process.upgrade() else { return };
    let Some((request, task)) = process.next_file() else { return };
    let mut answer = Answer { process, request, outcome: None };
    answer.outcome = Some(match task.run() {
        Ok(payload) => Outcome::Completed(payload.into()),
        Err(error) => failed(&error),
    });
}

fn failed(error: &FileError) -> Outcome {
    Outcome::failed(Failure { retryable: error.retryable(), ..Failure::new(error.kind(), error.to_string()) })
}

/// Answers when dropped; a panic on the way is an answer too, or its coroutine would wait for ever.
struct Answer {
    process: Arc<Process>,
    request: u64,
    outcome: Option<Outcome>,
}

impl Drop for Answer {
    fn drop(&mut self) {
        let bug = || Outcome::failed(Failure::new(ErrorKind::Internal, "host bug: a file operation panicked"));
        let outcome = self.outcome.take().unwrap_or_else(bug);
        // Never a flood: what may be under way bounds it.
        let _ = self.process.reply(self.request, outcome);
    }
}

#[cfg(test)]
mod tests {
    use cap_std::ambient_authority;
    use cap_std::fs::Dir;

    use super::*;
    use crate::files::{Access, Operation, Place};
    use crate::grants::{Directory, Grants};

    fn task() -> Task {
        let dir = Dir::open_ambient_dir(".", ambient_authority()).unwrap();
        let grants = Grants { fs: vec![Directory::new("data", dir, false).unwrap()], ..Grants::default() };
        Task::new(Place::find(&grants, Access::Read, "data").unwrap(), Operation::Stat, 1_000).unwrap()
    }

    fn reply(request: u64) -> Reply {
        Reply { request, outcome: Outcome::Completed(Vec::new().into()) }
    }

    #[test]
    fn an_operation_is_under_way_until_its_reply_is_handed_over() {
        let mut queue = FileQueue::default();
        for request in 1..=8 {
            queue.check().unwrap();
            queue.push(request, task());
        }
        let refused = queue.check().unwrap_err();
        assert_eq!(refused.to_string(), "process has 8 file operations under way, which is the limit");
        assert_eq!((refused.kind(), refused.retryable()), (ErrorKind::ResourceExhausted, true));
        assert_eq!(queue.next().unwrap().0, 1);
        // Performed, and its reply waits.
        assert!(queue.check().is_err());
        // A request of another kind frees nothing.
        queue.done(&[reply(99)]);
        assert!(queue.check().is_err());
        queue.done(&[reply(1)]);
        queue.check().unwrap();
    }

    #[test]
    fn an_end_forgets_what_no_thread_has_begun() {
        let mut queue = FileQueue::default();
        (1..=3).for_each(|request| queue.push(request, task()));
        queue.next().unwrap();
        queue.clear();
        assert!(queue.next().is_none());
    }
}
