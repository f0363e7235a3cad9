//! One process as the engine sees it: mailbox, flags and result, shared between its runner and everybody else.
//!
//! Owns waking. Refuses to know why a process lives or dies: the kernel decides, and calls `end`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use event_listener::{Event as Changed, EventListener};
use lunarium_kernel::{BatchLimits, Event, Item, Limits, Mailbox, Message, Outcome, Security, SendError, Unread};

use crate::log_budget::LogBudget;
use crate::output::ProcessLabel;
use crate::requests::{Reply, RequestError, Requests};

/// What one `resume` hands over at most: enough to spread the cost of entering the guest, little enough that a batch
/// of decoded messages stays well below the memory margin of the instance.
const BATCH: BatchLimits = BatchLimits { items: 256, bytes: 256 << 10 };

pub(crate) struct Process {
    pub(crate) label: ProcessLabel,
    pub(crate) limits: Limits,
    /// What `ctx` gives, as the guest encoded it. Shared with those who inherit it.
    pub(crate) context: Option<Arc<[u8]>>,
    pub(crate) security: Arc<Security>,
    pub(crate) cpu: CpuMeter,
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

struct Inbox {
    mailbox: Mailbox,
    requests: Requests,
    /// The output was full and takes lines again.
    output_ready: bool,
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
    pub(crate) fn new(
        label: ProcessLabel,
        limits: Limits,
        context: Option<Arc<[u8]>>,
        security: Arc<Security>,
        mailbox: Mailbox,
    ) -> Process {
        Process {
            label,
            context,
            security,
            cpu: CpuMeter::default(),
            log: Mutex::new(LogBudget::new(limits.log_lines)),
            inbox: Mutex::new(Inbox {
                mailbox,
                requests: Requests::default(),
                output_ready: false,
                inspections: Vec::new(),
                waker: None,
            }),
            limits,
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

    /// The id of a new request. It is answered by `NodeInner::reply` or the kernel's reply, or canceled.
    pub(crate) fn begin_request(&self) -> Result<u64, RequestError> {
        self.inbox().requests.begin()
    }

    /// A request that was begun, and refused before anything was started.
    pub(crate) fn cancel_request(&self) {
        self.inbox().requests.cancel();
    }

    /// Answers a request and wakes the process; one that has ended is told nothing. Never refused; true when too many
    /// bytes of replies wait.
    #[must_use]
    pub(crate) fn reply(&self, request: u64, outcome: Outcome) -> bool {
        let mut inbox = self.inbox();
        if inbox.mailbox.is_closed() {
            return false;
        }
        let flooded = inbox.requests.reply(Reply { request, outcome });
        wake(inbox);
        flooded
    }

    /// Tells that the output takes lines again.
    pub(crate) fn output_ready(&self) {
        let mut inbox = self.inbox();
        inbox.output_ready = true;
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

    /// The next delivery, or `Pending` with the waker kept. A killed process is ready at once, with nothing.
    pub(crate) fn poll_delivery(&self, waker: &Waker) -> Poll<Delivery> {
        let mut inbox = self.inbox();
        if self.is_killed() {
            return Poll::Ready(Delivery::default());
        }
        let (replies, bytes) = inbox.requests.take(BATCH.bytes);
        // Replies come after the items, and first in the batch's bytes: who only asks is never held up by who sends.
        let items = match BATCH.bytes.saturating_sub(bytes) {
            0 => Vec::new(),
            room => inbox.mailbox.take(BatchLimits { bytes: room, ..BATCH }, self.limits.mailbox_credit()),
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

/// CPU time since the process last waited: the sum over polls of its instance, each timed.
#[derive(Debug, Default)]
pub(crate) struct CpuMeter {
    /// Nanoseconds of the slices that are over.
    used: AtomicU64,
    /// When the slice under way began, by the engine's clock.
    since: AtomicU64,
}

impl CpuMeter {
    pub(crate) fn reset(&self) {
        self.used.store(0, Ordering::Relaxed);
    }

    pub(crate) fn begin(&self, now: u64) {
        self.since.store(now, Ordering::Relaxed);
    }

    pub(crate) fn end(&self, now: u64) {
        self.used.store(nanos(self.used(now)), Ordering::Relaxed);
    }

    /// The time used, the slice under way included.
    pub(crate) fn used(&self, now: u64) -> Duration {
        let slice = now.saturating_sub(self.since.load(Ordering::Relaxed));
        Duration::from_nanos(self.used.load(Ordering::Relaxed).saturating_add(slice))
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
