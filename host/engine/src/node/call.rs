//! Calls of the embedder's functions: begun, carried out, answered.
//!
//! Owns that each is answered once or its process is over, and that a process that is over drops its futures. Who may call what
//! has been decided when this is asked; what a function does is its own.

use std::any::Any;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_lite::future::or;
use lunarium_kernel::{ErrorKind, Failure, Holding, Outcome, RequestError};
use lunarium_schedule::Urgency;
use tokio::runtime::Handle;

use super::{NodeInner, Who};
use crate::module::{Answer, Caller, Calling, Found, Later, Started, Unanswered};
use crate::process::Level;

/// What a call has come to.
pub(crate) enum Called {
    /// The results' payload.
    Results(Vec<u8>),
    Failed(Failure),
    /// Lua's text.
    BadArgument(String),
    /// The request that will be answered.
    Later(u64),
}

/// How far a call came where it was made.
enum Begun<'n> {
    AtOnce(Called),
    /// It goes on there.
    Later(&'n Handle, Later),
}

/// A call that waits for its answer. However it ends, its process is told: also when the runtime drops it.
struct UnderWay {
    node: Arc<NodeInner>,
    caller: Caller,
    found: Arc<Found>,
    request: u64,
    /// What its arguments are charged to.
    _holding: Holding,
    is_answered: bool,
}

impl NodeInner {
    /// Calls a function.
    ///
    /// Errors: the caller has too many calls under way, or they hold too much.
    pub(crate) fn call(
        self: &Arc<NodeInner>,
        who: &Who,
        found: &Arc<Found>,
        arguments: Vec<u8>,
    ) -> Result<Called, RequestError> {
        let (calling, arguments) = (self.calling(who), Bytes::from(arguments));
        if !found.function.waits {
            let _given = self.runtime.enter_given();
            let answer = match found.function.call(Caller::new(calling, &found.module), &arguments) {
                Ok(Started::Ready(answer)) => answer,
                Ok(Started::Later(_)) => Err(Unanswered::Unfit(LATE.into())),
                Err(bad) => return Ok(Called::BadArgument(bad.message(&found.name))),
            };
            return Ok(self.told(calling, found, answer));
        }
        let (request, holding) = who.process.begin_call(who.limits().calls(), arguments.len())?;
        // From here on it is answered or cancelled.
        let (runtime, later) = match self.begin(calling, found, &arguments) {
            Begun::Later(runtime, later) => (runtime, later),
            Begun::AtOnce(called) => {
                who.process.cancel_call(request);
                return Ok(called);
            }
        };
        let (node, caller) = (Arc::clone(self), Caller::new(calling, &found.module));
        let (found, timeout) = (Arc::clone(found), found.function.timeout);
        let under_way = UnderWay { node, caller, found, request, _holding: holding.wait(), is_answered: false };
        let task = carry_out(under_way, later, timeout);
        if self.time.is_still() {
            // Where it is counted: time doesn't go on before what it leads to has happened.
            self.machine.scheduler.spawn(&who.process.member, within(runtime.clone(), task), || Urgency::Woken);
        } else {
            // What becomes of the task is told by the process.
            drop(runtime.spawn(task));
        }
        Ok(Called::Later(request))
    }

    /// Calls a function that may answer later, and looks once whether it has: what is there at once costs the process no turn.
    fn begin(&self, calling: &Arc<Calling>, found: &Found, arguments: &Bytes) -> Begun<'_> {
        let at_once = Begun::AtOnce;
        let runtime = match self.runtime.handle() {
            Ok(runtime) => runtime,
            Err(error) => {
                let text = format!("there is no runtime for `{found}`: {error}");
                return at_once(Called::Failed(Failure::new(ErrorKind::Unavailable, text)));
            }
        };
        let _entered = runtime.enter();
        let mut later = match found.function.call(Caller::new(calling, &found.module), arguments) {
            Ok(Started::Later(later)) => later,
            Ok(Started::Ready(answer)) => return at_once(self.told(calling, found, answer)),
            Err(bad) => return at_once(Called::BadArgument(bad.message(&found.name))),
        };
        match Pin::new(&mut later).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => at_once(self.told(calling, found, answer)),
            Poll::Pending => Begun::Later(runtime, later),
        }
    }

    /// The process as functions of modules know it.
    fn calling<'w>(&self, who: &'w Who) -> &'w Arc<Calling> {
        who.calling.get_or_init(|| {
            let (process, incarnation) = (Arc::clone(&who.process), Arc::clone(&who.incarnation));
            let (node, threads) = (Weak::clone(self.handle()), Arc::clone(&self.threads));
            Arc::new(Calling { process, incarnation, node, threads })
        })
    }

    fn handle(&self) -> &Weak<dyn Any + Send + Sync> {
        self.handle.get_or_init(|| self.this.clone())
    }

    /// How the caller is told; a panic leaves a line in its log.
    fn told(&self, calling: &Calling, found: &Found, answer: Answer) -> Called {
        match answer {
            Ok(payload) => Called::Results(payload),
            Err(Unanswered::Failed(failure)) => Called::Failed(failure),
            Err(Unanswered::Unfit(fault)) => {
                let text = format!("result of `{found}` {fault}");
                Called::Failed(Failure::new(ErrorKind::Invalid, text))
            }
            Err(Unanswered::Panicked(text)) => {
                let line = format!("function `{found}` panicked: {text}");
                self.log(&calling.process, &calling.incarnation.label, Level::Error, &line, &[]);
                // The text is for those who own the function.
                Called::Failed(Failure::new(ErrorKind::Internal, format!("function `{found}` panicked")))
            }
        }
    }
}

/// Can't be: who says that it answers at once does.
const LATE: &str = "is not there at once";

/// A future that finds the runtime, wherever it is polled.
async fn within(runtime: Handle, task: impl Future<Output = ()>) {
    let mut task = pin!(task);
    poll_fn(|context| {
        let _entered = runtime.enter();
        task.as_mut().poll(context)
    })
    .await;
}

/// Waits for the answer, for the end of who asked, or for the time that there is.
async fn carry_out(mut under_way: UnderWay, later: Later, timeout: Option<Duration>) {
    let caller = under_way.caller.clone();
    let clock = Arc::clone(&under_way.node.time.clock);
    let over = async {
        caller.cancelled().await;
        None
    };
    let answered = async { Some(Some(later.await)) };
    let late = async {
        match timeout {
            Some(timeout) => clock.sleep(timeout).await,
            None => std::future::pending().await,
        }
        Some(None)
    };
    match or(over, or(answered, late)).await {
        None => under_way.is_answered = true,
        Some(Some(answer)) => {
            let called = under_way.node.told(caller.calling(), &under_way.found, answer);
            under_way.answer(called);
        }
        Some(None) => {
            let text = format!("function `{}` took longer than {:?}", under_way.found, timeout.unwrap_or_default());
            under_way.answer(Called::Failed(Failure::new(ErrorKind::Timeout, text)));
        }
    }
}

impl UnderWay {
    fn answer(&mut self, called: Called) {
        let outcome = match called {
            Called::Results(payload) => Outcome::Completed(payload.into()),
            Called::Failed(failure) => Outcome::failed(failure),
            Called::BadArgument(text) => Outcome::failed(Failure::new(ErrorKind::Invalid, text)),
            Called::Later(_) => return,
        };
        self.is_answered = true;
        self.caller.calling().process.answer_call(self.request, outcome);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if !self.is_answered {
            let text = format!("the runtime of `{}` has ended", self.found);
            self.answer(Called::Failed(Failure::new(ErrorKind::Canceled, text)));
        }
    }
}
