//! The life of one process: instance, start, and a resume for every delivery until it ends.
//!
//! Owns the order of these steps. While a process waits no call is under way: its linear memory is its whole state.
//! Refuses decisions: what an end means for others is the kernel's.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use lunarium_kernel::{ErrorKind, Failure, Outcome, ReturnError, Unread};
use lunarium_schedule::{Clock, TICK, TimerKey, Urgency};
use wasmtime::Store;

use crate::bindings::exports::lunarium::process::guest::{Chunk, Globals, Guest, Parked, Status};
use crate::code::{self, Code, Compiled};
use crate::convert;
use crate::incarnation::{Incarnation, Upgrade};
use crate::instances::Slot;
use crate::node::NodeInner;
use crate::process::{Delivery, Inspection, Process};
use crate::store::{self, Stopped, StoreData};

/// A new process.
pub(crate) struct Job {
    pub(crate) node: Arc<NodeInner>,
    pub(crate) process: Arc<Process>,
    pub(crate) start: Start,
}

/// What an incarnation begins with.
pub(crate) struct Start {
    pub(crate) incarnation: Arc<Incarnation>,
    pub(crate) code: Arc<Code>,
    /// A payload: an array with the values.
    pub(crate) arguments: Vec<u8>,
    pub(crate) seed: u64,
}

/// Queues the process. It starts when a worker and an instance are free.
pub(crate) fn start(job: Job) {
    let process = Arc::clone(&job.process);
    let scheduler = Arc::clone(job.node.engine().scheduler());
    let schedule = move |runnable| {
        let urgency = if process.take_preempted() { Urgency::Preempted } else { Urgency::Woken };
        scheduler.schedule(runnable, urgency);
    };
    let (runnable, task) = async_task::spawn(run(job), schedule);
    task.detach();
    runnable.schedule();
}

/// Compiles a chunk in an instance of its own and tells its globals. The error is Lua's message, or why the instance had to
/// stop.
pub(crate) async fn check(
    node: &Arc<NodeInner>,
    process: &Arc<Process>,
    incarnation: &Arc<Incarnation>,
    chunk: Chunk<'_>,
) -> Result<Globals, String> {
    let _live = node.count_instance();
    let unusable = |error: wasmtime::Error| format!("cannot make an instance: {error:#}");
    let slot = node.engine().instances().acquire().await.map_err(unusable)?;
    let turns = Turns::new(node, process, incarnation);
    let made = store::instantiate(node, process, incarnation, &slot);
    let (mut store, instance) = turns.enter(made).await.map_err(unusable)?;
    let result = turns.enter(instance.lunarium_process_guest().call_check(&mut store, chunk)).await;
    match result {
        Ok(result) => result,
        Err(error) => Err(match stopped(&error, store.data()) {
            Some(Outcome::Failed(failure)) => failure.message.clone(),
            _ => format!("{error:#}"),
        }),
    }
}

async fn run(job: Job) {
    let mut report = Report { node: Arc::clone(&job.node), process: Arc::clone(&job.process), outcome: None };
    let _live = job.node.count_instance();
    // Held until the Store is gone, so that the pool is never asked for more than it has.
    report.outcome = match job.node.engine().instances().acquire().await {
        Ok(slot) => Some(live(job, &slot).await),
        Err(error) => Some(Some(no_instance(&error))),
    };
}

/// Reports the end when dropped; a panic on the way (a bug in a host function) is the end too.
struct Report {
    node: Arc<NodeInner>,
    process: Arc<Process>,
    /// Inner none: killed, which the kernel knows.
    outcome: Option<Option<Outcome>>,
}

impl Drop for Report {
    fn drop(&mut self) {
        let outcome = match self.outcome.take() {
            Some(Some(outcome)) => outcome,
            Some(None) => return,
            None => failed(ErrorKind::Internal, "host bug: a host function panicked"),
        };
        self.node.handle_exit(&self.process, outcome);
    }
}

/// Runs the process to its end, one incarnation after another. None: it was killed. The Store is gone when this returns.
async fn live(job: Job, slot: &Slot) -> Option<Outcome> {
    let Job { node, process, mut start } = job;
    loop {
        match incarnate(&node, &process, &start, slot).await {
            Next::Ended(outcome) => return outcome,
            Next::Upgrade(upgrade) => start = node.restart(&process, upgrade)?,
        }
        give_way(&process).await;
    }
}

/// What comes after an incarnation.
enum Next {
    /// None: it was killed.
    Ended(Option<Outcome>),
    Upgrade(Upgrade),
}

/// Runs an incarnation to its end. The Store is gone when this returns.
async fn incarnate(node: &Arc<NodeInner>, process: &Arc<Process>, start: &Start, slot: &Slot) -> Next {
    if process.is_killed() {
        return Next::Ended(None);
    }
    let incarnation = &start.incarnation;
    let mut turns = Turns::new(node, process, incarnation);
    if start.code.wants_compiling() {
        let compiled = compile(node, start, slot, &turns).await.ok();
        // Says nothing about the source: the next process tries.
        if process.is_killed() {
            return Next::Ended(None);
        }
        start.code.keep(compiled);
        incarnation.cpu.reset();
    }
    // Entered like a call: a tick may fall into it, and what it is compared with must have begun.
    let (mut store, instance) = match turns.enter(store::instantiate(node, process, incarnation, slot)).await {
        Ok(made) => made,
        Err(error) => return Next::Ended(Some(no_instance(&error))),
    };
    let guest = instance.lunarium_process_guest();
    let status = turns.start(guest, &mut store, start).await;
    if matches!(status, Ok(Status::Parked(_))) {
        process.mark_started();
    }
    match turns.run(guest, &mut store, status).await {
        Ok(Status::Exited(outcome)) => Next::Ended(Some(convert::outcome(outcome, &incarnation.limits))),
        Ok(Status::Upgrade) => turns.hand_on(guest, &mut store).await,
        // Killed while it waited.
        Ok(Status::Parked(_)) => Next::Ended(None),
        Err(error) => Next::Ended(stopped(&error, store.data())),
    }
}

/// Lets the others run: a process that does nothing but start over would never leave its worker.
async fn give_way(process: &Process) {
    let mut gave_way = false;
    poll_fn(|context| {
        if std::mem::replace(&mut gave_way, true) {
            return Poll::Ready(());
        }
        process.preempt();
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Compiles the definition in an instance of its own, which is gone when this returns.
async fn compile(node: &Arc<NodeInner>, start: &Start, slot: &Slot, turns: &Turns<'_>) -> wasmtime::Result<Compiled> {
    let made = store::instantiate(node, turns.process, &start.incarnation, slot);
    let (mut store, instance) = turns.enter(made).await?;
    let guest = instance.lunarium_process_guest();
    let mut pieces = Vec::new();
    let definition = &start.code.definition;
    for chunk in std::iter::once(&definition.chunk).chain(definition.libraries.iter().map(|library| &library.chunk)) {
        store::start_slice(&mut store);
        let compiled = turns.enter(guest.call_compile(&mut store, code::source(chunk))).await?;
        pieces.push(compiled.map_err(wasmtime::Error::msg)?);
    }
    let libraries = pieces.split_off(1);
    Ok(Compiled { program: pieces.pop().unwrap_or_default(), libraries })
}

/// The turns of one process: each enters its instance once, and is timed.
struct Turns<'a> {
    process: &'a Arc<Process>,
    incarnation: &'a Incarnation,
    clock: &'a Clock,
    alarm: Option<TimerKey>,
    /// When the process last came from a real wait, in nanoseconds.
    running_since: u64,
}

impl<'a> Turns<'a> {
    fn new(node: &'a NodeInner, process: &'a Arc<Process>, incarnation: &'a Incarnation) -> Turns<'a> {
        Turns { process, incarnation, clock: node.engine().clock(), alarm: None, running_since: 0 }
    }

    async fn start(&mut self, guest: &Guest, store: &mut Store<StoreData>, start: &Start) -> wasmtime::Result<Status> {
        self.running_since = self.clock.now();
        let Start { incarnation, code, arguments, seed } = start;
        let imports = convert::ImportLists::new(&code.definition);
        let libraries = imports.libraries(code);
        let program = convert::program(code, &imports, &libraries, self.process, incarnation, *seed);
        store::start_slice(store);
        self.enter(guest.call_start(store, program, arguments)).await
    }

    /// Waits and resumes until the incarnation is over; still parked: the process was killed.
    async fn run(
        &mut self,
        guest: &Guest,
        store: &mut Store<StoreData>,
        mut status: wasmtime::Result<Status>,
    ) -> wasmtime::Result<Status> {
        while let Ok(Status::Parked(parked)) = status {
            let delivery = self.wait(&parked).await;
            if self.process.is_killed() {
                return Ok(Status::Parked(parked));
            }
            self.inspect(guest, store, &delivery).await?;
            // Woken only to be looked at: it waits on.
            status = if delivery.is_empty() && !self.is_due(parked.wake_at) {
                Ok(Status::Parked(parked))
            } else {
                self.resume(guest, store, &delivery).await
            };
        }
        status
    }

    /// The guest has stopped to go on elsewhere: takes back what its script hasn't received.
    async fn hand_on(&self, guest: &Guest, store: &mut Store<StoreData>) -> Next {
        let Some(upgrade) = store.data_mut().upgrade.take() else {
            return Next::Ended(Some(failed(ErrorKind::Internal, "the guest stopped without asking for an upgrade")));
        };
        match self.take_back(guest, store).await {
            Ok(Ok(())) => Next::Upgrade(upgrade),
            Ok(Err(lie)) => Next::Ended(Some(lie)),
            Err(error) => Next::Ended(stopped(&error, store.data())),
        }
    }

    /// Inner error: how the process ends that gives back what can't be.
    async fn take_back(&self, guest: &Guest, store: &mut Store<StoreData>) -> wasmtime::Result<Result<(), Outcome>> {
        store::allow_give_back(store);
        loop {
            store::start_slice(store);
            let events = self.enter(guest.call_give_back(&mut *store)).await?;
            if events.is_empty() {
                return Ok(Ok(()));
            }
            for event in events {
                let taken = match convert::item(event) {
                    Some(item) => self.process.take_back(item),
                    None => Err(ReturnError::NotHeld),
                };
                match taken {
                    Ok(()) => {}
                    Err(ReturnError::NotHeld) => {
                        return Ok(Err(failed(ErrorKind::Internal, &ReturnError::NotHeld.to_string())));
                    }
                    Err(ReturnError::Flood) => {
                        return Ok(Err(limit_reached("mailbox_bytes", &ReturnError::Flood.to_string())));
                    }
                }
            }
        }
    }

    async fn resume(
        &mut self,
        guest: &Guest,
        store: &mut Store<StoreData>,
        delivery: &Delivery,
    ) -> wasmtime::Result<Status> {
        let events = convert::events(delivery);
        self.incarnation.cpu.reset();
        store::start_slice(store);
        self.enter(guest.call_resume(store, &events)).await
    }

    /// Answers who wants to see the instance at rest.
    async fn inspect(&self, guest: &Guest, store: &mut Store<StoreData>, delivery: &Delivery) -> wasmtime::Result<()> {
        for reply in &delivery.inspections {
            store::start_slice(store);
            let stack_pointer = self.enter(guest.call_stack_pointer(&mut *store)).await?;
            // Whoever asked may be gone.
            let _ = reply.send(Inspection { stack_pointer, memory: store.data().memory_used() });
        }
        Ok(())
    }

    /// Polls a call into the instance, each poll timed; a killed process isn't polled again.
    async fn enter<T>(&self, call: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
        let mut call = pin!(call);
        poll_fn(|context| {
            if self.process.is_killed() {
                return Poll::Ready(Err(Stopped::Killed.into()));
            }
            let _run = self.clock.begin_run();
            self.incarnation.cpu.begin(self.clock.now());
            let result = call.as_mut().poll(context);
            self.incarnation.cpu.end(self.clock.now());
            result
        })
        .await
    }

    /// Waits until something is to be delivered, the earliest timer is due, or the process is killed.
    async fn wait(&mut self, parked: &Parked) -> Delivery {
        self.process.report_unread(Unread { messages: parked.unread.messages, bytes: parked.unread.bytes });
        let mut first = true;
        poll_fn(|context| {
            // One that always finds work waiting would otherwise never leave its worker.
            if std::mem::take(&mut first) && self.used_its_slice() {
                self.process.preempt();
                context.waker().wake_by_ref();
                self.running_since = self.clock.now();
                return Poll::Pending;
            }
            let ready = match self.process.poll_delivery(self.incarnation.limits.mailbox_credit(), context.waker()) {
                Poll::Ready(delivery) => Poll::Ready(delivery),
                Poll::Pending if self.is_due(parked.wake_at) => Poll::Ready(Delivery::default()),
                Poll::Pending => Poll::Pending,
            };
            if ready.is_pending() {
                self.set_alarm(parked.wake_at, context.waker());
                self.running_since = u64::MAX;
            } else if self.running_since == u64::MAX {
                self.running_since = self.clock.now();
            }
            ready
        })
        .await
    }

    fn used_its_slice(&self) -> bool {
        u128::from(self.clock.now().saturating_sub(self.running_since)) > TICK.as_nanos()
    }

    fn is_due(&self, wake_at: Option<u64>) -> bool {
        wake_at.is_some_and(|deadline| self.clock.now() >= deadline)
    }

    fn set_alarm(&mut self, wake_at: Option<u64>, waker: &std::task::Waker) {
        // The waker of a task stays the same for its life, so a timer that stands can stay.
        if self.alarm.map(TimerKey::deadline) == wake_at {
            return;
        }
        if let Some(old) = self.alarm.take() {
            self.clock.cancel(old);
        }
        self.alarm = wake_at.map(|deadline| self.clock.set(deadline, waker.clone()));
    }
}

impl Drop for Turns<'_> {
    fn drop(&mut self) {
        if let Some(alarm) = self.alarm.take() {
            self.clock.cancel(alarm);
        }
    }
}

/// Why a call ended without a status: a kill (none), a limit, or a trap.
fn stopped(error: &wasmtime::Error, data: &StoreData) -> Option<Outcome> {
    let limits = &data.incarnation.limits;
    match error.downcast_ref::<Stopped>() {
        Some(Stopped::Killed) => return None,
        Some(Stopped::Cpu) => {
            let text = format!("cpu limit of {:?} reached without waiting", limits.cpu);
            return Some(limit_reached("cpu", &text));
        }
        None => {}
    }
    if data.process.is_killed() {
        return None;
    }
    if data.memory_refused() {
        return Some(limit_reached("memory", &format!("not enough memory: limit of {} bytes reached", limits.memory)));
    }
    let trap = error.downcast_ref::<wasmtime::Trap>().map_or_else(|| format!("{error:#}"), ToString::to_string);
    Some(failed(ErrorKind::Internal, &format!("the instance trapped: {trap}")))
}

fn no_instance(error: &wasmtime::Error) -> Outcome {
    failed(ErrorKind::Unavailable, &format!("cannot make an instance: {error:#}"))
}

fn limit_reached(limit: &str, text: &str) -> Outcome {
    let failure = Failure::new(ErrorKind::ResourceExhausted, text);
    Outcome::failed(Failure { details: Some(convert::limit_details(limit)), ..failure })
}

fn failed(kind: ErrorKind, text: &str) -> Outcome {
    Outcome::failed(Failure::new(kind, text))
}
