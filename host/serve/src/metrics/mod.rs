//! A host in numbers: as text for Prometheus, and as the curves of the last ten minutes.
//!
//! Owns when the host is asked: every two seconds for the curves, and for the text once a second at most, however many ask. That looks at every process
//! of every tenant, one after the other, so it is done on a thread for blocking work: who waits for it is who asked. What is counted is
//! counted where it happens. Refuses to serve anything.

mod history;
mod reading;
mod text;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::task;

use self::history::History;
use self::reading::{Reading, TenantReading};
use crate::host::{Host, Tenant};

pub use self::history::{Point, STEP};
pub(crate) use self::reading::buckets;
pub use self::reading::{ConnectionsReading, HttpReading};
pub use self::text::CONTENT_TYPE;
pub use crate::clients::Away;

/// How long a text counts as new: whoever asks before gets the same.
const FRESH: Duration = Duration::from_secs(1);

/// Tells of requests from outside.
pub trait HttpSource: Send + Sync {
    /// Those of a tenant. None: it answers none.
    fn requests(&self, tenant: &str) -> Option<HttpReading>;

    /// The connections of each server; of none by default.
    fn connections(&self) -> Vec<ConnectionsReading> {
        Vec::new()
    }
}

impl<F: Fn(&str) -> Option<HttpReading> + Send + Sync> HttpSource for F {
    fn requests(&self, tenant: &str) -> Option<HttpReading> {
        self(tenant)
    }
}

/// The last text, and when it was made.
type Made = Option<(Instant, Arc<str>)>;

/// A host in numbers. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    shared: Arc<Shared>,
}

struct Shared {
    host: Host,
    http: Box<dyn HttpSource>,
    started: Instant,
    /// Held while the host is asked: who comes meanwhile waits, and gets the same.
    text: Arc<tokio::sync::Mutex<Made>>,
    history: Mutex<History>,
}

impl Metrics {
    /// Those of a host that has just started.
    pub fn new(host: Host, http: Box<dyn HttpSource>) -> Self {
        let (started, text, history) = (Instant::now(), Arc::default(), Mutex::default());
        Self { shared: Arc::new(Shared { host, http, started, text, history }) }
    }

    /// The text for Prometheus, of [`CONTENT_TYPE`]. It looks at every process, once a second at most. Needs a tokio runtime.
    ///
    /// Cancel safety: what has begun goes on, and who asks next gets it.
    pub async fn text(&self) -> Arc<str> {
        let text = self.look(|shared, text| match text {
            Some((made, text)) if made.elapsed() < FRESH => Arc::clone(text),
            _ => {
                let made = Arc::<str>::from(text::render(shared.read()));
                *text = Some((Instant::now(), Arc::clone(&made)));
                made
            }
        });
        text.await.unwrap_or_default()
    }

    /// Asks the host, when nobody else does. None: that has panicked, or the runtime ends.
    async fn look<T: Send + 'static>(&self, take: impl FnOnce(&Shared, &mut Made) -> T + Send + 'static) -> Option<T> {
        let mut text = Arc::clone(&self.shared.text).lock_owned().await;
        let shared = Arc::clone(&self.shared);
        // The lock goes along: who asks and goes away again and again has one look under way, not many.
        task::spawn_blocking(move || take(&shared, &mut text)).await.ok()
    }

    /// The last ten minutes, a point every [`STEP`], oldest first; of the whole host, or of a tenant. None: there is no such tenant.
    pub fn history(&self, tenant: Option<&str>) -> Option<Vec<Point>> {
        let history = self.shared.history.lock();
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
            self.note().await;
        }
    }

    /// Takes a point now.
    pub async fn note(&self) {
        if let Some(reading) = self.look(|shared, _| shared.read()).await {
            self.shared.history.lock().note(&reading);
        }
    }
}

impl Shared {
    fn read(&self) -> Reading {
        let Self { host, http, started, .. } = self;
        let engine = host.engine();
        Reading {
            uptime: started.elapsed(),
            engine: engine.usage(),
            slots: engine.slots(),
            delays: engine.delays(),
            connections: http.connections(),
            tenants: host.tenants().iter().map(|tenant| read(tenant, http.requests(tenant.name()))).collect(),
        }
    }
}

fn read(tenant: &Tenant, http: Option<HttpReading>) -> TenantReading {
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
        http,
    }
}
