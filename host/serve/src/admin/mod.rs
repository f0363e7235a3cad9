//! The admin interface: a host seen and changed from outside, over HTTP.
//!
//! Owns a thread of its own with an async runtime of its own: whatever clients do, the tenants' work waits for none of it, and what is asked
//! of a host (a deployment, a call) goes on where the host runs. What is open, held and waited for is bounded. Opens nothing: sockets
//! come in as values, with the token.

mod access;
mod act;
mod answer;
mod audit;
mod body;
mod change;
mod connections;
mod events;
mod graph;
mod host;
mod json;
mod logs;
mod numbers;
mod observe;
mod page;
mod process;
mod processes;
mod routes;
mod server;
mod stream;
mod tenants;

use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Instant, SystemTime};

use futures_lite::future::or;
use tokio::runtime::{Builder, Handle};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use access::Access;
pub use access::{Token, TokenError};
use answer::Memory;
use audit::Audit;
use connections::Connections;
pub use observe::{Way, observe};
use server::Entrance;

use crate::host::{Host, Reloader, Surroundings};
use crate::metrics::{ConnectionsReading, HttpReading, HttpSource, Metrics};

/// The document that describes it, an OpenAPI one.
pub const OPENAPI: &str = include_str!("openapi.json");

/// Streams of events and logs at once. The number: a quarter of the connections. At the limit: 503.
pub(crate) const STREAMS: usize = 64;
/// Calls of processes at once. At the limit: 503.
const CALLS: usize = 64;
/// Deployments that are received at once: each may be as large as bodies together may be. At the limit: 503.
const UPLOADS: usize = 1;

/// Where the interface is served. Made by [`AdminConfig::new`].
#[non_exhaustive]
pub struct AdminConfig {
    /// Unix sockets: whoever may connect has all power. Of other users than this one and root nobody is let in, whatever the socket's mode.
    pub unix: Vec<UnixListener>,
    /// TCP sockets, with the token that each request must have there.
    pub tcp: Option<(TcpListener, Token)>,
    /// Names of the host beside `localhost` and its addresses.
    pub names: Vec<String>,
    /// Connections at once; 256 by default, a quarter of them kept for Unix sockets. At the limit: the one that has been idle for the longest
    /// time is closed, and where none is idle, the newcomer.
    pub max_connections: usize,
    /// Where each change leaves a line.
    pub log: Arc<dyn Surroundings>,
    /// Where tenants' requests from outside are counted.
    pub requests: Box<dyn HttpSource>,
    /// Who reads again what the whole host is made of. None: a reload of the host is one of each tenant.
    pub reloader: Option<Reloader>,
}

impl AdminConfig {
    /// Nowhere.
    pub fn new(log: Arc<dyn Surroundings>) -> Self {
        let max_connections = connections::CONNECTIONS;
        Self {
            unix: Vec::new(),
            tcp: None,
            names: Vec::new(),
            max_connections,
            log,
            requests: Box::new(|_: &str| None),
            reloader: None,
        }
    }
}

/// What all requests have in common.
pub(crate) struct Shared {
    pub(crate) host: Host,
    pub(crate) metrics: Metrics,
    /// Where the host runs.
    pub(crate) runtime: Handle,
    pub(crate) audit: Audit,
    pub(crate) memory: Memory,
    pub(crate) connections: Arc<Connections>,
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) calls: Arc<Semaphore>,
    pub(crate) uploads: Arc<Semaphore>,
    pub(crate) reloader: Option<Reloader>,
    pub(crate) began: (SystemTime, Instant),
    /// The interface stops.
    pub(crate) stopping: watch::Receiver<bool>,
    /// The host stops, which takes a while.
    pub(crate) draining: Arc<AtomicBool>,
}

/// What is counted of requests from outside, and of the interface's own connections.
struct Counted {
    requests: Box<dyn HttpSource>,
    connections: Arc<Connections>,
}

impl HttpSource for Counted {
    fn requests(&self, tenant: &str) -> Option<HttpReading> {
        self.requests.requests(tenant)
    }

    fn connections(&self) -> Vec<ConnectionsReading> {
        let mut all = self.requests.connections();
        all.push(self.connections.reading());
        all
    }
}

/// The interface while it is served.
pub struct Admin {
    stop: watch::Sender<bool>,
    draining: Arc<AtomicBool>,
    ended: oneshot::Receiver<()>,
    names: Vec<String>,
    /// Of the interface's own thread.
    inside: Handle,
    entrances: mpsc::UnboundedSender<Entrance>,
    /// The sockets that it was made with.
    first: Vec<AdminSocket>,
}

/// A socket at which the interface is served. Dropped, nobody comes in there any more, requests under way have two seconds to end, and
/// what is left of its connections is closed then.
#[derive(Debug)]
pub struct AdminSocket {
    _open: watch::Sender<()>,
}

impl Admin {
    /// Serves a host. Called inside of the runtime that the host was started in.
    ///
    /// Errors: the operating system gives no thread, or the sockets can't be waited for.
    pub fn start(host: Host, config: AdminConfig) -> io::Result<Self> {
        let AdminConfig { unix, tcp, names, max_connections, log, requests, reloader } = config;
        let (stop, stopping) = watch::channel(false);
        let draining = Arc::<AtomicBool>::default();
        let connections = Arc::new(Connections::new(max_connections.max(1)));
        let counted = Counted { requests, connections: Arc::clone(&connections) };
        let shared = Arc::new(Shared {
            metrics: Metrics::new(host.clone(), Box::new(counted)),
            host,
            runtime: Handle::current(),
            audit: Audit::new(log),
            memory: Memory::new(),
            connections,
            streams: Arc::new(Semaphore::new(STREAMS)),
            calls: Arc::new(Semaphore::new(CALLS)),
            uploads: Arc::new(Semaphore::new(UPLOADS)),
            reloader,
            began: (SystemTime::now(), Instant::now()),
            stopping,
            draining: Arc::clone(&draining),
        });
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let (entrances, entering) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        let inside = runtime.handle().clone();
        let mut admin = Self { stop, draining, ended, names, inside, entrances, first: Vec::new() };
        let unix = unix.into_iter().map(|socket| admin.serve_unix(socket)).collect::<io::Result<Vec<_>>>()?;
        let tcp = tcp.map(|(socket, token)| admin.serve_tcp(socket, token)).transpose()?;
        admin.first.extend(unix.into_iter().chain(tcp));
        thread::Builder::new().name("admin".to_owned()).spawn(move || {
            // The curves are this thread's too: looking at processes takes no time of theirs.
            let recorded = async { shared.metrics.record().await };
            runtime.block_on(or(server::serve(&shared, entering), recorded));
            drop(runtime);
            // Nobody may wait for it.
            let _ = end.send(());
        })?;
        Ok(admin)
    }

    /// Serves at one more Unix socket, until what is returned is dropped.
    ///
    /// Errors: it can't be waited for.
    pub fn serve_unix(&self, socket: UnixListener) -> io::Result<AdminSocket> {
        self.serve(None, |access, closed| Entrance::unix(socket, access, closed))
    }

    /// Serves at one more TCP socket, where each request must have this token, until what is returned is dropped.
    ///
    /// Errors: as above.
    pub fn serve_tcp(&self, socket: TcpListener, token: Token) -> io::Result<AdminSocket> {
        self.serve(Some(token), |access, closed| Entrance::tcp(socket, access, closed))
    }

    fn serve(
        &self,
        token: Option<Token>,
        enter: impl FnOnce(Access, watch::Receiver<()>) -> io::Result<Entrance>,
    ) -> io::Result<AdminSocket> {
        let (open, closed) = watch::channel(());
        let entrance = {
            let _inside = self.inside.enter();
            enter(Access { token, names: self.names.clone() }, closed)?
        };
        // Without its thread the interface has stopped, and nobody is served anywhere.
        let _ = self.entrances.send(entrance);
        Ok(AdminSocket { _open: open })
    }

    /// The host begins to stop: it isn't ready any more, and can be looked at until it has.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Takes no new request, lets those under way end for two seconds, and closes what is left then.
    pub async fn stop(self) {
        // The thread may have ended.
        let _ = self.stop.send(true);
        let _ = self.ended.await;
    }
}
