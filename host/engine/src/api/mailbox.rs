//! A mailbox of the embedding program's own: a process for scripts, a stream of what they send for the program.
//!
//! Owns what is read and sent, that a call is answered however it is dropped, and how many are read and not answered. Refuses to decide
//! what fits: the inbox does.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::SystemTime;

use bytes::Bytes;
use futures_lite::Stream;
use futures_lite::future::{block_on, poll_fn};
use lunarium_kernel::{
    Call, CallsFull, ErrorKind, Event, Failure, Holding, Item, LinkError, MAX_CALLS, Message, MonitorError, Outcome,
    Pid, ResolveError, Topic, action,
};
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::DeliverError;
use crate::module::{Arguments, FunctionError, read_arguments};
use crate::node::{NodeInner, Opened, wall};
use crate::process::{Process, Reader};
use crate::value::{ReadError, Value, WriteError, failure_payload, from_values, refused, results, to_payload};

/// A mailbox of the program's own, from [`Node::mailbox`](crate::Node::mailbox). For scripts it is a process: they send to it by its
/// name, call it, monitor it and link with it, as far as policies allow. It is read by [`Mailbox::next`], as a [`Stream`], or blocking.
///
/// What isn't read waits, within the limits of a mailbox: `mailbox_messages` (10,000), `mailbox_bytes` (4 MiB) and `message` (1 MiB),
/// of which one sender may have half. At the limit: who sends is refused, `RateLimited` and retryable. What waits is charged to the
/// node's budgets. Events can't be refused: above 16 MiB of them the mailbox ends. 1,000 calls may be read and not answered, 500 of one
/// caller, whether who called still waits or not: further ones are answered `RateLimited` when their turn comes.
///
/// It traps links: the failure of who is linked with it is something that it reads, and doesn't end it. It doesn't keep the node.
/// Dropped, it ends normally: who monitors it gets an EXIT, and links are gone.
pub struct Mailbox {
    node: Weak<NodeInner>,
    process: Arc<Process>,
    reader: Arc<Reader>,
    message: u32,
    open: Arc<OpenCalls>,
    _memory: Holding,
}

impl Mailbox {
    pub(super) fn new(node: &Arc<NodeInner>, opened: Opened) -> Mailbox {
        let Opened { process, reader, limits, memory } = opened;
        let open = Arc::default();
        Mailbox { node: Arc::downgrade(node), process, reader, message: limits.message, open, _memory: memory }
    }

    /// Its process.
    pub fn pid(&self) -> &Pid {
        &self.process.pid
    }

    /// The next thing that has come, in order. None: it has ended, with its node or because a script that may do so has terminated
    /// it.
    ///
    /// Cancel safety: nothing is lost.
    pub async fn next(&mut self) -> Option<Received> {
        poll_fn(|context| self.poll(context)).await
    }

    /// The same, blocking the thread. Not for a thread that runs async tasks.
    pub fn next_blocking(&mut self) -> Option<Received> {
        block_on(self.next())
    }

    /// Sends a message; `destination` is a pid's text or a registered name. The receiver sees the mailbox as its sender.
    ///
    /// Errors: as `process.send` has them; a value that can't travel; the mailbox has ended.
    pub fn send(&self, destination: &str, topic: &str, value: &(impl Serialize + ?Sized)) -> Result<(), DeliverError> {
        let node = self.node()?;
        let send = || {
            let topic = Topic::new(topic)?;
            let payload = to_payload(value)?;
            let target = node.find(destination)?;
            let message = Message::new(Some(self.pid().clone()), topic, payload.into());
            Ok(self.process.life.speak(|| target.send(message)).ok_or_else(|| self.ended())??)
        };
        node.noting(Some(self.pid()), action::SEND, destination, send())
    }

    /// Lets it read an [`Received::Exit`] when a process ends; `destination` is a pid's text or a registered name.
    ///
    /// Errors: as `process.monitor` has them.
    pub fn monitor(&self, destination: &str) -> Result<(), MonitorError> {
        let node = self.node()?;
        let target = node.find(destination)?;
        node.kernel(|kernel| kernel.monitor(self.pid(), &target.pid))
    }

    /// Undoes [`Mailbox::monitor`]. Who isn't monitored, or there, is no error.
    ///
    /// Errors: the mailbox has ended.
    pub fn unmonitor(&self, pid: &Pid) -> Result<(), MonitorError> {
        self.node()?.kernel(|kernel| kernel.unmonitor(self.pid(), pid))
    }

    /// Links it with a process, which ends when the mailbox is terminated, unless it traps links.
    ///
    /// Errors: as `process.link` has them.
    pub fn link(&self, destination: &str) -> Result<(), LinkError> {
        let node = self.node()?;
        let target = node.find(destination)?;
        node.kernel(|kernel| kernel.link(self.pid(), &target.pid))
    }

    /// Undoes a link. Who isn't linked, or there, is no error.
    ///
    /// Errors: the mailbox has ended.
    pub fn unlink(&self, pid: &Pid) -> Result<(), LinkError> {
        self.node()?.kernel(|kernel| kernel.unlink(self.pid(), pid))
    }

    fn node(&self) -> Result<Arc<NodeInner>, ResolveError> {
        self.node.upgrade().filter(|_| !self.process.life.has_ended()).ok_or_else(|| self.ended())
    }

    fn ended(&self) -> ResolveError {
        ResolveError::CallerEnded { caller: self.pid().clone() }
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Option<Received>> {
        loop {
            match self.reader.poll(&self.process, context) {
                Poll::Ready(Some(item)) => {
                    if let Some(received) = self.received(item) {
                        return Poll::Ready(Some(received));
                    }
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// None: a call that is refused.
    fn received(&self, item: Item) -> Option<Received> {
        Some(match item {
            Item::Message(Message { sender, payload, call: Some(Call { id, method }), .. }) => {
                let open = match self.open.enter(sender.as_ref().map(Pid::number)) {
                    Ok(open) => open,
                    Err(full) => {
                        self.refuse(id, &full);
                        return None;
                    }
                };
                let mut holding = self.process.holding();
                holding.grow_anyway(u64::try_from(payload.len()).unwrap_or(u64::MAX));
                let (node, process) = (self.node.clone(), Arc::clone(&self.process));
                let asked = Asked { node, process, call: id, _holding: holding, _open: open };
                let limit = self.message;
                Received::Call(ReceivedCall { from: sender, method, arguments: payload, limit, asked: Some(asked) })
            }
            Item::Message(Message { sender, topic, payload, .. }) => {
                Received::Message(ReceivedMessage { from: sender, topic, payload })
            }
            Item::Event(Event::Exit { from, outcome, .. }) => Received::Exit { from, outcome },
            Item::Event(Event::LinkDown { from, outcome, .. }) => Received::LinkDown { from, outcome },
            Item::Event(Event::Cancel { from, deadline, .. }) => {
                Received::Cancel { from, deadline: deadline.map(wall::system_time) }
            }
        })
    }

    fn refuse(&self, call: u64, full: &CallsFull) {
        let failure = refused(full);
        if let Some(node) = self.node.upgrade() {
            node.answer(&self.process, call, failure_payload(&failure).into(), self.message);
        }
    }
}

impl Stream for Mailbox {
    type Item = Received;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Received>> {
        self.poll(context)
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        if let Some(node) = self.node.upgrade() {
            node.handle_exit(&self.process, Outcome::Completed(Value::Nil.encode().into()));
        }
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mailbox").field(self.pid()).finish()
    }
}

/// What a [`Mailbox`] reads.
#[derive(Debug)]
#[non_exhaustive]
pub enum Received {
    /// A message.
    Message(ReceivedMessage),
    /// `process.call`: it is to be answered.
    Call(ReceivedCall),
    /// A process that the mailbox monitors has ended.
    Exit {
        /// Which.
        from: Pid,
        /// How.
        outcome: Outcome,
    },
    /// A process that is linked with the mailbox has failed.
    LinkDown {
        /// Which.
        from: Pid,
        /// How.
        outcome: Outcome,
    },
    /// The mailbox is asked to end: whoever reads it drops it, or doesn't.
    Cancel {
        /// Who asks; none: the program itself, also by [`Node::shutdown`](crate::Node::shutdown).
        from: Option<Pid>,
        /// When it will be terminated; none: nothing is forced.
        deadline: Option<SystemTime>,
    },
}

/// A message to a [`Mailbox`].
#[derive(Debug, Clone)]
pub struct ReceivedMessage {
    from: Option<Pid>,
    topic: Topic,
    payload: Bytes,
}

impl ReceivedMessage {
    /// Who has sent it; none: the program itself.
    pub fn from(&self) -> Option<&Pid> {
        self.from.as_ref()
    }

    /// What it is about.
    pub fn topic(&self) -> &str {
        self.topic.as_str()
    }

    /// What was sent as a Rust type, by serde: nothing or nil as `()` or `None`, one value as itself, several as a tuple.
    ///
    /// Errors: it isn't of the type; the text says where.
    pub fn value<T: DeserializeOwned>(&self) -> Result<T, ReadError> {
        from_values(&self.payload)
    }

    /// The encoded value.
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }
}

/// A call of a [`Mailbox`]: who called waits until it is answered. Dropped without an answer, it is answered with an error,
/// `Canceled`.
#[derive(Debug)]
pub struct ReceivedCall {
    from: Option<Pid>,
    method: Arc<str>,
    arguments: Bytes,
    limit: u32,
    /// Taken by the answer.
    asked: Option<Asked>,
}

impl ReceivedCall {
    /// Who calls; none: the program itself.
    pub fn from(&self) -> Option<&Pid> {
        self.from.as_ref()
    }

    /// Which function.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Its arguments: `()`, a tuple of up to eight values, a `Vec`, or [`Raw`](crate::Raw).
    ///
    /// Errors: one isn't of its type; it says which, in the words that a Lua function would use, and is fit for
    /// [`ReceivedCall::fail`].
    pub fn arguments<A: Arguments>(&self) -> Result<A, FunctionError> {
        read_arguments(&self.arguments, &self.method)
    }

    /// Answers with results: a tuple is several, anything else one. Who doesn't wait any more isn't told.
    ///
    /// Errors: they can't travel, or are larger than a message may be; who called is told that.
    pub fn answer(mut self, values: &(impl Serialize + ?Sized)) -> Result<(), WriteError> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        match results(values, limit) {
            Ok(payload) => {
                self.tell(payload);
                Ok(())
            }
            Err(error) => {
                let text = format!("result of `{}` can't travel: {error}", self.method);
                self.tell(failure_payload(&Failure::new(ErrorKind::Internal, text)));
                Err(error)
            }
        }
    }

    /// Answers with an error: any `std::error::Error`, or a [`FunctionError`] with kind and details.
    pub fn fail(mut self, error: impl Into<FunctionError>) {
        self.tell(failure_payload(&error.into().into_failure()));
    }

    fn tell(&mut self, payload: Vec<u8>) {
        let Some(Asked { node, process, call, .. }) = self.asked.take() else { return };
        if let Some(node) = node.upgrade() {
            node.answer(&process, call, payload.into(), self.limit);
        }
    }
}

impl Drop for ReceivedCall {
    fn drop(&mut self) {
        if self.asked.is_some() {
            let text = format!("call of `{}` was dropped without an answer", self.method);
            self.tell(failure_payload(&Failure::new(ErrorKind::Canceled, text)));
        }
    }
}

/// Where an answer goes.
struct Asked {
    node: Weak<NodeInner>,
    process: Arc<Process>,
    call: u64,
    /// What the arguments are charged to as long as nothing is answered: a thousand calls may have a megabyte each.
    _holding: Holding,
    _open: Open,
}

/// Calls that were read and not answered. The inbox forgets those whose callers have given up; whoever reads still has them.
#[derive(Default)]
struct OpenCalls(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    all: usize,
    /// By the numbers of the callers; the program itself counts for all alone.
    of: HashMap<u64, usize>,
}

/// One of them.
struct Open {
    calls: Arc<OpenCalls>,
    caller: Option<u64>,
}

impl OpenCalls {
    /// Errors: too many, as in the inbox.
    fn enter(self: &Arc<OpenCalls>, caller: Option<u64>) -> Result<Open, CallsFull> {
        let mut counts = self.0.lock();
        if counts.all >= MAX_CALLS {
            return Err(CallsFull::All);
        }
        if let Some(caller) = caller {
            let own = counts.of.entry(caller).or_default();
            if *own >= MAX_CALLS / 2 {
                return Err(CallsFull::OneCaller);
            }
            *own = own.saturating_add(1);
        }
        counts.all = counts.all.saturating_add(1);
        Ok(Open { calls: Arc::clone(self), caller })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut counts = self.calls.0.lock();
        counts.all = counts.all.saturating_sub(1);
        let Some(caller) = self.caller else { return };
        if let Some(own) = counts.of.get_mut(&caller) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                counts.of.remove(&caller);
            }
        }
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Asked").field(&self.call).finish()
    }
}
