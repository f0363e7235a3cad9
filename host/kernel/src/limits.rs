//! Limits: the most that a process or a node may hold. Owns defaults, names and the rule that a child may have less
//! and never more. Does not count: usage is kept where the things are.

use std::fmt;
use std::time::Duration;

use crate::{ErrorKind, MailboxLimits, Refusal};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// The limits of the whole node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeLimits {
    /// Processes alive at once. At the limit: `spawn` is refused, `ResourceExhausted`. 8,000 by default: each takes
    /// 7 memory mappings, and Linux allows 65,530 in one program.
    pub max_processes: u32,
}

impl Default for NodeLimits {
    fn default() -> Self {
        Self { max_processes: 8_000 }
    }
}

/// The limits that the kernel itself enforces for a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountLimits {
    /// Links, counted at both ends. At the limit: `link` and a linked spawn are refused, `ResourceExhausted`.
    pub links: u32,
    /// Monitors, counted for the watcher. At the limit: `monitor` and a monitored spawn are refused,
    /// `ResourceExhausted`.
    pub monitors: u32,
    /// Names held. At the limit: `register` is refused, `ResourceExhausted`.
    pub names: u32,
}

impl Default for CountLimits {
    fn default() -> Self {
        Limits::default().counts()
    }
}

/// All limits of one process, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the instance's memory. At the limit: a Lua error; uncaught, the process ends with
    /// `ResourceExhausted`. 16 MiB: a bare process takes about 1, and 8,000 full ones are what a large machine has.
    pub memory: u64,
    /// CPU time without waiting. At the limit: the process is ended, `ResourceExhausted`. 10 s: longer than any step
    /// of a well-behaved script, short enough that a runaway costs little.
    pub cpu: Duration,
    /// Messages not yet received. At the limit: `send` is refused, `RateLimited` and retryable; nothing is queued.
    /// 10,000: a burst of a second at a rate that one process keeps up with.
    pub mailbox_messages: u32,
    /// Bytes not yet received, payloads and topics. At the limit: as for `mailbox_messages`. 4 MiB: a quarter of the
    /// memory of the process that will have to hold them.
    pub mailbox_bytes: u64,
    /// Bytes of one message's payload. At the limit: `send` is refused, `Invalid`. 1 MiB: whatever is larger belongs
    /// into a file or into several messages.
    pub message: u32,
    /// Links, counted at both ends. At the limit: `ResourceExhausted`. 10,000: more than the node has processes, so
    /// that a supervisor of all is possible.
    pub links: u32,
    /// Monitors, counted for the watcher. At the limit: `ResourceExhausted`. 10,000, for the same reason.
    pub monitors: u32,
    /// Timers under way, kept by the guest. At the limit: `ResourceExhausted`. 10,000: about 1 MiB of the process's
    /// memory.
    pub timers: u32,
    /// Unfinished `coroutine.spawn`s, kept by the guest. At the limit: raises `ResourceExhausted`. 10,000: about 10 MiB
    /// of the process's memory.
    pub coroutines: u32,
    /// Names held. At the limit: `ResourceExhausted`. 1,024: names are for services, not for data.
    pub names: u32,
    /// Topics listened on, kept by the guest. At the limit: `ResourceExhausted`. 1,024, for the same reason.
    pub listeners: u32,
    /// Log lines in a second. At the limit: dropped and counted. 1,000: more than anybody reads.
    pub log_lines: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 16 * MIB,
            cpu: Duration::from_secs(10),
            mailbox_messages: 10_000,
            mailbox_bytes: 4 * MIB,
            message: 1024 * 1024,
            links: 10_000,
            monitors: 10_000,
            timers: 10_000,
            coroutines: 10_000,
            names: 1_024,
            listeners: 1_024,
            log_lines: 1_000,
        }
    }
}

impl Limits {
    /// These limits, lowered where less is wished. A wish for more is no error and changes nothing.
    pub fn narrow(self, wish: &LimitsOverride) -> Self {
        fn least<T: Ord>(own: T, wish: Option<T>) -> T {
            match wish {
                Some(wish) => own.min(wish),
                None => own,
            }
        }
        Self {
            memory: least(self.memory, wish.memory),
            cpu: least(self.cpu, wish.cpu),
            mailbox_messages: least(self.mailbox_messages, wish.mailbox_messages),
            mailbox_bytes: least(self.mailbox_bytes, wish.mailbox_bytes),
            message: least(self.message, wish.message),
            links: least(self.links, wish.links),
            monitors: least(self.monitors, wish.monitors),
            timers: least(self.timers, wish.timers),
            coroutines: least(self.coroutines, wish.coroutines),
            names: least(self.names, wish.names),
            listeners: least(self.listeners, wish.listeners),
            log_lines: least(self.log_lines, wish.log_lines),
        }
    }

    /// The part that the kernel enforces.
    pub fn counts(&self) -> CountLimits {
        CountLimits { links: self.links, monitors: self.monitors, names: self.names }
    }

    /// The part that the process's mailbox enforces.
    pub fn mailbox(&self) -> MailboxLimits {
        MailboxLimits { messages: self.mailbox_messages, bytes: self.mailbox_bytes, message: self.message }
    }

    /// Bytes of its mailbox that the guest may hold unread before messages are held back on the host, so that a flood
    /// can't exhaust the memory of its victim: a quarter of its memory. An unread payload stays encoded, and with the
    /// default limits 10,000 small messages fit.
    pub fn mailbox_credit(&self) -> u64 {
        self.memory / 4
    }
}

/// Wishes for limits, as an entry, a process host or the command line states them; none: no wish.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the field of `Limits` with its name")]
pub struct LimitsOverride {
    pub memory: Option<u64>,
    pub cpu: Option<Duration>,
    pub mailbox_messages: Option<u32>,
    pub mailbox_bytes: Option<u64>,
    pub message: Option<u32>,
    pub links: Option<u32>,
    pub monitors: Option<u32>,
    pub timers: Option<u32>,
    pub coroutines: Option<u32>,
    pub names: Option<u32>,
    pub listeners: Option<u32>,
    pub log_lines: Option<u32>,
}

impl LimitsOverride {
    /// States one wish: bytes, nanoseconds or a count, as the name's [`LimitName::unit`] says.
    /// Errors: a value that is too large for its limit; nothing is changed then.
    pub fn set(&mut self, name: LimitName, value: u64) -> Result<(), LimitValueError> {
        let slot = match name {
            LimitName::Memory => return assign(&mut self.memory, value),
            LimitName::MailboxBytes => return assign(&mut self.mailbox_bytes, value),
            LimitName::Cpu => return assign(&mut self.cpu, Duration::from_nanos(value)),
            LimitName::MailboxMessages => &mut self.mailbox_messages,
            LimitName::Message => &mut self.message,
            LimitName::Links => &mut self.links,
            LimitName::Monitors => &mut self.monitors,
            LimitName::Timers => &mut self.timers,
            LimitName::Coroutines => &mut self.coroutines,
            LimitName::Names => &mut self.names,
            LimitName::Listeners => &mut self.listeners,
            LimitName::LogLines => &mut self.log_lines,
        };
        let value = u32::try_from(value).map_err(|_| LimitValueError { name, value, most: u32::MAX })?;
        assign(slot, value)
    }
}

fn assign<T>(slot: &mut Option<T>, value: T) -> Result<(), LimitValueError> {
    *slot = Some(value);
    Ok(())
}

/// A wish that doesn't fit its limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("limit `{name}` of {value} is above the most that can be set, {most}")]
pub struct LimitValueError {
    name: LimitName,
    value: u64,
    most: u32,
}

impl Refusal for LimitValueError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// What the value of a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitUnit {
    /// Bytes.
    Bytes,
    /// Nanoseconds.
    Time,
    /// Things.
    Count,
}

/// The name of a limit, as settings and `details().limit` spell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the field of `Limits` with its name")]
pub enum LimitName {
    Memory,
    Cpu,
    MailboxMessages,
    MailboxBytes,
    Message,
    Links,
    Monitors,
    Timers,
    Coroutines,
    Names,
    Listeners,
    LogLines,
}

impl LimitName {
    /// Every name, in the order of the documentation.
    pub const ALL: [Self; 12] = [
        Self::Memory,
        Self::Cpu,
        Self::MailboxMessages,
        Self::MailboxBytes,
        Self::Message,
        Self::Links,
        Self::Monitors,
        Self::Timers,
        Self::Coroutines,
        Self::Names,
        Self::Listeners,
        Self::LogLines,
    ];

    /// The name as written in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::MailboxMessages => "mailbox_messages",
            Self::MailboxBytes => "mailbox_bytes",
            Self::Message => "message",
            Self::Links => "links",
            Self::Monitors => "monitors",
            Self::Timers => "timers",
            Self::Coroutines => "coroutines",
            Self::Names => "names",
            Self::Listeners => "listeners",
            Self::LogLines => "log_lines",
        }
    }

    /// The limit with this name, or none.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == text)
    }

    /// What its value counts.
    pub const fn unit(self) -> LimitUnit {
        match self {
            Self::Memory | Self::MailboxBytes | Self::Message => LimitUnit::Bytes,
            Self::Cpu => LimitUnit::Time,
            _ => LimitUnit::Count,
        }
    }
}

impl fmt::Display for LimitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{LimitName, Limits, LimitsOverride};
    use std::time::Duration;

    #[test]
    fn a_child_may_have_less_and_never_more() {
        for name in LimitName::ALL {
            let mut none = LimitsOverride::default();
            none.set(name, 0).unwrap();
            let narrowed = Limits::default().narrow(&none);
            assert_ne!(narrowed, Limits::default(), "{name} can be lowered");
            let mut more = LimitsOverride::default();
            more.set(name, u64::from(u32::MAX)).unwrap();
            if name != LimitName::Cpu {
                assert_eq!(Limits::default().narrow(&more), Limits::default(), "{name} can't be raised");
            }
            assert_eq!(narrowed.clone().narrow(&more), narrowed, "{name} stays lowered");
        }
    }

    #[test]
    fn cpu_is_wished_in_nanoseconds() {
        let mut wish = LimitsOverride::default();
        wish.set(LimitName::Cpu, 1_500_000_000).unwrap();
        assert_eq!(Limits::default().narrow(&wish).cpu, Duration::from_millis(1500));
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused_and_changes_nothing() {
        let mut wish = LimitsOverride::default();
        let refusal = wish.set(LimitName::Links, 1 << 32).unwrap_err();
        assert_eq!(refusal.to_string(), "limit `links` of 4294967296 is above the most that can be set, 4294967295");
        assert_eq!(wish, LimitsOverride::default());
    }

    #[test]
    fn every_name_is_read_back() {
        for name in LimitName::ALL {
            assert_eq!(LimitName::parse(name.as_str()), Some(name));
        }
        assert_eq!(LimitName::parse("Memory"), None);
    }
}
