//! The living processes by number and by name, readable without the kernel's lock.
//!
//! Owns resolving a destination for the data plane. What stands in it follows the kernel's effects, and is written
//! under its lock alone.

use std::sync::Arc;

use lunarium_kernel::{Destination, Name, Pid, ResolveError};
use papaya::HashMap;

use crate::process::Process;

#[derive(Default)]
pub(crate) struct Table {
    processes: HashMap<u64, Arc<Process>>,
    names: HashMap<Name, u64>,
}

impl Table {
    pub(crate) fn insert(&self, process: Arc<Process>) {
        self.processes.pin().insert(process.pid.number(), process);
    }

    pub(crate) fn remove(&self, pid: &Pid) -> Option<Arc<Process>> {
        self.processes.pin().remove(&pid.number()).map(Arc::clone)
    }

    pub(crate) fn name(&self, name: Name, pid: &Pid) {
        self.names.pin().insert(name, pid.number());
    }

    /// Who had it.
    pub(crate) fn forget_name(&self, name: &Name) -> Option<Arc<Process>> {
        let number = self.names.pin().remove(name).copied()?;
        self.processes.pin().get(&number).map(Arc::clone)
    }

    /// The living process with this pid.
    pub(crate) fn get(&self, pid: &Pid) -> Option<Arc<Process>> {
        self.by_number(pid.number())
    }

    /// The living process with this number.
    pub(crate) fn by_number(&self, number: u64) -> Option<Arc<Process>> {
        self.processes.pin().get(&number).map(Arc::clone)
    }

    /// Who has a name.
    pub(crate) fn holder(&self, name: &str) -> Option<Arc<Process>> {
        let number = self.names.pin().get(name).copied()?;
        self.processes.pin().get(&number).map(Arc::clone)
    }

    /// The living process that a destination stands for.
    ///
    /// Errors: dead, unknown, or a name that nobody has.
    pub(crate) fn find(&self, destination: &Destination<'_>) -> Result<Arc<Process>, ResolveError> {
        match *destination {
            Destination::Pid { number, text } => {
                let processes = self.processes.pin();
                let process = processes.get(&number).filter(|process| process.pid.as_str() == text);
                process.map(Arc::clone).ok_or_else(|| ResolveError::unknown_pid(text))
            }
            Destination::Name(name) => {
                self.holder(name).ok_or_else(|| ResolveError::UnknownName { name: name.to_owned() })
            }
        }
    }

    /// Empties the table.
    pub(crate) fn take_all(&self) -> Vec<Arc<Process>> {
        let all = self.all();
        self.processes.pin().clear();
        self.names.pin().clear();
        all
    }

    /// The pids of those of these numbers that live.
    pub(crate) fn pids(&self, numbers: &[u64]) -> Vec<Pid> {
        let processes = self.processes.pin();
        numbers.iter().filter_map(|number| processes.get(number)).map(|process| process.pid.clone()).collect()
    }

    /// Every name with its holder's number.
    pub(crate) fn names(&self) -> Vec<(Name, u64)> {
        self.names.pin().iter().map(|(name, number)| (name.clone(), *number)).collect()
    }

    /// The names of one number.
    pub(crate) fn names_of(&self, number: u64) -> Vec<Name> {
        let names = self.names.pin();
        names.iter().filter(|(_, holder)| **holder == number).map(|(name, _)| name.clone()).collect()
    }

    /// Every living process.
    pub(crate) fn all(&self) -> Vec<Arc<Process>> {
        self.processes.pin().values().map(Arc::clone).collect()
    }
}
