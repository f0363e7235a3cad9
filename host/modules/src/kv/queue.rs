//! Writes that wait for the writer.
//!
//! Owns whose turn it is: each process in its turn gives one write, so one that writes much waits for itself. Bounded in
//! count and bytes over all, half of it for a first write of each process, and per process by the engine (`module_calls`,
//! `module_bytes`).

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// Writes that wait. At the limit: [`Busy`]. The number: twice as many as a node has processes by default, so that all of
/// them can write at once.
pub(super) const WRITES: usize = 16_384;
/// Bytes that they hold. The number: of the largest values that a process can send by default, one from 64 processes.
pub(super) const BYTES: usize = 64 << 20;

/// Writes of one transaction. The number: with small ones a sync is a small part of their cost by then; larger ones would
/// only let the first wait longer.
pub(super) const BATCH_WRITES: usize = 1024;
/// Bytes of one transaction. The number: what a disk takes in some tens of milliseconds.
const BATCH_BYTES: usize = 4 << 20;

/// Too much waits already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Busy;

pub(super) struct Queue<J> {
    state: Mutex<State<J>>,
    changed: Condvar,
}

struct State<J> {
    /// By process, in the order of their turns.
    turns: VecDeque<String>,
    waiting: HashMap<String, VecDeque<(usize, J)>>,
    writes: usize,
    bytes: usize,
    /// Something else than a write is to be done.
    nudged: bool,
    closed: bool,
}

/// What the writer does next.
pub(super) struct Turn<J> {
    /// May be empty: it was nudged, or its time has come.
    pub(super) batch: Vec<J>,
    /// There will be no more.
    pub(super) is_last: bool,
}

impl<J> Queue<J> {
    pub(super) fn new() -> Queue<J> {
        let state = State {
            turns: VecDeque::new(),
            waiting: HashMap::new(),
            writes: 0,
            bytes: 0,
            nudged: false,
            closed: false,
        };
        Queue { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Adds a write of this process.
    pub(super) fn push(&self, who: &str, bytes: usize, job: J) -> Result<(), Busy> {
        let mut state = self.state.lock();
        let total = state.bytes.saturating_add(bytes);
        if state.closed || state.writes >= WRITES || total > BYTES {
            return Err(Busy);
        }
        // The second half is for those of whom nothing waits: a hundred that write without end leave room for all others.
        if (state.writes >= WRITES / 2 || total > BYTES / 2) && state.waiting.contains_key(who) {
            return Err(Busy);
        }
        state.writes = state.writes.saturating_add(1);
        state.bytes = state.bytes.saturating_add(bytes);
        match state.waiting.get_mut(who) {
            Some(jobs) => jobs.push_back((bytes, job)),
            None => {
                state.turns.push_back(who.to_owned());
                state.waiting.insert(who.to_owned(), VecDeque::from([(bytes, job)]));
            }
        }
        self.changed.notify_one();
        Ok(())
    }

    pub(super) fn nudge(&self) {
        self.state.lock().nudged = true;
        self.changed.notify_one();
    }

    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_one();
    }

    /// Waits for writes, for this time at most.
    pub(super) fn next(&self, patience: Duration) -> Turn<J> {
        let mut state = self.state.lock();
        let nothing = |state: &mut State<J>| state.writes == 0 && !state.closed && !state.nudged;
        self.changed.wait_while_for(&mut state, nothing, patience);
        state.nudged = false;
        let batch = state.batch();
        Turn { is_last: state.closed && state.writes == 0, batch }
    }
}

impl<J> State<J> {
    fn batch(&mut self) -> Vec<J> {
        let (mut batch, mut size) = (Vec::new(), 0_usize);
        while batch.len() < BATCH_WRITES && size < BATCH_BYTES {
            let Some(who) = self.turns.pop_front() else { break };
            let Some(jobs) = self.waiting.get_mut(&who) else { continue };
            if let Some((bytes, job)) = jobs.pop_front() {
                self.writes = self.writes.saturating_sub(1);
                self.bytes = self.bytes.saturating_sub(bytes);
                size = size.saturating_add(bytes);
                batch.push(job);
            }
            match jobs.is_empty() {
                true => drop(self.waiting.remove(&who)),
                false => self.turns.push_back(who),
            }
        }
        batch
    }
}
