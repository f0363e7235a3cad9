//! From `process.host` to process hosts.
//!
//! Owns which hosts there are, the default one among them, and which are open from the start.

use lunarium_kernel::Limits;

use super::grants::Granter;
use super::resolver::Resolver;
use crate::application::{DEFAULT_HOST, Host, Service};
use crate::raw::{Kind, RawBody};
use crate::source::At;

impl Resolver<'_> {
    /// The hosts of an application with these services to start.
    pub(super) fn hosts(&mut self, services: &[Service], granter: &mut Granter<'_>) -> Vec<Host> {
        if !self.has_hosts() {
            return vec![Host::of_default()];
        }
        let mut hosts = Vec::new();
        for entry in self.entries {
            let RawBody::Host(raw) = &entry.body else { continue };
            let is_needed = services.iter().any(|service| {
                service.host.as_str() == entry.id()
                    || service.lifecycle.depends_on.iter().any(|id| id.as_str() == entry.id())
            }) || self
                .entries
                .iter()
                .filter_map(|entry| entry.endpoint()?.host.as_ref())
                .any(|id| id.value == entry.id());
            let limits = Limits::stated(&raw.limits);
            let grants = granter.grants(&raw.grants, self.report);
            let security = self.security(raw.security.as_ref());
            let mut host = Host::new(entry.id(), limits, grants, security);
            let definition = &mut host.definition;
            if let Some(max_processes) = &raw.max_processes {
                definition.max_processes = max_processes.value;
            }
            definition.memory = raw.memory.unwrap_or(definition.memory);
            definition.reserve = raw.reserve.unwrap_or(definition.reserve);
            definition.log_bytes = raw.log_bytes.unwrap_or(definition.log_bytes);
            definition.cpu_weight = raw.cpu_weight.unwrap_or(definition.cpu_weight);
            definition.cpu_max = raw.cpu_max;
            hosts.push(Host { started: is_needed || raw.lifecycle.auto_start.unwrap_or(true), ..host });
        }
        hosts
    }

    pub(super) fn host_exists(&mut self, id: &At<String>) -> bool {
        (id.value == DEFAULT_HOST && !self.has_hosts()) || self.find(id, &[Kind::Host]).is_some()
    }

    fn has_hosts(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.body, RawBody::Host(_)))
    }
}
