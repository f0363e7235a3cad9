//! A wait on the clock, for those who run a node.
//!
//! Owns one timer at a time. Processes have their own way to wait.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::clock::{Clock, TimerKey, nanoseconds};

/// A wait that is over when its time has passed; made by a node's `sleep`. It works in any runtime.
///
/// Cancel safety: a wait that is dropped is forgotten.
pub struct Sleep {
    clock: Arc<Clock>,
    /// By the clock.
    deadline: u64,
    timer: Option<TimerKey>,
}

impl Sleep {
    pub(crate) fn new(clock: Arc<Clock>, duration: Duration) -> Sleep {
        let deadline = clock.now().saturating_add(nanoseconds(duration));
        Sleep { clock, deadline, timer: None }
    }

    fn cancel(&mut self) {
        if let Some(timer) = self.timer.take() {
            self.clock.cancel(timer);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.cancel();
        if self.clock.now() >= self.deadline {
            return Poll::Ready(());
        }
        self.timer = Some(self.clock.set(self.deadline, context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.cancel();
    }
}
