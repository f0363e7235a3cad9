//! `registry.register`, `registry.lookup` and `registry.unregister`.

use lunarium_kernel::{Name, RegisterError, UnregisterError, action};

use crate::bindings::lunarium::process::registry::Host;
use crate::bindings::lunarium::process::types::Refusal;
use crate::convert;
use crate::store::StoreData;

impl StoreData {
    /// The process that gets a name, once the caller may give it.
    fn permitted_to_register(&self, name: &str, process: Option<String>) -> Result<Option<String>, Refusal> {
        if !self.is_restricted() {
            return Ok(process);
        }
        let caller = &self.process.label.pid;
        let name = Name::new(name).map_err(|error| convert::refusal(RegisterError::from(error)))?;
        let pid = self.node.kernel(|kernel| kernel.named(caller, process.as_deref())).map_err(convert::refusal)?;
        self.authorize(action::REGISTER, name.as_str())?;
        if pid != *caller {
            self.authorize(action::FOREIGN, pid.as_str())?;
        }
        Ok(Some(pid.to_string()))
    }
}

impl Host for StoreData {
    fn register(&mut self, name: String, process: Option<String>) -> Result<(), Refusal> {
        let process = self.permitted_to_register(&name, process)?;
        let caller = &self.process.label.pid;
        self.node.kernel(|kernel| kernel.register(caller, &name, process.as_deref())).map_err(convert::refusal)
    }

    fn lookup(&mut self, name: String) -> Result<String, Refusal> {
        let caller = &self.process.label.pid;
        let pid = self.node.kernel(|kernel| kernel.lookup(caller, &name)).map_err(convert::refusal)?;
        Ok(pid.to_string())
    }

    fn unregister(&mut self, name: String) -> Result<bool, Refusal> {
        let caller = &self.process.label.pid;
        let checked = Name::new(&name).map_err(|error| convert::refusal(UnregisterError::from(error)))?;
        self.authorize(action::UNREGISTER, checked.as_str())?;
        let own = self.node.kernel(|kernel| kernel.unregister(caller, &name));
        let Err(UnregisterError::Foreign { holder, .. }) = own else { return own.map_err(convert::refusal) };
        // Nobody loses a name because nothing was said: a policy must allow it.
        let security = &self.process.security;
        security.require(action::FOREIGN, holder.as_str(), caller, None).map_err(convert::refusal)?;
        self.node.kernel(|kernel| kernel.unregister_from(caller, &holder, &name)).map_err(convert::refusal)
    }
}
