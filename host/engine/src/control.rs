//! The kernel behind its one lock, and the table of processes its effects are performed on.
//!
//! Owns the order: effects are performed under the lock, in the order in which the kernel gives them, so that nobody
//! sees an EXIT before the name is free. The lock is a closure: it can't be held across an await. Refuses decisions.

use std::sync::{Arc, Mutex, PoisonError};

use event_listener::Event as Changed;
use lunarium_kernel::{Effect, ErrorKind, Failure, Kernel, NodeLimits, Outcome, Pid, Timestamp};
use papaya::HashMap;

use crate::convert;
use crate::process::Process;
use crate::wall;

pub(crate) struct Control {
    kernel: Mutex<Kernel>,
    /// Living processes by number. Written under the kernel's lock, read without it.
    processes: HashMap<u64, Arc<Process>>,
    /// Called when the kernel's next deadline has changed.
    deadline_changed: Box<dyn Fn() + Send + Sync>,
}

/// What is left to do when the lock is released: waking strangers, who may do anything.
#[derive(Default)]
struct Afterwards {
    ended: Vec<Arc<Process>>,
    flooded: Vec<Pid>,
    deadline_changed: bool,
}

impl Control {
    /// `deadline_changed` is called without the lock: whoever wants to know the deadline asks for what it is by then.
    pub(crate) fn new(limits: NodeLimits, deadline_changed: Box<dyn Fn() + Send + Sync>) -> Control {
        Control { kernel: Mutex::new(Kernel::new(limits)), processes: HashMap::new(), deadline_changed }
    }

    /// Runs `act` on the kernel and performs the effects.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut Kernel) -> R) -> R {
        let (result, afterwards) = self.locked(act);
        self.finish(afterwards);
        result
    }

    /// Adds a process to the table; called inside `with`, so that no effect can miss it.
    pub(crate) fn insert(&self, process: Arc<Process>) {
        self.processes.pin().insert(process.pid.number(), process);
    }

    /// The living process with this pid's text. Does not take the kernel's lock.
    pub(crate) fn find(&self, text: &str) -> Option<Arc<Process>> {
        let number = Pid::parse_number(text)?;
        let processes = self.processes.pin();
        processes.get(&number).filter(|process| process.pid.as_str() == text).map(Arc::clone)
    }

    /// Every living process.
    pub(crate) fn all(&self) -> Vec<Arc<Process>> {
        self.processes.pin().values().map(Arc::clone).collect()
    }

    /// When the kernel wants to be called next.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        self.kernel.lock().unwrap_or_else(PoisonError::into_inner).next_deadline()
    }

    fn locked<R>(&self, act: impl FnOnce(&mut Kernel) -> R) -> (R, Afterwards) {
        let mut kernel = self.kernel.lock().unwrap_or_else(PoisonError::into_inner);
        let before = kernel.next_deadline();
        let result = act(&mut kernel);
        let mut afterwards = Afterwards::default();
        while let Some(effect) = kernel.poll_effect() {
            self.perform(effect, &mut afterwards);
        }
        afterwards.deadline_changed = kernel.next_deadline() != before;
        (result, afterwards)
    }

    fn perform(&self, effect: Effect, afterwards: &mut Afterwards) {
        let processes = self.processes.pin();
        match effect {
            Effect::Deliver { to, event } => {
                let Some(process) = processes.get(&to.number()) else { return };
                if process.deliver(event) {
                    afterwards.flooded.push(to);
                }
            }
            Effect::Reply { to, request, outcome } => {
                let Some(process) = processes.get(&to.number()) else { return };
                if process.reply(request, outcome) {
                    afterwards.flooded.push(to);
                }
            }
            Effect::Ended { pid, outcome, forced } => {
                let Some(process) = processes.remove(&pid.number()) else { return };
                process.end(outcome, forced);
                afterwards.ended.push(Arc::clone(process));
            }
        }
    }

    fn finish(&self, afterwards: Afterwards) {
        for process in afterwards.ended {
            process.announce();
        }
        if afterwards.deadline_changed {
            (self.deadline_changed)();
        }
        for pid in afterwards.flooded {
            self.drown(&pid);
        }
    }

    /// Ends a process that lets too much lie which can't be refused.
    fn drown(&self, pid: &Pid) {
        let Some(process) = self.find(pid.as_str()) else { return };
        process.kill();
        self.with(|kernel| kernel.handle_exit(pid, flooded(), wall::now()));
    }
}

/// Events and replies can't be refused; one who lets too many lie ends.
fn flooded() -> Outcome {
    Outcome::failed(Failure {
        details: Some(convert::limit_details("mailbox_bytes")),
        ..Failure::new(ErrorKind::ResourceExhausted, "mailbox_bytes limit reached by unread events")
    })
}

/// Counts things that are alive, and tells when none is left.
#[derive(Default)]
pub(crate) struct Census {
    count: std::sync::atomic::AtomicUsize,
    empty: Changed,
}

/// One living thing; dropped, it is counted out.
pub(crate) struct Counted(Arc<Census>);

impl Census {
    pub(crate) fn enter(self: &Arc<Census>) -> Counted {
        self.count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Counted(Arc::clone(self))
    }

    pub(crate) fn count(&self) -> usize {
        self.count.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// Waits until nothing is alive.
    pub(crate) async fn empty(&self) {
        loop {
            let listener = self.empty.listen();
            if self.count() == 0 {
                return;
            }
            listener.await;
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, std::sync::atomic::Ordering::SeqCst) == 1 {
            self.0.empty.notify(usize::MAX);
        }
    }
}
