//! `link.link` and `link.unlink`.

use lunarium_kernel::action;

use crate::bindings::lunarium::process::link::Host;
use crate::bindings::lunarium::process::types::Refusal;
use crate::convert;
use crate::store::StoreData;

impl Host for StoreData {
    fn link(&mut self, destination: String) -> Result<(), Refusal> {
        let destination = self.permitted(action::LINK, &destination)?;
        let caller = &self.process.label.pid;
        self.node.kernel(|kernel| kernel.link(caller, &destination)).map_err(convert::refusal)
    }

    fn unlink(&mut self, destination: String) -> Result<(), Refusal> {
        let destination = self.permitted_to_undo(action::UNLINK, &destination)?;
        let caller = &self.process.label.pid;
        self.node.kernel(|kernel| kernel.unlink(caller, &destination)).map_err(convert::refusal)
    }
}
