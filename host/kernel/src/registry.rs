//! Names of processes, one registry a tenant. Owns which process has which name. Refuses names of a pid's form, so
//! that a destination is always one or the other.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::text::{SHOWN, cut};
use crate::{ErrorKind, Kernel, Pid, Refusal, ResolveError, TenantId};

/// Longest name, in bytes.
const MAX_NAME: usize = 255;

/// A name for a process: 1 to 255 bytes, not of a pid's form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// Checks and keeps a name. Errors: too short, too long, or a pid's form.
    pub fn new(text: &str) -> Result<Self, NameError> {
        Self::check(text)?;
        Ok(Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn check(text: &str) -> Result<(), NameError> {
        if !(1..=MAX_NAME).contains(&text.len()) {
            return Err(NameError::Length { length: text.len() });
        }
        if Pid::looks_like_pid(text) {
            return Err(NameError::PidForm { text: text.to_owned() });
        }
        Ok(())
    }
}

// Sound because both order and compare as their text does.
impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// Why a text can't be a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty or too long.
    #[error("name of {length} bytes is not 1 to {MAX_NAME} bytes long")]
    Length {
        /// Its bytes.
        length: usize,
    },
    /// It reads as a pid.
    #[error("name `{text}` has the form of a pid")]
    PidForm {
        /// The name.
        text: String,
    },
}

impl Refusal for NameError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// Why a name can't be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// No name at all.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The process that should get it can't be found.
    #[error(transparent)]
    Process(#[from] ResolveError),
    /// Names are given to pids, not to names.
    #[error("`{text}` is not a pid")]
    NotAPid {
        /// The beginning of what was given.
        text: String,
    },
    /// Another process has it.
    #[error("name `{name}` is already held by {holder}")]
    Taken {
        /// Which name.
        name: Name,
        /// Who has it.
        holder: Pid,
    },
    /// At the limit of names.
    #[error("{pid} is at its limit of {limit} names")]
    NamesFull {
        /// Who should get it.
        pid: Pid,
        /// Its limit.
        limit: u32,
    },
}

impl Refusal for RegisterError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Name(refusal) => refusal.kind(),
            Self::Process(refusal) => refusal.kind(),
            Self::NotAPid { .. } => ErrorKind::Invalid,
            Self::Taken { .. } => ErrorKind::AlreadyExists,
            Self::NamesFull { .. } => ErrorKind::ResourceExhausted,
        }
    }
}

/// Why a name leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// No name at all.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The caller has ended.
    #[error("caller {caller} has ended")]
    CallerEnded {
        /// Who asked.
        caller: Pid,
    },
    /// Nobody in the caller's tenant has it.
    #[error("name `{name}` not found")]
    Unknown {
        /// Which name.
        name: String,
    },
}

impl Refusal for LookupError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Name(refusal) => refusal.kind(),
            Self::CallerEnded { .. } => ErrorKind::Canceled,
            Self::Unknown { .. } => ErrorKind::NotFound,
        }
    }
}

/// Why a name can't be taken away.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnregisterError {
    /// No name at all.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The caller has ended.
    #[error("caller {caller} has ended")]
    CallerEnded {
        /// Who asked.
        caller: Pid,
    },
    /// Another process has it.
    #[error("name `{name}` is held by {holder}")]
    Foreign {
        /// Which name.
        name: Name,
        /// Who has it.
        holder: Pid,
    },
}

impl Refusal for UnregisterError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Name(refusal) => refusal.kind(),
            Self::CallerEnded { .. } => ErrorKind::Canceled,
            Self::Foreign { .. } => ErrorKind::PermissionDenied,
        }
    }
}

/// Name to pid, by tenant. A tenant without names takes no room.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    tenants: BTreeMap<TenantId, BTreeMap<Name, Pid>>,
}

impl Registry {
    pub(crate) fn holder(&self, tenant: TenantId, name: &str) -> Option<&Pid> {
        self.tenants.get(&tenant)?.get(name)
    }

    pub(crate) fn insert(&mut self, tenant: TenantId, name: Name, pid: Pid) {
        self.tenants.entry(tenant).or_default().insert(name, pid);
    }

    pub(crate) fn remove(&mut self, tenant: TenantId, name: &str) {
        let Some(names) = self.tenants.get_mut(&tenant) else { return };
        names.remove(name);
        if names.is_empty() {
            self.tenants.remove(&tenant);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (TenantId, &Name, &Pid)> {
        let tenants = self.tenants.iter();
        tenants.flat_map(|(tenant, names)| names.iter().map(|(name, pid)| (*tenant, name, pid)))
    }

    pub(crate) fn tenants(&self) -> usize {
        self.tenants.len()
    }
}

impl Kernel {
    /// Gives a name to a process (a pid's text; none: the caller), in the caller's tenant. The same again is fine.
    ///
    /// Errors: `Invalid` (the name's form, or not a pid), `NotFound` (dead, unknown, another tenant's),
    /// `AlreadyExists` (another process has it), `ResourceExhausted` (the process's `names` limit).
    pub fn register(&mut self, caller: &Pid, name: &str, process: Option<&str>) -> Result<(), RegisterError> {
        let name = Name::new(name)?;
        let tenant = self.caller(caller)?.tenant();
        let pid = self.named(caller, process)?;
        match self.registry.holder(tenant, name.as_str()) {
            Some(holder) if *holder == pid => return Ok(()),
            Some(holder) => return Err(RegisterError::Taken { holder: holder.clone(), name }),
            None => {}
        }
        let Some(process) = self.processes.get_mut(&pid.number()) else { return Ok(()) };
        let limit = process.limits.names;
        if process.names.len() >= limit as usize {
            return Err(RegisterError::NamesFull { pid, limit });
        }
        process.names.insert(name.clone());
        self.registry.insert(tenant, name, pid);
        Ok(())
    }

    /// The process that [`Kernel::register`] would give a name to. Errors: `Invalid` (not a pid), `NotFound`.
    pub fn named(&self, caller: &Pid, process: Option<&str>) -> Result<Pid, RegisterError> {
        match process {
            None => Ok(caller.clone()),
            Some(text) if Pid::looks_like_pid(text) => Ok(self.resolve(Some(caller), text)?),
            Some(text) => Err(RegisterError::NotAPid { text: cut(text, SHOWN) }),
        }
    }

    /// Who has a name in the caller's tenant. Errors: `NotFound`, `Invalid` (the name's form).
    pub fn lookup(&self, caller: &Pid, name: &str) -> Result<Pid, LookupError> {
        Name::check(name)?;
        let Ok(process) = self.caller(caller) else {
            return Err(LookupError::CallerEnded { caller: caller.clone() });
        };
        let holder = self.registry.holder(process.tenant(), name);
        holder.cloned().ok_or_else(|| LookupError::Unknown { name: name.to_owned() })
    }

    /// Takes the caller's name away; false when nobody had it.
    /// Errors: `PermissionDenied` (another process has it), `Invalid` (the name's form).
    pub fn unregister(&mut self, caller: &Pid, name: &str) -> Result<bool, UnregisterError> {
        self.unregister_from(caller, caller, name)
    }

    /// Takes a name away from this holder and from nobody else; false when nobody had it. Who calls it has checked that
    /// the caller may. Errors: as for [`Kernel::unregister`].
    pub fn unregister_from(&mut self, caller: &Pid, holder: &Pid, name: &str) -> Result<bool, UnregisterError> {
        let name = Name::new(name)?;
        let Some(process) = self.process(caller) else {
            return Err(UnregisterError::CallerEnded { caller: caller.clone() });
        };
        let tenant = process.tenant();
        match self.registry.holder(tenant, name.as_str()) {
            None => Ok(false),
            Some(current) if current == holder => {
                if let Some(process) = self.processes.get_mut(&holder.number()) {
                    process.names.remove(&name);
                }
                self.registry.remove(tenant, name.as_str());
                Ok(true)
            }
            Some(current) => Err(UnregisterError::Foreign { holder: current.clone(), name }),
        }
    }
}

#[cfg(test)]
mod tests;
