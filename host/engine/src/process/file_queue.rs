//! Performing a process's file operations, on threads for work that blocks.
//!
//! Refuses to know what an operation does, and how many may be under way: the inbox counts them, until their replies are
//! handed over.

use std::sync::{Arc, Weak};

use lunarium_kernel::{Failure, Outcome, Refusal};

use super::Process;
use crate::files::FileError;
use crate::value::{bug, limit_details};

/// Lets a thread for blocking work perform the next operation of a process.
pub(crate) fn perform_file(process: &Arc<Process>) {
    // What waits in the pool is an address: a process that has ended holds no memory by it.
    let process = Arc::downgrade(process);
    blocking::unblock(move || perform(&process)).detach();
}

fn perform(process: &Weak<Process>) {
    let Some(process) = process.upgrade() else { return };
    let Some((request, charged)) = process.next_file() else { return };
    let mut answer = Answer { process, request, outcome: None };
    answer.outcome = Some(match charged.task.run() {
        Ok(payload) => Outcome::Completed(payload.into()),
        Err(error) => failed(&error),
    });
}

fn failed(error: &FileError) -> Outcome {
    let details = error.limit().map(limit_details);
    let retryable = error.retryable();
    Outcome::failed(Failure { retryable, details, ..Failure::new(error.kind(), error.to_string()) })
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
