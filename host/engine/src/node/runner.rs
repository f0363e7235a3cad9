//! The life of one process: an instance, a start, and a resume for every delivery until it ends.
//!
//! Owns the order of these steps. Between two of them a process needs no instance: while it waits no call is under way,
//! its linear memory is its whole state, and an upgrade is a step that drops one instance and begins with another.
//! Refuses decisions: what an end means for others is the kernel's.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use lunarium_kernel::{ErrorKind, Holding, Outcome, ReturnError, Unread};

use super::census::Counted;
use super::ending::{exited, flooded, no_instance, not_made, stopped};
use super::turn::{Slice, Turn, give_way};
use super::{Caller, NodeEvent, NodeInner};
use crate::catalogue::{Arguments, Code, Compiled, ImportLists, Program};
use crate::process::{AtRest, Delivery, Incarnation, Process};
use crate::value::{bug, failed};
use crate::wasm::guest::{self as wit, EventResult, Parked, Status};
use crate::wasm::{Instance, Refused, Slot, convert};
use lunarium_schedule::{Clock, TimerKey};

/// What a process holds of its node until its instance is gone.
pub(super) struct Held {
    pub(super) counted: Counted,
    /// What every process counts as, and its context.
    pub(super) memory: Holding,
}

/// Queues the process. It starts when a worker and an instance are free.
pub(super) fn start(node: Arc<NodeInner>, process: Arc<Process>, program: Program, held: Held) {
    let (scheduler, scheduled) = (Arc::clone(&node.machine.scheduler), Arc::clone(&process));
    let member = Arc::clone(&process.member);
    scheduler.spawn(&member, run(node, process, program, held), move || scheduled.life.urgency());
}

async fn run(node: Arc<NodeInner>, process: Arc<Process>, program: Program, held: Held) {
    let mut report = Report { node: Arc::clone(&node), process: Arc::clone(&process), outcome: None };
    let Held { counted, memory } = held;
    let slice = Slice::new(node.clock(), &process.life);
    let mut runner =
        Runner { node: &node, process: &process, memory: &memory, live: None, slot: None, alarm: None, slice };
    report.outcome = Some(runner.run(program).await);
    // Others learn of the end first: to give memory back has time. But who was killed was queued for just that, and who
    // never waited is still at its start: its memory is warm, and a hundred of them would wait with theirs.
    let was_killed = matches!(report.outcome, Some(None));
    drop(report);
    if !was_killed && process.life.has_started() && node.machine.scheduler.is_crowded() {
        give_way().await;
    }
    drop(runner);
    // Whoever sees that nothing is counted any more sees that nothing is charged.
    drop(memory);
    drop(counted);
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
            None => bug("a host function panicked"),
        };
        self.node.handle_exit(&self.process, outcome);
    }
}

/// What comes next.
enum Step {
    /// Another incarnation, after an upgrade. Boxed, or each step would move as much as this takes.
    Begin(Box<Program>),
    /// It waits, and goes on with a delivery or at a time.
    Wait(Parked),
    /// None: it was killed.
    End(Option<Outcome>),
}

struct Runner<'a> {
    node: &'a Arc<NodeInner>,
    process: &'a Arc<Process>,
    /// Of whose account what its instances grow by is charged.
    memory: &'a Holding,
    live: Option<Live>,
    /// Held until the instance is gone, so that the pool is never asked for more than it has.
    slot: Option<Slot<Caller>>,
    alarm: Option<TimerKey>,
    slice: Slice<'a>,
}

/// An incarnation and its instance.
struct Live {
    incarnation: Arc<Incarnation>,
    instance: Instance<Caller>,
    /// It got no memory when it last asked, and who attends was told.
    is_short: bool,
}

impl Runner<'_> {
    /// Runs the process to its end; its instance may still be there. None: it was killed.
    async fn run(&mut self, program: Program) -> Option<Outcome> {
        let mut step = self.begin(program).await;
        loop {
            step = match step {
                Step::Begin(program) => self.begin(*program).await,
                Step::Wait(parked) => self.go_on(parked).await,
                Step::End(outcome) => return outcome,
            };
        }
    }

    async fn instance_slot(&self) -> Result<Slot<Caller>, Arc<str>> {
        // Who makes one is a thread of the pool's.
        let _held = self.node.time.hold();
        self.node.machine.instances.acquire().await
    }

    async fn begin(&mut self, mut program: Program) -> Step {
        if self.process.life.is_killed() {
            return Step::End(None);
        }
        let slot = match self.slot.take() {
            Some(slot) => slot,
            None => match self.instance_slot().await {
                Ok(slot) => slot,
                Err(error) => return Step::End(Some(no_instance(&error))),
            },
        };
        let slot = self.slot.insert(slot);
        // Not kept for life: they may be as large as a message.
        let arguments = std::mem::take(&mut program.arguments);
        self.process.life.set_running(true);
        self.slice.go_on();
        let incarnation = Arc::new(Incarnation::new(self.process, program));
        let turn = turn(self.process, &incarnation, self.node.clock());
        let code = &incarnation.program.code;
        if code.wants_compiling() {
            let used = incarnation.cpu.total();
            let occupant = Caller::of(self.node, self.process, &incarnation, self.memory.another());
            let made = turn.enter(Instance::new(slot, occupant, incarnation.limits())).await;
            let compiled = compile(code, turn, made, &mut self.slice).await.ok();
            // Says nothing about the source: the next process tries.
            if self.process.life.is_killed() {
                return Step::End(None);
            }
            code.keep(compiled);
            incarnation.cpu.forget(used);
        }
        let occupant = Caller::of(self.node, self.process, &incarnation, self.memory.another());
        let made = turn.enter(Instance::new(slot, occupant, incarnation.limits())).await;
        let instance = match made {
            Ok(instance) => instance,
            Err(error) => return Step::End(not_made(&error, incarnation.limits())),
        };
        let live = self.live.insert(Live { incarnation, instance, is_short: false });
        let seed = self.node.seeds.of(&self.process.pid, live.incarnation.number);
        let status = live.start(self.process, &arguments, seed, self.node.clock()).await;
        drop(arguments);
        if matches!(status, Ok(Status::Parked(_))) {
            self.process.life.start();
        }
        self.after(status).await
    }

    async fn go_on(&mut self, parked: Parked) -> Step {
        let Some(credit) = self.live.as_ref().map(|live| live.incarnation.limits().mailbox_credit()) else {
            return Step::End(Some(bug("a process waits without an instance")));
        };
        let wake_at = parked.wake_at.map(|at| Clock::due(at.saturating_add(self.process.began)));
        let unread = Unread { messages: parked.unread.messages, bytes: parked.unread.bytes };
        self.process.park(unread, &parked.received);
        let mut delivery = self.wait(wake_at, credit).await;
        if self.process.life.is_killed() {
            return Step::End(None);
        }
        if let Some(program) = delivery.ordered.take() {
            if let Some(live) = &self.live {
                live.incarnation.cpu.reset();
            }
            return self.become_another(program).await;
        }
        let is_due = self.is_due(wake_at);
        let Some(live) = &mut self.live else { return Step::Wait(parked) };
        live.incarnation.cpu.reset();
        if let Err(error) = live.inspect(self.process, self.node.clock(), &delivery).await {
            return self.after(Err(error)).await;
        }
        // Woken only to be looked at: it waits on.
        if delivery.is_empty() && !is_due {
            return Step::Wait(parked);
        }
        let status = live.resume(self.process, self.node.clock(), &delivery).await;
        drop(delivery);
        self.after(status).await
    }

    /// What follows from how a call ended.
    async fn after(&mut self, status: wasmtime::Result<Status>) -> Step {
        let Some(live) = &mut self.live else { return Step::End(Some(bug("a call without an instance"))) };
        match status {
            Ok(Status::Parked(parked)) => {
                live.note_memory(self.process);
                Step::Wait(parked)
            }
            Ok(Status::Exited(outcome)) => {
                let outcome = convert::outcome(outcome, live.incarnation.limits());
                Step::End(Some(exited(outcome, live.instance.occupant())))
            }
            Ok(Status::Upgrade) => self.upgrade().await,
            Err(error) => Step::End(stopped(&error, live.instance.occupant(), &live.incarnation)),
        }
    }

    /// The guest has stopped to go on elsewhere.
    async fn upgrade(&mut self) -> Step {
        let asked = self.live.as_mut().and_then(|live| live.instance.occupant_mut().upgrade.take());
        let Some(program) = asked else {
            let text = "the guest stopped without asking for an upgrade";
            return Step::End(Some(failed(ErrorKind::Internal, text)));
        };
        self.become_another(Box::new(program)).await
    }

    /// The process goes on as this, with what its script hasn't received.
    async fn become_another(&mut self, program: Box<Program>) -> Step {
        let Some(mut live) = self.live.take() else { return Step::End(None) };
        match live.give_back(self.process, self.node.clock(), &mut self.slice).await {
            Ok(Ok(())) => {}
            Ok(Err(lie)) => return Step::End(Some(lie)),
            Err(error) => return Step::End(stopped(&error, live.instance.occupant(), &live.incarnation)),
        }
        drop(live);
        if !self.node.restart(self.process, &program) {
            return Step::End(None);
        }
        // Or a process that does nothing but start over would never leave its worker: it is a start like any other.
        self.process.life.set_running(false);
        self.slice.end();
        give_way().await;
        Step::Begin(program)
    }

    /// Waits until something is to be delivered, the earliest timer is due, or the process is killed.
    async fn wait(&mut self, wake_at: Option<u64>, credit: u64) -> Delivery {
        // One that always finds work waiting would otherwise never leave its worker.
        self.slice.pause().await;
        if let Some(live) = &self.live {
            self.process.member.waits(live.incarnation.cpu.used());
        }
        poll_fn(|context| {
            let ready = match self.process.poll_delivery(credit, context.waker()) {
                Poll::Ready(delivery) => Poll::Ready(delivery),
                Poll::Pending if self.is_due(wake_at) => Poll::Ready(Delivery::default()),
                Poll::Pending => Poll::Pending,
            };
            if ready.is_pending() {
                self.set_alarm(wake_at, context.waker());
                self.slice.end();
            } else {
                self.slice.go_on();
            }
            ready
        })
        .await
    }

    fn is_due(&self, wake_at: Option<u64>) -> bool {
        wake_at.is_some_and(|deadline| self.node.time.clock.now() >= deadline)
    }

    fn set_alarm(&mut self, wake_at: Option<u64>, waker: &Waker) {
        // The waker of a task stays the same for its life, so a timer that stands can stay.
        if self.alarm.map(TimerKey::deadline) == wake_at {
            return;
        }
        let clock = &self.node.time.clock;
        if let Some(old) = self.alarm.take() {
            clock.cancel(old);
        }
        self.alarm = wake_at.map(|deadline| clock.set(deadline, waker.clone()));
    }
}

impl Drop for Runner<'_> {
    fn drop(&mut self) {
        if let Some(alarm) = self.alarm.take() {
            self.node.time.clock.cancel(alarm);
        }
    }
}

impl Live {
    /// Tells who attends that the process goes on with less memory than it wanted, once until it gets some.
    fn note_memory(&mut self, process: &Process) {
        let caller = self.instance.occupant();
        if !caller.node.journal.is_read() {
            return;
        }
        let limit = caller.memory_refused().map(Refused::limit_name);
        if let (Some(limit), false) = (limit, self.is_short) {
            caller.node.note(|| NodeEvent::LimitReached { pid: process.pid.clone(), limit: limit.to_owned() });
        }
        self.is_short = limit.is_some();
    }

    async fn start(
        &mut self,
        process: &Process,
        arguments: &Arguments,
        seed: (u64, u64, u64, u64),
        clock: &Clock,
    ) -> wasmtime::Result<Status> {
        let Live { incarnation, instance, .. } = self;
        let program = &incarnation.program;
        let definition = &program.code.definition;
        let imports = ImportLists::new(definition);
        let libraries = imports.libraries(&program.code);
        let limits = &program.limits;
        let start = wit::Program {
            entry: definition.entry.as_str(),
            method: definition.method.as_deref(),
            chunk: program.code.program(),
            imports: &imports.program,
            libraries: &libraries,
            pid: process.pid.as_str(),
            frame: &incarnation.label.frame,
            context: process.origin.context.as_deref(),
            limits: wit::Limits {
                memory: limits.memory,
                message: limits.message,
                timers: limits.timers,
                coroutines: limits.coroutines,
                listeners: limits.listeners,
            },
            plain: definition.plain,
            modules: wit::Modules { env: !program.grants.env.is_empty(), fs: !program.grants.fs.is_empty() },
            seed,
        };
        let turn = turn(process, incarnation, clock);
        turn.enter(instance.start(start, arguments.payload())).await
    }

    async fn resume(&mut self, process: &Process, clock: &Clock, delivery: &Delivery) -> wasmtime::Result<Status> {
        let Live { incarnation, instance, .. } = self;
        instance.occupant_mut().sent.unread = None;
        let batch = convert::Batch::new(&delivery.items, &delivery.replies, delivery.output_ready);
        turn(process, incarnation, clock).enter(instance.resume(&batch)).await
    }

    /// Answers who wants to see the instance at rest.
    async fn inspect(&mut self, process: &Process, clock: &Clock, delivery: &Delivery) -> wasmtime::Result<()> {
        let Live { incarnation, instance, .. } = self;
        for reply in &delivery.inspections {
            let stack_pointer = turn(process, incarnation, clock).enter(instance.stack_pointer()).await?;
            // Whoever asked may be gone.
            let _ = reply.send(AtRest { stack_pointer, memory: instance.occupant().memory_used() });
        }
        Ok(())
    }

    /// Takes back what the script hasn't received. Inner error: how a process ends that gives back what can't be.
    ///
    /// A guest that never says that this was all comes to an end too: each time it gives something, the inbox counts it,
    /// and takes no more messages than it handed out and no more events than it may hold.
    async fn give_back(
        &mut self,
        process: &Process,
        clock: &Clock,
        slice: &mut Slice<'_>,
    ) -> wasmtime::Result<Result<(), Outcome>> {
        let Live { incarnation, instance, .. } = self;
        instance.allow_give_back(incarnation.limits());
        loop {
            let events = turn(process, incarnation, clock).enter(instance.give_back()).await?;
            if events.is_empty() {
                return Ok(Ok(()));
            }
            if let Err(lie) = events.into_iter().try_for_each(|event| take_back(process, event)) {
                return Ok(Err(lie));
            }
            slice.pause().await;
        }
    }
}

fn turn<'a>(process: &'a Process, incarnation: &'a Incarnation, clock: &'a Clock) -> Turn<'a> {
    Turn { clock, life: Some(&process.life), cpu: &incarnation.cpu }
}

fn take_back(process: &Process, event: EventResult) -> Result<(), Outcome> {
    let taken = convert::item(event).ok_or(ReturnError::NotHeld).and_then(|item| process.take_back(item));
    taken.map_err(|error| match error {
        ReturnError::NotHeld => failed(ErrorKind::Internal, &error.to_string()),
        ReturnError::Flood => flooded(),
    })
}

/// Compiles a definition in an instance of its own, which is gone when this returns.
async fn compile(
    code: &Code,
    turn: Turn<'_>,
    instance: wasmtime::Result<Instance<Caller>>,
    slice: &mut Slice<'_>,
) -> wasmtime::Result<Compiled> {
    let mut instance = instance?;
    let mut pieces = Vec::new();
    for source in code.sources() {
        let compiled = turn.enter(instance.compile(source)).await?;
        pieces.push(compiled.map_err(wasmtime::Error::msg)?);
        slice.pause().await;
    }
    let libraries = pieces.split_off(1);
    Ok(Compiled { program: pieces.pop().unwrap_or_default(), libraries })
}
