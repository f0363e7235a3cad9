//! Limits as people write them, and which of several statements counts: `memory: 16MiB` of a host, then of an entry, then
//! `memory=8MiB` on a command line.
//!
//! Owns which notation a limit takes, the texts of the refusals, and every look at a single limit: the rest of the crate
//! hands limits on. The names, their units and what a limit does are the kernel's.

use lunarium_kernel::{LimitName, LimitUnit, LimitValueError, Limits, LimitsOverride};
use thiserror::Error;

use crate::notation::{DURATION_FORM, DurationError, SIZE_FORM, SizeError, hint, parse_duration, parse_size};

/// Why a limit can't be set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LimitError {
    /// Not of the form `NAME=VALUE`.
    #[error("`{0}` is not of the form NAME=VALUE")]
    NoAssignment(String),
    /// No limit has this name.
    #[error("unknown limit `{0}`")]
    Unknown(String),
    /// Not a size.
    #[error("limit `{name}`: {error}")]
    Size {
        /// Which limit.
        name: LimitName,
        /// What is wrong with the value.
        error: SizeError,
    },
    /// Not a duration.
    #[error("limit `{name}`: {error}")]
    Duration {
        /// Which limit.
        name: LimitName,
        /// What is wrong with the value.
        error: DurationError,
    },
    /// Not a count.
    #[error("limit `{name}`: `{value}` is not a whole number")]
    Count {
        /// Which limit.
        name: LimitName,
        /// What was written.
        value: String,
    },
    /// Nothing could run with it.
    #[error("limit `{0}` must be more than 0")]
    Zero(LimitName),
    /// Larger than the limit can be.
    #[error(transparent)]
    TooLarge(#[from] LimitValueError),
}

impl LimitError {
    /// What would be right.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoAssignment(_) => Some("write it like `memory=16MiB`".to_owned()),
            Self::Unknown(name) => hint(name, &LimitName::ALL.map(LimitName::as_str)),
            Self::Size { .. } => Some(SIZE_FORM.to_owned()),
            Self::Duration { .. } => Some(DURATION_FORM.to_owned()),
            Self::Count { .. } => Some("write it like `1000`".to_owned()),
            Self::Zero(_) | Self::TooLarge(_) => None,
        }
    }
}

/// Sets one limit from text of the form `NAME=VALUE`, such as `memory=16MiB`, `cpu=500ms` or `timers=100`.
///
/// Errors: another form, an unknown name, a value that isn't what the limit counts; nothing is changed then.
pub fn parse_limit(text: &str, limits: &mut LimitsOverride) -> Result<(), LimitError> {
    let (name, value) = text.split_once('=').ok_or_else(|| LimitError::NoAssignment(text.to_owned()))?;
    set(name.trim(), value.trim(), limits)
}

/// Sets the limit of this name from its value as text.
pub(crate) fn set(name: &str, value: &str, limits: &mut LimitsOverride) -> Result<(), LimitError> {
    let name = LimitName::parse(name).ok_or_else(|| LimitError::Unknown(name.to_owned()))?;
    let amount = match name.unit() {
        LimitUnit::Bytes => parse_size(value).map_err(|error| LimitError::Size { name, error })?,
        LimitUnit::Time => {
            let duration = parse_duration(value).map_err(|error| LimitError::Duration { name, error })?;
            u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
        }
        LimitUnit::Count => value.parse().map_err(|_| LimitError::Count { name, value: value.to_owned() })?,
    };
    // A count of 0 forbids the thing, which is a fine wish.
    if amount == 0 && (name == LimitName::Memory || name.unit() == LimitUnit::Time) {
        return Err(LimitError::Zero(name));
    }
    Ok(limits.set(name, amount)?)
}

/// Who states a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitSource {
    /// The process host, or the defaults when it states nothing.
    Host,
    /// The entry.
    Entry,
    /// Whoever asked for the process.
    Request,
}

/// The value that a limit has for a process, as [`LimitName::unit`] counts it, and whose it is: the request's, or the
/// lower one of host and entry, of equal ones the host's.
pub fn limit_in_force(
    name: LimitName,
    host: &Limits,
    entry: &LimitsOverride,
    request: &LimitsOverride,
) -> (u64, LimitSource) {
    match (request.get(name), entry.get(name), host.get(name)) {
        (Some(request), ..) => (request, LimitSource::Request),
        (None, Some(entry), host) if entry < host => (entry, LimitSource::Entry),
        (None, _, host) => (host, LimitSource::Host),
    }
}

/// A limit of which more is wished than any of the hosts has, so that the wish changes nothing.
pub(crate) fn idle_wish(wish: &LimitsOverride, hosts: &[Limits]) -> Option<LimitName> {
    let idle = |name: &LimitName| hosts.iter().all(|host| wish.above(host).any(|above| above == *name));
    LimitName::ALL.into_iter().filter(|name| wish.get(*name).is_some()).find(idle)
}
