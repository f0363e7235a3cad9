//! A host in numbers: as text for Prometheus, and as the curves of the last ten minutes.
//!
//! Owns when the host is asked: every two seconds for the curves, and for the text once a second at most, however many ask. What is
//! counted is counted where it happens. Refuses to serve anything.

mod history;
mod reading;
mod text;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use self::history::History;
use self::reading::{Reading, TenantReading};
use crate::host::{Host, Tenant};

pub use self::history::{Point, STEP};
pub use self::reading::HttpReading;
pub(crate) use self::reading::buckets;
pub use self::text::CONTENT_TYPE;

/// How long a text counts as new: whoever asks before gets the same.
const FRESH: Duration = Duration::from_secs(1);

/// Tells of a tenant's requests from outside, by its name; none: it answers none.
pub type HttpSource = Box<dyn Fn(&str) -> Option<HttpReading> + Send + Sync>;

/// A host in numbers.
pub struct Metrics {
    host: Host,
    http: HttpSource,
    started: Instant,
    text: Mutex<Option<(Instant, Arc<str>)>>,
    history: Mutex<History>,
}

impl Metrics {
    /// Those of a host that has just started.
    pub fn new(host: Host, http: HttpSource) -> Self {
        Self { host, http, started: Instant::now(), text: Mutex::default(), history: Mutex::default() }
    }

    /// The text for Prometheus, of [`CONTENT_TYPE`]. It looks at every process.
    pub fn text(&self) -> Arc<str> {
        // Who comes meanwhile waits, and gets the same.
        let mut text = self.text.lock();
        match &*text {
            Some((made, text)) if made.elapsed() < FRESH => Arc::clone(text),
            _ => {
                let made = Arc::<str>::from(text::render(self.read()));
                *text = Some((Instant::now(), Arc::clone(&made)));
                made
            }
        }
    }

    /// The last ten minutes, a point every [`STEP`], oldest first; of the whole host, or of a tenant. None: there is no such tenant.
    pub fn history(&self, tenant: Option<&str>) -> Option<Vec<Point>> {
        let history = self.history.lock();
        match tenant {
            None => Some(history.host()),
            Some(name) => history.tenant(name),
        }
    }

    /// Takes points for as long as it is polled: where that takes nobody's time.
    pub async fn record(&self) {
        let mut due = tokio::time::interval(STEP);
        due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            due.tick().await;
            self.note();
        }
    }

    /// Takes a point now.
    pub fn note(&self) {
        let reading = self.read();
        self.history.lock().note(&reading);
    }

    fn read(&self) -> Reading {
        let Self { host, http, started, .. } = self;
        let engine = host.engine();
        Reading {
            uptime: started.elapsed(),
            engine: engine.usage(),
            slots: engine.slots(),
            delays: engine.delays(),
            tenants: host.tenants().iter().map(|tenant| read(tenant, http)).collect(),
        }
    }
}

fn read(tenant: &Tenant, http: &HttpSource) -> TenantReading {
    let (mut services, mut restarts) = (BTreeMap::new(), 0_u64);
    for service in tenant.services() {
        restarts = restarts.saturating_add(service.restarted);
        let count: &mut u64 = services.entry(service.state.as_str()).or_default();
        *count = count.saturating_add(1);
    }
    TenantReading {
        name: tenant.name().to_owned(),
        state: tenant.state().as_str(),
        counts: tenant.node().map(|node| node.counts()),
        services,
        restarts,
        http: http(tenant.name()),
    }
}
