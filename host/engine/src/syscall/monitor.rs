//! `monitor.monitor` and `monitor.unmonitor`.

use lunarium_kernel::action;

use crate::node::Caller;
use crate::wasm::CallError;
use crate::wasm::imports::monitor::Host;

impl Host for Caller {
    fn monitor(&mut self, destination: String) -> Result<(), CallError> {
        let act = || {
            let caller = &self.living()?.process.pid;
            let target = self.permitted(action::MONITOR, &destination)?;
            Ok(self.node.kernel(|kernel| kernel.monitor(caller, &target.pid))?)
        };
        self.noting(action::MONITOR, &destination, act())
    }

    fn unmonitor(&mut self, destination: String) -> Result<(), CallError> {
        let caller = &self.living()?.process.pid;
        let Some(target) = self.permitted_to_undo(action::UNMONITOR, &destination)? else { return Ok(()) };
        Ok(self.node.kernel(|kernel| kernel.unmonitor(caller, &target.pid))?)
    }
}
