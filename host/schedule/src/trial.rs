//! What the tests under shuttle share: how often they run, a count to wait for, and wakers that do something.

use std::sync::Arc;
use std::task::{Wake, Waker};

use crate::sync::{Monitor, thread};

/// Runs a test in many orders: some drawn evenly, some that keep to one thread and leave it at a few chosen points.
pub(crate) fn check(orders: usize, test: impl Fn() + Send + Sync + 'static) {
    let test = Arc::new(test);
    let other = Arc::clone(&test);
    shuttle::check_random(move || test(), orders);
    shuttle::check_pct(move || other(), orders, 3);
}

/// A number between 0 and `below`, drawn anew in every order.
pub(crate) fn draw(below: usize) -> usize {
    use shuttle::rand::Rng;
    shuttle::rand::thread_rng().gen_range(0..below)
}

/// Lets the others run, for as long as chance wants.
pub(crate) fn dawdle(most: usize) {
    (0..draw(most)).for_each(|_| thread::yield_now());
}

/// Counts what has happened. Whoever waits for more than happens is found: shuttle reports that nobody can run.
#[derive(Default)]
pub(crate) struct Bell(Monitor<usize>);

impl Bell {
    pub(crate) fn ring(&self) {
        *self.0.lock() += 1;
        self.0.notify_all();
    }

    pub(crate) fn rung(&self) -> usize {
        *self.0.lock()
    }

    pub(crate) fn wait(&self, times: usize) {
        let mut rung = self.0.lock();
        while *rung < times {
            rung = self.0.wait(rung);
        }
    }
}

/// Rings when it is dropped.
pub(crate) struct Token(pub(crate) Arc<Bell>);

impl Drop for Token {
    fn drop(&mut self) {
        self.0.ring();
    }
}

/// A waker that calls `act`.
pub(crate) fn waker(act: impl Fn() + Send + Sync + 'static) -> Waker {
    struct Act<F>(F);
    impl<F: Fn() + Send + Sync> Wake for Act<F> {
        fn wake(self: Arc<Self>) {
            (self.0)();
        }
    }
    Waker::from(Arc::new(Act(act)))
}

/// Panics with something that panics again when it is dropped, and without a word on the terminal.
pub(crate) fn panic_twice() {
    struct Again;
    impl Drop for Again {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new(()));
        }
    }
    std::panic::resume_unwind(Box::new(Again));
}
