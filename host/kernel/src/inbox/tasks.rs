//! The tasks of one process that wait for a thread, and how many are under way: operations on files.
//!
//! Owns their limit and their order. Refuses to know what a task does. One is under way until its reply is *handed over*,
//! so that a guest that reads on and never waits can't pile up what it has read.

use std::collections::VecDeque;

use lunarium_contract::length;

use crate::{Reply, RequestError};

/// Tasks of one process under way. At the limit: refused, `ResourceExhausted`; the guest lets coroutines wait before
/// that. Enough to keep a disk busy; each may hold a message's bytes here.
pub const MAX_TASKS: usize = length::FILE_OPERATIONS;

#[derive(Debug)]
pub(crate) struct Tasks<T> {
    waiting: VecDeque<(u64, T)>,
    under_way: Vec<u64>,
}

impl<T> Default for Tasks<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), under_way: Vec::new() }
    }
}

impl<T> Tasks<T> {
    /// Errors: too many are under way.
    pub(crate) fn check(&self) -> Result<(), RequestError> {
        if self.under_way.len() >= MAX_TASKS { Err(RequestError::Busy { limit: MAX_TASKS }) } else { Ok(()) }
    }

    pub(crate) fn push(&mut self, request: u64, task: T) {
        self.under_way.push(request);
        self.waiting.push_back((request, task));
    }

    /// The next to perform.
    pub(crate) fn next(&mut self) -> Option<(u64, T)> {
        self.waiting.pop_front()
    }

    /// The replies have been handed over, or nobody waits for them.
    pub(crate) fn done(&mut self, replies: &[Reply]) {
        self.under_way.retain(|request| replies.iter().all(|reply| reply.request != *request));
    }

    /// Takes out what wasn't begun, for who asked is gone. What a thread works on stays counted until its reply.
    pub(crate) fn take_waiting(&mut self) -> Vec<T> {
        let (forgotten, tasks): (Vec<u64>, Vec<T>) = self.waiting.drain(..).unzip();
        self.under_way.retain(|request| !forgotten.contains(request));
        tasks
    }
}
