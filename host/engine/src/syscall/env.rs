//! `env.get` and `env.all`.

use lunarium_kernel::{ErrorKind, SHOWN, action, cut};

use crate::node::Caller;
use crate::wasm::CallError;
use crate::wasm::imports::env::Host;

/// Not set and not granted are told apart by nothing.
#[derive(Debug, thiserror::Error)]
#[error("variable `{0}` not found")]
struct Absent(String);

impl lunarium_kernel::Refusal for Absent {
    fn kind(&self) -> ErrorKind {
        ErrorKind::NotFound
    }
}

impl Host for Caller {
    fn get(&mut self, name: String) -> Result<String, CallError> {
        let who = self.living()?;
        let grants = &who.incarnation.program.grants;
        // What isn't granted looks absent, whatever a policy says of it; and a granted name is as long as a name may be.
        if grants.env.contains_key(&name) {
            who.authorize(action::ENV_GET, &name)?;
        }
        let value = grants.variable(&name).map(str::to_owned);
        Ok(value.ok_or_else(|| Absent(cut(&name, SHOWN)))?)
    }

    fn all(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        let who = self.living()?;
        let grants = &who.incarnation.program.grants;
        let allowed = grants.env.keys().filter(|name| who.authorize(action::ENV_GET, name).is_ok());
        Ok(allowed.filter_map(|name| Some((name.to_string(), grants.variable(name)?.to_owned()))).collect())
    }
}
