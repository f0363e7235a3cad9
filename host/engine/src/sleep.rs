//! A wait on the engine's clock, for those who run a node.
//!
//! Owns one timer at a time. Processes have their own way to wait: see `runner`.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::clock::TimerKey;
use crate::engine::Engine;

/// A wait that is over when its time has passed; made by [`Node::sleep`](crate::Node::sleep). It works in any runtime.
pub struct Sleep {
    engine: Engine,
    /// By the engine's clock.
    deadline: u64,
    timer: Option<TimerKey>,
}

impl Sleep {
    pub(crate) fn new(engine: Engine, duration: Duration) -> Sleep {
        let duration = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let deadline = engine.clock().now().saturating_add(duration);
        Sleep { engine, deadline, timer: None }
    }

    fn cancel(&mut self) {
        if let Some(timer) = self.timer.take() {
            self.engine.clock().cancel(timer);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.cancel();
        if self.engine.clock().now() >= self.deadline {
            return Poll::Ready(());
        }
        self.timer = Some(self.engine.clock().set(self.deadline, context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.cancel();
    }
}
