//! A node: living processes, and everything that is known to them, on the machinery they share with other nodes.
//!
//! Owns control, spawning, upgrading and running. Refuses YAML, files and ambient authority: what processes may do comes
//! in through the catalogue. Its folder has no public types but errors: the embedder's face is `api`.

mod alarm;
mod ask;
mod audit;
mod call;
mod caller;
mod census;
mod check;
mod control;
mod counts;
mod ending;
mod event;
mod journal;
mod machine;
mod mailbox;
mod observe;
mod reaper;
mod runner;
mod seed;
mod spawn;
mod table;
mod time;
mod turn;
mod upgrade;
mod usage;
pub(crate) mod wall;

use std::any::Any;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use lunarium_kernel::{
    Account, Deadline, Destination, Host, Kernel, LogBudget, Name, NodeLimits, Outcome, Pid, Refusal, RegisterError,
    ResolveError,
};
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};

use self::alarm::Alarm;
use self::census::{Census, Counted};
use self::control::{Afterwards, Control};
use self::ending::flooded;
use self::journal::Journal;
use crate::catalogue::{Catalogue, Counts};
use crate::module::{Modules, Runtime};
use crate::process::{Dropped, FileThreads, Level, Line, Log, LogField, Output, Process, ProcessLabel};
use lunarium_schedule::{Clock, Share, contain};

pub use ask::CallError;
pub(crate) use ask::CallSpec;
pub(crate) use call::Called;
pub(crate) use caller::{Caller, Who};
pub use check::{CompileError, GlobalUse, Globals, Named, Returning, StartCall};
pub use counts::{HostCounts, NodeCounts};
pub(crate) use event::Refused;
pub use event::{Ending, NodeEvent, ServiceStep};
pub use journal::Events;
pub(crate) use machine::Machine;
pub use machine::StartError;
pub(crate) use mailbox::Opened;
pub use observe::{ProcessDetails, ProcessInfo, Relations};
pub(crate) use seed::Seeds;
pub(crate) use spawn::Spawn;
pub use spawn::{SpawnError, SpawnRequest};
pub(crate) use time::Time;
pub use usage::{Held, Usage};

/// Blocking functions of modules that run at once, for one node. The number: an eighth of the threads that there are for such
/// work, which files of all nodes need too. At the limit: the call waits.
const THREADS: usize = 64;

/// Lines of the node's own log in a second, as of a process. At the limit: they are dropped and counted.
const OWN_LINES: u32 = 1_000;

/// What all processes of a node have together.
pub(crate) struct Budgets {
    /// Bytes, below the machine's account.
    pub(crate) memory: Arc<Account>,
    /// Bytes of log lines.
    pub(crate) log: LogBudget,
    /// Of the workers' time.
    pub(crate) cpu: Arc<Share>,
}

pub(crate) struct NodeInner {
    pub(crate) machine: Arc<Machine>,
    /// What processes read, and what timers and deadlines go by.
    pub(crate) time: Time,
    pub(crate) control: Control,
    pub(crate) catalogue: Catalogue,
    pub(crate) output: Arc<dyn Output>,
    /// Starts and ends are lines of the log.
    pub(crate) debug: AtomicBool,
    /// What happens, for who attends.
    pub(crate) journal: Arc<Journal>,
    pub(crate) budgets: Budgets,
    pub(crate) modules: Modules,
    /// What was refused to the embedding program.
    outside: Counts,
    /// Where the futures of modules run.
    runtime: Runtime,
    /// Places for blocking functions of modules.
    threads: Arc<Semaphore>,
    /// The embedder's handle, for those whom processes call.
    handle: OnceLock<Weak<dyn Any + Send + Sync>>,
    /// For who calls it later.
    this: Weak<NodeInner>,
    alarm: Alarm,
    pub(crate) seeds: Seeds,
    /// Instances held.
    instances: Arc<Census>,
    pub(crate) files: Arc<FileThreads>,
    /// Notified when nobody lives any more.
    idle: Notify,
    /// Of lines that no process writes.
    log: Mutex<Log>,
}

impl Drop for NodeInner {
    fn drop(&mut self) {
        self.files.close();
        self.journal.close();
    }
}

impl NodeInner {
    pub(crate) fn new(
        machine: Arc<Machine>,
        time: Time,
        limits: NodeLimits,
        budgets: Budgets,
        output: Arc<dyn Output>,
        debug: bool,
        seeds: Seeds,
    ) -> Arc<NodeInner> {
        let journal = Arc::<Journal>::default();
        Arc::new_cyclic(|this| NodeInner {
            machine,
            time,
            control: Control::new(limits, Arc::clone(&journal)),
            catalogue: Catalogue::default(),
            output,
            debug: AtomicBool::new(debug),
            journal,
            budgets,
            modules: Modules::default(),
            outside: Counts::default(),
            runtime: Runtime::current(),
            threads: Arc::new(Semaphore::new(THREADS)),
            handle: OnceLock::new(),
            this: this.clone(),
            alarm: Alarm::default(),
            seeds,
            instances: Arc::default(),
            files: Arc::default(),
            idle: Notify::new(),
            log: Mutex::new(Log::new(OWN_LINES)),
        })
    }

    /// Whom those get hold of whom processes call. Said once.
    pub(crate) fn set_handle(&self, handle: Weak<dyn Any + Send + Sync>) {
        let _ = self.handle.set(handle);
    }

    /// The engine's clock, by which CPU time is measured and work is cut into slices.
    pub(crate) fn clock(&self) -> &Clock {
        &self.machine.clock
    }

    /// Runs a closure on the kernel, then what follows from it.
    pub(crate) fn kernel<R>(&self, act: impl FnOnce(&mut Kernel) -> R) -> R {
        let (result, mut afterwards) = self.control.locked(act);
        let panic = afterwards.panic.take();
        if panic.is_some() {
            let text = "the node has stopped and all its processes have ended: a bug has left its state broken";
            self.output.log(&ProcessLabel::of_node(), Level::Error, text, &[]);
        }
        self.follow(afterwards);
        self.journal.wake();
        match (result, panic) {
            (Some(result), _) => result,
            (None, Some(panic)) => resume_unwind(panic),
            (None, None) => unreachable!("a closure without a result has panicked"),
        }
    }

    fn follow(&self, mut afterwards: Afterwards) {
        for (process, _) in &afterwards.ended {
            if self.debug.load(Ordering::Relaxed) {
                self.log_end(process);
            }
            process.life.announce();
            self.machine.scheduler.end(&process.member);
        }
        for (process, remains) in &mut afterwards.ended {
            let askers = std::mem::take(&mut remains.askers);
            self.cancel_calls(askers, process.pid.as_str(), process.life.outcome());
        }
        if afterwards.idle {
            contain(|| self.idle.notify_waiters());
        }
        if afterwards.deadline_changed {
            self.set_alarm();
        }
        if afterwards.reap {
            self.reap();
        }
        for process in &afterwards.flooded {
            self.drown(process);
        }
    }

    /// Ends a process that lets too much lie which can't be refused.
    fn drown(&self, process: &Process) {
        process.life.kill();
        self.handle_exit(process, flooded());
    }

    /// Counts an instance, or one that is about to be made, for as long as the result lives.
    fn count_instance(&self) -> Counted {
        self.instances.enter()
    }

    /// Instances held now.
    pub(crate) fn instance_count(&self) -> usize {
        self.instances.count()
    }

    /// The living process that a destination leads to. Takes no lock.
    pub(crate) fn find(&self, destination: &str) -> Result<Arc<Process>, ResolveError> {
        self.control.table.find(&Destination::parse(destination)?)
    }

    /// The living process with this pid; names are refused.
    pub(crate) fn find_pid(&self, text: &str) -> Result<Arc<Process>, RegisterError> {
        match Destination::parse(text) {
            Ok(destination @ Destination::Pid { .. }) => Ok(self.control.table.find(&destination)?),
            _ => Err(RegisterError::not_a_pid(text)),
        }
    }

    /// Who has a name. Takes no lock.
    pub(crate) fn lookup(&self, name: &str) -> Result<Arc<Process>, ResolveError> {
        let name = Name::new(name)?;
        self.control.table.find(&Destination::Name(name.as_str()))
    }

    pub(crate) fn terminate(&self, caller: Option<&Pid>, pid: &Pid) -> Result<(), ResolveError> {
        self.kernel(|kernel| kernel.terminate(caller, pid, self.time.wall()))
    }

    pub(crate) fn cancel(&self, caller: Option<&Pid>, pid: &Pid, within: Option<Duration>) -> Result<(), ResolveError> {
        let (now, shown) = (self.uptime(), self.time.wall());
        let deadline = within.map(|within| Deadline::after(now, shown, within));
        self.kernel(|kernel| kernel.cancel(caller, pid, deadline, shown))
    }

    /// A process has ended by itself. Where nobody learns of it, a failure leaves a line in its log.
    pub(crate) fn handle_exit(&self, process: &Process, outcome: Outcome) {
        let failure = outcome.failure().cloned().filter(|_| process.parent.is_some());
        let pid = &process.pid;
        let unseen = self.kernel(|kernel| {
            let unwatched = failure.is_some() && kernel.is_alive(pid) && !kernel.is_watched(pid);
            kernel.handle_exit(pid, outcome, self.time.wall());
            unwatched
        });
        if let Some(failure) = failure.filter(|_| unseen) {
            let text = format!("failed, and nobody watches: {} ({})", failure.message, failure.kind);
            let stack = failure.stack.iter().map(|stack| LogField::text("stack", stack.as_str()));
            self.log(process, &process.label(), Level::Warn, &text, &stack.collect::<Vec<_>>());
        }
    }

    /// Notes an event for who attends. Not under a lock.
    pub(crate) fn note(&self, event: impl FnOnce() -> NodeEvent) {
        self.journal.note(event);
        self.journal.wake();
    }

    /// Counts a refusal there, and notes it for who attends, if it is worth that. Not under a lock.
    pub(crate) fn note_refused(&self, counts: &Counts, refused: &Refused<'_>) {
        if refused.is_noted() {
            counts.refuse(refused.kind, refused.limit);
            self.note(|| refused.event());
        }
    }

    /// The same result; a refusal is noted. `by` is none for the embedding program.
    pub(crate) fn noting<T, R: Refusal>(
        &self,
        by: Option<&Pid>,
        action: &'static str,
        target: &str,
        result: Result<T, R>,
    ) -> Result<T, R> {
        if let Err(refusal) = &result {
            let message = if self.journal.is_read() { refusal.to_string() } else { String::new() };
            let (kind, limit) = (refusal.kind(), refusal.limit());
            self.note_refused(&self.outside, &Refused { by, action, target, kind, message: &message, limit });
        }
        result
    }

    fn log_end(&self, process: &Process) {
        let text = match process.life.outcome() {
            Some(Outcome::Failed(failure)) => format!("failed: {} ({})", failure.message, failure.kind),
            _ => "ended".to_owned(),
        };
        self.log(process, &process.label(), Level::Debug, &text, &[]);
    }

    /// Writes a line of a process's log, within what it may log.
    pub(crate) fn log(
        &self,
        process: &Process,
        label: &ProcessLabel,
        level: Level,
        message: &str,
        fields: &[LogField],
    ) {
        let bytes = size(message, fields);
        let budgets = [(&*process.origin.host.log, Host::LOG_BYTES), (&self.budgets.log, NodeLimits::LOG_BYTES)];
        let admitted = process.log.lock().admit(self.clock().now(), bytes, &budgets);
        match admitted {
            Ok(dropped) => {
                let line = Line::new(message, fields, dropped);
                self.output.log(label, level, &line.message, &line.fields);
            }
            Err(Dropped { limit, is_first: true }) => {
                self.note(|| NodeEvent::LimitReached { pid: process.pid.clone(), limit: limit.to_owned() });
            }
            Err(_) => {}
        }
    }

    /// Writes a line of the node's own log, within what it may log.
    pub(crate) fn log_own(&self, level: Level, message: &str, fields: &[LogField]) {
        let (now, bytes) = (self.clock().now(), size(message, fields));
        let admitted = self.log.lock().admit(now, bytes, &[(&self.budgets.log, NodeLimits::LOG_BYTES)]);
        if let Ok(dropped) = admitted {
            let line = Line::new(message, fields, dropped);
            self.output.log(&ProcessLabel::of_node(), level, &line.message, &line.fields);
        }
    }

    /// Closes every host, and terminates who lives.
    pub(crate) fn end_all(&self) {
        self.close();
        for process in self.control.table.all() {
            // It may have ended in between.
            let _ = self.terminate(None, &process.pid);
        }
    }

    /// Closes every host, and asks who lives to end until the deadline.
    pub(crate) fn ask_all_to_end(&self, deadline: Duration) {
        self.close();
        for process in self.control.table.all() {
            // As above.
            let _ = self.cancel(None, &process.pid, Some(deadline));
        }
    }

    /// Nothing starts any more.
    fn close(&self) {
        // Made, so that it is closed too.
        let _ = self.catalogue.mailboxes(&self.budgets.memory, &self.budgets.cpu);
        for host in self.catalogue.hosts() {
            self.kernel(|kernel| kernel.stop_host(host.kernel()));
        }
    }

    /// Waits until nobody lives.
    pub(crate) async fn idle(&self) {
        loop {
            let mut idle = std::pin::pin!(self.idle.notified());
            // From here on nothing is missed.
            idle.as_mut().enable();
            if self.kernel(|kernel| kernel.process_count()) == 0 {
                return;
            }
            idle.await;
        }
    }

    /// Waits until every instance is given back.
    pub(crate) async fn empty(&self) {
        self.instances.empty().await;
    }
}

/// The bytes of a line of a log.
fn size(message: &str, fields: &[LogField]) -> usize {
    fields.iter().fold(message.len(), |sum, field| sum.saturating_add(field.size()).saturating_add(1))
}

#[cfg(test)]
mod tests;
