//! `monitor.monitor` and `monitor.unmonitor`.

use lunarium_kernel::action;

use crate::bindings::lunarium::process::monitor::Host;
use crate::bindings::lunarium::process::types::Refusal;
use crate::convert;
use crate::store::StoreData;

impl Host for StoreData {
    fn monitor(&mut self, destination: String) -> Result<(), Refusal> {
        let destination = self.permitted(action::MONITOR, &destination)?;
        let caller = &self.process.label.pid;
        self.node.kernel(|kernel| kernel.monitor(caller, &destination)).map_err(convert::refusal)
    }

    fn unmonitor(&mut self, destination: String) -> Result<(), Refusal> {
        let destination = self.permitted_to_undo(action::UNMONITOR, &destination)?;
        let caller = &self.process.label.pid;
        self.node.kernel(|kernel| kernel.unmonitor(caller, &destination)).map_err(convert::refusal)
    }
}
