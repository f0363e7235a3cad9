//! The sites of a host's tenants.
//!
//! Owns which of a tenant's entry counts for its requests, and that its counts outlive its applications.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::host::Host;
use crate::metrics::HttpReading;

use super::site::{Site, SiteError, Sites};
use super::traffic::{Traffic, TrafficLimits};

/// Makes sites of tenants, and remembers what goes on at each. Cheap to clone: clones remember together.
#[derive(Debug, Clone, Default)]
pub struct TenantSites {
    traffic: Arc<Mutex<BTreeMap<String, Arc<Traffic>>>>,
}

impl TenantSites {
    /// The sites as the tenants are now: those that run an application, at the host names of their entries, or below their names. And what keeps
    /// tenants from having one: of two with a host name, the first has it.
    pub fn of(&self, host: &Host) -> (Sites, Vec<SiteError>) {
        let (mut sites, mut errors) = (Sites::default(), Vec::new());
        let tenants = host.tenants();
        let mut known = self.traffic.lock();
        known.retain(|name, _| tenants.iter().any(|tenant| tenant.name() == name));
        for tenant in tenants {
            let (Some(node), Some(app)) = (tenant.node(), tenant.app()) else { continue };
            if app.endpoints().is_empty() {
                continue;
            }
            let config = tenant.config();
            let mut limits = TrafficLimits::default();
            limits.requests_per_second = config.requests.unwrap_or(limits.requests_per_second);
            let traffic = known.entry(tenant.name().to_owned()).or_insert_with(|| Traffic::new(limits));
            if *traffic.limits() != limits {
                *traffic = Traffic::new(limits);
            }
            let site = Site::new(tenant.name(), node, tenant.callable(), app.endpoints(), Arc::clone(traffic));
            errors.extend(sites.add(site.at_hosts(&config.hosts)).err());
        }
        (sites, errors)
    }

    /// What was done at a tenant's site, for metrics. None: it has none.
    pub fn reading(&self, tenant: &str) -> Option<HttpReading> {
        let traffic = Arc::clone(self.traffic.lock().get(tenant)?);
        Some(traffic.usage().into())
    }
}
