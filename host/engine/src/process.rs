//! One process as the engine sees it: mailbox, flags and result, shared between its runner and everybody else.
//!
//! Owns waking. Refuses to know why a process lives or dies: the kernel decides, and calls `end`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Poll, Waker};

use event_listener::{Event as Changed, EventListener};
use lunarium_kernel::{
    BatchLimits, Event, HostId, Item, Limits, LimitsOverride, Mailbox, Message, Outcome, Pid, ReturnError, Security,
    SendError, Unread,
};

use crate::bindings::lunarium::process::types;
use crate::convert;
use crate::file_queue::FileQueue;
use crate::files::Task;
use crate::log_budget::LogBudget;
use crate::requests::{Reply, RequestError, Requests};

/// What one `resume` hands over at most: enough to spread the cost of entering the guest, little enough that a batch
/// of decoded messages stays well below the memory margin of the instance.
const BATCH: BatchLimits = BatchLimits { items: 256, bytes: 256 << 10 };

pub(crate) struct Process {
    pub(crate) pid: Pid,
    /// Where it lives, whatever it becomes.
    pub(crate) host: HostId,
    /// The number of its call chain.
    pub(crate) chain: u64,
    /// Limits that who started it from outside has set, for all its incarnations.
    pub(crate) wish: Option<LimitsOverride>,
    /// What `ctx` gives, as the guest encoded it. Shared with those who inherit it.
    pub(crate) context: Option<Arc<[u8]>>,
    pub(crate) security: Arc<Security>,
    pub(crate) log: Mutex<LogBudget>,
    inbox: Mutex<Inbox>,
    killed: AtomicBool,
    preempted: AtomicBool,
    /// It has waited once.
    started: AtomicBool,
    outcome: OnceLock<Outcome>,
    /// Notified when it has started, and when it has ended.
    progress: Changed,
}

/// What a process is from its first to its last incarnation.
pub(crate) struct Origin {
    pub(crate) pid: Pid,
    pub(crate) host: HostId,
    pub(crate) chain: u64,
    pub(crate) wish: Option<LimitsOverride>,
    pub(crate) context: Option<Arc<[u8]>>,
    pub(crate) security: Arc<Security>,
}

struct Inbox {
    mailbox: Mailbox,
    requests: Requests,
    files: FileQueue,
    /// The output was full and takes lines again.
    output_ready: bool,
    /// It will be told.
    awaits_output: bool,
    inspections: Vec<Sender<Inspection>>,
    /// The runner, while it waits.
    waker: Option<Waker>,
}

/// What a process is resumed with.
#[derive(Default)]
pub(crate) struct Delivery {
    pub(crate) items: Vec<Item>,
    pub(crate) replies: Vec<Reply>,
    pub(crate) output_ready: bool,
    pub(crate) inspections: Vec<Sender<Inspection>>,
}

/// What a process at rest looks like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inspection {
    /// The guest's stack pointer: the same for every process at rest, because none holds a frame.
    pub stack_pointer: u32,
    /// Bytes of the instance's memories and tables.
    pub memory: u64,
}

impl Delivery {
    /// Nothing for the guest.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.replies.is_empty() && !self.output_ready
    }
}

impl Process {
    /// `log_lines` is the limit of its first incarnation.
    pub(crate) fn new(origin: Origin, log_lines: u32, mailbox: Mailbox) -> Process {
        let Origin { pid, host, chain, wish, context, security } = origin;
        Process {
            pid,
            host,
            chain,
            wish,
            context,
            security,
            log: Mutex::new(LogBudget::new(log_lines)),
            inbox: Mutex::new(Inbox {
                mailbox,
                requests: Requests::default(),
                files: FileQueue::default(),
                output_ready: false,
                awaits_output: false,
                inspections: Vec::new(),
                waker: None,
            }),
            killed: AtomicBool::new(false),
            preempted: AtomicBool::new(false),
            started: AtomicBool::new(false),
            outcome: OnceLock::new(),
            progress: Changed::new(),
        }
    }

    /// Puts a message into the mailbox and wakes the process.
    pub(crate) fn send(&self, message: Message) -> Result<(), SendError> {
        let mut inbox = self.inbox();
        inbox.mailbox.push(message)?;
        wake(inbox);
        Ok(())
    }

    /// Puts all messages into the mailbox, or none, and wakes the process.
    pub(crate) fn send_all(&self, messages: Vec<Message>) -> Result<(), SendError> {
        if messages.is_empty() {
            return Ok(());
        }
        let mut inbox = self.inbox();
        inbox.mailbox.push_all(messages)?;
        wake(inbox);
        Ok(())
    }

    /// Puts an event into the mailbox and wakes the process. Never refused; true when too many lie unread.
    #[must_use]
    pub(crate) fn deliver(&self, event: Event) -> bool {
        let mut inbox = self.inbox();
        inbox.mailbox.push_event(event);
        let flooded = inbox.mailbox.is_flooded();
        wake(inbox);
        flooded
    }

    /// The id of a new request. Whoever does the work answers it by `reply`, or it is canceled.
    pub(crate) fn begin_request(&self) -> Result<u64, RequestError> {
        self.inbox().requests.begin()
    }

    /// A request that was begun, and refused before anything was started.
    pub(crate) fn cancel_request(&self) {
        self.inbox().requests.cancel();
    }

    /// Queues a file operation: the id of its request.
    ///
    /// Errors: too many operations or requests are under way.
    pub(crate) fn begin_file(&self, task: Task) -> Result<u64, types::Refusal> {
        let mut inbox = self.inbox();
        inbox.files.check().map_err(convert::refusal)?;
        let request = inbox.requests.begin().map_err(convert::refusal)?;
        inbox.files.push(request, task);
        Ok(request)
    }

    /// The next file operation to perform.
    pub(crate) fn next_file(&self) -> Option<(u64, Task)> {
        self.inbox().files.next()
    }

    /// Answers a request and wakes the process; one that has ended is told nothing. Never refused; true when too many
    /// bytes of replies wait.
    #[must_use]
    pub(crate) fn reply(&self, request: u64, outcome: Outcome) -> bool {
        let mut inbox = self.inbox();
        if inbox.mailbox.is_closed() {
            return false;
        }
        let reply = Reply { request, outcome };
        if inbox.requests.is_stale(request) {
            inbox.requests.cancel();
            inbox.files.done(&[reply]);
            return false;
        }
        let flooded = inbox.requests.reply(reply);
        wake(inbox);
        flooded
    }

    /// Whether the output has to be asked to tell when it takes lines again. True once until it does: a script that can't
    /// wait may print on.
    pub(crate) fn begin_output_wait(&self) -> bool {
        !std::mem::replace(&mut self.inbox().awaits_output, true)
    }

    /// Tells that the output takes lines again.
    pub(crate) fn output_ready(&self) {
        let mut inbox = self.inbox();
        inbox.output_ready = true;
        inbox.awaits_output = false;
        wake(inbox);
    }

    /// The process is dead for everybody from here on; with `forced` its instance is stopped where it stands.
    pub(crate) fn end(&self, outcome: Outcome, forced: bool) {
        if forced {
            self.kill();
        }
        let mut inbox = self.inbox();
        inbox.mailbox.close();
        inbox.requests.clear();
        inbox.files.clear();
        inbox.inspections.clear();
        wake(inbox);
        // Only the first outcome counts, and the kernel reports one.
        let _ = self.outcome.set(outcome);
    }

    /// The process waits for the first time.
    pub(crate) fn mark_started(&self) {
        self.started.store(true, Ordering::Release);
        self.announce();
    }

    /// Wakes whoever waits for the start or the end.
    pub(crate) fn announce(&self) {
        self.progress.notify(usize::MAX);
    }

    /// Lets the runner drop the instance as soon as it gets there.
    pub(crate) fn kill(&self) {
        self.killed.store(true, Ordering::Release);
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Acquire)
    }

    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        self.outcome.get()
    }

    pub(crate) fn has_started(&self) -> bool {
        self.started.load(Ordering::Acquire)
    }

    pub(crate) fn progress(&self) -> EventListener {
        self.progress.listen()
    }

    /// Notes that the process used up its time slice; asked once, when it is queued again.
    pub(crate) fn preempt(&self) {
        self.preempted.store(true, Ordering::Relaxed);
    }

    pub(crate) fn take_preempted(&self) -> bool {
        self.preempted.swap(false, Ordering::Relaxed)
    }

    /// What the guest holds unread right now.
    pub(crate) fn report_unread(&self, unread: Unread) {
        self.inbox().mailbox.report_unread(unread);
    }

    /// Takes back what an ending incarnation's script hasn't received.
    pub(crate) fn take_back(&self, item: Item) -> Result<(), ReturnError> {
        self.inbox().mailbox.take_back(item)
    }

    /// Another incarnation begins, within these limits: nobody there waits for a reply to the last one. Log lines stay
    /// counted: who upgrades often writes no more.
    pub(crate) fn restart(&self, limits: &Limits) {
        let mut inbox = self.inbox();
        inbox.mailbox.restart(limits.mailbox());
        let stale = inbox.requests.restart();
        inbox.files.done(&stale);
        for _ in 0..inbox.files.forget_waiting() {
            inbox.requests.cancel();
        }
        drop(inbox);
        self.log.lock().unwrap_or_else(PoisonError::into_inner).set_limit(limits.log_lines);
    }

    /// The next delivery, or `Pending` with the waker kept. A killed process is ready at once, with nothing.
    /// `credit` is what the guest may hold unread.
    pub(crate) fn poll_delivery(&self, credit: u64, waker: &Waker) -> Poll<Delivery> {
        let mut inbox = self.inbox();
        if self.is_killed() {
            return Poll::Ready(Delivery::default());
        }
        let (replies, bytes) = inbox.requests.take(BATCH.bytes);
        inbox.files.done(&replies);
        // Replies come after the items, and first in the batch's bytes: who only asks is never held up by who sends.
        let items = match BATCH.bytes.saturating_sub(bytes) {
            0 => Vec::new(),
            room => inbox.mailbox.take(BatchLimits { bytes: room, ..BATCH }, credit),
        };
        let output_ready = std::mem::take(&mut inbox.output_ready);
        let inspections = std::mem::take(&mut inbox.inspections);
        let delivery = Delivery { items, replies, output_ready, inspections };
        if delivery.is_empty() && delivery.inspections.is_empty() {
            match &mut inbox.waker {
                Some(kept) => kept.clone_from(waker),
                none => *none = Some(waker.clone()),
            }
            return Poll::Pending;
        }
        Poll::Ready(delivery)
    }

    /// Whether the process waits: its instance is at rest, and nothing is under way to it.
    pub(crate) fn is_waiting(&self) -> bool {
        self.inbox().waker.is_some()
    }

    /// Asks the runner to look at the instance at rest.
    pub(crate) fn inspect(&self, reply: Sender<Inspection>) {
        let mut inbox = self.inbox();
        inbox.inspections.push(reply);
        wake(inbox);
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes after the lock is released: the woken runner takes it at once.
fn wake(mut inbox: MutexGuard<'_, Inbox>) {
    let waker = inbox.waker.take();
    drop(inbox);
    if let Some(waker) = waker {
        waker.wake();
    }
}
