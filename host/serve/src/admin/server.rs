//! Sockets: who comes in, and what becomes of a connection.
//!
//! Owns the bounds of the protocol: sizes of heads, times, how many come in a second. What a request is answered is the routes' matter.

use std::convert::Infallible;
use std::io;
use std::os::unix::net::UnixListener as StdUnixListener;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse as _;
use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::select;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tower_service::Service as _;

use super::Shared;
use super::access::{Access, Peer};
use super::connections::{Connection, UNREAD};
use super::routes::{self, Routes};
use crate::clients::{Activity, Busy, Reader, Watched};

/// How long the head of a request may take, and how long a connection may ask for nothing. At the limit: it is closed.
const HEAD: Duration = Duration::from_secs(30);
/// Bytes of the head of a request. At the limit: 431.
const HEAD_BYTES: usize = 16 << 10;
/// In which time a client has to take 64 KiB of what is written to it, or all of it. At the limit: the connection is closed. The number: a
/// browser in the background, or a terminal that is stopped for a moment, reads again by then.
const PATIENCE: Duration = Duration::from_secs(30);
/// Headers of a request. At the limit: 431.
const HEADERS: usize = 64;
/// Bytes that a connection reads ahead and writes behind.
const BUFFER: usize = 64 << 10;
/// How long requests under way may take when the host stops.
const GRACE: Duration = Duration::from_secs(2);
/// Connections that come in in a tenth of a second; more wait. The number: enough for people and programs, and few enough that a flood of
/// them takes a small part of a core.
const PACE: u32 = 200;
const SPAN: Duration = Duration::from_millis(100);

/// The other end of either kind.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

type Socket = Box<dyn Stream>;

enum Listener {
    /// With the user who alone is let in, beside root.
    Unix(UnixListener, u32),
    Tcp(TcpListener),
}

/// A socket at which clients come in, until its other end is dropped.
pub(crate) struct Entrance {
    listener: Listener,
    access: Arc<Access>,
    /// Nothing is ever sent: its sender is dropped when nobody may come in here any more.
    closed: watch::Receiver<()>,
}

impl Entrance {
    /// A Unix socket, as the runtime around waits for it.
    ///
    /// Errors: it can't.
    pub(crate) fn unix(socket: StdUnixListener, access: Access, closed: watch::Receiver<()>) -> io::Result<Self> {
        let user = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self")?);
        socket.set_nonblocking(true)?;
        let listener = Listener::Unix(UnixListener::from_std(socket)?, user);
        Ok(Self { listener, access: Arc::new(access), closed })
    }

    /// The same of one of TCP.
    ///
    /// Errors: as above.
    pub(crate) fn tcp(socket: std::net::TcpListener, access: Access, closed: watch::Receiver<()>) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { listener: Listener::Tcp(TcpListener::from_std(socket)?), access: Arc::new(access), closed })
    }
}

impl Listener {
    /// Who comes in next. None: somebody who is turned away.
    async fn accept(&self) -> io::Result<Option<(Socket, Peer)>> {
        match self {
            Self::Unix(listener, user) => {
                let (socket, _) = listener.accept().await?;
                let peer = socket.peer_cred()?;
                let is_known = peer.uid() == *user || peer.uid() == 0;
                let peer = Peer::Unix { uid: peer.uid(), pid: peer.pid() };
                Ok(is_known.then(|| (Box::new(socket) as Socket, peer)))
            }
            Self::Tcp(listener) => {
                let (socket, address) = listener.accept().await?;
                Ok(Some((Box::new(socket), Peer::Tcp(address))))
            }
        }
    }
}

/// Serves until the host stops, at the sockets that come.
pub(crate) async fn serve(shared: &Arc<Shared>, mut entrances: mpsc::UnboundedReceiver<Entrance>) {
    let routes = Arc::new(routes::all(shared));
    let mut stopping = shared.stopping.clone();
    let mut accepting = JoinSet::new();
    loop {
        select! {
            biased;
            _ = stopping.wait_for(|stops| *stops) => break,
            Some(_) = accepting.join_next() => {}
            Some(entrance) = entrances.recv() => {
                accepting.spawn(accept(Arc::clone(shared), Arc::clone(&routes), entrance));
            }
        }
    }
    while accepting.join_next().await.is_some() {}
}

/// When whoever came in at a socket is to leave: the host stops, or the socket is closed.
async fn leave(shared: &Shared, closed: &watch::Receiver<()>) {
    let (mut stopping, mut closed) = (shared.stopping.clone(), closed.clone());
    select! {
        _ = stopping.wait_for(|stops| *stops) => {}
        _ = closed.changed() => {}
    }
}

async fn accept(shared: Arc<Shared>, routes: Arc<Routes>, entrance: Entrance) {
    let Entrance { listener, access, closed } = entrance;
    let mut leave = pin!(leave(&shared, &closed));
    let mut open = JoinSet::new();
    let mut pace = Pace { began: Instant::now(), come: 0 };
    loop {
        let accepted = select! {
            biased;
            () = leave.as_mut() => break,
            // So that those which have ended don't pile up.
            Some(_) = open.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(Some((socket, peer))) => {
                // When all are in use, it is closed.
                if let Some(connection) = shared.connections.enter(peer.address()) {
                    let door =
                        Door { routes: Arc::clone(&routes), access: Arc::clone(&access), closed: closed.clone() };
                    open.spawn(attend(Arc::clone(&shared), door, connection, socket, peer));
                }
                // Who makes room closes its socket before the next one comes.
                yield_now().await;
            }
            Ok(None) => {}
            Err(error) => {
                shared.audit.unaccepted(&error);
                // There are too many files open, or no memory: one less, and a rest.
                shared.connections.unaccepted();
                sleep(SPAN).await;
            }
        }
        pace.keep().await;
    }
    // Nobody comes in any more, also while those who did are waited for.
    drop(listener);
    let ended = timeout(GRACE, async { while open.join_next().await.is_some() {} }).await;
    // Those that are left are dropped, and closed.
    drop(ended);
}

/// How many have come lately.
struct Pace {
    began: Instant,
    come: u32,
}

impl Pace {
    async fn keep(&mut self) {
        self.come = self.come.saturating_add(1);
        let over = self.began.checked_add(SPAN).unwrap_or(self.began);
        if self.come >= PACE {
            sleep_until(over).await;
        }
        if Instant::now() >= over {
            *self = Self { began: Instant::now(), come: 0 };
        }
    }
}

/// What a connection has of the socket at which it came in.
struct Door {
    routes: Arc<Routes>,
    access: Arc<Access>,
    closed: watch::Receiver<()>,
}

/// One connection to its end.
async fn attend(shared: Arc<Shared>, door: Door, connection: Arc<Connection>, socket: Socket, peer: Peer) {
    let _open = Open { shared: &shared, connection: &connection };
    let service = service_fn(|request| {
        let busy = connection.begin();
        answer(&shared, &door, &peer, request, busy)
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_header_size(HEAD_BYTES).max_headers(HEADERS);
    builder.max_buf_size(BUFFER);
    let reader = Client { shared: Arc::clone(&shared), connection: Arc::clone(&connection), peer: peer.clone() };
    let io = TokioIo::new(Watched::new(socket, reader, PATIENCE));
    let mut served = pin!(builder.serve_connection(io, service));
    select! {
        biased;
        () = connection.leaves() => return,
        // Whoever breaks the protocol or goes away ends it.
        _ = served.as_mut() => return,
        () = leave(&shared, &door.closed) => {}
    }
    served.as_mut().graceful_shutdown();
    let _ = served.await;
}

/// Whoever is at the other end of a connection.
struct Client {
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    peer: Peer,
}

impl Reader for Client {
    fn stalls(&self) -> bool {
        let may = self.shared.connections.stalls(&self.connection);
        if !may {
            let why = format!("{UNREAD} other connections of its address do not read what they have asked for");
            self.shared.audit.turn_away(&self.peer, &why);
        }
        may
    }

    fn reads(&self) {
        self.shared.connections.reads(&self.connection);
    }
}

/// An open connection, until it is dropped.
struct Open<'c> {
    shared: &'c Shared,
    connection: &'c Connection,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.shared.connections.leave(self.connection);
    }
}

async fn answer(
    shared: &Shared,
    Door { routes, access, .. }: &Door,
    peer: &Peer,
    mut request: Request<Incoming>,
    busy: Busy<Arc<Activity>>,
) -> Result<Response<Guarded>, Infallible> {
    let checked = access.check(peer, routes.is_open(request.uri().path()), &request);
    let response = match checked {
        Ok(()) => {
            request.extensions_mut().insert(peer.clone());
            let mut router: Router = routes.router.clone();
            let Ok(response) = router.call(request.map(Body::new)).await;
            response
        }
        Err(failed) => {
            if failed.status() != StatusCode::BAD_REQUEST {
                shared.audit.turn_away(peer, failed.message());
            }
            failed.into_response()
        }
    };
    Ok(response.map(|body| Guarded { body, _busy: busy }))
}

/// A body that keeps its connection in use.
struct Guarded {
    body: Body,
    _busy: Busy<Arc<Activity>>,
}

impl HttpBody for Guarded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
