//! How a run ends: the exit code, and what is said about a failure.
//!
//! Owns the mapping from a process's end to the shell. Prints nothing itself.

use std::time::Duration;

use lunarium_app::{App, DEFAULT_HOST, Explained, reached_limit};
use lunarium_engine::{EntryId, ErrorKind, Failure, HostId, LimitName, LimitsOverride, Outcome, Pid, Value};

/// Ended well.
pub const SUCCESS: u8 = 0;
/// The process ended abnormally or returned `false`; or the machine refused.
pub const FAILURE: u8 = 1;
/// The command line or the application is wrong.
pub const USAGE: u8 = 2;
/// What a shell reports for a program that SIGINT ended.
pub const INTERRUPTED: u8 = 130;
/// Standard output went away: what a shell reports for a program that SIGPIPE ended.
pub const OUTPUT_CLOSED: u8 = 141;
/// What a shell reports for a program that SIGTERM ended.
pub const TERMINATED: u8 = 143;

/// An exit code with what standard error says.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The exit code.
    pub code: u8,
    /// What to say, without its last newline and fit for a terminal.
    pub message: Option<String>,
}

/// A process that has ended, with what there is to say about it.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// Where its sources and limits stand.
    pub app: &'a App,
    /// What it ran.
    pub entry: &'a EntryId,
    /// Where it ran.
    pub host: &'a HostId,
    /// Who it was.
    pub pid: &'a Pid,
    /// The limits given on the command line.
    pub limits: &'a LimitsOverride,
}

impl Ended<'_> {
    /// The verdict on its end. `styled` adds terminal colours.
    pub fn verdict(&self, outcome: &Outcome, styled: bool) -> Verdict {
        let Self { entry, pid, .. } = self;
        match outcome {
            Outcome::Failed(failure) => {
                let explained = self.explain(&format!("{} {pid} failed: ", entry.as_str()), failure);
                Verdict { code: FAILURE, message: Some(explained.render(styled)) }
            }
            Outcome::Completed(result) => match Value::decode(result) {
                Ok(Value::Boolean(false)) => Verdict { code: FAILURE, message: None },
                Ok(Value::Integer(number)) => match u8::try_from(number) {
                    Ok(code) => Verdict { code, message: None },
                    Err(_) => {
                        let entry = entry.as_str();
                        let message =
                            format!("error: {entry} {pid} returned {number}, which is no exit code (0 to 255)");
                        Verdict { code: FAILURE, message: Some(message) }
                    }
                },
                // Any other result is a result, and no code.
                Ok(_) | Err(_) => Verdict { code: SUCCESS, message: None },
            },
        }
    }

    /// Why it failed, and where; `who` stands before the message.
    pub fn explain(&self, who: &str, failure: &Failure) -> Explained {
        self.app.explain(who, failure, self.hint(failure))
    }

    /// What could be done about it.
    fn hint(&self, failure: &Failure) -> Option<String> {
        if failure.kind == ErrorKind::Internal && failure.message == DEADLOCK {
            return Some("each waits for something that only another coroutine of this process could do".to_owned());
        }
        if failure.kind == ErrorKind::Invalid && failure.message.starts_with(NOTHING_TO_RUN) {
            return Some("its last line says what to run: `return { main = main }`".to_owned());
        }
        let name = reached_limit(failure)?;
        let own = &self.app.definition(self.entry.as_str())?.limits;
        let host = &self.app.host(self.host.as_str())?.definition.limits;
        let (host, own, given) = match name {
            LimitName::Memory => {
                (u128::from(host.memory), own.memory.map(u128::from), self.limits.memory.map(u128::from))
            }
            LimitName::Cpu => {
                let nanoseconds = |time: Duration| time.as_nanos();
                (nanoseconds(host.cpu), own.cpu.map(nanoseconds), self.limits.cpu.map(nanoseconds))
            }
            _ => return None,
        };
        let least = own.into_iter().chain(given).fold(host, u128::min);
        let value = if name == LimitName::Cpu { time(least) } else { size(least) };
        // The lowest counts; of equal ones that of the host, below which nothing helps.
        let place = if host == least && self.host.as_str() == DEFAULT_HOST {
            format!("is the default: to raise it, define a `process.host` with `limits: {{{name}: …}}`")
        } else if host == least {
            format!("process host `{}` has: to raise it, set `limits: {{{name}: …}}` there", self.host.as_str())
        } else if own == Some(least) {
            format!("entry `{}` has: to raise it, set `limits: {{{name}: …}}` there", self.entry.as_str())
        } else {
            format!("`--limit {name}` gives: a larger value raises it")
        };
        Some(format!("limit `{name}` is {value}, which {place}"))
    }
}

/// The guest's words for a process in which nothing can wake anything.
const DEADLOCK: &str = "all coroutines blocked";
/// The guest's words for a chunk that returns nothing, as whoever comes from plain Lua writes it.
const NOTHING_TO_RUN: &str = "the chunk returned nil,";

fn size(bytes: u128) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = units.iter().find(|(unit, _)| bytes != 0 && bytes.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{bytes} bytes"), |(unit, name)| format!("{}{name}", bytes / unit))
}

fn time(nanoseconds: u128) -> String {
    format!("{:?}", Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX)))
}
