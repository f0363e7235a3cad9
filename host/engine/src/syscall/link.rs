//! `link.link` and `link.unlink`.

use crate::bindings::lunarium::process::link::Host;
use crate::bindings::lunarium::process::types::Refusal;
use crate::convert;
use crate::store::StoreData;

impl Host for StoreData {
    fn link(&mut self, destination: String) -> Result<(), Refusal> {
        let caller = &self.process.pid;
        self.node.kernel(|kernel| kernel.link(caller, &destination)).map_err(convert::refusal)
    }

    fn unlink(&mut self, destination: String) -> Result<(), Refusal> {
        let caller = &self.process.pid;
        self.node.kernel(|kernel| kernel.unlink(caller, &destination)).map_err(convert::refusal)
    }
}
