//! The server: threads that accept connections and serve them, and how they stop.
//!
//! Owns its threads and its connections. What a request becomes is `forward`'s.
//!
//! A thread has a runtime of its own, and its connections never leave it: what a request needs besides is the engine's workers, which wake
//! the thread when a process has ended.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::panic::catch_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use futures_lite::future::or;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::RwLock;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{sleep, timeout};

use super::config::{MOST_BUFFER, MOST_HEAD, ServerConfig};
use super::crowd::{Crowd, Place};
use super::forward;
use super::proxy::{Network, is_believed};
use super::site::Sites;
use super::timer::Timer;
use crate::clients::Watched;
use crate::metrics::ConnectionsReading;

/// How long a thread that can't accept for want of descriptors or memory waits until it tries again.
const PAUSE: Duration = Duration::from_millis(100);

/// How long those who came last may take for the head of their request. The number: it is on its way when they have connected.
const LAST: Duration = Duration::from_secs(1);

/// A server that runs. Dropped, it closes all connections at once.
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: watch::Sender<Stop>,
    /// Closed when the last thread has ended.
    ended: mpsc::Receiver<()>,
}

/// What connections are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// To go on.
    No,
    /// To end when their request is answered, and at once when this time is over.
    Within(Duration),
    Now,
}

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were closed although their request wasn't answered.
    pub cut: u64,
}

pub(super) struct Shared {
    pub(super) config: ServerConfig,
    sites: RwLock<Arc<Sites>>,
    proxies: RwLock<Arc<[Network]>>,
    crowd: Arc<Crowd>,
    connections: Arc<Semaphore>,
    /// Requests that were nobody's.
    strays: AtomicU64,
    /// Connections closed when the time to stop was over.
    cut: AtomicU64,
}

impl Shared {
    pub(super) fn sites(&self) -> Arc<Sites> {
        Arc::clone(&self.sites.read())
    }

    /// Who is believed about whom a request comes from.
    pub(super) fn proxies(&self) -> Arc<[Network]> {
        Arc::clone(&self.proxies.read())
    }

    pub(super) fn count_stray(&self) {
        self.strays.fetch_add(1, Relaxed);
    }
}

impl Server {
    /// Serves the sites at a socket that listens.
    ///
    /// Errors: the system gives no thread, or no descriptors for one.
    pub fn start(listener: TcpListener, mut config: ServerConfig, sites: Sites) -> io::Result<Self> {
        let (stop, stopped) = watch::channel(Stop::No);
        let (alive, ended) = mpsc::channel(1);
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let most = usize::try_from(config.max_connections).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        let shared = Arc::new(Shared {
            sites: RwLock::new(Arc::new(sites)),
            proxies: RwLock::new(std::mem::take(&mut config.proxies).into()),
            crowd: Crowd::new(most, config.notes.clone()),
            connections: Arc::new(Semaphore::new(most)),
            strays: AtomicU64::new(0),
            cut: AtomicU64::new(0),
            config,
        });
        for number in 0..shared.config.threads.max(1) {
            let runtime = runtime(format!("lunarium-http-{number}"))?;
            let (listener, alive) = (listener.try_clone()?, alive.clone());
            let (shared, stopped) = (Arc::clone(&shared), stopped.clone());
            thread::Builder::new().name("lunarium-http".into()).spawn(move || {
                // A panic in it ends it as its end does.
                let _ = runtime.block_on(runtime.spawn(serve(shared, listener, stopped)));
                // What is left of connections goes with it, and only then is this thread over.
                drop(runtime);
                drop(alive);
            })?;
        }
        Ok(Self { shared, address, stop, ended })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Puts other sites in place of those that there are: requests that are under way go on.
    pub fn exchange(&self, sites: Sites) {
        let sites = Arc::new(sites);
        // The old ones may end a node when they are dropped: not under the lock.
        let old = std::mem::replace(&mut *self.shared.sites.write(), sites);
        drop(old);
    }

    /// From now on these are believed, and nobody else, about whom a request comes from: requests that come in later count by that.
    pub fn believe(&self, proxies: &[Network]) {
        *self.shared.proxies.write() = proxies.into();
    }

    /// Requests that were nobody's: 404 without a site.
    pub fn stray_requests(&self) -> u64 {
        self.shared.strays.load(Relaxed)
    }

    /// Connections that are open.
    pub fn connections(&self) -> u64 {
        self.shared.crowd.connections()
    }

    /// The same, and those that were closed or refused so far, by why: for metrics.
    pub fn reading(&self) -> ConnectionsReading {
        self.shared.crowd.reading()
    }

    pub(super) fn crowd(&self) -> &Arc<Crowd> {
        &self.shared.crowd
    }

    /// Accepts no more, answers the requests that are under way, and closes what is left when the time is over.
    ///
    /// Cancel safety: dropped, it closes what is left at once.
    pub async fn stop(mut self, within: Duration) -> Drained {
        // Nobody listens when all threads have ended.
        let _ = self.stop.send(Stop::Within(within));
        while self.ended.recv().await.is_some() {}
        Drained { cut: self.shared.cut.load(Relaxed) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.send(Stop::Now);
    }
}

/// For a thread of the server's. One worker, and still the kind of runtime for several: who wakes a task of it from elsewhere, as each answer
/// does, makes a system call only while the worker sleeps; with the kind for one thread it would be each time.
fn runtime(name: String) -> io::Result<Runtime> {
    let build = || Builder::new_multi_thread().worker_threads(1).thread_name(name).enable_io().enable_time().build();
    // It panics where the system gives no thread.
    catch_unwind(build).unwrap_or_else(|_| Err(io::Error::other("cannot start a thread")))
}

/// A thread's work: accepts, until it is told to stop; then waits for its connections.
async fn serve(shared: Arc<Shared>, listener: TcpListener, mut stopped: watch::Receiver<Stop>) {
    // Each connection has a sender until it is closed.
    let (open, mut closed) = mpsc::channel::<()>(1);
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let accepting = accept(&shared, &listener, &stopped, &open);
    let stop = async {
        // No sender: the server was dropped.
        let stop = stopped.clone().wait_for(|stop| *stop != Stop::No).await.map(|stop| *stop);
        stop.unwrap_or(Stop::Now)
    };
    let within = match or(stop, async {
        accepting.await;
        Stop::Now
    })
    .await
    {
        Stop::Within(within) => within,
        Stop::Now | Stop::No => return,
    };
    if let Ok(listener) = listener.into_std() {
        accept_last(&shared, &listener, &stopped, &open);
    }
    drop(open);
    let drained = async { while closed.recv().await.is_some() {} };
    // It may be dropped meanwhile.
    let dropped = async {
        let _ = stopped.wait_for(|stop| *stop == Stop::Now).await;
    };
    let _ = timeout(within, or(drained, dropped)).await;
}

/// Accepts connections for ever.
async fn accept(
    shared: &Arc<Shared>,
    listener: &tokio::net::TcpListener,
    stopped: &watch::Receiver<Stop>,
    open: &mpsc::Sender<()>,
) {
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            // The other end has gone already.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            // There are too many files open, or no memory: some less, and a rest.
            Err(error) => {
                shared.crowd.unaccepted(&error);
                shared.crowd.make_room();
                sleep(PAUSE).await;
                continue;
            }
        };
        let Some(mut place) = enter(shared, peer) else { continue };
        let Some(permit) = permit(shared).await else { return };
        place.settle();
        let held = Connection { _permit: permit, place, _open: open.clone() };
        tokio::spawn(attend(Arc::clone(shared), stream, peer, stopped.clone(), held));
    }
}

/// A place for a connection. None: there is none for its address.
fn enter(shared: &Shared, peer: SocketAddr) -> Option<Place> {
    let most = match is_believed(peer.ip(), &shared.proxies()) {
        true => u32::MAX,
        false => shared.config.max_connections_per_address,
    };
    shared.crowd.enter(peer.ip(), most)
}

/// Accepts those who have come before the server was told to stop: closing the socket would cut them off.
fn accept_last(shared: &Arc<Shared>, listener: &TcpListener, stopped: &watch::Receiver<Stop>, open: &mpsc::Sender<()>) {
    while let Ok((stream, peer)) = listener.accept() {
        let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
        let permit = Arc::clone(&shared.connections).try_acquire_owned();
        let (Ok(stream), Ok(permit), Some(mut place)) = (stream, permit, enter(shared, peer)) else { continue };
        place.settle();
        let held = Connection { _permit: permit, place, _open: open.clone() };
        tokio::spawn(attend(Arc::clone(shared), stream, peer, stopped.clone(), held));
    }
}

/// One of the server's connections: somebody idle makes room when all are taken. None: never.
async fn permit(shared: &Shared) -> Option<OwnedSemaphorePermit> {
    loop {
        if let Ok(permit) = Arc::clone(&shared.connections).try_acquire_owned() {
            return Some(permit);
        }
        shared.crowd.make_room();
        if let Ok(permit) = timeout(PAUSE, Arc::clone(&shared.connections).acquire_owned()).await {
            return permit.ok();
        }
    }
}

/// What a connection has until it is closed.
struct Connection {
    _permit: OwnedSemaphorePermit,
    place: Place,
    _open: mpsc::Sender<()>,
}

/// Serves one connection to its end.
async fn attend(
    shared: Arc<Shared>,
    stream: TcpStream,
    peer: SocketAddr,
    mut stopped: watch::Receiver<Stop>,
    held: Connection,
) {
    // Answers are written whole: to wait for more would only delay them.
    let _ = stream.set_nodelay(true);
    let config = &shared.config;
    let (timer, asked) = (Timer::default(), Notify::new());
    let service = service_fn(async |request| {
        asked.notify_one();
        let _asking = held.place.begin();
        Ok::<_, Infallible>(forward::answer(&shared, peer.ip(), &timer, request).await)
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new());
    server.header_read_timeout(config.head_timeout).max_buf_size(MOST_BUFFER).max_header_size(MOST_HEAD);
    let io = TokioIo::new(Watched::new(stream, Arc::clone(held.place.activity()), config.stall_timeout));
    let mut connection = pin!(server.serve_connection(io, service));
    let stop = async {
        let _ = stopped.wait_for(|stop| *stop != Stop::No).await;
    };
    // How a connection ends is its client's affair.
    let served = async {
        let _ = connection.as_mut().await;
        Until::Over
    };
    let told = or(
        async {
            stop.await;
            Until::Stop
        },
        async {
            held.place.leaves().await;
            Until::Room
        },
    );
    // First whether it is to end: an answer that is there says so then.
    match or(told, served).await {
        Until::Over => {}
        Until::Stop => {
            let cut = Cut(&shared.cut);
            // Who has just connected has its request on the way.
            let begun = or(asked.notified(), sleep(LAST));
            let over = async {
                let _ = connection.as_mut().await;
                true
            };
            if !or(over, async {
                begun.await;
                false
            })
            .await
            {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
            std::mem::forget(cut);
        }
        Until::Room => {
            // A request may have come in the last moment.
            if held.place.is_busy() {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
    }
}

/// Until when a connection is served.
enum Until {
    /// Its client has gone, or has broken the protocol.
    Over,
    Stop,
    /// Somebody needs its place.
    Room,
}

/// Counts a connection that is dropped while it is asked to end.
struct Cut<'c>(&'c AtomicU64);

impl Drop for Cut<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}
