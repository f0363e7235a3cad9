//! Limits: the most that a process or a node may hold. Owns their names, defaults and meaning, in one table, and the rule
//! that an entry may have less than its host and never more. Does not count: usage is kept where the things are.

use std::fmt;
use std::time::Duration;

use crate::{CallLimits, ErrorKind, MailboxLimits, Refusal};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// A time that nobody reaches, the longest that can be written: 292 years.
const UNLIMITED: Duration = Duration::from_nanos(i64::MAX.cast_unsigned());

/// The limits of the whole node. `details().limit` spells them `node.` and what they count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeLimits {
    /// Processes alive at once. At the limit: `spawn` is refused, `ResourceExhausted`. 8,000 by default: each takes
    /// 7 memory mappings, and Linux allows 65,530 in one program.
    pub max_processes: u32,
    /// Links between all of them, each counted once, until its failure is told. At the limit: `link` and a linked spawn are
    /// refused, `ResourceExhausted`. A million by default: a link takes 42 bytes (measured, in a mesh), so that is 42 MB, and
    /// 8,000 processes may have 250 each; a mesh of 4,500, with ten million and 420 MB, is nobody's application.
    pub max_links: u32,
    /// Monitors, as for links, at the same cost.
    pub max_monitors: u32,
}

impl NodeLimits {
    /// The name of the limit `max_processes`.
    pub const PROCESSES: &str = "node.processes";
    /// The name of the budget of bytes that all processes may log in a second.
    pub const LOG_BYTES: &str = "node.log_bytes";
    /// The name of the limit `max_links`.
    pub const LINKS: &str = "node.links";
    /// The name of the limit `max_monitors`.
    pub const MONITORS: &str = "node.monitors";
}

impl Default for NodeLimits {
    fn default() -> Self {
        Self { max_processes: 8_000, max_links: 1_000_000, max_monitors: 1_000_000 }
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
    /// Groups that it is in, and those of which it waits for a change. At the limit: `join` and `monitor` of groups are refused,
    /// `ResourceExhausted`.
    pub groups: u32,
}

impl Default for CountLimits {
    fn default() -> Self {
        Limits::default().counts()
    }
}

/// A type in which a limit is counted. Its values and numbers of the limit's unit become each other.
trait Amount: Copy + Ord {
    /// The largest number that can be set.
    const MOST: u64;
    /// At most [`Amount::MOST`].
    fn from_number(number: u64) -> Self;
    fn to_number(self) -> u64;
}

impl Amount for u32 {
    const MOST: u64 = Self::MAX as u64;
    fn from_number(number: u64) -> Self {
        Self::try_from(number).unwrap_or(Self::MAX)
    }
    fn to_number(self) -> u64 {
        self.into()
    }
}

impl Amount for u64 {
    const MOST: u64 = Self::MAX;
    fn from_number(number: u64) -> Self {
        number
    }
    fn to_number(self) -> u64 {
        self
    }
}

/// In nanoseconds.
impl Amount for Duration {
    const MOST: u64 = u64::MAX;
    fn from_number(number: u64) -> Self {
        Self::from_nanos(number)
    }
    fn to_number(self) -> u64 {
        u64::try_from(self.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Makes everything that has a part for each limit from one table: documentation, field, type, name, unit, default.
macro_rules! limits {
    ($($(#[$doc:meta])+ $field:ident: $type:ty, $name:ident in $unit:ident = $default:expr;)+) => {
        /// All limits of one process, resolved.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits {
            $($(#[$doc])+ pub $field: $type,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        /// Wishes for limits, as an entry, a process host or the command line states them; none: no wish.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each field is the field of `Limits` with its name")]
        pub struct LimitsOverride {
            $(pub $field: Option<$type>,)+
        }

        /// The name of a limit, as settings and `details().limit` spell it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each is the field of `Limits` with its name")]
        pub enum LimitName {
            $($name,)+
        }

        impl Limits {
            /// These limits, lowered where less is wished. A wish for more is no error and changes nothing.
            pub fn narrow(self, wish: &LimitsOverride) -> Self {
                Self { $($field: wish.$field.map_or(self.$field, |wish| wish.min(self.$field)),)+ }
            }

            /// These limits, but for what is stated, be it more or less.
            pub fn replaced(self, stated: &LimitsOverride) -> Self {
                Self { $($field: stated.$field.unwrap_or(self.$field),)+ }
            }

            /// The defaults, but for what is stated: what a process host has that states this. What its processes wish is
            /// then only ever less.
            pub fn stated(stated: &LimitsOverride) -> Self {
                Self::default().replaced(stated)
            }

            /// A limit by its name: bytes, nanoseconds or a count, as [`LimitName::unit`] says.
            pub fn get(&self, name: LimitName) -> u64 {
                match name {
                    $(LimitName::$name => self.$field.to_number(),)+
                }
            }
        }

        impl LimitsOverride {
            /// States one wish: bytes, nanoseconds or a count, as the name's [`LimitName::unit`] says.
            /// Errors: a value that is too large for its limit; nothing is changed then.
            pub fn set(&mut self, name: LimitName, value: u64) -> Result<(), LimitValueError> {
                match name {
                    $(LimitName::$name => self.$field = Some(amount(name, value)?),)+
                }
                Ok(())
            }

            /// A wish by its name, in the unit of [`LimitsOverride::set`]; none: no wish.
            pub fn get(&self, name: LimitName) -> Option<u64> {
                match name {
                    $(LimitName::$name => self.$field.map(Amount::to_number),)+
                }
            }
        }

        impl LimitName {
            /// Every name, in the order of the documentation.
            pub const ALL: [Self; [$(Self::$name),+].len()] = [$(Self::$name),+];

            /// The name as written in settings.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($field),)+
                }
            }

            /// What its value counts.
            pub const fn unit(self) -> LimitUnit {
                match self {
                    $(Self::$name => LimitUnit::$unit,)+
                }
            }
        }
    };
}

limits! {
    /// Bytes of the instance's memory. At the limit: a Lua error; uncaught, the process ends with
    /// `ResourceExhausted`. 16 MiB: a bare process takes about 1, and 8,000 full ones are what a large machine has.
    memory: u64, Memory in Bytes = 16 * MIB;
    /// CPU time without waiting. At the limit: the process is ended, `ResourceExhausted`. 10 s: longer than any step
    /// of a well-behaved script, short enough that a runaway costs little.
    cpu: Duration, Cpu in Time = Duration::from_secs(10);
    /// CPU time of the whole life, over all waits and incarnations. At the limit: the process is ended, `ResourceExhausted`.
    /// Unlimited: a service runs for as long as it is wanted.
    cpu_total: Duration, CpuTotal in Time = UNLIMITED;
    /// Time since the process was started, over all incarnations, whatever it does. At the limit: it is ended,
    /// `ResourceExhausted`, without being asked before. Unlimited, for the same reason.
    lifetime: Duration, Lifetime in Time = UNLIMITED;
    /// Messages not yet received. At the limit: `send` is refused, `RateLimited` and retryable; nothing is queued. One
    /// sender has a half at most. What nobody listens for has an eighth more, to itself, once the process has waited.
    /// 10,000: a burst of a second at a rate that one process keeps up with.
    mailbox_messages: u32, MailboxMessages in Count = 10_000;
    /// Bytes not yet received, payloads and topics. At the limit: as for `mailbox_messages`. 4 MiB: a quarter of the
    /// memory of the process that will have to hold them.
    mailbox_bytes: u64, MailboxBytes in Bytes = 4 * MIB;
    /// Bytes of one message's payload. At the limit: `send` is refused, `Invalid`. 1 MiB: whatever is larger belongs
    /// into a file or into several messages.
    message: u32, Message in Bytes = 1024 * 1024;
    /// Links, counted at both ends. At the limit: `ResourceExhausted`. 10,000: more than the node has processes, so
    /// that a supervisor of all is possible.
    links: u32, Links in Count = 10_000;
    /// Monitors, counted for the watcher. At the limit: `ResourceExhausted`. 10,000, for the same reason.
    monitors: u32, Monitors in Count = 10_000;
    /// Timers under way, kept by the guest. At the limit: `ResourceExhausted`. 10,000: about 1 MiB of the process's
    /// memory.
    timers: u32, Timers in Count = 10_000;
    /// Unfinished `coroutine.spawn`s, kept by the guest. At the limit: raises `ResourceExhausted`. 10,000: about 10 MiB
    /// of the process's memory.
    coroutines: u32, Coroutines in Count = 10_000;
    /// Names held. At the limit: `ResourceExhausted`. 1,024: names are for services, not for data.
    names: u32, Names in Count = 1_024;
    /// Groups that it is in or watches. At the limit: `ResourceExhausted`. 64: its end tells everybody who watches one of them, in one
    /// go.
    groups: u32, Groups in Count = 64;
    /// Topics listened on, kept by the guest. At the limit: `ResourceExhausted`. 1,024, for the same reason.
    listeners: u32, Listeners in Count = 1_024;
    /// Calls of the embedder's functions under way, until their results are handed over; those that answer at once aren't
    /// counted. At the limit: the call is refused, `ResourceExhausted` and retryable. 100: more than a script waits for at
    /// once, few beside what a database or a server takes.
    module_calls: u32, ModuleCalls in Count = 100;
    /// Bytes of the arguments of these calls, and of their results until they are handed over. At the limit: the call is
    /// refused, `ResourceExhausted` and retryable; a result that doesn't fit is an error of that kind instead. 4 MiB: as for
    /// a mailbox.
    module_bytes: u64, ModuleBytes in Bytes = 4 * MIB;
    /// Log lines in a second. At the limit: dropped and counted. 1,000: more than anybody reads.
    log_lines: u32, LogLines in Count = 1_000;
}

impl Limits {
    /// What a process has: its host's limits, lowered by its entry; whoever starts it from outside of the node replaces
    /// either, be it by more or less. What all processes hold together ends at the budgets anyway.
    pub fn resolve(host: &Self, entry: &LimitsOverride, wish: Option<&LimitsOverride>) -> Self {
        let limits = host.clone().narrow(entry);
        match wish {
            Some(wish) => limits.replaced(wish),
            None => limits,
        }
    }

    /// The part that the kernel enforces.
    pub fn counts(&self) -> CountLimits {
        CountLimits { links: self.links, monitors: self.monitors, names: self.names, groups: self.groups }
    }

    /// How long it may live; none: for ever.
    pub fn lifetime(&self) -> Option<Duration> {
        Some(self.lifetime).filter(|lifetime| *lifetime < UNLIMITED)
    }

    /// The part that the process's mailbox enforces.
    pub fn mailbox(&self) -> MailboxLimits {
        MailboxLimits {
            messages: self.mailbox_messages,
            bytes: self.mailbox_bytes,
            message: self.message,
            listeners: self.listeners,
        }
    }

    /// The part that counts for calls of the embedder's functions.
    pub fn calls(&self) -> CallLimits {
        CallLimits { calls: self.module_calls, bytes: self.module_bytes }
    }

    /// Bytes of its mailbox that the guest may hold unread before messages are held back on the host, so that a flood
    /// can't exhaust the memory of its victim: a quarter of its memory. An unread payload stays encoded, and with the
    /// default limits 10,000 small messages fit.
    pub fn mailbox_credit(&self) -> u64 {
        self.memory / 4
    }
}

impl LimitsOverride {
    /// The limits of which more is wished than `limits` gives: these wishes change nothing.
    pub fn above(&self, limits: &Limits) -> impl Iterator<Item = LimitName> {
        LimitName::ALL.into_iter().filter(move |name| self.get(*name).is_some_and(|wish| wish > limits.get(*name)))
    }
}

fn amount<A: Amount>(name: LimitName, value: u64) -> Result<A, LimitValueError> {
    if value > A::MOST {
        return Err(LimitValueError { name, value, most: A::MOST });
    }
    Ok(A::from_number(value))
}

/// A wish that doesn't fit its limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("limit `{name}` of {value} is above the most that can be set, {most}")]
pub struct LimitValueError {
    name: LimitName,
    value: u64,
    most: u64,
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

impl LimitName {
    /// The limit with this name, or none.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == text)
    }
}

impl fmt::Display for LimitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{LimitName, LimitUnit, Limits, LimitsOverride};
    use std::time::Duration;

    fn wish(name: LimitName, value: u64) -> LimitsOverride {
        let mut wish = LimitsOverride::default();
        wish.set(name, value).unwrap();
        wish
    }

    #[test]
    fn a_child_may_have_less_and_never_more() {
        for name in LimitName::ALL {
            let narrowed = Limits::default().narrow(&wish(name, 0));
            assert_ne!(narrowed, Limits::default(), "{name} can be lowered");
            let more = wish(name, u64::from(u32::MAX));
            if name.unit() != LimitUnit::Time {
                assert_eq!(Limits::default().narrow(&more), Limits::default(), "{name} can't be raised");
            }
            assert_eq!(narrowed.clone().narrow(&more), narrowed, "{name} stays lowered");
        }
    }

    #[test]
    fn a_host_states_more_or_less_an_entry_only_less_and_who_starts_it_replaces_both() {
        for name in LimitName::ALL {
            let host = Limits::stated(&wish(name, 4_000_000_000));
            assert_eq!(host.get(name), 4_000_000_000);
            let of = |entry, wished: Option<u64>| {
                let wished = wished.map(|value| wish(name, value));
                Limits::resolve(&host, &wish(name, entry), wished.as_ref()).get(name)
            };
            assert_eq!(
                (of(7, None), of(7, Some(9)), of(9, Some(7)), of(4_100_000_000, None), of(7, Some(4_200_000_000))),
                (7, 9, 7, 4_000_000_000, 4_200_000_000)
            );
        }
        assert_eq!(Limits::stated(&LimitsOverride::default()), Limits::default());
    }

    #[test]
    fn a_wish_above_changes_nothing_and_is_named() {
        for name in LimitName::ALL {
            let has = Limits::default().get(name);
            assert_eq!(wish(name, has).above(&Limits::default()).count(), 0);
            assert_eq!(wish(name, has + 1).above(&Limits::default()).collect::<Vec<_>>(), [name]);
        }
        assert_eq!(LimitsOverride::default().above(&Limits::default()).count(), 0);
    }

    #[test]
    fn a_life_is_unlimited_unless_it_is_said() {
        assert_eq!(Limits::default().lifetime(), None);
        let limited = Limits::default().narrow(&wish(LimitName::Lifetime, 5));
        assert_eq!(limited.lifetime(), Some(Duration::from_nanos(5)));
    }

    #[test]
    fn cpu_is_wished_in_nanoseconds() {
        let wish = wish(LimitName::Cpu, 1_500_000_000);
        assert_eq!(Limits::default().narrow(&wish).cpu, Duration::from_millis(1500));
        assert_eq!(wish.get(LimitName::Cpu), Some(1_500_000_000));
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
