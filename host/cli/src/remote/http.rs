//! Requests to a host, over its socket or TCP.
//!
//! Owns that what goes wrong on the way is said in words: nobody listens, somebody else does, the host refuses.

use std::fmt;
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use lunarium_serve::Way;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// Bytes of an answer.
const ANSWER: usize = 256 << 20;

/// What may stand in a path or behind a `=` as it is.
const KEPT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A text as a part of a path or query.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, &KEPT).to_string()
}

/// The path of a tenant.
pub fn tenant_path(tenant: &str) -> String {
    format!("/v1/tenants/{}", encoded(tenant))
}

/// The path of a process: of a pid, its number, or a registered name.
pub fn process_path(tenant: &str, process: &str) -> String {
    format!("{}/processes/{}", tenant_path(tenant), encoded(process))
}

/// The path of a tenant's processes: so many of those that a text is found in, by a field.
pub fn processes_path(tenant: &str, sort: &str, descending: bool, limit: u32, search: &str) -> String {
    let order = if descending { "desc" } else { "asc" };
    let search = if search.is_empty() { String::new() } else { format!("&search={}", encoded(search)) };
    format!("{}/processes?sort={sort}&order={order}&limit={limit}{search}", tenant_path(tenant))
}

/// Why there is no answer.
#[derive(Debug)]
pub struct Refusal {
    message: String,
    help: Option<String>,
    /// Every mistake of an application.
    report: Option<String>,
}

impl Refusal {
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, report: None }
    }

    fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// What the host says.
    fn answered(status: hyper::StatusCode, body: &[u8]) -> Self {
        let answer: Value = serde_json::from_slice(body).unwrap_or_default();
        let unknown = || Self::new(format!("it answers {status}, and no host of ours does so"));
        answer.get("error").and_then(Self::of).unwrap_or_else(unknown)
    }

    /// The same, said of a tenant among others.
    pub fn of_tenant(self, name: &str) -> Self {
        Self { message: format!("tenant `{name}`: {}", self.message), ..self }
    }

    /// What a host says of one thing of several. None: it says nothing.
    pub fn of(error: &Value) -> Option<Self> {
        let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
        // A function that isn't there has its headline alone.
        let stack = text("stack").filter(|stack| stack.lines().count() > 1);
        let stack = stack.map(|stack| format!("\n{stack}")).unwrap_or_default();
        Some(Self { message: text("message")? + &stack, help: text("help"), report: text("report") })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(report) = &self.report {
            writeln!(f, "{}\n", report.trim_end())?;
        }
        write!(f, "error: {}", self.message)?;
        self.help.iter().try_for_each(|help| write!(f, "\nhelp: {help}"))
    }
}

/// A host that can be asked.
#[derive(Debug, Clone)]
pub struct Client {
    way: Way,
}

impl Client {
    pub fn new(way: Way) -> Self {
        Self { way }
    }

    /// What is there.
    ///
    /// Errors: nobody answers, or the host refuses.
    pub async fn get(&self, path: &str) -> Result<Value, Refusal> {
        json(self.ask(Method::GET, path, None).await?).await
    }

    /// Asks for a change.
    ///
    /// Errors: as [`Client::get`].
    pub async fn post(&self, path: &str, body: Option<&Value>) -> Result<Value, Refusal> {
        let body = body.map(|body| ("application/json", Bytes::from(body.to_string())));
        json(self.ask(Method::POST, path, body).await?).await
    }

    /// Sends an archive.
    ///
    /// Errors: as [`Client::get`].
    pub async fn put(&self, path: &str, tar: Vec<u8>) -> Result<Value, Refusal> {
        json(self.ask(Method::PUT, path, Some(("application/x-tar", tar.into()))).await?).await
    }

    /// Takes something away.
    ///
    /// Errors: as [`Client::get`].
    pub async fn delete(&self, path: &str) -> Result<Value, Refusal> {
        json(self.ask(Method::DELETE, path, None).await?).await
    }

    /// A stream of server-sent events.
    ///
    /// Errors: as [`Client::get`].
    pub async fn stream(&self, path: &str) -> Result<Stream, Refusal> {
        Ok(Stream { body: self.ask(Method::GET, path, None).await?.into_body(), text: Vec::new() })
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, Bytes)>,
    ) -> Result<Response<Incoming>, Refusal> {
        let request = Request::builder().method(method).uri(path);
        let request = match &body {
            Some((kind, _)) => request.header(CONTENT_TYPE, *kind),
            None => request,
        };
        let body = Full::new(body.map(|(_, body)| body).unwrap_or_default());
        let response = match &self.way {
            Way::Unix(path) => {
                let socket = UnixStream::connect(path).await.map_err(|error| unreachable(path, &error))?;
                send(socket, request.header(HOST, "localhost").body(body)).await?
            }
            Way::Tcp(authority, token) => {
                let socket = TcpStream::connect(authority).await;
                let socket =
                    socket.map_err(|error| Refusal::new(format!("no host answers at {authority}: {error}")))?;
                let token = format!("Bearer {}", token.as_str());
                send(socket, request.header(HOST, authority).header(AUTHORIZATION, token).body(body)).await?
            }
        };
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        Err(Refusal::answered(status, &whole(response).await?))
    }
}

fn is_socket(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.file_type().is_socket())
}

fn unreachable(path: &Path, error: &io::Error) -> Refusal {
    let shown = path.display();
    let start = "`lunarium serve` starts one; `--node SOCKET|URL` names one that is elsewhere";
    match error.kind() {
        io::ErrorKind::NotFound => {
            Refusal::new(format!("no host is found: there is no socket `{shown}`")).with_help(start)
        }
        io::ErrorKind::ConnectionRefused if !is_socket(path) => {
            Refusal::new(format!("`{shown}` isn't a socket")).with_help(start)
        }
        io::ErrorKind::ConnectionRefused => Refusal::new(format!(
            "nobody listens at `{shown}` any more: the host that has made it has ended, or listens elsewhere"
        ))
        .with_help(start),
        io::ErrorKind::PermissionDenied => {
            let help = "whoever runs the host, and root, may: its socket has the mode 0600";
            Refusal::new(format!("this user may not use the socket `{shown}`")).with_help(help)
        }
        _ => Refusal::new(format!("no host answers at `{shown}`: {error}")),
    }
}

async fn send(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Result<Request<Full<Bytes>>, hyper::http::Error>,
) -> Result<Response<Incoming>, Refusal> {
    let request = request.map_err(|error| Refusal::new(format!("it can't be asked for: {error}")))?;
    let broken = |error: hyper::Error| {
        match error.is_canceled() || error.is_incomplete_message() {
        true => Refusal::new("the host has closed the connection without an answer").with_help(
            "at its socket it lets in nobody but its own user and root; it may also have ended, or listen elsewhere now",
        ),
        false => Refusal::new(format!("the host doesn't answer as one: {error}")),
    }
    };
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await.map_err(broken)?;
    // What it fails with, the request fails with.
    tokio::spawn(async move { drop(connection.await) });
    sender.send_request(request).await.map_err(broken)
}

async fn whole(response: Response<Incoming>) -> Result<Bytes, Refusal> {
    let body = Limited::new(response.into_body(), ANSWER).collect().await;
    Ok(body.map_err(|error| Refusal::new(format!("the answer breaks off: {error}")))?.to_bytes())
}

async fn json(response: Response<Incoming>) -> Result<Value, Refusal> {
    let body = whole(response).await?;
    serde_json::from_slice(&body).map_err(|error| Refusal::new(format!("the answer is no JSON: {error}")))
}

/// Server-sent events, one after the other.
pub struct Stream {
    body: Incoming,
    text: Vec<u8>,
}

impl Stream {
    /// The next event's name and data. None: the host has ended the stream.
    ///
    /// Errors: it broke off.
    pub async fn next(&mut self) -> Result<Option<(String, Value)>, Refusal> {
        loop {
            if let Some(end) = self.text.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<u8> = self.text.drain(..end.saturating_add(2)).collect();
                if let Some(event) = parsed(&String::from_utf8_lossy(&event)) {
                    return Ok(Some(event));
                }
                continue;
            }
            if self.body.is_end_stream() {
                return Ok(None);
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Ok(frame)) => self.text.extend(frame.into_data().unwrap_or_default()),
                Some(Err(error)) => return Err(Refusal::new(format!("the host has broken off: {error}"))),
            }
        }
    }
}

/// None: it is a comment.
fn parsed(event: &str) -> Option<(String, Value)> {
    let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    Some((field("event")?.to_owned(), serde_json::from_str(field("data")?).ok()?))
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;
    use serde_json::json;

    use super::{Refusal, encoded, parsed};

    #[test]
    fn what_stands_in_a_path_is_encoded() {
        assert_eq!(encoded("{app:a|0x00001}"), "%7Bapp%3Aa%7C0x00001%7D");
        assert_eq!(encoded("a b/é?x=1&y#..-_~"), "a%20b%2F%C3%A9%3Fx%3D1%26y%23..-_~");
    }

    #[test]
    fn events_are_read_and_comments_are_not() {
        assert_eq!(parsed("event: line\ndata: {\"a\":1}\n\n"), Some(("line".to_owned(), json!({"a": 1}))));
        assert_eq!(parsed(":\n\n"), None);
        assert_eq!(parsed("event: line\ndata: {\n\n"), None);
    }

    #[test]
    fn a_refusal_says_what_the_host_says() {
        let body = json!({"error": {"kind": "Invalid", "message": "2 mistakes", "help": "mend them", "report": "a.lua:1: …\n"}});
        let told = Refusal::answered(StatusCode::UNPROCESSABLE_ENTITY, body.to_string().as_bytes()).to_string();
        assert_eq!(told, "a.lua:1: …\n\nerror: 2 mistakes\nhelp: mend them");
        let other = Refusal::answered(StatusCode::BAD_GATEWAY, b"<html>").to_string();
        assert_eq!(other, "error: it answers 502 Bad Gateway, and no host of ours does so");
    }
}
