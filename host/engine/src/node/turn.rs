//! One turn: a call into an instance, polled to its end.
//!
//! Owns the time that is counted, and that a killed process isn't polled again. Refuses to know what is called.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use crate::process::{CpuMeter, Life};
use crate::wasm::Stopped;
use lunarium_schedule::Clock;

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
    pub(super) async fn enter<T>(self, call: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
        let mut call = pin!(call);
        poll_fn(|context| {
            if self.life.is_some_and(Life::is_killed) {
                return Poll::Ready(Err(Stopped::Killed.into()));
            }
            let _running = self.clock.begin_run();
            self.cpu.begin(self.clock.now());
            let result = call.as_mut().poll(context);
            self.cpu.end(self.clock.now());
            result
        })
        .await
    }
}
