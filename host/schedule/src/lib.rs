//! Which task runs next, on which thread, and the clock that goes by.
//!
//! Owns the worker threads with their queues ([`Scheduler`]) and whose time they spend ([`Share`]), the thread for time with its timers ([`Clock`]), and a
//! wait for others ([`Sleep`]); and whether anything of a share is under way ([`Watch`]). Refuses to know what runs: a task is something to poll, a timer something to wake. No
//! wasm, no process, no node, and nothing of Lunarium's other crates.
//!
//! What is foreign here (a task, a waker, the callback of a tick) may panic: that ends neither a worker nor the clock.
//!
//! Its tests run under `shuttle`, which takes the place of locks, threads and time (`sync`) and tries many orders.

mod clock;
mod contain;
mod delay;
mod queues;
mod scheduler;
mod share;
mod sleep;
mod sync;
#[cfg(test)]
mod trial;
mod watch;

pub use clock::{Clock, GRAIN, OnTick, Run, TICK, TimerKey, nanoseconds};
pub use contain::contain;
pub use delay::{DELAY_BOUNDS, Delay};
pub use queues::Urgency;
pub use scheduler::Scheduler;
pub use share::{Member, Portion, Share};
pub use sleep::Sleep;
pub use watch::{Hold, Watch};
