//! Limits of entries that are larger than what every process host gives, so that they change nothing.
//!
//! Owns the comparison. It is no mistake: a host that allows more may be what is written next.

use std::time::Duration;

use lunarium_kernel::{LimitName, Limits, LimitsOverride};

use crate::limits;
use crate::raw::{RawBody, RawEntry};
use crate::report::{Mistake, Place};

pub(crate) fn excess(entries: &[RawEntry]) -> Vec<Mistake> {
    let stated = entries.iter().filter_map(|entry| match &entry.body {
        RawBody::Host(host) => Some(limits::of_host(&host.limits)),
        _ => None,
    });
    let mut hosts: Vec<Limits> = stated.collect();
    if hosts.is_empty() {
        hosts.push(Limits::default());
    }
    entries.iter().filter_map(|entry| warning(entry, &hosts)).collect()
}

fn warning(entry: &RawEntry, hosts: &[Limits]) -> Option<Mistake> {
    let RawBody::Process(process) = &entry.body else { return None };
    let above = |host: &Limits| above(&process.limits, host);
    let name = LimitName::ALL.into_iter().find(|name| hosts.iter().all(|host| above(host).contains(name)))?;
    let id = &entry.id.value;
    let message = format!("limit `{name}` of `{id}` is larger than that of every process host, and changes nothing");
    let hint = format!("to raise it, set `limits: {{{name}: …}}` of the `process.host` that it runs on");
    Some(Mistake::warning(message).at(Place::new(&entry.file, entry.id.span.clone())).hint(hint))
}

/// The limits of which more is wished than the host has.
fn above(wish: &LimitsOverride, host: &Limits) -> Vec<LimitName> {
    fn more<T: PartialOrd>(wish: Option<T>, has: T) -> bool {
        wish.is_some_and(|wish| wish > has)
    }
    let all = [
        (LimitName::Memory, more(wish.memory, host.memory)),
        (LimitName::Cpu, more::<Duration>(wish.cpu, host.cpu)),
        (LimitName::MailboxMessages, more(wish.mailbox_messages, host.mailbox_messages)),
        (LimitName::MailboxBytes, more(wish.mailbox_bytes, host.mailbox_bytes)),
        (LimitName::Message, more(wish.message, host.message)),
        (LimitName::Links, more(wish.links, host.links)),
        (LimitName::Monitors, more(wish.monitors, host.monitors)),
        (LimitName::Timers, more(wish.timers, host.timers)),
        (LimitName::Coroutines, more(wish.coroutines, host.coroutines)),
        (LimitName::Names, more(wish.names, host.names)),
        (LimitName::Listeners, more(wish.listeners, host.listeners)),
        (LimitName::LogLines, more(wish.log_lines, host.log_lines)),
    ];
    all.into_iter().filter_map(|(name, is_above)| is_above.then_some(name)).collect()
}
