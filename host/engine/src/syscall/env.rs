//! `env.get`.

use lunarium_kernel::{ErrorKind, action};

use crate::bindings::lunarium::process::env::Host;
use crate::bindings::lunarium::process::types::Refusal;
use crate::convert;
use crate::store::StoreData;

/// Not set and not granted are told apart by nothing.
#[derive(Debug, thiserror::Error)]
#[error("variable `{0}` not found")]
struct Absent(String);

impl lunarium_kernel::Refusal for Absent {
    fn kind(&self) -> ErrorKind {
        ErrorKind::NotFound
    }
}

impl Host for StoreData {
    fn get(&mut self, name: String) -> Result<String, Refusal> {
        let grants = &self.incarnation.grants;
        // What isn't granted looks absent, whatever a policy says of it; and a granted name is as long as a name may be.
        if grants.env.contains_key(&name) {
            self.authorize(action::ENV_GET, &name)?;
        }
        let value = grants.variable(&name).map(str::to_owned);
        value.ok_or_else(|| convert::refusal(Absent(convert::cut(name, convert::SHOWN))))
    }
}
