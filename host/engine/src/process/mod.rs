//! One process as the engine sees it, shared between its runner and everybody else: whether it lives, what comes to it,
//! what it may log.
//!
//! Owns waking. Refuses to know why a process lives or dies: the kernel decides, and calls [`Process::end`].

mod file_queue;
mod incarnation;
mod life;
mod log;
mod output;

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::task::{Poll, Waker};

use bytes::Bytes;
use lunarium_kernel::{
    BatchLimits, Event, Item, Limits, LimitsOverride, Mailbox, Message, Outcome, Pid, Reply, RequestError, ReturnError,
    Security, SendError, Spawned, Topic, Unread,
};
use parking_lot::{Mutex, MutexGuard};

pub(crate) use file_queue::perform_file;
pub(crate) use incarnation::{CpuMeter, Incarnation};
pub(crate) use life::Life;
pub(crate) use log::{Line, Log};
pub(crate) use output::clean;
pub use output::{Level, Output, ProcessLabel};

use crate::catalogue::ProcessHost;
use crate::files::Task;

/// What comes to a process, with the file operations that wait for a thread.
pub(crate) type Inbox = lunarium_kernel::Inbox<Task>;
pub(crate) type Remains = lunarium_kernel::Remains<Task>;

/// What one `resume` hands over at most: enough to spread the cost of entering the guest, little enough that a batch
/// of decoded messages stays well below the memory margin of the instance.
const BATCH: BatchLimits = BatchLimits { items: 256, bytes: 256 << 10 };

pub(crate) struct Process {
    pub(crate) pid: Pid,
    /// The number of its call chain.
    pub(crate) chain: u64,
    pub(crate) origin: Origin,
    /// When it began, in nanoseconds of the engine's clock: its own begins at zero.
    pub(crate) began: u64,
    pub(crate) life: Life,
    pub(crate) log: Mutex<Log>,
    arrivals: Mutex<Arrivals>,
}

/// What a process has from its spawn to its end, whatever it becomes.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) host: Arc<ProcessHost>,
    /// Limits that who started it from outside has set, for all its incarnations.
    pub(crate) wish: Option<LimitsOverride>,
    /// What `ctx` gives, as the guest encoded it. Shared with those who inherit it.
    pub(crate) context: Option<Bytes>,
    pub(crate) security: Arc<Security>,
}

struct Arrivals {
    inbox: Inbox,
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
    /// `log_lines` is the limit of its first incarnation, `began` a time of the engine's clock.
    pub(crate) fn new(spawned: Spawned, origin: Origin, mailbox: Mailbox, log_lines: u32, began: u64) -> Process {
        let arrivals = Arrivals {
            inbox: Inbox::new(mailbox, &spawned.pid),
            output_ready: false,
            awaits_output: false,
            inspections: Vec::new(),
            waker: None,
        };
        Process {
            pid: spawned.pid,
            chain: spawned.chain,
            origin,
            began,
            life: Life::new(),
            log: Mutex::new(Log::new(log_lines)),
            arrivals: Mutex::new(arrivals),
        }
    }

    /// Puts a message into the mailbox and wakes the process.
    pub(crate) fn send(&self, message: Message) -> Result<(), SendError> {
        let mut arrivals = self.arrivals.lock();
        arrivals.inbox.push(message)?;
        wake(arrivals);
        Ok(())
    }

    /// Puts all messages into the mailbox, or none, and wakes the process.
    pub(crate) fn send_all(&self, messages: Vec<Message>) -> Result<(), SendError> {
        if messages.is_empty() {
            return Ok(());
        }
        let mut arrivals = self.arrivals.lock();
        arrivals.inbox.push_all(messages)?;
        wake(arrivals);
        Ok(())
    }

    /// Puts an event into the mailbox and wakes the process. Never refused; true when too many lie unread.
    #[must_use]
    pub(crate) fn deliver(&self, event: Event) -> bool {
        let mut arrivals = self.arrivals.lock();
        let flooded = arrivals.inbox.push_event(event);
        wake(arrivals);
        flooded
    }

    /// The id of a new request. Whoever does the work answers it by `reply`, or it is canceled.
    pub(crate) fn begin_request(&self) -> Result<u64, RequestError> {
        self.arrivals.lock().inbox.begin_request()
    }

    /// A request that was begun, and refused before anything was started.
    pub(crate) fn cancel_request(&self) {
        self.arrivals.lock().inbox.cancel_request();
    }

    /// Queues a file operation: the id of its request.
    ///
    /// Errors: too many operations or requests are under way, or it has ended.
    pub(crate) fn begin_file(&self, task: Task) -> Result<u64, RequestError> {
        self.arrivals.lock().inbox.begin_task(task)
    }

    /// The next file operation to perform.
    fn next_file(&self) -> Option<(u64, Task)> {
        self.arrivals.lock().inbox.next_task()
    }

    /// Answers a request and wakes the process; one that has ended is told nothing. Never refused; true when too many
    /// bytes of replies wait.
    #[must_use]
    pub(crate) fn reply(&self, request: u64, outcome: Outcome) -> bool {
        let mut arrivals = self.arrivals.lock();
        let flooded = arrivals.inbox.reply(request, outcome);
        wake(arrivals);
        flooded
    }

    /// Whether the output has to be asked to tell when it takes lines again. True once until it does: a script that can't
    /// wait may print on.
    pub(crate) fn begin_output_wait(&self) -> bool {
        !std::mem::replace(&mut self.arrivals.lock().awaits_output, true)
    }

    /// Tells that the output takes lines again.
    pub(crate) fn output_ready(&self) {
        let mut arrivals = self.arrivals.lock();
        arrivals.output_ready = true;
        arrivals.awaits_output = false;
        wake(arrivals);
    }

    /// The process is dead for everybody from here on; with `forced` its instance is stopped where it stands. What comes
    /// back may be large: it is to be dropped outside of all locks.
    pub(crate) fn end(&self, outcome: Outcome, forced: bool) -> Remains {
        self.life.end(outcome, forced);
        let mut arrivals = self.arrivals.lock();
        let remains = arrivals.inbox.close();
        arrivals.inspections.clear();
        wake(arrivals);
        remains
    }

    /// What the guest holds unread right now.
    pub(crate) fn report_unread(&self, unread: Unread) {
        self.arrivals.lock().inbox.report_unread(unread);
    }

    /// The process waits; its script has received these messages since it did before.
    pub(crate) fn park(&self, unread: Unread, received: &[u64]) {
        self.arrivals.lock().inbox.park(unread, received);
    }

    /// Messages of this topic are handed over.
    pub(crate) fn listen(&self, topic: Topic) {
        self.arrivals.lock().inbox.listen(topic);
    }

    /// Messages of this topic wait.
    pub(crate) fn unlisten(&self, topic: &Topic) {
        self.arrivals.lock().inbox.unlisten(topic);
    }

    /// Messages of every topic are handed over.
    pub(crate) fn listen_to_all(&self) {
        self.arrivals.lock().inbox.listen_to_all();
    }

    /// Takes back what an ending incarnation's script hasn't received.
    pub(crate) fn take_back(&self, item: Item) -> Result<(), ReturnError> {
        self.arrivals.lock().inbox.take_back(item)
    }

    /// Another incarnation begins, within these limits: nobody there waits for a reply to the last one. Log lines stay
    /// counted: who upgrades often writes no more.
    pub(crate) fn restart(&self, limits: &Limits) {
        let remains = self.arrivals.lock().inbox.restart(limits.mailbox());
        drop(remains);
        self.log.lock().set_limit(limits.log_lines);
    }

    /// The next delivery, or `Pending` with the waker kept. A killed process is ready at once, with nothing.
    /// `credit` is what the guest may hold unread.
    pub(crate) fn poll_delivery(&self, credit: u64, waker: &Waker) -> Poll<Delivery> {
        let mut arrivals = self.arrivals.lock();
        if self.life.is_killed() {
            return Poll::Ready(Delivery::default());
        }
        let batch = arrivals.inbox.take(BATCH, credit);
        let output_ready = std::mem::take(&mut arrivals.output_ready);
        let inspections = std::mem::take(&mut arrivals.inspections);
        let delivery = Delivery { items: batch.items, replies: batch.replies, output_ready, inspections };
        if delivery.is_empty() && delivery.inspections.is_empty() {
            match &mut arrivals.waker {
                Some(kept) => kept.clone_from(waker),
                none => *none = Some(waker.clone()),
            }
            return Poll::Pending;
        }
        Poll::Ready(delivery)
    }

    /// Whether the process waits: its instance is at rest, and nothing is under way to it.
    pub(crate) fn is_waiting(&self) -> bool {
        self.arrivals.lock().waker.is_some()
    }

    /// Asks the runner to look at the instance at rest; one that has ended never answers, and drops `reply`.
    pub(crate) fn inspect(&self, reply: Sender<Inspection>) {
        let mut arrivals = self.arrivals.lock();
        if arrivals.inbox.is_closed() {
            return;
        }
        arrivals.inspections.push(reply);
        wake(arrivals);
    }
}

/// Wakes after the lock is released: the woken runner takes it at once.
fn wake(mut arrivals: MutexGuard<'_, Arrivals>) {
    let waker = arrivals.waker.take();
    drop(arrivals);
    if let Some(waker) = waker {
        waker.wake();
    }
}
