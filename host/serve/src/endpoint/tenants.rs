//! The sites of a host's tenants.
//!
//! Owns which of a tenant's entry counts for its requests, and that its counts outlive its applications.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use lunarium_app::App;
use parking_lot::Mutex;

use crate::host::Host;
use crate::metrics::{ConnectionsReading, HttpReading, HttpSource};

use super::crowd::Crowd;
use super::routes::Routes;
use super::server::Server;
use super::site::{Site, SiteError, Sites};
use super::traffic::{Traffic, TrafficLimits};

/// Makes sites of tenants, and remembers what goes on at each. Cheap to clone: clones remember together.
#[derive(Debug, Clone, Default)]
pub struct TenantSites {
    known: Arc<Mutex<BTreeMap<String, Known>>>,
    /// Who is connected to the server that serves them.
    crowd: Arc<Mutex<Option<Arc<Crowd>>>>,
}

/// What is remembered of one tenant.
#[derive(Debug)]
struct Known {
    traffic: Arc<Traffic>,
    /// The application that the routes are of; its memory isn't held.
    app: Weak<App>,
    routes: Arc<Routes>,
}

impl Known {
    fn new(limits: TrafficLimits) -> Self {
        Self { traffic: Traffic::new(limits), app: Weak::new(), routes: Arc::default() }
    }

    /// An application's routes, made once: sites are made anew with each change of any tenant.
    fn routes(&mut self, app: &Arc<App>) -> Arc<Routes> {
        if !std::ptr::eq(self.app.as_ptr(), Arc::as_ptr(app)) {
            self.routes = Arc::new(Routes::new(app.endpoints().to_vec()));
            self.app = Arc::downgrade(app);
        }
        Arc::clone(&self.routes)
    }
}

impl TenantSites {
    /// The sites as the tenants are now: those that run an application, at the host names of their entries, or below their names; the names of
    /// the others are nobody else's meanwhile. And what keeps
    /// tenants from having one: of two with a host name, the first has it.
    pub fn of(&self, host: &Host) -> (Sites, Vec<SiteError>) {
        let (mut sites, mut errors) = (Sites::default(), Vec::new());
        let tenants = host.tenants();
        let mut known = self.known.lock();
        known.retain(|name, _| tenants.binary_search_by(|tenant| tenant.name().cmp(name)).is_ok());
        for tenant in tenants {
            let config = tenant.config();
            let (Some(node), Some(app)) = (tenant.node(), tenant.app()) else {
                sites.keep(tenant.name(), &config.hosts);
                continue;
            };
            if app.endpoints().is_empty() && config.hosts.is_empty() {
                continue;
            }
            let mut limits = TrafficLimits::default();
            limits.requests_per_second = config.requests.unwrap_or(limits.requests_per_second);
            let known = known.entry(tenant.name().to_owned()).or_insert_with(|| Known::new(limits));
            if *known.traffic.limits() != limits {
                known.traffic = Traffic::new(limits);
            }
            let (routes, traffic) = (known.routes(&app), Arc::clone(&known.traffic));
            let site = Site::with_routes(tenant.name(), node, tenant.callable(), routes, traffic);
            errors.extend(sites.add(site.at_hosts(&config.hosts)).err());
        }
        (sites, errors)
    }

    /// This server serves them: its connections are told with their requests.
    pub fn served_by(&self, server: &Server) {
        *self.crowd.lock() = Some(Arc::clone(server.crowd()));
    }
}

impl HttpSource for TenantSites {
    fn requests(&self, tenant: &str) -> Option<HttpReading> {
        let traffic = Arc::clone(&self.known.lock().get(tenant)?.traffic);
        Some(traffic.usage().into())
    }

    fn connections(&self) -> Vec<ConnectionsReading> {
        self.crowd.lock().iter().map(|crowd| crowd.reading()).collect()
    }
}
