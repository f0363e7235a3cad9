//! `fs`: each function finds the path among the grants and queues the operation; its answer comes as a reply.

use crate::files::{Access, Operation, Place, Task};
use crate::node::{Caller, Who};
use crate::wasm::CallError;
use crate::wasm::imports::fs::Host;

impl Who {
    /// A place that the caller may reach.
    fn place(&self, access: Access, path: &str) -> Result<Place, CallError> {
        let place = Place::find(&self.incarnation.program.grants.fs, access, path)?;
        self.authorize(access.action(), place.path())?;
        Ok(place)
    }
}

impl Caller {
    fn start(&self, access: Access, path: &str, operation: Operation) -> Result<u64, CallError> {
        self.noting(access.action(), path, self.begin(access, path, operation))
    }

    fn begin(&self, access: Access, path: &str, operation: Operation) -> Result<u64, CallError> {
        let who = self.living()?;
        let place = who.place(access, path)?;
        let granted = &who.incarnation.program.grants.fs;
        let task = Task::new(granted, place, operation, who.limits().message)?;
        let request = who.process.begin_file(task)?;
        self.node.files.perform(&who.process);
        Ok(request)
    }
}

impl Host for Caller {
    fn read(&mut self, path: String, offset: u64, length: Option<u32>) -> Result<u64, CallError> {
        self.start(Access::Read, &path, Operation::Read { offset, length })
    }

    fn write(&mut self, path: String, contents: Vec<u8>) -> Result<u64, CallError> {
        self.start(Access::Write, &path, Operation::Write(contents))
    }

    fn append(&mut self, path: String, contents: Vec<u8>) -> Result<u64, CallError> {
        self.start(Access::Write, &path, Operation::Append(contents))
    }

    fn list(&mut self, path: String) -> Result<u64, CallError> {
        self.start(Access::Read, &path, Operation::List)
    }

    fn stat(&mut self, path: String) -> Result<u64, CallError> {
        self.start(Access::Read, &path, Operation::Stat)
    }

    fn remove(&mut self, path: String) -> Result<u64, CallError> {
        self.start(Access::Write, &path, Operation::Remove)
    }

    fn mkdir(&mut self, path: String) -> Result<u64, CallError> {
        self.start(Access::Write, &path, Operation::MakeDirectory)
    }

    fn rename(&mut self, path: String, to: String) -> Result<u64, CallError> {
        let to = self.living()?.place(Access::Write, &to)?;
        self.start(Access::Write, &path, Operation::Rename(to))
    }
}
