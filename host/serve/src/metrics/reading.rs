//! A host in numbers, at one moment: what the text for Prometheus and the curves of the page are both made of.
//!
//! Owns how many series there can be: process hosts are written by a tenant's author, so those beyond the first few count as one. Refuses to
//! ask anybody: whoever makes a reading has asked.

use std::collections::BTreeMap;
use std::time::Duration;

use lunarium_engine::{Count, Delays, HostCounts, NodeCounts, Slots, Usage};

use crate::clients::Away;

/// Process hosts of a tenant that have series of their own: the first by id. At the limit: the rest are one, [`OTHER`]. The number: a
/// tenant of many parts has ten; each takes some twenty series, at most a hundred.
const HOSTS: usize = 32;

/// The process hosts beyond the first [`HOSTS`].
const OTHER: &str = "other";

/// Tenants that have series. At the limit: the last by name have none; their number is told all the same.
pub(super) const TENANTS: usize = 1_000;

/// All of a host.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) uptime: Duration,
    pub(super) engine: Usage,
    pub(super) slots: Slots,
    pub(super) delays: Delays,
    pub(super) connections: Vec<ConnectionsReading>,
    /// By name.
    pub(super) tenants: Vec<TenantReading>,
}

/// One tenant.
#[derive(Debug)]
pub(super) struct TenantReading {
    pub(super) name: String,
    /// One of [`TenantState::NAMES`](crate::host::TenantState::NAMES).
    pub(super) state: &'static str,
    /// None while it has no node.
    pub(super) counts: Option<NodeCounts>,
    /// Services by what they do, and how often they were started again.
    pub(super) services: BTreeMap<&'static str, u64>,
    pub(super) restarts: u64,
    /// None: it answers no requests from outside.
    pub(super) http: Option<HttpReading>,
}

/// Who is connected to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionsReading {
    /// Which: `requests` or `admin`.
    pub server: &'static str,
    /// Connections that are open.
    pub open: u64,
    /// Those that were closed or refused so far.
    pub away: Away,
}

/// A tenant's requests from outside.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HttpReading {
    /// Answers by the class of their status, such as `2xx`.
    pub answers: Vec<(&'static str, u64)>,
    /// Answers by how long they took: those of at most so many seconds, without those before; the last bound is `f64::MAX`.
    pub latencies: Vec<(f64, u64)>,
    /// How long all of them took.
    pub total: Duration,
    /// Requests that were refused for a bound of the site's, by which.
    pub refusals: Vec<(&'static str, u64)>,
    /// Requests under way.
    pub under_way: u64,
    /// Those of them whose bodies are waited for, and those whose answers wait for their readers.
    pub slow: (u64, u64),
    /// Bytes of bodies that came, and that were sent.
    pub bodies: (u64, u64),
}

/// A process host as it is shown, which may stand for several.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) host: String,
    pub(super) processes: u64,
    /// None: no bound of its own.
    pub(super) processes_limit: Option<u64>,
    pub(super) memory: u64,
    pub(super) memory_limit: Option<u64>,
    pub(super) cpu: Duration,
    pub(super) spawns: u64,
    pub(super) messages: u64,
    pub(super) unread: u64,
    pub(super) unread_bytes: u64,
    pub(super) deepest: u64,
    pub(super) ends: Vec<Count>,
    pub(super) refusals: Vec<Count>,
}

impl TenantReading {
    /// Its process hosts: so many at most, by id, then the rest as one. One that was replaced and still has processes counts with the one
    /// that came after it: no two series have the same labels.
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        for row in self.counts.iter().flat_map(|counts| &counts.hosts).map(Row::of) {
            match rows.pop_if(|last| last.host == row.host) {
                Some(last) => rows.push(last.with(row)),
                None => rows.push(row),
            }
        }
        let others = rows.split_off(rows.len().min(HOSTS));
        let other = others.into_iter().reduce(Row::with);
        rows.extend(other.map(|other| Row { host: OTHER.to_owned(), ..other }));
        rows
    }

    /// What was refused to the host itself.
    pub(super) fn refusals_from_outside(&self) -> &[Count] {
        self.counts.as_ref().map_or(&[], |counts| &counts.refusals)
    }
}

impl Row {
    fn of(counts: &HostCounts) -> Row {
        Row {
            host: counts.host.to_string(),
            processes: counts.processes.used,
            processes_limit: bound(counts.processes.limit).filter(|limit| *limit < u32::MAX.into()),
            memory: counts.memory.used,
            memory_limit: bound(counts.memory.limit),
            cpu: counts.cpu,
            spawns: counts.spawns,
            messages: counts.messages,
            unread: counts.unread,
            unread_bytes: counts.unread_bytes,
            deepest: counts.deepest,
            ends: counts.ends.clone(),
            refusals: counts.refusals.clone(),
        }
    }

    /// Both as one.
    fn with(self, other: Row) -> Row {
        let sum = |one: u64, two: u64| one.saturating_add(two);
        let bound = |one: Option<u64>, two: Option<u64>| Some(one?.saturating_add(two?));
        Row {
            host: self.host,
            processes: sum(self.processes, other.processes),
            processes_limit: bound(self.processes_limit, other.processes_limit),
            memory: sum(self.memory, other.memory),
            memory_limit: bound(self.memory_limit, other.memory_limit),
            cpu: self.cpu.saturating_add(other.cpu),
            spawns: sum(self.spawns, other.spawns),
            messages: sum(self.messages, other.messages),
            unread: sum(self.unread, other.unread),
            unread_bytes: sum(self.unread_bytes, other.unread_bytes),
            deepest: self.deepest.max(other.deepest),
            ends: together(self.ends, other.ends),
            refusals: together(self.refusals, other.refusals),
        }
    }
}

fn together(mut counts: Vec<Count>, more: Vec<Count>) -> Vec<Count> {
    for count in more {
        match counts.iter_mut().find(|known| known.what == count.what) {
            Some(known) => known.times = known.times.saturating_add(count.times),
            None => counts.push(count),
        }
    }
    counts
}

/// Counts with the upper ends, in seconds, of the steps that they are of; the last step has none.
pub(crate) fn buckets(ends: &[Duration], counts: impl IntoIterator<Item = u64>) -> Vec<(f64, u64)> {
    ends.iter().map(Duration::as_secs_f64).chain([f64::MAX]).zip(counts).collect()
}

/// A limit that is one.
pub(super) fn bound(limit: u64) -> Option<u64> {
    Some(limit).filter(|limit| *limit < u64::MAX)
}
