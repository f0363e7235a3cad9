//! Where the processes of a storm print and log. Owns what is noticed there: what no script may see, what the host says of
//! itself; and that it is full now and then. Keeps nothing else.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use lunarium_engine::{Level, LogField, Output, ProcessLabel};

#[derive(Default)]
pub struct Watch {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_full: bool,
    waiting: Vec<Waker>,
    found: Vec<String>,
    printed: u64,
    logged: u64,
    last_print: Option<Instant>,
    longest_pause: Duration,
}

/// What has come so far.
#[derive(Clone, Copy, Default)]
pub struct Lines {
    pub printed: u64,
    pub logged: u64,
    /// The longest time between two printed lines, since it was last asked.
    pub longest_pause: Duration,
}

/// What the log says when something of ours broke.
const OURS: [&str; 4] = ["host bug", "the instance trapped", "the node has stopped", "the guest "];

impl Watch {
    pub fn set_full(&self, is_full: bool) {
        let mut state = self.state();
        state.is_full = is_full;
        let waiting = if is_full { Vec::new() } else { std::mem::take(&mut state.waiting) };
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    pub fn lines(&self) -> Lines {
        let mut state = self.state();
        let longest_pause = std::mem::take(&mut state.longest_pause);
        Lines { printed: state.printed, logged: state.logged, longest_pause }
    }

    /// What must not have been.
    pub fn found(&self) -> Vec<String> {
        std::mem::take(&mut self.state().found)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Output for Watch {
    fn print(&self, process: &ProcessLabel, line: &str) -> bool {
        let mut state = self.state();
        if line.starts_with("VIOLATION") {
            state.found.push(format!("{} {line}", process.frame));
        }
        if !state.is_full {
            state.printed += 1;
            let now = Instant::now();
            let pause = state.last_print.replace(now).map_or(Duration::ZERO, |last| now - last);
            state.longest_pause = state.longest_pause.max(pause);
        }
        !state.is_full
    }

    fn on_ready(&self, waker: Waker) {
        let mut state = self.state();
        if state.is_full {
            return state.waiting.push(waker);
        }
        drop(state);
        waker.wake();
    }

    fn log(&self, process: &ProcessLabel, _: Level, message: &str, fields: &[LogField]) {
        let mut state = self.state();
        state.logged += 1;
        if OURS.iter().any(|text| message.contains(text)) {
            state.found.push(format!("{} logged: {message} {fields:?}", process.frame));
        }
    }
}
