//! One process as the engine sees it, shared between its runner and everybody else: whether it lives, what comes to it,
//! what it may log.
//!
//! Owns waking. Refuses to know why a process lives or dies: the kernel decides, and calls [`Process::end`].

mod asker;
mod delivery;
mod file_threads;
mod incarnation;
mod life;
mod log;
mod log_field;
mod look;
mod mailbox;
mod order;
mod origin;
mod output;
mod text;

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::task::{Poll, Waker};

use bytes::Bytes;
use lunarium_contract::{form, length};
use lunarium_kernel::{
    Account, BatchLimits, CallLimits, EntryId, Event, Exhausted, Failure, Holding, Item, Limits, MESSAGE_COST, Mailbox,
    Message, Outcome, Pid, RequestError, ReturnError, SendError, Spawned, Topic, Unread, topic_bytes,
};
use parking_lot::{Mutex, MutexGuard};

pub(crate) use asker::Asker;
pub use delivery::AtRest;
pub(crate) use delivery::Delivery;
pub(crate) use file_threads::FileThreads;
pub(crate) use incarnation::{CpuMeter, CpuTime, Incarnation};
pub(crate) use life::Life;
pub(crate) use log::{Dropped, Line, Log};
pub use log_field::LogField;
pub use look::ProcessState;
pub(crate) use mailbox::Reader;
pub(crate) use origin::{Beginning, Origin};
pub(crate) use output::clean;
pub use output::{Level, Output, ProcessLabel};
pub use text::{visibility, visible_json};

use crate::catalogue::{Code, Program};
use crate::files::Task;
use crate::value::refused;
use lunarium_schedule::{Hold, Member, TICK, TimerKey, Watch};

/// What comes to a process, with the file operations that wait for a thread and with who waits for answers.
pub(crate) type Inbox = lunarium_kernel::Inbox<Charged, Asker>;
pub(crate) type Remains = lunarium_kernel::Remains<Charged, Asker>;

/// A file operation with what its bytes are charged to until it is answered, and what counts it where that is wanted.
#[derive(Debug)]
pub(crate) struct Charged {
    pub(crate) task: Task,
    _holding: Holding,
    _busy: Option<Hold>,
}

/// What the arguments of a call are charged to.
#[derive(Debug)]
pub(crate) struct CallHolding {
    holding: Holding,
    bytes: u64,
}

impl CallHolding {
    /// The call waits for its answer. What is charged only now can't be refused any more, as the function has begun: it is never more
    /// than every process counts as anyway.
    pub(crate) fn wait(mut self) -> Holding {
        self.holding.grow_anyway(self.bytes.saturating_sub(self.holding.bytes()));
        self.holding
    }
}

/// Bytes of an inbox that aren't charged: every process counts as more than it is by them
/// ([`PROCESS_BYTES`](lunarium_kernel::PROCESS_BYTES)), so that most messages touch no account.
const FREE: u64 = 16 << 10;

/// What an inbox holds beyond [`FREE`] is charged in steps of so many bytes, for the same reason.
const STEP: u64 = 64 << 10;

/// Messages that a process accepts before they are counted for its host and all above.
const COUNTED: u64 = 256;

/// What one `resume` hands over at most: enough to spread the cost of entering the guest, little enough that a batch
/// of decoded messages stays well below the memory margin of the instance.
const BATCH: BatchLimits = BatchLimits { items: 256, bytes: 256 << 10 };

pub(crate) struct Process {
    pub(crate) pid: Pid,
    /// The number of its call chain.
    pub(crate) chain: u64,
    pub(crate) origin: Origin,
    /// When it began, in nanoseconds of the node's clock: its own begins at zero.
    pub(crate) began: u64,
    /// Who has started it. None: an embedder, who holds a handle.
    pub(crate) parent: Option<Pid>,
    /// It is a mailbox of the embedder's, without an instance.
    pub(crate) is_mailbox: bool,
    pub(crate) life: Life,
    /// As the scheduler knows it.
    pub(crate) member: Arc<Member>,
    pub(crate) cpu: Arc<CpuTime>,
    /// What it holds, below its host's.
    pub(crate) memory: Arc<Account>,
    pub(crate) log: Mutex<Log>,
    arrivals: Mutex<Arrivals>,
}

struct Arrivals {
    inbox: Inbox,
    /// What is charged for it, and for names and topics.
    holding: Holding,
    /// What its names count as, and the groups that it is in.
    names: u64,
    /// Messages that were accepted and not yet counted.
    accepted: u64,
    /// What it runs.
    code: Arc<Code>,
    limits: Limits,
    /// The output was full and takes lines again.
    output_ready: bool,
    /// It will be told.
    awaits_output: bool,
    inspections: Vec<Sender<AtRest>>,
    /// What the embedding program wants it to go on as.
    ordered: Option<Box<Program>>,
    /// The runner, while it waits.
    waker: Option<Waker>,
}

impl Process {
    /// What the mailbox has already is charged to `holding`, with what comes.
    pub(crate) fn new(
        spawned: Spawned,
        origin: Origin,
        mailbox: Mailbox,
        holding: Holding,
        beginning: Beginning,
    ) -> Process {
        let Beginning { code, limits, began, parent, is_mailbox, hurries } = beginning;
        let (memory, log) = (Arc::clone(holding.account()), Log::new(limits.log_lines));
        let accepted = mailbox.unread_messages();
        let arrivals = Arrivals {
            inbox: Inbox::new(mailbox, &spawned.pid),
            holding,
            names: 0,
            accepted,
            code,
            limits,
            output_ready: false,
            awaits_output: false,
            inspections: Vec::new(),
            ordered: None,
            waker: None,
        };
        let member = Member::of(&origin.host.cpu);
        // Nobody knows yet how long it runs from wait to wait. As short, two hundred new ones would go before all that react.
        member.waits(TICK);
        Process {
            pid: spawned.pid,
            chain: spawned.chain,
            origin,
            began,
            is_mailbox,
            parent,
            life: Life::new(hurries),
            member,
            cpu: Arc::default(),
            memory,
            log: Mutex::new(log),
            arrivals: Mutex::new(arrivals),
        }
    }

    /// What it runs.
    pub(crate) fn entry(&self) -> EntryId {
        self.arrivals.lock().code.definition.entry.clone()
    }

    /// How it is called where it writes.
    pub(crate) fn label(&self) -> ProcessLabel {
        let entry = self.entry();
        let digits = &mut [0; length::PID_DIGITS];
        let frame = [entry.as_str(), "#", form::pid_digits(self.chain, digits)].concat().into();
        ProcessLabel { pid: self.pid.clone(), frame, entry }
    }

    /// Puts a message into the mailbox and wakes the process.
    pub(crate) fn send(&self, message: Message) -> Result<(), SendError> {
        let mut arrivals = self.arrivals.lock();
        arrivals.afford(std::slice::from_ref(&message))?;
        arrivals.inbox.push(message)?;
        arrivals.accept(1);
        wake(arrivals);
        Ok(())
    }

    /// Puts all messages into the mailbox, or none, and wakes the process.
    pub(crate) fn send_all(&self, messages: Vec<Message>) -> Result<(), SendError> {
        if messages.is_empty() {
            return Ok(());
        }
        let count = u64::try_from(messages.len()).unwrap_or(u64::MAX);
        let mut arrivals = self.arrivals.lock();
        arrivals.afford(&messages)?;
        arrivals.inbox.push_all(messages)?;
        arrivals.accept(count);
        wake(arrivals);
        Ok(())
    }

    /// Puts a call into the mailbox and wakes the process: the call's id.
    pub(crate) fn call(
        &self,
        sender: Option<Pid>,
        method: Arc<str>,
        arguments: Bytes,
        asker: Asker,
    ) -> Result<u64, SendError> {
        let mut arrivals = self.arrivals.lock();
        let call = arrivals.inbox.call(sender, method, arguments)?;
        arrivals.afford(std::slice::from_ref(&call))?;
        let call = arrivals.inbox.push_call(call, asker)?;
        arrivals.accept(1);
        wake(arrivals);
        Ok(call)
    }

    /// Who waits for the answer to a call, once. None: nobody.
    pub(crate) fn answer(&self, call: u64) -> Option<Asker> {
        self.arrivals.lock().inbox.answer(call)
    }

    /// Notes what ends the wait for an answer. False: it has ended.
    #[must_use]
    pub(crate) fn set_timer(&self, call: u64, timer: TimerKey) -> bool {
        let mut arrivals = self.arrivals.lock();
        let asker = arrivals.inbox.asker(call);
        asker.map(|asker| asker.timer = Some(timer)).is_some()
    }

    /// Puts an event into the mailbox and wakes the process. Never refused; true when too many lie unread.
    #[must_use]
    pub(crate) fn deliver(&self, event: Event) -> bool {
        let mut arrivals = self.arrivals.lock();
        let flooded = arrivals.inbox.push_event(event);
        arrivals.settle();
        wake(arrivals);
        flooded
    }

    /// Nothing yet, of the account that is charged with what it holds.
    pub(crate) fn holding(&self) -> Holding {
        self.arrivals.lock().holding.another()
    }

    /// The id of a new request. Whoever does the work answers it by `reply`, or it is canceled.
    pub(crate) fn begin_request(&self) -> Result<u64, RequestError> {
        self.arrivals.lock().inbox.begin_request()
    }

    /// A request that was begun, and refused before anything was started.
    pub(crate) fn cancel_request(&self) {
        self.arrivals.lock().inbox.cancel_request();
    }

    /// The id of a new request for a call of the embedder's function, and what its arguments are charged to. As long as all of a process's
    /// calls hold little, they are charged when the call turns out to wait ([`CallHolding::wait`]): most are answered at once.
    ///
    /// Errors: too many calls or requests are under way, they hold too much, the arguments exceed a budget, or it has ended.
    pub(crate) fn begin_call(&self, limits: CallLimits, arguments: usize) -> Result<(u64, CallHolding), RequestError> {
        let bytes = u64::try_from(arguments).unwrap_or(u64::MAX);
        let mut arrivals = self.arrivals.lock();
        let mut holding = arrivals.holding.another();
        if arrivals.inbox.call_bytes().saturating_add(bytes) > FREE {
            holding.grow(bytes)?;
        }
        let request = arrivals.inbox.begin_call(limits, bytes)?;
        Ok((request, CallHolding { holding, bytes }))
    }

    /// A call that was begun, and answered at once.
    pub(crate) fn cancel_call(&self, request: u64) {
        self.arrivals.lock().inbox.cancel_call(request);
    }

    /// Answers a call and wakes the process, as [`Process::reply`]. What calls may hold together bounds it: a result beyond that
    /// becomes an error.
    pub(crate) fn answer_call(&self, request: u64, outcome: Outcome) {
        let answered = self.arrivals.lock().inbox.answer_call(request, outcome.size());
        let outcome = match answered {
            Ok(()) => outcome,
            Err(full) => {
                let message = format!("result is lost: {full}");
                Outcome::failed(Failure { retryable: Some(true), message, ..refused(&full) })
            }
        };
        // Never a flood, for the same reason.
        let _ = self.reply(request, outcome);
    }

    /// Queues a file operation: the id of its request.
    ///
    /// Errors: too many operations or requests are under way, its bytes exceed a budget, or it has ended.
    pub(crate) fn begin_file(&self, task: Task) -> Result<u64, RequestError> {
        let mut arrivals = self.arrivals.lock();
        let mut holding = arrivals.holding.another();
        holding.grow(task.bytes())?;
        arrivals.inbox.begin_task(Charged { task, _holding: holding, _busy: self.member.watch().map(Watch::hold) })
    }

    /// The next file operation to perform.
    fn next_file(&self) -> Option<(u64, Charged)> {
        self.arrivals.lock().inbox.next_task()
    }

    /// Answers a request and wakes the process; one that has ended is told nothing, nor is one that upgraded since. Never
    /// refused; true when too many bytes of replies wait.
    #[must_use]
    pub(crate) fn reply(&self, request: u64, outcome: Outcome) -> bool {
        let mut arrivals = self.arrivals.lock();
        let flooded = arrivals.inbox.reply(request, outcome);
        arrivals.settle();
        // Who waits has been given all but what has just come.
        if arrivals.inbox.has_deliverable(0) {
            wake(arrivals);
        }
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
        arrivals.settle();
        arrivals.count_accepted();
        arrivals.inspections.clear();
        let ordered = arrivals.ordered.take();
        wake(arrivals);
        drop(ordered);
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

    /// Messages of this topic are handed over. Errors: a budget; nothing is changed then.
    pub(crate) fn listen(&self, topic: Topic) -> Result<(), Exhausted> {
        let mut arrivals = self.arrivals.lock();
        arrivals.afford_bytes(topic_bytes(&topic))?;
        arrivals.inbox.listen(topic);
        arrivals.settle();
        Ok(())
    }

    /// Messages of this topic wait.
    pub(crate) fn unlisten(&self, topic: &Topic) {
        let mut arrivals = self.arrivals.lock();
        arrivals.inbox.unlisten(topic);
        arrivals.settle();
    }

    /// Charges what a name will take that it may get, or a group that it may be in. What comes of it is told by [`Process::hold`], or
    /// not, and [`Process::settle`] afterwards. Errors: a budget.
    pub(crate) fn afford(&self, bytes: u64) -> Result<(), Exhausted> {
        self.arrivals.lock().afford_bytes(bytes)
    }

    /// It has the name, or is in the group, from now on.
    pub(crate) fn hold(&self, bytes: u64) {
        let mut arrivals = self.arrivals.lock();
        arrivals.names = arrivals.names.saturating_add(bytes);
        arrivals.settle();
    }

    /// It isn't any more.
    pub(crate) fn free(&self, bytes: u64) {
        let mut arrivals = self.arrivals.lock();
        arrivals.names = arrivals.names.saturating_sub(bytes);
        arrivals.settle();
    }

    /// Brings what is charged in line with what is held.
    pub(crate) fn settle(&self) {
        self.arrivals.lock().settle();
    }

    /// Counts the messages that were accepted and not counted yet.
    pub(crate) fn count_accepted(&self) {
        self.arrivals.lock().count_accepted();
    }

    /// Messages and bytes that its script hasn't received, and its limits.
    pub(crate) fn unread(&self) -> (u64, u64, Limits) {
        let arrivals = self.arrivals.lock();
        let mailbox = arrivals.inbox.mailbox();
        (mailbox.unread_messages(), mailbox.unread_bytes(), arrivals.limits.clone())
    }

    /// Messages of every topic are handed over.
    pub(crate) fn listen_to_all(&self) {
        self.arrivals.lock().inbox.listen_to_all();
    }

    /// Takes back what an ending incarnation's script hasn't received.
    pub(crate) fn take_back(&self, item: Item) -> Result<(), ReturnError> {
        let mut arrivals = self.arrivals.lock();
        let taken = arrivals.inbox.take_back(item);
        arrivals.settle();
        taken
    }

    /// Another incarnation begins, of this code and within these limits: nobody there waits for a reply to the last one. Log lines stay
    /// counted: who upgrades often writes no more. What comes back is to be dropped, and its askers told, outside of all locks.
    pub(crate) fn restart(&self, code: Arc<Code>, limits: &Limits) -> Remains {
        let mut arrivals = self.arrivals.lock();
        let remains = arrivals.inbox.restart(limits.mailbox());
        let last = std::mem::replace(&mut arrivals.code, code);
        arrivals.limits = limits.clone();
        arrivals.settle();
        drop(arrivals);
        drop(last);
        self.log.lock().set_limit(limits.log_lines);
        self.life.begin_anew();
        remains
    }

    /// The next delivery, or `Pending` with the waker kept. A killed process is ready at once, with nothing.
    /// `credit` is what the guest may hold unread.
    pub(crate) fn poll_delivery(&self, credit: u64, waker: &Waker) -> Poll<Delivery> {
        let mut arrivals = self.arrivals.lock();
        if self.life.is_killed() {
            return Poll::Ready(Delivery::default());
        }
        if let Some(program) = arrivals.ordered.take() {
            return Poll::Ready(Delivery { ordered: Some(program), ..Delivery::default() });
        }
        let batch = arrivals.inbox.take(BATCH, credit);
        arrivals.settle();
        let output_ready = std::mem::take(&mut arrivals.output_ready);
        let inspections = std::mem::take(&mut arrivals.inspections);
        let (items, replies) = (batch.items, batch.replies);
        let delivery = Delivery { items, replies, output_ready, inspections, ordered: None };
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

    /// What is charged for the inbox is what it holds, and a step more at most.
    ///
    /// Errors: it isn't.
    pub(crate) fn audit(&self) -> Result<(), String> {
        let arrivals = self.arrivals.lock();
        let (needed, paid) = (charged(arrivals.held_bytes()), arrivals.holding.bytes());
        let more = if needed == 0 { 0 } else { STEP };
        if (needed..=needed.saturating_add(more)).contains(&paid) {
            return Ok(());
        }
        Err(format!("its inbox takes {needed} bytes and is charged {paid}"))
    }
}

/// What is charged for an inbox that holds so many bytes.
fn charged(held: u64) -> u64 {
    held.saturating_sub(FREE).next_multiple_of(STEP)
}

/// What a mailbox will be charged that begins with these messages.
pub(crate) fn charged_for(messages: &[Message]) -> u64 {
    charged(cost(messages))
}

fn cost(messages: &[Message]) -> u64 {
    messages.iter().map(|message| message.bytes().saturating_add(MESSAGE_COST)).fold(0, u64::saturating_add)
}

impl Arrivals {
    /// Charges what these messages will take. Errors: a budget; what the inbox itself would refuse comes first.
    fn afford(&mut self, messages: &[Message]) -> Result<(), SendError> {
        let needed = charged(self.held_bytes().saturating_add(cost(messages)));
        let more = needed.saturating_sub(self.holding.bytes());
        if more > 0 {
            self.inbox.check(messages)?;
            self.holding.grow(more)?;
        }
        Ok(())
    }

    /// Charges so many bytes more. Errors: a budget.
    fn afford_bytes(&mut self, bytes: u64) -> Result<(), Exhausted> {
        let needed = charged(self.held_bytes().saturating_add(bytes));
        match needed.saturating_sub(self.holding.bytes()) {
            0 => Ok(()),
            more => self.holding.grow(more),
        }
    }

    fn held_bytes(&self) -> u64 {
        let inbox = self.inbox.held_bytes().saturating_add(self.inbox.listened_bytes());
        inbox.saturating_add(self.names)
    }

    /// So many messages more were accepted. They are counted above in steps: all of a node would meet there.
    fn accept(&mut self, messages: u64) {
        self.accepted = self.accepted.saturating_add(messages);
        if self.accepted >= COUNTED {
            self.count_accepted();
        }
    }

    fn count_accepted(&mut self) {
        let accepted = std::mem::take(&mut self.accepted);
        if accepted > 0 {
            self.holding.account().count_messages(accepted);
        }
    }

    /// Brings what is charged in line with what is held. One step too many stays: a queue that is filled and emptied
    /// shouldn't go to the accounts each time. An empty one keeps nothing.
    fn settle(&mut self) {
        let needed = charged(self.held_bytes());
        let paid = self.holding.bytes();
        if needed > paid {
            self.holding.grow_anyway(needed.saturating_sub(paid));
        } else if needed == 0 || paid.saturating_sub(needed) > STEP {
            self.holding.shrink(paid.saturating_sub(needed));
        }
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
