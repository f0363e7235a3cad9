//! A node's own time: what its processes read, and what their timers and deadlines go by.
//!
//! Owns that it is the engine's clock and the system's time, or, on a node whose time stands still, a clock that goes on when
//! it is told to. CPU time is never this: it is measured by the engine's clock.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lunarium_kernel::Timestamp;
use lunarium_schedule::{Clock, Hold, Watch, nanoseconds};

use super::wall;

pub(crate) struct Time {
    /// What timers are set on.
    pub(crate) clock: Arc<Clock>,
    still: Option<Still>,
}

/// Of a node whose time stands still.
struct Still {
    /// The wall-clock time at which the clock shows 0, in nanoseconds.
    start: i64,
    /// What is under way on the node.
    watch: Arc<Watch>,
}

impl Time {
    /// Goes by, as the engine's does.
    pub(crate) fn of_engine(clock: &Arc<Clock>) -> Time {
        Time { clock: Arc::clone(clock), still: None }
    }

    /// Stands still at `start`. `watch` counts what is under way on the node.
    pub(crate) fn still(start: SystemTime, watch: Arc<Watch>) -> Time {
        let start = start.duration_since(UNIX_EPOCH).unwrap_or_default();
        let start = i64::try_from(start.as_nanos()).unwrap_or(i64::MAX);
        Time { clock: Clock::still(), still: Some(Still { start, watch }) }
    }

    /// Wall-clock time.
    pub(crate) fn wall(&self) -> Timestamp {
        match &self.still {
            None => wall::now(),
            Some(Still { start, .. }) => {
                let since = i64::try_from(self.clock.now()).unwrap_or(i64::MAX);
                Timestamp::from_nanos(start.saturating_add(since))
            }
        }
    }

    pub(crate) fn is_still(&self) -> bool {
        self.still.is_some()
    }

    /// Something is under way that is no task of the scheduler's; none: nobody counts.
    pub(crate) fn hold(&self) -> Option<Hold> {
        Some(self.still.as_ref()?.watch.hold())
    }

    /// Waits until nothing happens any more unless time goes on or somebody outside does something. Where time goes by there
    /// is no such moment, and no wait.
    pub(crate) async fn settled(&self) {
        if let Some(Still { watch, .. }) = &self.still {
            watch.settled().await;
        }
    }

    /// Goes on by so much, from one timer to the next: what each wakes has come to rest before the clock moves again.
    pub(crate) async fn advance(&self, by: Duration) {
        let until = self.clock.now().saturating_add(nanoseconds(by));
        loop {
            self.settled().await;
            match self.clock.next_due().filter(|due| *due <= until) {
                Some(due) => self.clock.go_on(due),
                None => break,
            }
        }
        self.clock.go_on(until);
        self.settled().await;
    }
}
