//! All that comes to one process: its mailbox, and the replies to what it has asked for. Owns what an end and another
//! incarnation mean for both, and which goes first. Does not know who waits: waking is the engine's, and so is the lock
//! around it.
//!
//! Closed, nothing is accepted, begun or handed over any more. Whether its *sender* may still send is asked of the
//! sender's own inbox ([`Inbox::is_closed`]): the instance of a process that has ended may run for a moment.

mod bounds;
mod calls;
mod incoming;
mod mailbox;
mod message;
mod requests;
mod shares;
mod tasks;
mod topics;

use std::collections::BTreeSet;
use std::sync::Arc;

use self::calls::Calls;
use self::incoming::Incoming;
use self::requests::Requests;
use self::tasks::Tasks;
use crate::{Event, Outcome, Payload, Pid, Topic};

pub use bounds::{Held, MailboxLimits, SendError};
pub use calls::CallLimits;
pub use incoming::{CallsFull, MAX_CALLS};
pub use mailbox::{BatchLimits, EVENT_BYTES, EVENT_COST, Item, Mailbox, ReturnError, Unread};
pub use message::{Call, MESSAGE_COST, Message};
pub use requests::{MAX_REQUESTS, Reply, RequestError};
pub use tasks::MAX_TASKS;
pub use topics::{TOPIC_COST, topic_bytes};

/// The inbox of a process, with tasks of type `T` that wait for a thread, and calls for whose answers a `C` waits.
#[derive(Debug)]
pub struct Inbox<T, C> {
    mailbox: Mailbox,
    requests: Requests,
    tasks: Tasks<T>,
    calls: Calls,
    incoming: Incoming<C>,
}

/// What a process is resumed with. Replies are for the guest after the items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Messages and events.
    pub items: Vec<Item>,
    /// Answers to requests.
    pub replies: Vec<Reply>,
}

impl Batch {
    /// Nothing at all.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.replies.is_empty()
    }
}

/// What an inbox held and nobody gets any more. To be dropped where no lock is held: that may be 50 MiB.
#[derive(Debug)]
#[must_use = "to be dropped where no lock is held"]
#[expect(dead_code, reason = "the rest is only dropped")]
pub struct Remains<T, C> {
    mailbox: Option<Mailbox>,
    replies: Vec<Reply>,
    tasks: Vec<T>,
    /// Who waits for answers that don't come any more. They are to be told.
    pub askers: Vec<C>,
}

impl<T, C> Inbox<T, C> {
    /// A process's open inbox around a mailbox, which may have messages.
    pub fn new(mailbox: Mailbox, owner: &Pid) -> Self {
        Self {
            mailbox: mailbox.owned_by(owner),
            requests: Requests::default(),
            tasks: Tasks::default(),
            calls: Calls::default(),
            incoming: Incoming::default(),
        }
    }

    /// Accepts a message. Errors: as for [`Mailbox::push`].
    pub fn push(&mut self, message: Message) -> Result<(), SendError> {
        self.mailbox.push(message)
    }

    /// Accepts all of these messages, in order, or none. Errors: as for one.
    pub fn push_all(&mut self, messages: Vec<Message>) -> Result<(), SendError> {
        self.mailbox.push_all(messages)
    }

    /// Whether all of these messages would be accepted. Errors: as [`Inbox::push_all`].
    pub fn check(&self, messages: &[Message]) -> Result<(), SendError> {
        self.mailbox.check_all(messages)
    }

    /// A call of a function with a payload of arguments, for [`Inbox::push_call`]. Errors: `RateLimited` ([`MAX_CALLS`]).
    pub fn call(&self, sender: Option<Pid>, method: Arc<str>, arguments: Payload) -> Result<Message, SendError> {
        let id = self.incoming.next(sender.as_ref().map(Pid::number))?;
        Ok(Message { sender, topic: Topic::calls(), payload: arguments, call: Some(Call { id, method }) })
    }

    /// Accepts the call that [`Inbox::call`] has just made, behind everything that is there: its id. The asker is given back by
    /// [`Inbox::answer`], or when no answer will come. Errors: as [`Inbox::push`].
    pub fn push_call(&mut self, call: Message, asker: C) -> Result<u64, SendError> {
        let caller = call.sender.as_ref().map(Pid::number);
        self.mailbox.push(call)?;
        Ok(self.incoming.begin(caller, asker))
    }

    /// Who waits for the answer to a call, once. None: nobody.
    pub fn answer(&mut self, call: u64) -> Option<C> {
        self.incoming.answer(call)
    }

    /// Who waits for the answer to a call, to be changed.
    pub fn asker(&mut self, call: u64) -> Option<&mut C> {
        self.incoming.asker(call)
    }

    /// Calls that aren't answered.
    pub fn calls_under_way(&self) -> usize {
        self.incoming.count()
    }

    /// Accepts an event, unless it is closed. True: too many lie unread, and the process has to end
    /// ([`EVENT_BYTES`]).
    #[must_use]
    pub fn push_event(&mut self, event: Event) -> bool {
        self.mailbox.push_event(event);
        self.mailbox.is_flooded()
    }

    /// The id of a new request, never used before. Whoever does the work answers it by [`Inbox::reply`], or it is
    /// canceled. Errors: `ResourceExhausted` ([`MAX_REQUESTS`]), `Canceled` (closed).
    pub fn begin_request(&mut self) -> Result<u64, RequestError> {
        self.check_open()?;
        self.requests.begin()
    }

    /// A request was begun, and refused before anything was started.
    pub fn cancel_request(&mut self) {
        self.requests.cancel();
    }

    /// The id of a new request for a call of the embedder's function, whose arguments have so many bytes.
    /// Errors: `ResourceExhausted` (a limit of calls, then as for a request), `Canceled` (closed).
    pub fn begin_call(&mut self, limits: CallLimits, bytes: u64) -> Result<u64, RequestError> {
        self.check_open()?;
        self.calls.check(limits, bytes)?;
        let request = self.requests.begin()?;
        self.calls.push(request, bytes, limits);
        Ok(request)
    }

    /// Bytes that calls under way hold: arguments, and results that aren't handed over.
    pub fn call_bytes(&self) -> u64 {
        self.calls.bytes()
    }

    /// A call has come to a result of so many bytes; its reply is next, and if this refuses, another one.
    /// Errors: `ResourceExhausted` (what calls may hold).
    pub fn answer_call(&mut self, request: u64, bytes: u64) -> Result<(), RequestError> {
        self.calls.answer(request, bytes)
    }

    /// A call was begun, and needs no reply after all.
    pub fn cancel_call(&mut self, request: u64) {
        self.calls.forget(request);
        self.requests.cancel();
    }

    /// Queues a task: the id of its request.
    /// Errors: `ResourceExhausted` ([`MAX_TASKS`], then as for a request), `Canceled` (closed).
    pub fn begin_task(&mut self, task: T) -> Result<u64, RequestError> {
        self.check_open()?;
        self.tasks.check()?;
        let request = self.requests.begin()?;
        self.tasks.push(request, task);
        Ok(request)
    }

    /// The next task to perform, with its request; none when the process has ended or upgraded meanwhile.
    pub fn next_task(&mut self) -> Option<(u64, T)> {
        self.tasks.next()
    }

    /// Answers a request; who is closed is told nothing, nor is who upgraded since it asked. Never refused. True: too many
    /// bytes of replies wait, and the process has to end (as by events).
    #[must_use]
    pub fn reply(&mut self, request: u64, outcome: Outcome) -> bool {
        if self.is_closed() {
            return false;
        }
        let reply = Reply { request, outcome };
        if self.requests.is_stale(request) {
            self.requests.cancel();
            self.done(&[reply]);
            return false;
        }
        self.requests.reply(reply)
    }

    /// Takes what is handed over next, at most a batch. Replies come first in the batch's bytes, and however many they
    /// are: who only asks is never held up by who sends. `credit` is what the guest may hold of the mailbox.
    pub fn take(&mut self, batch: BatchLimits, credit: u64) -> Batch {
        let (replies, bytes) = self.requests.take(batch.bytes);
        self.done(&replies);
        let items = match batch.bytes.saturating_sub(bytes) {
            0 if bytes > 0 => Vec::new(),
            room => self.mailbox.take(BatchLimits { bytes: room, ..batch }, credit),
        };
        Batch { items, replies }
    }

    /// Whether [`Inbox::take`] would give anything for this credit.
    pub fn has_deliverable(&self, credit: u64) -> bool {
        self.requests.has_replies() || self.mailbox.has_deliverable(credit)
    }

    /// The guest tells what it holds. See [`Mailbox::report_unread`].
    pub fn report_unread(&mut self, unread: Unread) {
        self.mailbox.report_unread(unread);
    }

    /// The process waits. See [`Mailbox::park`].
    pub fn park(&mut self, unread: Unread, received: &[u64]) {
        self.mailbox.park(unread, received);
    }

    /// The process listens on a topic. See [`Mailbox::listen`].
    pub fn listen(&mut self, topic: Topic) {
        self.mailbox.listen(topic);
    }

    /// It doesn't any more. See [`Mailbox::unlisten`].
    pub fn unlisten(&mut self, topic: &Topic) {
        self.mailbox.unlisten(topic);
    }

    /// The process takes messages of every topic.
    pub fn listen_to_all(&mut self) {
        self.mailbox.listen_to_all();
    }

    /// Takes back what an ending incarnation's script hasn't received. See [`Mailbox::take_back`].
    pub fn take_back(&mut self, item: Item) -> Result<(), ReturnError> {
        self.mailbox.take_back(item)
    }

    /// Another incarnation begins, within these limits: it gets all that the script hasn't received, and no reply to what
    /// the last one asked for. Tasks that no thread has begun never are; the others stay counted until their reply. Calls that
    /// the last one has begun have no answer; the others are the next one's.
    pub fn restart(&mut self, limits: MailboxLimits) -> Remains<T, C> {
        self.mailbox.restart(limits);
        let replies = self.requests.restart();
        self.done(&replies);
        let tasks = self.tasks.take_waiting();
        tasks.iter().for_each(|_| self.requests.cancel());
        let askers = self.incoming.abandon(&self.mailbox.calls());
        Remains { mailbox: None, replies, tasks, askers }
    }

    /// The process has ended: nothing is accepted, begun or handed over from here on.
    pub fn close(&mut self) -> Remains<T, C> {
        let mailbox = Some(self.mailbox.close());
        let (replies, _) = std::mem::take(&mut self.requests).take(u64::MAX);
        let tasks = std::mem::take(&mut self.tasks).take_waiting();
        self.calls = Calls::default();
        let askers = self.incoming.abandon(&BTreeSet::new());
        Remains { mailbox, replies, tasks, askers }
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        self.mailbox.is_closed()
    }

    /// Requests that were begun, and neither canceled nor answered and handed over.
    pub fn requests_under_way(&self) -> u32 {
        self.requests.under_way()
    }

    /// Bytes that it holds here, not in the guest: payloads with [`MESSAGE_COST`] each, events and replies.
    pub fn held_bytes(&self) -> u64 {
        self.mailbox.held_bytes().saturating_add(self.requests.held_bytes())
    }

    /// Bytes that the topics take on which the process listens, [`topic_bytes`] each.
    pub fn listened_bytes(&self) -> u64 {
        self.mailbox.listened_bytes()
    }

    /// The mailbox, to be looked at.
    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// The replies have been handed over, or nobody waits for them.
    fn done(&mut self, replies: &[Reply]) {
        self.tasks.done(replies);
        self.calls.done(replies);
    }

    fn check_open(&self) -> Result<(), RequestError> {
        if self.is_closed() { Err(RequestError::Closed) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
