//! A loopback address that leads to a host's socket, for a browser, which can't open one.
//!
//! Owns who may use it: the address is any user's and any page's of the machine, so each request needs a session that is had once, for a key
//! that counts once. What is asked for is the host's matter. Opens nothing but the way to the host.

use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1 as client;
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use lunarium_engine::ErrorKind;
use parking_lot::Mutex;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::Semaphore;

use super::access::{Access, Peer, Token};
use super::answer::{Failed, bytes_of};
use super::page;

/// Connections at once. The number: a browser opens six. At the limit: a new one is closed.
const CONNECTIONS: usize = 64;

/// How long the head of a request may take. At the limit: the connection is closed.
const HEAD: Duration = Duration::from_secs(30);

/// Where a key is exchanged for a session.
const SESSION: &str = "/observe/session";

/// The headers of a request that the host needs.
const TAKEN: [HeaderName; 2] = [ACCEPT, CONTENT_TYPE];

/// Where the host is.
#[derive(Debug, Clone)]
pub enum Way {
    /// Its Unix socket.
    Unix(PathBuf),
    /// Its address, `HOST:PORT`, with the token that it wants.
    Tcp(String, Token),
}

struct Gate {
    way: Way,
    /// The names that this address has in a request.
    names: [String; 2],
    /// None: it was used.
    key: Mutex<Option<Token>>,
    session: Token,
}

/// Lets a browser through from this address until the future is dropped. `key` is exchanged for `session` once.
///
/// Errors: the socket is none of the loopback's, or can't be waited for.
pub async fn observe(listener: std::net::TcpListener, way: Way, key: Token, session: Token) -> io::Result<Infallible> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        return Err(io::Error::other(format!("{address} isn't an address of this machine alone")));
    }
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let names = [address.to_string(), format!("localhost:{}", address.port())];
    let gate = Arc::new(Gate { way, names, key: Mutex::new(Some(key)), session });
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            // Too many files are open.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let gate = Arc::clone(&gate);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let gate = Arc::clone(&gate);
                async move { Ok::<_, Infallible>(gate.answer(request).await.unwrap_or_else(Failed::into_response)) }
            });
            let mut builder = server::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(HEAD);
            // A browser that goes away is no failure.
            let _ = builder.serve_connection(TokioIo::new(socket), service).await;
            drop(place);
        });
    }
}

impl Gate {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response, Failed> {
        let path = request.uri().path();
        let open = request.method() == Method::GET && page::FILES.iter().any(|(file, ..)| *file == path);
        // A page that was led here by another name gets nothing, whatever it knows.
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        if !self.names.iter().any(|name| name.eq_ignore_ascii_case(host)) {
            let message = format!("this is `{}`, and was called otherwise", self.names[0]);
            return Err(Failed::new(StatusCode::FORBIDDEN, ErrorKind::PermissionDenied, message));
        }
        if path == SESSION {
            return self.exchange(&request);
        }
        self.check(&self.session, open, &request)?;
        self.forward(request).await.map_err(|error| {
            let message = format!("the host can't be reached: {error}");
            Failed::new(StatusCode::BAD_GATEWAY, ErrorKind::Unavailable, message)
        })
    }

    fn check(&self, token: &Token, open: bool, request: &Request<Incoming>) -> Result<(), Failed> {
        let access = Access { token: Some(token.clone()), names: Vec::new() };
        let anybody = Peer::Tcp(([127, 0, 0, 1], 0).into());
        access.check(&anybody, open, request)
    }

    /// Whoever brings the key first gets the session.
    fn exchange(&self, request: &Request<Incoming>) -> Result<Response, Failed> {
        if request.method() != Method::POST {
            return Err(Failed::new(StatusCode::METHOD_NOT_ALLOWED, ErrorKind::Invalid, "a session is had by POST"));
        }
        let mut key = self.key.lock();
        let Some(known) = &*key else {
            let failed =
                Failed::new(StatusCode::UNAUTHORIZED, ErrorKind::PermissionDenied, "this address was opened already");
            return Err(failed.with_help("`lunarium observe` prints another one; if it wasn't you, end it"));
        };
        self.check(known, false, request)?;
        *key = None;
        let body = json!({ "token": self.session.as_str() }).to_string();
        Ok(bytes_of(StatusCode::OK, "application/json", body))
    }

    async fn forward(&self, request: Request<Incoming>) -> Result<Response, Box<dyn std::error::Error + Send + Sync>> {
        let (head, body) = request.into_parts();
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut onward = Request::builder().method(head.method).uri(path).body(body)?;
        let headers = onward.headers_mut();
        for name in TAKEN {
            if let Some(value) = head.headers.get(&name) {
                headers.insert(name, value.clone());
            }
        }
        let answer = match &self.way {
            Way::Unix(path) => {
                headers.insert(HOST, HeaderValue::from_static("localhost"));
                ask(UnixStream::connect(path).await?, onward).await?
            }
            Way::Tcp(address, token) => {
                headers.insert(HOST, HeaderValue::from_str(address)?);
                headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {}", token.as_str()))?);
                ask(TcpStream::connect(address).await?, onward).await?
            }
        };
        let mut answer = answer.map(Body::new);
        // Of that connection, not of this one.
        for name in [CONNECTION, TRANSFER_ENCODING] {
            answer.headers_mut().remove(name);
        }
        Ok(answer)
    }
}

async fn ask(
    socket: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Incoming>,
) -> hyper::Result<Response<Incoming>> {
    let (mut sender, connection) = client::handshake(TokioIo::new(socket)).await?;
    // It ends with the answer's body, or when nobody reads that any more.
    tokio::spawn(connection);
    sender.send_request(request).await
}
