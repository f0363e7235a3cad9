//! Limits of entries that are larger than what every process host gives, and hosts larger than the node, so that they
//! change nothing.
//!
//! Owns the warning. It is no mistake: a host that allows more may be what is written next.

use lunarium_kernel::{Limits, NodeLimits};

use crate::limits;
use crate::raw::{RawBody, RawEntry};
use crate::report::Mistake;

pub(super) fn excess(entries: &[RawEntry]) -> Vec<Mistake> {
    let stated = entries.iter().filter_map(|entry| match &entry.body {
        RawBody::Host(host) => Some(Limits::stated(&host.limits)),
        _ => None,
    });
    let mut hosts: Vec<Limits> = stated.collect();
    if hosts.is_empty() {
        hosts.push(Limits::default());
    }
    entries.iter().filter_map(|entry| warning(entry, &hosts).or_else(|| crowded(entry))).collect()
}

/// A host with more processes than a node has.
fn crowded(entry: &RawEntry) -> Option<Mistake> {
    let RawBody::Host(host) = &entry.body else { return None };
    let (most, wanted) = (NodeLimits::default().max_processes, host.max_processes.as_ref()?);
    if wanted.value <= most {
        return None;
    }
    let message = format!("`max_processes` of `{}` is above the node's {most}, and changes nothing", entry.id());
    let hint = "`--node-processes` gives the node more, where the machine has enough memory mappings";
    Some(Mistake::warning(message).at(&wanted.place).hint(Some(hint.to_owned())))
}

fn warning(entry: &RawEntry, hosts: &[Limits]) -> Option<Mistake> {
    let RawBody::Process(process) = &entry.body else { return None };
    let name = limits::idle_wish(&process.limits, hosts)?;
    let id = entry.id();
    let message = format!("limit `{name}` of `{id}` is larger than that of every process host, and changes nothing");
    let hint = format!("to raise it, set `limits: {{{name}: …}}` of the `process.host` that it runs on");
    Some(Mistake::warning(message).at(&entry.id.place).hint(Some(hint)))
}
