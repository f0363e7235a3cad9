//! `security.…`: what a process learns of its own actor, scope and permissions. And the checks that every host function
//! makes before it acts: [`StoreData::authorize`] and what is built on it.

use std::borrow::Cow;

use lunarium_kernel::{EntryId, ErrorKind, ResolveError};

use crate::bindings::lunarium::process::security::{Actor, Host};
use crate::bindings::lunarium::process::types::Refusal;
use crate::convert;
use crate::security::read_table;
use crate::store::StoreData;

/// Bytes of an action or a resource that a script asks about: room for a long path.
const MAX_TEXT: usize = 4 << 10;

/// Bytes of a pid that is gone which policies see: more than any pid has.
const MAX_PID: usize = 512;

impl StoreData {
    /// Whether anything has to be asked. Most processes have neither actor nor scope: they pay for this one look.
    pub(crate) fn is_restricted(&self) -> bool {
        !self.process.security.allows_everything()
    }

    /// Whether the caller may do this. Resources that a script chooses must have a bound before they come here.
    /// Errors: `permission-denied`.
    pub(crate) fn authorize(&self, action: &str, resource: &str) -> Result<(), Refusal> {
        self.process.security.authorize(action, resource, &self.process.label.pid, None).map_err(convert::refusal)
    }

    /// The process that a destination stands for, once the caller may do this to it. What is returned is a pid's text,
    /// so that nobody else can get the name between the check and the act; policies are asked outside of the kernel's
    /// lock. Without restrictions it is the destination as it came.
    pub(crate) fn permitted<'d>(&self, action: &str, destination: &'d str) -> Result<Cow<'d, str>, Refusal> {
        if !self.is_restricted() {
            return Ok(Cow::Borrowed(destination));
        }
        let pid = self.resolve(destination).map_err(convert::refusal)?;
        self.authorize(action, pid.as_str())?;
        Ok(Cow::Owned(pid.as_str().to_owned()))
    }

    /// The same for what undoes something: a pid that is gone is no mistake, and the permission is for its text.
    pub(crate) fn permitted_to_undo<'d>(&self, action: &str, destination: &'d str) -> Result<Cow<'d, str>, Refusal> {
        if !self.is_restricted() {
            return Ok(Cow::Borrowed(destination));
        }
        let pid = match self.resolve(destination) {
            Ok(pid) => Cow::Owned(pid.as_str().to_owned()),
            Err(ResolveError::UnknownPid { .. }) => Cow::Borrowed(destination),
            Err(refusal) => return Err(convert::refusal(refusal)),
        };
        let resource = pid.get(..pid.floor_char_boundary(MAX_PID)).unwrap_or_default();
        self.authorize(action, resource)?;
        Ok(pid)
    }

    fn resolve(&self, destination: &str) -> Result<lunarium_kernel::Pid, ResolveError> {
        let caller = &self.process.label.pid;
        self.node.kernel(|kernel| kernel.resolve(Some(caller), destination))
    }
}

impl Host for StoreData {
    fn own_actor(&mut self) -> Option<Actor> {
        let actor = self.process.security.actor()?;
        Some(Actor { id: actor.id().to_owned(), meta: actor.payload().map(|payload| payload.to_vec()) })
    }

    fn own_scope(&mut self) -> Option<Vec<String>> {
        let policies = self.process.security.scope()?;
        Some(policies.iter().map(|policy| policy.id.to_string()).collect())
    }

    fn can(&mut self, action: String, resource: String, attributes: Option<Vec<u8>>) -> Result<bool, Refusal> {
        bounded(&action, &resource)?;
        let attributes = attributes.map(|payload| read_table(&payload, "attributes")).transpose();
        let attributes = attributes.map_err(convert::refusal)?;
        let process = &self.process;
        Ok(process.security.authorize(&action, &resource, &process.label.pid, attributes.as_ref()).is_ok())
    }

    fn authorize(&mut self, action: String, resource: String) -> Result<(), Refusal> {
        bounded(&action, &resource)?;
        StoreData::authorize(self, &action, &resource)
    }

    fn policy(&mut self, id: String) -> Result<(), Refusal> {
        self.node.policies().contains(&EntryId::new(id)).map_err(convert::refusal)
    }

    fn group(&mut self, name: String) -> Result<Vec<String>, Refusal> {
        let ids = self.node.policies().group(&EntryId::new(name)).map_err(convert::refusal)?;
        Ok(ids.iter().map(ToString::to_string).collect())
    }
}

fn bounded(action: &str, resource: &str) -> Result<(), Refusal> {
    for (what, text) in [("action", action), ("resource", resource)] {
        if text.len() > MAX_TEXT {
            return Err(Refusal {
                kind: convert::kind_to_wit(ErrorKind::Invalid),
                message: format!("{what} of {} bytes exceeds the limit of {MAX_TEXT}", text.len()),
                retryable: false,
            });
        }
    }
    Ok(())
}
