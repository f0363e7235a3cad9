//! The thread that writes: all that waits becomes one transaction, which is synced once.
//!
//! Owns the order of writes and what becomes of the store after a failure. A failed transaction never was: the file is
//! opened again, and a count of transactions in it says whether it really isn't there. After a failed sync nothing is
//! believed any more, and the store stops.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use redb::{Database, ReadableDatabase};
use tokio::sync::oneshot;

use super::fault::{Fault, WriteError};
use super::store::Shared;
use super::table::{Act, Refused, Sums, Tables, Write, Written};

/// One write, and who waits for it.
pub(super) struct Job {
    pub(super) write: Write,
    pub(super) reply: oneshot::Sender<Result<Written, WriteError>>,
}

/// What came of one transaction.
struct Done {
    answers: Vec<Result<Written, Refused>>,
    /// None: nothing has changed.
    sums: Option<Sums>,
    next_expiry: Option<u64>,
}

/// How long the writer rests when nothing expires and nobody writes. Nothing depends on it.
const REST: Duration = Duration::from_secs(3600);
/// It looks for what has expired this often at most.
const PAUSE: Duration = Duration::from_secs(1);

/// Whoever still waits is told when the thread ends, whatever ended it.
struct Last<'s>(&'s Shared);

impl Drop for Last<'_> {
    fn drop(&mut self) {
        self.0.queue.close();
        // Dropped with their replies.
        while !self.0.queue.next(Duration::ZERO).is_last {}
    }
}

pub(super) fn run(shared: &Arc<Shared>) {
    let _last = Last(shared);
    // What stands there from before may have expired.
    let mut patience = Duration::ZERO;
    loop {
        let turn = shared.queue.next(patience);
        let mut jobs: Vec<Job> = turn.batch.into_iter().filter(|job: &Job| !job.reply.is_closed()).collect();
        if turn.is_last && jobs.is_empty() {
            return shared.close();
        }
        let done = commit(shared, &jobs);
        if let Ok(done) = &done {
            patience = done.next_expiry.map_or(REST, |due| match due.saturating_sub(shared.now()) {
                // More than one transaction takes away.
                0 => Duration::ZERO,
                wait => Duration::from_millis(wait).clamp(PAUSE, REST),
            });
        }
        match done {
            Ok(done) => {
                shared.works();
                tell(jobs, done);
            }
            Err(fault) => {
                shared.fails(&fault);
                // Where there is no place for more, there may be place for less.
                let is_delete = |job: &Job| matches!(job.write.act, Act::Delete);
                if fault == Fault::NoSpace && !jobs.iter().all(is_delete) {
                    let (deletes, others): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(is_delete);
                    refuse(others, &fault);
                    jobs = deletes;
                    if !jobs.is_empty() {
                        match commit(shared, &jobs) {
                            Ok(done) => tell(jobs, done),
                            Err(fault) => refuse(jobs, &fault),
                        }
                    }
                } else {
                    refuse(jobs, &fault);
                }
                patience = PAUSE;
            }
        }
    }
}

fn tell(jobs: Vec<Job>, done: Done) {
    for (job, answer) in jobs.into_iter().zip(done.answers) {
        // Who has ended meanwhile needs none.
        let _ = job.reply.send(answer.map_err(WriteError::Refused));
    }
}

fn refuse(jobs: Vec<Job>, fault: &Fault) {
    for job in jobs {
        let _ = job.reply.send(Err(WriteError::Fault(fault.clone())));
    }
}

/// One transaction, synced. Errors: it never was.
fn commit(shared: &Shared, jobs: &[Job]) -> Result<Done, Fault> {
    let base = match shared.base() {
        Ok(base) => base,
        // The last opening failed.
        Err(_) => shared.reopen()?,
    };
    let (mut done, fault) = match attempt(shared, &base, jobs) {
        Ok(done) => return Ok(done),
        Err((done, fault)) => (done, fault),
    };
    drop(base);
    let base = shared.reopen().map_err(|reopened| if reopened == Fault::Stopped { reopened } else { fault.clone() })?;
    // It failed after its last step: then what is there counts.
    let there = base.begin_read().map_err(redb::Error::from).and_then(|read| super::table::sums(&read));
    match (done.take(), there) {
        (Some(done), Ok(there)) if done.sums == Some(there) => Ok(done),
        _ => Err(fault),
    }
}

/// Errors: why it failed; and what would have come of it, if it came to its last step.
fn attempt(shared: &Shared, base: &Database, jobs: &[Job]) -> Result<Done, (Option<Done>, Fault)> {
    let mut done = None;
    // What a panic leaves half-changed is thrown away: the file is opened again.
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut transaction = base.begin_write()?;
        // In two steps, and with what an opening after a crash needs: no value that a script chooses can make a
        // transaction that was half-written look whole, and nobody waits for a look through the file.
        transaction.set_quick_repair(true);
        let mut tables = Tables::open(&transaction, shared.now(), shared.quota())?;
        tables.sweep()?;
        let answers = jobs.iter().map(|job| tables.apply(&job.write)).collect::<Result<_, _>>()?;
        let next_expiry = tables.next_expiry()?;
        let sums = tables.close()?;
        let done = done.insert(Done { answers, sums, next_expiry });
        match done.sums {
            Some(_) => transaction.commit()?,
            None => transaction.abort()?,
        }
        Ok::<(), redb::Error>(())
    }));
    let fault = match result {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(Fault::of(&error)),
        Err(_) => Some(Fault::panicked()),
    };
    match (fault, done) {
        (None, Some(done)) => Ok(done),
        (fault, done) => Err((done, fault.unwrap_or(Fault::Stopped))),
    }
}
