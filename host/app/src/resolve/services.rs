//! From `process.service` to services in the order they start in.
//!
//! Owns who is started: those that do so by themselves, those that an endpoint calls, and those that these need.

use lunarium_kernel::{EntryId, HostId, RestartPolicy};

use super::graph::{self, Edges};
use super::resolver::Resolver;
use crate::application::{Lifecycle, Service};
use crate::raw::{Kind, RawLifecycle, RawRestart, RawService};

impl Resolver<'_> {
    /// The services to start, needed ones first.
    pub(super) fn services(&mut self) -> Vec<Service> {
        let mut edges: Edges = vec![Vec::new(); self.entries.len()];
        let called = self.entries.iter().filter_map(|entry| entry.endpoint()?.call.as_ref());
        let called: Vec<&str> = called.map(|id| id.value.as_str()).collect();
        let mut roots = Vec::new();
        for (number, entry) in self.entries.iter().enumerate() {
            let Some(lifecycle) = entry.lifecycle() else { continue };
            let needs: Vec<usize> =
                lifecycle.depends_on.iter().filter_map(|id| self.find(id, &[Kind::Service, Kind::Host])).collect();
            if let Some(edges) = edges.get_mut(number) {
                *edges = needs;
            }
            let is_wanted = lifecycle.auto_start.unwrap_or(true) || called.contains(&entry.id());
            if entry.service().is_some() && is_wanted {
                roots.push(number);
            }
        }
        let order = graph::order(&edges);
        for circle in &order.circles {
            self.report_circle(circle, "entries depend on each other in a circle");
        }
        let started = graph::reachable(roots, &edges);
        let mut services = Vec::new();
        // All are checked, and those to start are kept.
        for number in order.order {
            let Some(entry) = self.entries.get(number) else { continue };
            if let Some(raw) = entry.service() {
                let service = self.service(entry.id(), raw);
                services.extend(service.filter(|_| started.get(number) == Some(&true)));
            }
        }
        services
    }

    fn service(&mut self, id: &str, raw: &RawService) -> Option<Service> {
        let process = raw.process.as_ref().and_then(|id| self.find(id, &[Kind::Process]).map(|_| id));
        let host = raw.host.as_ref().filter(|id| self.host_exists(id));
        let security = self.security(raw.security.as_ref());
        let (process, host) = (process?, host?);
        let lifecycle = lifecycle(&raw.lifecycle);
        Some(Service {
            id: EntryId::new(id),
            process: EntryId::new(process.value.as_str()),
            host: HostId::new(host.value.as_str()),
            input: raw.input.clone(),
            security,
            lifecycle,
        })
    }
}

fn lifecycle(raw: &RawLifecycle) -> Lifecycle {
    let default = Lifecycle::default();
    Lifecycle {
        auto_start: raw.auto_start.unwrap_or(default.auto_start),
        depends_on: raw.depends_on.iter().map(|id| EntryId::new(id.value.as_str())).collect(),
        start_timeout: raw.start_timeout.unwrap_or(default.start_timeout),
        stop_timeout: raw.stop_timeout.unwrap_or(default.stop_timeout),
        restart: restart(&raw.restart),
        on_change: raw.on_change.unwrap_or(default.on_change),
    }
}

fn restart(raw: &RawRestart) -> RestartPolicy {
    let default = RestartPolicy::default();
    RestartPolicy {
        initial_delay: raw.initial_delay.unwrap_or(default.initial_delay),
        max_delay: raw.max_delay.unwrap_or(default.max_delay),
        backoff_factor: raw.backoff_factor.unwrap_or(default.backoff_factor),
        jitter: raw.jitter.unwrap_or(default.jitter),
        max_attempts: raw.max_attempts.unwrap_or(default.max_attempts),
        stable_threshold: raw.stable_threshold.unwrap_or(default.stable_threshold),
    }
}
