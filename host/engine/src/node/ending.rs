//! Why a call into an instance ended without a status, as the process's end.
//!
//! Owns what a script may learn of it: one sentence. What wasm and the host say beyond it, a backtrace above all, goes
//! to the log.

use std::time::Duration;

use lunarium_kernel::{ErrorKind, Exhausted, Lifetime, LimitName, Limits, Outcome, ReturnError, Uptime};

use super::Caller;
use crate::process::{Incarnation, Level, LogField};
use crate::value::{failed, limit_reached};
use crate::wasm::{Refused, Stopped};

/// A kill (none), a limit, or a trap.
pub(super) fn stopped(error: &wasmtime::Error, caller: &Caller, incarnation: &Incarnation) -> Option<Outcome> {
    let limits = incarnation.limits();
    if let Some(stopped) = error.downcast_ref::<Stopped>() {
        return of_ours(*stopped, limits);
    }
    // It has ended meanwhile.
    let who = caller.living().ok()?;
    match caller.memory_refused() {
        Some(Refused::Budget(exhausted)) => return Some(out_of_budget(exhausted)),
        Some(Refused::System) => return Some(out_of_system()),
        Some(Refused::Limit) => {
            let text = format!("{NO_MEMORY}: limit of {} bytes reached", limits.memory);
            return Some(limit_reached(LimitName::Memory.as_str(), &text));
        }
        None => {}
    }
    let fields = [LogField::text("backtrace", format!("{error:?}"))];
    caller.node.log(&who.process, &incarnation.label, Level::Error, "the instance trapped", &fields);
    Some(failed(ErrorKind::Internal, &format!("the instance trapped: {}", sentence(error))))
}

/// What is said where a limit of CPU time was reached.
pub(super) fn cpu_limit(name: LimitName, limits: &Limits) -> String {
    let limit = Duration::from_nanos(limits.get(name));
    let waiting = if name == LimitName::Cpu { " without waiting" } else { "" };
    format!("{name} limit of {limit:?} reached{waiting}")
}

/// Until when a process may live that began then, and how it ends; none: for ever.
pub(super) fn lifetime(limits: &Limits, began: Uptime) -> Option<Lifetime> {
    let lifetime = limits.lifetime()?;
    let text = format!("lifetime limit of {lifetime:?} reached");
    let outcome = limit_reached(LimitName::Lifetime.as_str(), &text);
    Some(Lifetime { until: began.saturating_add(lifetime), outcome })
}

/// An instance that couldn't be made: a kill (none), a limit, or what stands in the way. Also that takes time, and may be stopped on
/// the way.
pub(super) fn not_made(error: &wasmtime::Error, limits: &Limits) -> Option<Outcome> {
    match error.downcast_ref::<Stopped>() {
        Some(stopped) => of_ours(*stopped, limits),
        None => Some(no_instance(&sentence(error))),
    }
}

/// The host has stopped the instance.
fn of_ours(stopped: Stopped, limits: &Limits) -> Option<Outcome> {
    match stopped {
        Stopped::Killed => None,
        Stopped::Limit(name) => Some(limit_reached(name.as_str(), &cpu_limit(name, limits))),
    }
}

/// A script that ends because it got no memory tells of its own limit; where it was a budget's, the end says so.
pub(super) fn exited(outcome: Outcome, caller: &Caller) -> Outcome {
    let tells = outcome
        .failure()
        .is_some_and(|failure| failure.kind == ErrorKind::ResourceExhausted && failure.message.starts_with(NO_MEMORY));
    match caller.memory_refused() {
        Some(Refused::Budget(exhausted)) if tells => out_of_budget(exhausted),
        Some(Refused::System) if tells => out_of_system(),
        _ => outcome,
    }
}

fn out_of_system() -> Outcome {
    failed(ErrorKind::ResourceExhausted, &format!("{NO_MEMORY}: the system has no more"))
}

/// How Lua says that it got no memory.
const NO_MEMORY: &str = "not enough memory";

fn out_of_budget(exhausted: &Exhausted) -> Outcome {
    limit_reached(exhausted.budget.limit_name(), &format!("{NO_MEMORY}: {exhausted}"))
}

/// Events or replies that can't be refused are too many, here or in what the guest gives back.
pub(super) fn flooded() -> Outcome {
    limit_reached(LimitName::MailboxBytes.as_str(), &ReturnError::Flood.to_string())
}

/// What went wrong, without where.
pub(super) fn sentence(error: &wasmtime::Error) -> String {
    let trap = error.downcast_ref::<wasmtime::Trap>().map(ToString::to_string);
    let text = trap.unwrap_or_else(|| error.root_cause().to_string());
    text.lines().next().unwrap_or_default().to_owned()
}

pub(super) fn no_instance(error: &str) -> Outcome {
    failed(ErrorKind::Unavailable, &format!("cannot make an instance: {error}"))
}

#[cfg(test)]
mod tests {
    use wasmtime::{Error, Trap};

    use lunarium_kernel::{ErrorKind, LimitName, Limits};

    use super::{not_made, sentence};
    use crate::wasm::Stopped;

    #[test]
    fn a_script_learns_what_went_wrong_and_not_where() {
        let backtrace = "error while executing at wasm backtrace:\n    0:  0x4b2 - lunarium_guest.wasm!luaV_execute";
        let trap = Error::from(Trap::MemoryOutOfBounds).context(backtrace);
        assert_eq!(sentence(&trap), "wasm trap: out of bounds memory access");
        let other = Error::msg("fuel allocated for hostcalls has been exhausted\nand a second line").context(backtrace);
        assert_eq!(sentence(&other), "fuel allocated for hostcalls has been exhausted");
    }

    #[test]
    fn who_is_stopped_while_its_instance_is_made_ends_as_anywhere_else() {
        let limits = Limits::default();
        assert!(not_made(&Error::from(Stopped::Killed), &limits).is_none());
        let outcome = not_made(&Error::from(Stopped::Limit(LimitName::Cpu)), &limits).unwrap();
        let failure = outcome.failure().unwrap();
        assert_eq!(failure.kind, ErrorKind::ResourceExhausted);
        assert_eq!(failure.message, "cpu limit of 10s reached without waiting");
        let outcome = not_made(&Error::msg("no slot"), &limits).unwrap();
        assert_eq!(outcome.failure().unwrap().message, "cannot make an instance: no slot");
    }
}
