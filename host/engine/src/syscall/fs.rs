//! `fs`: each function finds the path among the grants and queues the operation; its answer comes as a reply.

use crate::bindings::lunarium::process::fs::Host;
use crate::bindings::lunarium::process::types::Refusal;
use crate::convert;
use crate::file_queue;
use crate::files::{Access, Operation, Place, Task};
use crate::store::StoreData;

impl StoreData {
    /// A place that the caller may reach.
    fn place(&self, access: Access, path: &str) -> Result<Place, Refusal> {
        let place = Place::find(&self.incarnation.grants, access, path).map_err(convert::refusal)?;
        self.authorize(access.action(), place.path())?;
        Ok(place)
    }

    fn start(&self, access: Access, path: &str, operation: Operation) -> Result<u64, Refusal> {
        let place = self.place(access, path)?;
        let task = Task::new(place, operation, self.incarnation.limits.message).map_err(convert::refusal)?;
        let request = self.process.begin_file(task)?;
        file_queue::perform_one(&self.process);
        Ok(request)
    }
}

impl Host for StoreData {
    fn read(&mut self, path: String, offset: u64, length: Option<u32>) -> Result<u64, Refusal> {
        self.start(Access::Read, &path, Operation::Read { offset, length })
    }

    fn write(&mut self, path: String, contents: Vec<u8>) -> Result<u64, Refusal> {
        self.start(Access::Write, &path, Operation::Write(contents))
    }

    fn append(&mut self, path: String, contents: Vec<u8>) -> Result<u64, Refusal> {
        self.start(Access::Write, &path, Operation::Append(contents))
    }

    fn list(&mut self, path: String) -> Result<u64, Refusal> {
        self.start(Access::Read, &path, Operation::List)
    }

    fn stat(&mut self, path: String) -> Result<u64, Refusal> {
        self.start(Access::Read, &path, Operation::Stat)
    }

    fn remove(&mut self, path: String) -> Result<u64, Refusal> {
        self.start(Access::Write, &path, Operation::Remove)
    }

    fn mkdir(&mut self, path: String) -> Result<u64, Refusal> {
        self.start(Access::Write, &path, Operation::MakeDirectory)
    }

    fn rename(&mut self, path: String, to: String) -> Result<u64, Refusal> {
        let to = self.place(Access::Write, &to)?;
        self.start(Access::Write, &path, Operation::Rename(to))
    }
}
