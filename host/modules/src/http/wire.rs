//! One request on one connection: to a checked address, encrypted where the scheme says so, within the bounds.
//!
//! Owns what is read of an answer, and when that is too much. Every byte of a connection is counted where it comes in or goes out,
//! whatever it means: also what an answer hides in front of its headers. Follows no redirect.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::HeaderValue;
use hyper::rt::{Read, Write};
use hyper::{Uri, header};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::connect::Connect;
use super::fault::Fault;
use super::limits::{Budget, Limits};
use super::request::Request;
use super::url::{Host, Origin, Scheme};

/// What hyper says of headers that are too large or too many.
const TOO_LARGE: &str = "message head is too large";
/// What a client says of itself.
const AGENT: &str = concat!("lunarium/", env!("CARGO_PKG_VERSION"));
/// How long one of several addresses is tried.
const ATTEMPT: Duration = Duration::from_secs(3);
/// Headers of an answer.
const MOST_HEADERS: usize = 100;
/// Bytes that stand between the largest header block and the largest read buffer.
const SPARE: usize = 8 << 10;

/// The head of an answer, whose body can be read.
pub(super) type Head = hyper::Response<Incoming>;

/// Connects with the first address that answers.
///
/// Errors: none does; what became of the first.
pub(super) async fn connect(
    connector: &dyn Connect,
    addresses: &[SocketAddr],
    budget: &Arc<Budget>,
) -> Result<Counted, Fault> {
    let mut first = None;
    for (index, address) in addresses.iter().enumerate() {
        let is_last = index.saturating_add(1) == addresses.len();
        let connecting = connector.tcp(*address);
        // The last one has all the time that the request has.
        let connected = if is_last { Ok(connecting.await) } else { timeout(ATTEMPT, connecting).await };
        match connected {
            Ok(Ok(stream)) => return Ok(Counted { stream, budget: Arc::clone(budget) }),
            Ok(Err(error)) => _ = first.get_or_insert_with(|| error.kind().to_string()),
            Err(_) => _ = first.get_or_insert_with(|| "it doesn't answer".to_owned()),
        }
    }
    let why = first.unwrap_or_else(|| "it has no address".to_owned());
    Err(Fault::Unavailable(format!("host can't be reached: {why}")))
}

/// Encrypts a connection, with whoever has a certificate for the host.
pub(super) async fn encrypt(
    stream: Counted,
    host: &Host,
    config: &Arc<ClientConfig>,
) -> Result<tokio_rustls::client::TlsStream<Counted>, Fault> {
    let name = match host {
        Host::Name(name) => ServerName::try_from(name.clone())
            .map_err(|_| Fault::Certificate(format!("`{name}` can't be the name in a certificate")))?,
        Host::Address(address) => ServerName::from(*address),
    };
    let connecting = TlsConnector::from(Arc::clone(config)).connect(name, stream);
    connecting.await.map_err(|error| match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(error) => Fault::Certificate(format!("connection with `{host}` can't be encrypted: {error}")),
        None => broken(&error, "before anything was said"),
    })
}

/// Sends a request and gives the answer's head to `take`, which can read its body meanwhile.
pub(super) async fn exchange<S, T>(
    stream: S,
    request: &Request,
    limits: &Limits,
    take: impl AsyncFnOnce(Head) -> Result<T, Fault>,
) -> Result<T, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(stream);
    let headers = usize::try_from(limits.headers).unwrap_or(usize::MAX).max(SPARE);
    let mut builder = http1::Builder::new();
    builder.max_headers(MOST_HEADERS).max_header_size(headers).max_buf_size(headers.saturating_add(SPARE));
    let (mut sender, connection) = handshake(&builder, io).await?;
    let message = message(request)?;
    let answered = async {
        let head =
            sender.send_request(message).await.map_err(|error| fault(&error, "before it has answered", limits))?;
        take(head).await
    };
    drive(connection, answered).await
}

async fn handshake<I>(
    builder: &http1::Builder,
    io: I,
) -> Result<(http1::SendRequest<Full<Bytes>>, http1::Connection<I, Full<Bytes>>), Fault>
where
    I: Read + Write + Unpin + 'static,
{
    builder.handshake(io).await.map_err(|error| Fault::Unavailable(format!("connection failed: {error}")))
}

/// Moves the connection on while something waits for what comes of it. Both are dropped together.
async fn drive<T>(connection: impl Future<Output = hyper::Result<()>>, waiting: impl Future<Output = T>) -> T {
    let (mut connection, mut waiting) = (pin!(connection), pin!(waiting));
    let mut is_over = false;
    poll_fn(|context| {
        loop {
            if let Poll::Ready(result) = waiting.as_mut().poll(context) {
                return Poll::Ready(result);
            }
            // Why it is over, who waits will hear.
            if is_over || connection.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            is_over = true;
        }
    })
    .await
}

fn message(request: &Request) -> Result<hyper::Request<Full<Bytes>>, Fault> {
    let unfit = |what: String| Fault::Invalid(format!("url can't be sent: {what}"));
    let target: Uri = request.url.path_and_query().parse().map_err(|error| unfit(format!("{error}")))?;
    let mut message = hyper::Request::new(Full::new(request.body.clone()));
    *message.method_mut() = request.method.clone();
    *message.uri_mut() = target;
    let headers = message.headers_mut();
    headers.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    // The caller's come after ours, and before those that nobody else may set.
    headers.extend(request.headers.clone());
    let host = HeaderValue::from_str(&request.url.origin.authority()).map_err(|error| unfit(error.to_string()))?;
    headers.insert(header::HOST, host);
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(message)
}

/// Reads a body of at most this many bytes; `limit` is the name of what bounds it.
pub(super) async fn read_body(
    mut body: Incoming,
    most: (&'static str, usize),
    budget: &Arc<Budget>,
    limits: &Limits,
) -> Result<Vec<u8>, Fault> {
    let (limit, most) = most;
    let too_large = || Fault::Limit(limit, format!("body of the answer has more than {most} bytes"));
    let announced = hyper::body::Body::size_hint(&body).lower();
    if announced > u64::try_from(most).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    let mut held = budget.hold()?;
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| fault(&error, "in the middle of its answer", limits))?;
        let Ok(data) = frame.into_data() else { continue };
        if read.len().saturating_add(data.len()) > most {
            return Err(too_large());
        }
        budget.grow(&mut held, data.len())?;
        read.extend_from_slice(&data);
    }
    Ok(read)
}

fn fault(error: &hyper::Error, when: &str, limits: &Limits) -> Fault {
    let cause = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    if let Some(fault) = cause.and_then(spent) {
        return fault;
    }
    // The client's half of hyper has no other sign of it; a test holds the words.
    if error.is_parse() && error.to_string() == TOO_LARGE {
        let text =
            format!("headers of the answer have more than {} bytes, or are more than {MOST_HEADERS}", limits.headers);
        return Fault::Limit(Limits::HEADERS, text);
    }
    if error.is_parse() {
        return Fault::Malformed(format!("answer isn't HTTP: {error}"));
    }
    Fault::Unavailable(format!("server has vanished {when}"))
}

fn broken(error: &io::Error, when: &str) -> Fault {
    spent(error).unwrap_or_else(|| Fault::Unavailable(format!("server has vanished {when}")))
}

/// The fault that [`Counted`] has stopped a connection with.
fn spent(error: &io::Error) -> Option<Fault> {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Spent>()).map(|Spent(fault)| fault.clone())
}

#[derive(Debug, thiserror::Error)]
#[error("the budget is spent")]
struct Spent(Fault);

/// A connection whose bytes are charged to the node's minute.
#[derive(Debug)]
pub(super) struct Counted {
    stream: TcpStream,
    budget: Arc<Budget>,
}

impl Counted {
    fn charge(&self, bytes: usize) -> io::Result<()> {
        self.budget.bytes(bytes, Instant::now()).map_err(|fault| io::Error::other(Spent(fault)))
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(Ok(())) => Poll::Ready(self.charge(buffer.filled().len().saturating_sub(before))),
            other => other,
        }
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Ready(Ok(written)) => Poll::Ready(self.charge(written).map(|()| written)),
            other => other,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Whether an origin's connections are encrypted.
pub(super) fn is_encrypted(origin: &Origin) -> bool {
    origin.scheme == Scheme::Https
}
