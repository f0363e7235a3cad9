//! Whose turn it is: a call into an instance, polled to its end, and the slice of several.
//!
//! Owns the time that is counted, that a killed process isn't polled again, and when a process gives way between two calls:
//! each may be shorter than a tick. Refuses to know what is called.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use crate::process::{CpuMeter, Life};
use crate::wasm::Stopped;
use lunarium_schedule::{Clock, TICK};

#[derive(Clone, Copy)]
pub(super) struct Turn<'a> {
    pub(super) clock: &'a Clock,
    /// None: nobody's, which can't be killed.
    pub(super) life: Option<&'a Life>,
    pub(super) cpu: &'a CpuMeter,
}

impl Turn<'_> {
    /// Polls a call, each poll timed. Also the making of an instance: a tick may fall into it, and what it is compared
    /// with must have begun.
    ///
    /// Errors: the call's; it was killed, or has used up its CPU time, be it by many calls that no tick fell into.
    pub(super) async fn enter<T>(self, call: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
        let mut call = pin!(call);
        let result = poll_fn(|context| {
            if self.life.is_some_and(Life::is_killed) {
                return Poll::Ready(Err(Stopped::Killed.into()));
            }
            let _running = self.clock.begin_run();
            self.cpu.begin(self.clock.now());
            let result = call.as_mut().poll(context);
            self.cpu.end(self.clock.now());
            result
        });
        let result = result.await?;
        match self.cpu.was_used_up() {
            Some(limit) => Err(Stopped::Limit(limit).into()),
            None => Ok(result),
        }
    }
}

/// The slice of a process: how long it has run since it came from a wait, over all its calls.
pub(super) struct Slice<'a> {
    clock: &'a Clock,
    life: &'a Life,
    /// In nanoseconds; none: it waits.
    since: Option<u64>,
}

impl<'a> Slice<'a> {
    pub(super) fn new(clock: &'a Clock, life: &'a Life) -> Slice<'a> {
        Slice { clock, life, since: None }
    }

    /// The process waits.
    pub(super) fn end(&mut self) {
        self.since = None;
    }

    /// The process goes on: with a new slice, if it has waited.
    pub(super) fn go_on(&mut self) {
        self.since = self.since.or_else(|| Some(self.clock.now()));
    }

    /// Lets the others run when the slice is used up: one that always finds something to do would never leave its worker.
    pub(super) async fn pause(&mut self) {
        let used = self.since.map_or(0, |since| self.clock.now().saturating_sub(since));
        if u128::from(used) > TICK.as_nanos() {
            self.life.preempt();
            give_way().await;
            self.since = Some(self.clock.now());
        }
    }
}

/// Lets those run that are more urgent.
pub(super) async fn give_way() {
    let mut gave_way = false;
    poll_fn(|context| {
        if std::mem::replace(&mut gave_way, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use futures_lite::future::{block_on, poll_once};

    use lunarium_kernel::{LimitName, Limits};

    use super::{Slice, Turn};
    use crate::process::{CpuMeter, Life};
    use crate::wasm::Stopped;
    use lunarium_schedule::{Clock, TICK, Urgency};

    fn clock() -> Arc<Clock> {
        Clock::start(Box::new(|| {})).unwrap()
    }

    /// Returns long before a tick falls into it.
    async fn short() -> wasmtime::Result<()> {
        Ok(())
    }

    fn stopped(turn: Turn<'_>) -> Option<Stopped> {
        block_on(turn.enter(short())).err().map(|error| *error.downcast_ref().unwrap())
    }

    #[test]
    fn short_calls_without_end_use_up_the_cpu_time_and_see_a_kill() {
        let (clock, life) = (clock(), Life::new(false));
        let limits = Limits { cpu: Duration::from_micros(50), ..Limits::default() };
        let cpu = CpuMeter::new(&limits, Arc::default());
        let turn = Turn { clock: &clock, life: Some(&life), cpu: &cpu };
        let last = std::iter::repeat_with(|| stopped(turn)).find(Option::is_some).flatten();
        assert_eq!(last, Some(Stopped::Limit(LimitName::Cpu)));
        cpu.reset();
        life.kill();
        assert_eq!(stopped(turn), Some(Stopped::Killed));
    }

    #[test]
    fn the_time_of_a_whole_life_goes_on_over_waits_and_incarnations() {
        let (clock, time) = (clock(), Arc::default());
        let limits = Limits { cpu_total: Duration::from_micros(50), ..Limits::default() };
        let last = std::iter::repeat_with(|| {
            let cpu = CpuMeter::new(&limits, Arc::clone(&time));
            cpu.reset();
            stopped(Turn { clock: &clock, life: None, cpu: &cpu })
        });
        assert_eq!(last.flatten().next(), Some(Stopped::Limit(LimitName::CpuTotal)));
    }

    #[test]
    fn between_short_calls_a_process_gives_way_when_its_slice_is_used_up() {
        let (clock, life) = (clock(), Life::new(false));
        life.set_running(true);
        let mut slice = Slice::new(&clock, &life);
        let begin = clock.now();
        slice.go_on();
        while block_on(poll_once(slice.pause())).is_some() {}
        assert!(u128::from(clock.now() - begin) > TICK.as_nanos());
        assert_eq!(life.urgency(), Urgency::Preempted);
        assert_eq!(life.urgency(), Urgency::Woken);
    }
}
