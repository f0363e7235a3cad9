//! How a run ends: the exit code, and what is said about a failure.
//!
//! Owns the mapping from a process's end to the shell. Prints nothing itself.

use std::time::Duration;

use lunarium_app::{App, Cause, Explained, LimitSource, limit_in_force};
use lunarium_engine::{EntryId, Failure, HostId, LimitName, Limits, LimitsOverride, Outcome, Pid, Value};

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
        match Cause::of(failure)? {
            Cause::Limit(name) => self.limit_hint(name),
            Cause::HostMemory => {
                let host = self.host;
                Some(format!("to raise it, set `host: {{memory: …}}` of the process host `{host}`"))
            }
            Cause::NodeMemory => Some("`--node-memory SIZE` raises it for this run".to_owned()),
            Cause::Deadlock => {
                Some("each waits for something that only another coroutine of this process could do".to_owned())
            }
            Cause::NothingToRun => Some("its last line says what to run: `return { main = main }`".to_owned()),
            _ => None,
        }
    }

    /// Where the limit is that was reached, and how it is raised.
    fn limit_hint(&self, name: LimitName) -> Option<String> {
        let (entry, host) = (self.entry.as_str(), self.host.as_str());
        let own = &self.app.definition(entry)?.limits;
        let limits = &self.app.host(host)?.definition.limits;
        let (value, source) = limit_in_force(name, limits, own, self.limits);
        let value = match name {
            LimitName::Memory => size(value),
            LimitName::Cpu | LimitName::CpuTotal | LimitName::Lifetime => format!("{:?}", Duration::from_nanos(value)),
            // No other ends a process.
            _ => return None,
        };
        let place = match source {
            LimitSource::Host if limits.get(name) == Limits::default().get(name) => {
                format!(
                    "is the default: `--limit {name}=…` raises it for this run, a `process.host` with \
                     `limits: {{{name}: …}}` for all"
                )
            }
            LimitSource::Host => {
                format!("process host `{host}` has: to raise it, set `limits: {{{name}: …}}` there")
            }
            LimitSource::Entry => format!("entry `{entry}` has: to raise it, set `limits: {{{name}: …}}` there"),
            LimitSource::Request => format!("`--limit {name}` gives: a larger value raises it"),
        };
        Some(format!("limit `{name}` is {value}, which {place}"))
    }
}

fn size(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = units.iter().find(|(unit, _)| bytes != 0 && bytes.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{bytes} bytes"), |(unit, name)| format!("{}{name}", bytes / unit))
}
