//! The model of what a process asks for: one list of everything it ever asked, and every rule as a loop over it. Owns a
//! second opinion on which replies are handed over, and when a request is no longer under way.

use lunarium_kernel::{ErrorKind, MAX_TASKS};

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The kernel, when the executed process ends.
    Exec,
    /// The kernel, when the group changes.
    Watch,
    /// Somebody outside.
    Foreign,
    /// A thread, once it has begun the task.
    Task,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A task that no thread has begun.
    Waiting,
    Open,
    /// A reply of so many bytes waits.
    Answered(u64),
    Over,
}

struct Asked {
    id: u64,
    kind: Kind,
    incarnation: u32,
    state: State,
    /// Somebody outside, or a thread, will answer it, whoever is there then.
    owed: bool,
}

#[derive(Default)]
pub struct ModelRequests {
    asked: Vec<Asked>,
    /// Answered, in the order of the answers.
    order: Vec<u64>,
    incarnation: u32,
    closed: bool,
}

impl ModelRequests {
    pub fn under_way(&self) -> u32 {
        self.asked.iter().filter(|asked| asked.state != State::Over).count() as u32
    }

    /// Executed processes that are waited for, and groups that are watched.
    pub fn execs(&self) -> u32 {
        self.asked
            .iter()
            .filter(|asked| asked.state == State::Open && matches!(asked.kind, Kind::Exec | Kind::Watch))
            .count() as u32
    }

    pub fn may_begin(&self, kind: Kind) -> Result<(), ErrorKind> {
        let tasks = self.asked.iter().filter(|asked| asked.kind == Kind::Task && asked.state != State::Over).count();
        match kind {
            _ if self.closed => Err(ErrorKind::Canceled),
            Kind::Task if tasks >= MAX_TASKS => Err(ErrorKind::ResourceExhausted),
            _ => Ok(()),
        }
    }

    /// False: the id was given out before.
    pub fn begin(&mut self, id: u64, kind: Kind) -> bool {
        let is_new = self.asked.iter().all(|asked| asked.id != id);
        let state = if kind == Kind::Task { State::Waiting } else { State::Open };
        let incarnation = self.incarnation;
        self.asked.push(Asked { id, kind, incarnation, state, owed: kind == Kind::Foreign });
        is_new
    }

    fn find(&mut self, id: u64) -> Option<&mut Asked> {
        self.asked.iter_mut().find(|asked| asked.id == id)
    }

    pub fn cancel(&mut self, id: u64) {
        if let Some(asked) = self.find(id) {
            asked.state = State::Over;
        }
    }

    pub fn next_task(&mut self) -> Option<u64> {
        let asked = self.asked.iter_mut().find(|asked| asked.state == State::Waiting)?;
        (asked.state, asked.owed) = (State::Open, true);
        Some(asked.id)
    }

    /// Whether every task was begun.
    pub fn tasks_done(&self) -> bool {
        self.asked.iter().all(|asked| asked.state != State::Waiting)
    }

    /// What somebody outside still answers.
    pub fn owed(&self) -> Vec<u64> {
        self.asked.iter().filter(|asked| asked.owed).map(|asked| asked.id).collect()
    }

    pub fn reply(&mut self, id: u64, bytes: u64) {
        let (closed, now) = (self.closed, self.incarnation);
        let Some(asked) = self.find(id) else { return };
        asked.owed = false;
        let told = !closed && asked.incarnation == now;
        asked.state = if told { State::Answered(bytes) } else { State::Over };
        self.order.extend(told.then_some(id));
    }

    /// The requests whose replies are handed over, and the bytes of these.
    pub fn take(&mut self, most: u64) -> (Vec<u64>, u64) {
        let (mut taken, mut used) = (Vec::new(), 0);
        for id in self.order.clone() {
            let Some(Asked { state: State::Answered(bytes), .. }) = self.find(id) else { continue };
            if !taken.is_empty() && used + *bytes > most {
                break;
            }
            used += *bytes;
            taken.push(id);
            self.cancel(id);
        }
        self.order.retain(|id| !taken.contains(id));
        (taken, used)
    }

    pub fn restart(&mut self) {
        self.incarnation += 1;
        self.order.clear();
        for asked in &mut self.asked {
            if asked.state != State::Open {
                asked.state = State::Over;
            }
        }
    }

    pub fn close(&mut self) {
        self.closed = true;
        self.order.clear();
        self.asked.iter_mut().for_each(|asked| asked.state = State::Over);
    }
}
