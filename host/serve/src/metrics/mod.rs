//! A host in numbers: as text for Prometheus, and as the curves of the last ten minutes.
//!
//! Owns when the host is asked: once a second at most, however many ask, and every two seconds for the curves. That looks at every process
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
pub use self::reading::HttpReading;
pub(crate) use self::reading::buckets;
pub use self::text::CONTENT_TYPE;

/// How long a reading and its text count as new: whoever asks before gets the same.
const FRESH: Duration = Duration::from_secs(1);

/// Tells of a tenant's requests from outside, by its name; none: it answers none.
pub type HttpSource = Box<dyn Fn(&str) -> Option<HttpReading> + Send + Sync>;

/// A host in numbers. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    shared: Arc<Shared>,
}

struct Shared {
    host: Host,
    http: HttpSource,
    started: Instant,
    /// Held while the host is asked: who comes meanwhile waits, and gets the same.
    last: Arc<tokio::sync::Mutex<Option<Last>>>,
    history: Mutex<History>,
}

/// What the host was asked last.
struct Last {
    made: Instant,
    reading: Arc<Reading>,
    /// Made when somebody wants it.
    text: Option<Arc<str>>,
}

impl Metrics {
    /// Those of a host that has just started.
    pub fn new(host: Host, http: HttpSource) -> Self {
        let (started, last, history) = (Instant::now(), Arc::default(), Mutex::default());
        Self { shared: Arc::new(Shared { host, http, started, last, history }) }
    }

    /// The text for Prometheus, of [`CONTENT_TYPE`]. It looks at every process, once a second at most. Needs a tokio runtime.
    ///
    /// Cancel safety: what has begun goes on, and who asks next gets it.
    pub async fn text(&self) -> Arc<str> {
        let text = self.look(|last| {
            let Last { reading, text, .. } = last;
            Arc::clone(text.get_or_insert_with(|| text::render(reading).into()))
        });
        text.await.unwrap_or_default()
    }

    /// What the host was asked a moment ago, or else is asked now. None: that has panicked, or the runtime ends.
    async fn look<T: Send + 'static>(&self, take: impl FnOnce(&mut Last) -> T + Send + 'static) -> Option<T> {
        let mut last = Arc::clone(&self.shared.last).lock_owned().await;
        let shared = Arc::clone(&self.shared);
        // The lock goes along: who asks and goes away again and again has one look under way, not many.
        let looked = task::spawn_blocking(move || {
            let is_new = last.as_ref().is_some_and(|last| last.made.elapsed() < FRESH);
            if !is_new {
                *last = None;
            }
            take(last.get_or_insert_with(|| {
                let reading = Arc::new(shared.read());
                Last { made: Instant::now(), reading, text: None }
            }))
        });
        looked.await.ok()
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
        if let Some(reading) = self.look(|last| Arc::clone(&last.reading)).await {
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
