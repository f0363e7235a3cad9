//! The last ten minutes of a host in a few numbers, for curves: a page that is opened later has them too.
//!
//! Owns how much is kept: so many points of so many tenants, whatever happens. Totals are kept as they are; who draws subtracts.
//! Reads no clock.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use lunarium_engine::Count;

use super::reading::{Reading, TENANTS, TenantReading};

/// How often a point is taken.
pub const STEP: Duration = Duration::from_secs(2);

/// Points that are kept: ten minutes of them. At the limit: the oldest goes. 24 KiB a tenant.
const POINTS: usize = 300;

/// A moment. Totals are since the tenant's node was started; where one is less than before, it was started anew.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct Point {
    /// Since the engine started.
    pub at: Duration,
    /// Processes alive.
    pub processes: u64,
    /// Bytes that are held.
    pub memory: u64,
    /// CPU time, a total.
    pub cpu: Duration,
    /// Processes that were started, a total.
    pub spawns: u64,
    /// Processes that have failed, a total.
    pub failures: u64,
    /// Messages that were accepted, a total.
    pub messages: u64,
    /// Messages that scripts haven't received.
    pub unread: u64,
    /// What was refused by policies, limits and budgets, a total.
    pub refusals: u64,
    /// Requests from outside that were answered, a total.
    pub requests: u64,
}

/// What is kept.
#[derive(Debug, Default)]
pub(super) struct History {
    host: VecDeque<Point>,
    tenants: BTreeMap<String, VecDeque<Point>>,
}

impl History {
    /// Takes a point of everything. Of tenants that are gone nothing is kept.
    pub(super) fn note(&mut self, reading: &Reading) {
        self.tenants.retain(|name, _| reading.tenants.binary_search_by(|tenant| tenant.name.cmp(name)).is_ok());
        let mut whole = Point {
            at: reading.uptime,
            memory: reading.engine.of("engine.memory").map_or(0, |memory| memory.used),
            cpu: reading.engine.cpu,
            spawns: reading.engine.spawns,
            messages: reading.engine.messages,
            ..Point::default()
        };
        for tenant in reading.tenants.iter().take(TENANTS) {
            let point = point(reading.uptime, tenant);
            push(self.tenants.entry(tenant.name.clone()).or_default(), point);
            let sums = [
                (&mut whole.processes, point.processes),
                (&mut whole.failures, point.failures),
                (&mut whole.unread, point.unread),
                (&mut whole.refusals, point.refusals),
                (&mut whole.requests, point.requests),
            ];
            for (sum, more) in sums {
                *sum = sum.saturating_add(more);
            }
        }
        push(&mut self.host, whole);
    }

    /// Of the whole host, oldest first.
    pub(super) fn host(&self) -> Vec<Point> {
        self.host.iter().copied().collect()
    }

    /// Of one tenant. None: there is none, or it hasn't been there at a point.
    pub(super) fn tenant(&self, name: &str) -> Option<Vec<Point>> {
        Some(self.tenants.get(name)?.iter().copied().collect())
    }
}

fn push(points: &mut VecDeque<Point>, point: Point) {
    if points.len() == POINTS {
        points.pop_front();
    }
    points.push_back(point);
}

fn point(at: Duration, tenant: &TenantReading) -> Point {
    let requests = tenant.http.iter().flat_map(|http| &http.answers).map(|(_, count)| *count);
    let requests = requests.fold(0, u64::saturating_add);
    let Some(counts) = &tenant.counts else { return Point { at, requests, ..Point::default() } };
    let held = |name| counts.usage.of(name).map_or(0, |held| held.used);
    let (mut failures, mut unread, mut refusals) = (0_u64, 0_u64, sum(&counts.refusals));
    for host in &counts.hosts {
        let completed = host.ends.first().map_or(0, |count| count.times);
        failures = failures.saturating_add(sum(&host.ends).saturating_sub(completed));
        unread = unread.saturating_add(host.unread);
        refusals = refusals.saturating_add(sum(&host.refusals));
    }
    let usage = &counts.usage;
    Point {
        at,
        processes: held("node.processes"),
        memory: held("node.memory"),
        cpu: usage.cpu,
        spawns: usage.spawns,
        failures,
        messages: usage.messages,
        unread,
        refusals,
        requests,
    }
}

fn sum(counts: &[Count]) -> u64 {
    counts.iter().map(|count| count.times).fold(0, u64::saturating_add)
}
