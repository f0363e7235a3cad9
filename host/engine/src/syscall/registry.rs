//! `registry.register`, `registry.lookup` and `registry.unregister`.

use std::sync::Arc;

use lunarium_kernel::{Name, UnregisterError, action};

use crate::node::Caller;
use crate::wasm::CallError;
use crate::wasm::imports::registry::Host;

impl Caller {
    fn give_name(&self, name: &str, process: Option<String>) -> Result<(), CallError> {
        let who = self.living()?;
        let caller = &who.process.pid;
        let name = Name::new(name)?;
        let holder = match process {
            Some(text) => self.node.find_pid(&text)?,
            None => Arc::clone(&who.process),
        };
        who.authorize(action::REGISTER, name.as_str())?;
        if holder.pid != *caller {
            who.authorize(action::FOREIGN, holder.pid.as_str())?;
        }
        holder.afford(name.bytes())?;
        let given = self.node.kernel(|kernel| kernel.register(caller, name, &holder.pid));
        holder.settle();
        Ok(given?)
    }
}

impl Host for Caller {
    fn register(&mut self, name: String, process: Option<String>) -> Result<(), CallError> {
        self.noting(action::REGISTER, &name, self.give_name(&name, process))
    }

    fn lookup(&mut self, name: String) -> Result<String, CallError> {
        self.living()?;
        Ok(self.node.lookup(&name)?.pid.to_string())
    }

    fn unregister(&mut self, name: String) -> Result<bool, CallError> {
        let who = self.living()?;
        let caller = &who.process.pid;
        let name = Name::new(&name)?;
        who.authorize(action::UNREGISTER, name.as_str())?;
        let own = self.node.kernel(|kernel| kernel.unregister(caller, &name));
        let Err(UnregisterError::Foreign { holder, .. }) = own else { return Ok(own?) };
        // Nobody loses a name because nothing was said: a policy must allow it.
        who.security().require(action::FOREIGN, holder.as_str(), caller, None)?;
        Ok(self.node.kernel(|kernel| kernel.unregister_from(caller, &holder, &name))?)
    }
}
