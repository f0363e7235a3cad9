//! Limits as people write them: `memory: 16MiB` in a file, `cpu=500ms` on a command line.
//!
//! Owns which notation a limit takes and the texts of the refusals. The names, their units and what a limit does are
//! the kernel's.

use std::time::Duration;

use lunarium_kernel::{LimitName, LimitUnit, LimitValueError, Limits, LimitsOverride};
use thiserror::Error;

use crate::fields::{self, DURATION_FORM};
use crate::quantity::{DurationError, SizeError, parse_duration, parse_size};
use crate::report::Findings;
use crate::suggest;
use crate::yaml::{Node, Shape};

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
            Self::Unknown(name) => suggest::hint(name, &LimitName::ALL.map(LimitName::as_str)),
            Self::Size { .. } => Some("write it like `16MiB`, `500kB` or `4096` (bytes)".to_owned()),
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

fn set(name: &str, value: &str, limits: &mut LimitsOverride) -> Result<(), LimitError> {
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
    if amount == 0 && matches!(name, LimitName::Memory | LimitName::Cpu) {
        return Err(LimitError::Zero(name));
    }
    Ok(limits.set(name, amount)?)
}

/// Reads a `limits:` table.
pub(crate) fn read(node: &Node, findings: &mut Findings<'_>) -> LimitsOverride {
    let mut limits = LimitsOverride::default();
    for (name, value) in fields::table(node, "`limits`", findings) {
        let text = match &value.shape {
            Shape::Text(text) => text.clone(),
            Shape::Integer(number) => number.to_string(),
            Shape::Float(number) => number.to_string(),
            shape => {
                let message =
                    format!("limit `{}` must be a size, a duration or a count, not {}", name.value, shape.noun());
                findings.mistake(&value.span, message);
                continue;
            }
        };
        if let Err(error) = set(&name.value, &text, &mut limits) {
            let span = if matches!(error, LimitError::Unknown(_)) { &name.span } else { &value.span };
            findings.hinted(span, error.to_string(), error.hint());
        }
    }
    limits
}

/// A host's limits: the defaults with what the host states. A host may state more than the defaults, since they are
/// what a host has that says nothing; what its processes wish is then only ever less.
pub(crate) fn of_host(stated: &LimitsOverride) -> Limits {
    fn or<T: Copy>(stated: Option<T>, default: T) -> T {
        stated.unwrap_or(default)
    }
    let Limits { memory, cpu, mailbox_messages, mailbox_bytes, message, links, monitors, .. } = Limits::default();
    let Limits { timers, coroutines, names, listeners, log_lines, .. } = Limits::default();
    Limits {
        memory: or(stated.memory, memory),
        cpu: or::<Duration>(stated.cpu, cpu),
        mailbox_messages: or(stated.mailbox_messages, mailbox_messages),
        mailbox_bytes: or(stated.mailbox_bytes, mailbox_bytes),
        message: or(stated.message, message),
        links: or(stated.links, links),
        monitors: or(stated.monitors, monitors),
        timers: or(stated.timers, timers),
        coroutines: or(stated.coroutines, coroutines),
        names: or(stated.names, names),
        listeners: or(stated.listeners, listeners),
        log_lines: or(stated.log_lines, log_lines),
    }
}
