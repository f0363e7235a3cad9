//! `link.link` and `link.unlink`.

use lunarium_kernel::action;

use crate::node::Caller;
use crate::wasm::CallError;
use crate::wasm::imports::link::Host;

impl Host for Caller {
    fn link(&mut self, destination: String) -> Result<(), CallError> {
        let act = || {
            let caller = &self.living()?.process.pid;
            let other = self.permitted(action::LINK, &destination)?;
            Ok(self.node.kernel(|kernel| kernel.link(caller, &other.pid))?)
        };
        self.noting(action::LINK, &destination, act())
    }

    fn unlink(&mut self, destination: String) -> Result<(), CallError> {
        let caller = &self.living()?.process.pid;
        let Some(other) = self.permitted_to_undo(action::UNLINK, &destination)? else { return Ok(()) };
        Ok(self.node.kernel(|kernel| kernel.unlink(caller, &other.pid))?)
    }
}
