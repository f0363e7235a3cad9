//! `registry.register`, `registry.lookup` and `registry.unregister`.

use crate::bindings::lunarium::process::registry::Host;
use crate::bindings::lunarium::process::types::Refusal;
use crate::convert;
use crate::store::StoreData;

impl Host for StoreData {
    fn register(&mut self, name: String, process: Option<String>) -> Result<(), Refusal> {
        let caller = &self.process.pid;
        self.node.kernel(|kernel| kernel.register(caller, &name, process.as_deref())).map_err(convert::refusal)
    }

    fn lookup(&mut self, name: String) -> Result<String, Refusal> {
        let caller = &self.process.pid;
        let pid = self.node.kernel(|kernel| kernel.lookup(caller, &name)).map_err(convert::refusal)?;
        Ok(pid.to_string())
    }

    fn unregister(&mut self, name: String) -> Result<bool, Refusal> {
        let caller = &self.process.pid;
        self.node.kernel(|kernel| kernel.unregister(caller, &name)).map_err(convert::refusal)
    }
}
