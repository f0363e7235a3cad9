//! Calls the kernel when its next deadline is due. Owns the one timer for it, however often deadlines change: a script
//! may set them in a loop.

use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use lunarium_kernel::Uptime;
use parking_lot::Mutex;

use super::NodeInner;
use lunarium_schedule::TimerKey;

#[derive(Default)]
pub(super) struct Alarm {
    timer: Mutex<Option<TimerKey>>,
}

struct Ring(Weak<NodeInner>);

impl NodeInner {
    pub(crate) fn set_alarm(&self) {
        let clock = &self.time.clock;
        let mut timer = self.alarm.timer.lock();
        if let Some(earlier) = timer.take() {
            clock.cancel(earlier);
        }
        // Asked under the alarm's lock: of two that come at once, the later one knows the deadline of both.
        let deadline = self.control.next_deadline();
        *timer =
            deadline.map(|deadline| clock.set(deadline.as_nanos(), Waker::from(Arc::new(Ring(self.this.clone())))));
    }

    /// By the node's clock, which goes on while the system's time is set.
    pub(crate) fn uptime(&self) -> Uptime {
        Uptime::from_nanos(self.time.clock.now())
    }
}

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        let Some(node) = self.0.upgrade() else { return };
        let now = node.uptime();
        // One at a time: of thousands with one deadline, the next comes with the timer that is set anew.
        node.kernel(|kernel| kernel.handle_timeout(now, node.time.wall()));
        node.set_alarm();
    }
}
