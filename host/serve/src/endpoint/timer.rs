//! A connection's timer: how long its requests wait for their answers.
//!
//! Owns that there is one for all of them. To set it to a later point in time stores a number; to make one for each request takes the runtime's
//! lock twice and wakes its thread by a system call, because each would be the next to ring.

use std::pin::Pin;
use std::time::Duration;

use futures_lite::future::or;
use parking_lot::Mutex;
use tokio::time::{Instant, Sleep, sleep};

/// Made when the first request waits. A connection has one request at a time; if it had more, each would have a timer.
#[derive(Default)]
pub(super) struct Timer(Mutex<Option<Pin<Box<Sleep>>>>);

impl Timer {
    /// What comes of a future; None: it was not ready in time.
    pub(super) async fn within<T>(&self, patience: Duration, future: impl Future<Output = T>) -> Option<T> {
        let kept = self.0.lock().take();
        let mut sleep = match kept {
            Some(mut sleep) => {
                sleep.as_mut().reset(Instant::now() + patience);
                sleep
            }
            None => Box::pin(sleep(patience)),
        };
        let ready = or(async { Some(future.await) }, async {
            sleep.as_mut().await;
            None
        })
        .await;
        *self.0.lock() = Some(sleep);
        ready
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::time::Duration;

    use tokio::task::yield_now;

    use super::Timer;

    const SHORT: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_secs(3_600);

    #[tokio::test]
    async fn each_wait_has_its_own_time() {
        let timer = Timer::default();
        assert_eq!(timer.within(LONG, ready(1)).await, Some(1));
        // Not the hour that it was set to before.
        assert_eq!(timer.within(SHORT, pending::<()>()).await, None);
        // It rings no more for what is over.
        assert_eq!(timer.within(LONG, yield_now()).await, Some(()));
        assert_eq!(timer.within(SHORT, pending::<()>()).await, None);
    }
}
