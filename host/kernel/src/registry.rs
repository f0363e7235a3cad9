//! Names of processes. Owns which process has which name, and that every change of it is told. Refuses names of a pid's
//! form, so that a destination is always one or the other.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use lunarium_contract::{form, length};

use crate::text::{SHOWN, cut};
use crate::{Effect, ErrorKind, Kernel, LimitName, Pid, Refusal, ResolveError};

/// Bytes that a name counts as beside its text: its entries in the registry, in the set of its holder and in the engine's
/// table, and its allocation.
pub const NAME_COST: u64 = 192;

/// A name for a process: 1 to 255 bytes, not of a pid's form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// Checks and keeps a name. Errors: too short, too long, or a pid's form.
    pub fn new(text: &str) -> Result<Self, NameError> {
        form::check_name(text).map_err(|fault| NameError::new(text, fault))?;
        Ok(Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it counts as for its holder.
    pub fn bytes(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX).saturating_add(NAME_COST)
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
    #[error("name of {length} bytes is not 1 to {} bytes long", length::NAME)]
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

impl NameError {
    /// The refusal for a text with this fault.
    pub(crate) fn new(text: &str, fault: form::NameFault) -> Self {
        match fault {
            form::NameFault::Length => Self::Length { length: text.len() },
            form::NameFault::PidForm => Self::PidForm { text: text.to_owned() },
        }
    }
}

impl Refusal for NameError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// Why a name can't be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The caller has ended, or the process that should get it can't be found.
    #[error(transparent)]
    Process(#[from] ResolveError),
    /// Names are given to pids, not to names: whoever reads what a script gave finds out, by
    /// [`RegisterError::not_a_pid`].
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

impl RegisterError {
    /// The refusal for a text that isn't a pid's.
    pub fn not_a_pid(text: &str) -> Self {
        Self::NotAPid { text: cut(text, SHOWN) }
    }
}

impl Refusal for RegisterError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Process(refusal) => refusal.kind(),
            Self::NotAPid { .. } => ErrorKind::Invalid,
            Self::Taken { .. } => ErrorKind::AlreadyExists,
            Self::NamesFull { .. } => ErrorKind::ResourceExhausted,
        }
    }

    fn limit(&self) -> Option<&'static str> {
        matches!(self, Self::NamesFull { .. }).then(|| LimitName::Names.as_str())
    }
}

/// Why a name can't be taken away.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnregisterError {
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
            Self::CallerEnded { .. } => ErrorKind::Canceled,
            Self::Foreign { .. } => ErrorKind::PermissionDenied,
        }
    }
}

impl Kernel {
    /// Gives a name to a process. The same again is fine.
    ///
    /// Errors: `Canceled` (the caller has ended), `NotFound` (dead, or unknown), `AlreadyExists` (another process has
    /// it), `ResourceExhausted` (the process's `names` limit).
    pub fn register(&mut self, caller: &Pid, name: Name, to: &Pid) -> Result<(), RegisterError> {
        self.check_caller(Some(caller))?;
        let process = self.living(to)?;
        match self.names.get(&name) {
            Some(holder) if holder == to => return Ok(()),
            Some(holder) => return Err(RegisterError::Taken { holder: holder.clone(), name }),
            None => {}
        }
        let limit = process.limits.names;
        if process.names.len() >= limit as usize {
            return Err(RegisterError::NamesFull { pid: to.clone(), limit });
        }
        if let Some(process) = self.living_mut(to) {
            process.names.insert(name.clone());
        }
        self.give_name(name, to.clone());
        Ok(())
    }

    /// Who has a name. Whoever asks for a script resolves a [`Destination`](crate::Destination) instead.
    pub fn holder(&self, name: &str) -> Option<&Pid> {
        self.names.get(name)
    }

    /// Takes the caller's name away; false when nobody had it.
    /// Errors: `Canceled` (the caller has ended), `PermissionDenied` (another process has it).
    pub fn unregister(&mut self, caller: &Pid, name: &Name) -> Result<bool, UnregisterError> {
        self.unregister_from(caller, caller, name)
    }

    /// Takes a name away from this holder and from nobody else; false when nobody had it. Who calls it has checked that
    /// the caller may. Errors: as for [`Kernel::unregister`].
    pub fn unregister_from(&mut self, caller: &Pid, holder: &Pid, name: &Name) -> Result<bool, UnregisterError> {
        if !self.is_alive(caller) {
            return Err(UnregisterError::CallerEnded { caller: caller.clone() });
        }
        match self.names.get(name) {
            None => Ok(false),
            Some(current) if current == holder => {
                if let Some(process) = self.processes.get_mut(&holder.number()) {
                    process.names.remove(name);
                }
                self.take_name(name.clone());
                Ok(true)
            }
            Some(current) => Err(UnregisterError::Foreign { holder: current.clone(), name: name.clone() }),
        }
    }

    /// Writes a free name down, and tells it. The process knows of it already.
    pub(crate) fn give_name(&mut self, name: Name, pid: Pid) {
        self.names.insert(name.clone(), pid.clone());
        self.effects.push_back(Effect::Named { name, pid });
    }

    /// Frees a name that is held, and tells it. The process doesn't know of it any more, or is gone.
    pub(crate) fn take_name(&mut self, name: Name) {
        self.names.remove(&name);
        self.effects.push_back(Effect::Unnamed { name });
    }
}

#[cfg(test)]
mod tests;
