//! One function, with its types taken away: bytes in, bytes out.
//!
//! Owns that a panic in what is foreign stays in the call, and in the dropping of what it has left. Where a future goes on is
//! up to who started it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use lunarium_kernel::Failure;
use serde::Serialize;

use super::arguments::BadArgument;
use super::{Arguments, Caller, FunctionError};
use crate::value::results;

/// What has come of a call: the results' payload, or why it failed.
pub(crate) type Answer = Result<Vec<u8>, Unanswered>;

/// Why there are no results.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// The function says so.
    Failed(Failure),
    /// It gave what can't travel: what is wrong with that.
    Unfit(String),
    /// It panicked, with this text.
    Panicked(String),
}

/// A call that has begun.
pub(crate) enum Started {
    Ready(Answer),
    Later(Later),
}

/// A call that is under way. It never panics: not when it is polled, nor when it is dropped.
pub(crate) struct Later(Option<Pin<Box<dyn Future<Output = Answer> + Send>>>);

type Body = dyn Fn(Caller, &Bytes) -> Result<Started, BadArgument> + Send + Sync;

/// A function of a module.
#[derive(Clone)]
pub(crate) struct Function {
    body: Arc<Body>,
    /// It may answer later.
    pub(crate) waits: bool,
    pub(crate) timeout: Option<Duration>,
    /// Its place in the order of adding.
    pub(super) number: usize,
    /// What a process calls it by on the node that has it: see [`Modules`](super::table::Modules).
    pub(crate) id: u32,
}

impl Function {
    fn new(
        waits: bool,
        body: impl Fn(Caller, &Bytes) -> Result<Started, BadArgument> + Send + Sync + 'static,
    ) -> Function {
        Function { body: Arc::new(body), waits, timeout: None, number: 0, id: 0 }
    }

    pub(super) fn immediate<A, R, E, F>(function: F) -> Function
    where
        A: Arguments,
        R: Serialize,
        E: Into<FunctionError>,
        F: Fn(Caller, A) -> Result<R, E> + Send + Sync + 'static,
    {
        Function::new(false, move |caller, payload| {
            let arguments = A::read(payload)?;
            let limit = limit(&caller);
            Ok(Started::Ready(answer(function(caller, arguments), limit)))
        })
    }

    pub(super) fn asynchronous<A, R, E, F, T>(function: F) -> Function
    where
        A: Arguments,
        R: Serialize,
        E: Into<FunctionError>,
        F: Fn(Caller, A) -> T + Send + Sync + 'static,
        T: Future<Output = Result<R, E>> + Send + 'static,
    {
        Function::new(true, move |caller, payload| {
            let arguments = A::read(payload)?;
            let limit = limit(&caller);
            let future = function(caller, arguments);
            Ok(Started::Later(Later::new(async move { answer(future.await, limit) })))
        })
    }

    pub(super) fn blocking<A, R, E, F>(function: F) -> Function
    where
        A: Arguments + Send + 'static,
        R: Serialize,
        E: Into<FunctionError>,
        F: Fn(Caller, A) -> Result<R, E> + Send + Sync + 'static,
    {
        let function = Arc::new(function);
        Function::new(true, move |caller, payload| {
            let arguments = A::read(payload)?;
            let limit = limit(&caller);
            let function = Arc::clone(&function);
            Ok(Started::Later(Later::new(async move {
                let place = caller.thread().await;
                // The place is the thread's: one that nobody waits for any more still takes it.
                let run = move || {
                    let answer = contained(|| answer(function(caller, arguments), limit)).unwrap_or_else(Err);
                    drop(place);
                    answer
                };
                match tokio::task::spawn_blocking(run).await {
                    Ok(answer) => answer,
                    // The runtime shuts down, and drops this as well.
                    Err(_) => std::future::pending().await,
                }
            })))
        })
    }

    /// The same at this place in the order of adding.
    pub(super) fn numbered(self, number: usize) -> Function {
        Function { number, ..self }
    }

    /// Calls it. Errors: an argument isn't of its type.
    pub(crate) fn call(&self, caller: Caller, arguments: &Bytes) -> Result<Started, BadArgument> {
        contained(|| (self.body)(caller, arguments)).unwrap_or_else(|panicked| Ok(Started::Ready(Err(panicked))))
    }
}

impl Later {
    fn new(future: impl Future<Output = Answer> + Send + 'static) -> Later {
        Later(Some(Box::pin(future)))
    }
}

impl Future for Later {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let Some(future) = &mut self.0 else { return Poll::Pending };
        contained(|| future.as_mut().poll(context)).unwrap_or_else(|panicked| Poll::Ready(Err(panicked)))
    }
}

impl Drop for Later {
    fn drop(&mut self) {
        let future = self.0.take();
        // Of what is dropped nobody waits for an answer.
        let _ = contained(|| drop(future));
    }
}

fn limit(caller: &Caller) -> usize {
    usize::try_from(caller.limits().message).unwrap_or(usize::MAX)
}

fn answer<R: Serialize, E: Into<FunctionError>>(result: Result<R, E>, limit: usize) -> Answer {
    match result {
        Ok(value) => results(&value, limit).map_err(|error| Unanswered::Unfit(error.to_string())),
        Err(error) => Err(Unanswered::Failed(error.into().into_failure())),
    }
}

/// Runs what is foreign. Errors: it panicked.
fn contained<T>(act: impl FnOnce() -> T) -> Result<T, Unanswered> {
    // What it leaves half-changed is its own.
    catch_unwind(AssertUnwindSafe(act)).map_err(|panic| {
        let text = text(&*panic);
        // Dropping it may panic again.
        std::mem::forget(panic);
        Unanswered::Panicked(text)
    })
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("without a text").to_owned()
}
