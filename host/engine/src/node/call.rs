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
use crate::module::{Answer, Caller, Function, Later, Module, Started, Unanswered};
use crate::process::{Level, Process};

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

/// A call that waits for its answer. However it ends, its process is told: also when the runtime drops it.
struct UnderWay {
    node: Arc<NodeInner>,
    caller: Caller,
    /// `billing.charge`, for people.
    name: String,
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
        module: &Module,
        name: &str,
        function: &Function,
        arguments: Vec<u8>,
    ) -> Result<Called, RequestError> {
        let caller = Caller::new(&who.process, &who.incarnation, self.handle(), &self.threads, module);
        let arguments = Bytes::from(arguments);
        if !function.waits {
            let _given = self.runtime.enter_given();
            let answer = match function.call(caller, &arguments) {
                Ok(Started::Ready(answer)) => answer,
                Ok(Started::Later(_)) => Err(Unanswered::Unfit(LATE.into())),
                Err(bad) => return Ok(Called::BadArgument(bad.message(name))),
            };
            return Ok(self.told(who, || shown(module, name), answer));
        }
        let (request, holding) = who.process.begin_call(who.limits().calls(), arguments.len())?;
        // From here on it is answered or cancelled.
        let under_way = UnderWay {
            node: Arc::clone(self),
            caller,
            name: shown(module, name),
            request,
            _holding: holding,
            is_answered: false,
        };
        Ok(self.begin(who, under_way, name, function, &arguments))
    }

    fn begin(&self, who: &Who, under_way: UnderWay, name: &str, function: &Function, arguments: &Bytes) -> Called {
        let shown = under_way.name.clone();
        let runtime = match self.runtime.handle() {
            Ok(runtime) => runtime,
            Err(error) => {
                let text = format!("there is no runtime for `{}`: {error}", under_way.name);
                return under_way.at_once(Called::Failed(Failure::new(ErrorKind::Unavailable, text)));
            }
        };
        let entered = runtime.enter();
        let mut later = match function.call(under_way.caller.clone(), arguments) {
            Ok(Started::Later(later)) => later,
            Ok(Started::Ready(answer)) => return under_way.at_once(self.told(who, || shown, answer)),
            Err(bad) => return under_way.at_once(Called::BadArgument(bad.message(name))),
        };
        // What is there at once costs the process no turn.
        if let Poll::Ready(answer) = Pin::new(&mut later).poll(&mut Context::from_waker(Waker::noop())) {
            return under_way.at_once(self.told(who, || shown, answer));
        }
        drop(entered);
        let request = under_way.request;
        let task = carry_out(under_way, later, function.timeout);
        if self.time.is_still() {
            // Where it is counted: time doesn't go on before what it leads to has happened.
            self.machine.scheduler.spawn(&who.process.member, within(runtime.clone(), task), || Urgency::Woken);
        } else {
            // What becomes of the task is told by the process.
            drop(runtime.spawn(task));
        }
        Called::Later(request)
    }

    fn handle(&self) -> &Weak<dyn Any + Send + Sync> {
        self.handle.get_or_init(|| self.this.clone())
    }

    /// How the caller is told; a panic leaves a line in its log.
    fn told(&self, who: &Who, name: impl FnOnce() -> String, answer: Answer) -> Called {
        match answer {
            Ok(payload) => Called::Results(payload),
            Err(Unanswered::Failed(failure)) => Called::Failed(failure),
            Err(Unanswered::Unfit(fault)) => {
                let text = format!("result of `{}` {fault}", name());
                Called::Failed(Failure::new(ErrorKind::Invalid, text))
            }
            Err(Unanswered::Panicked(text)) => {
                let name = name();
                let line = format!("function `{name}` panicked: {text}");
                self.log(&who.process, &who.incarnation.label, Level::Error, &line, &[]);
                // The text is for those who own the function.
                Called::Failed(Failure::new(ErrorKind::Internal, format!("function `{name}` panicked")))
            }
        }
    }
}

/// Can't be: who says that it answers at once does.
const LATE: &str = "is not there at once";

fn shown(module: &Module, function: &str) -> String {
    format!("{}.{function}", module.name())
}

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
            let who = Who { process: Arc::clone(caller.process()), incarnation: Arc::clone(caller.incarnation()) };
            let called = under_way.node.told(&who, || under_way.name.clone(), answer);
            under_way.answer(called);
        }
        Some(None) => {
            let text = format!("function `{}` took longer than {:?}", under_way.name, timeout.unwrap_or_default());
            under_way.answer(Called::Failed(Failure::new(ErrorKind::Timeout, text)));
        }
    }
}

impl UnderWay {
    /// It was answered where it was called: no reply will come.
    fn at_once(mut self, called: Called) -> Called {
        self.is_answered = true;
        self.process().cancel_call(self.request);
        called
    }

    fn answer(&mut self, called: Called) {
        let outcome = match called {
            Called::Results(payload) => Outcome::Completed(payload.into()),
            Called::Failed(failure) => Outcome::failed(failure),
            Called::BadArgument(text) => Outcome::failed(Failure::new(ErrorKind::Invalid, text)),
            Called::Later(_) => return,
        };
        self.is_answered = true;
        self.process().answer_call(self.request, outcome);
    }

    fn process(&self) -> &Arc<Process> {
        self.caller.process()
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if !self.is_answered {
            let text = format!("the runtime of `{}` has ended", self.name);
            self.answer(Called::Failed(Failure::new(ErrorKind::Canceled, text)));
        }
    }
}
