//! What scripts give for a request, and get.
//!
//! Owns the forms of both, and which headers are the client's own.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode, header};
use lunarium::Value;
use serde::Serializer;
use serde_derive::{Deserialize, Serialize};

use super::fault::Fault;
use super::grant::METHODS;
use super::url::Url;

/// Headers of a request, and bytes of their names and values. The numbers: what servers commonly take.
const MOST_HEADERS: usize = 64;
const MOST_HEADER_BYTES: usize = 16 << 10;

/// How many redirects are followed.
const REDIRECTS: usize = 5;

/// Headers that say how the message travels: a script that could set them could make one request look like two.
const OWN: [HeaderName; 9] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::EXPECT,
    HeaderName::from_static("keep-alive"),
];

/// `options` of `http.get`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Options {
    headers: Option<BTreeMap<String, String>>,
    timeout: Option<Value>,
    redirects: Option<usize>,
}

/// The argument of `http.request`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    url: String,
    method: Option<String>,
    headers: Option<BTreeMap<String, String>>,
    body: Option<Value>,
    timeout: Option<Value>,
    redirects: Option<usize>,
}

/// A request as it will be made.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// For all of it, redirects included.
    pub(super) timeout: Option<Duration>,
    /// How many redirects may still be followed.
    pub(super) redirects: usize,
    /// A redirect isn't the answer.
    pub(super) follows: bool,
}

impl Request {
    pub(super) fn get(url: &str, options: Options) -> Result<Request, Fault> {
        let Options { headers, timeout, redirects } = options;
        Request::new(Asked { url: url.to_owned(), method: None, headers, body: None, timeout, redirects })
    }

    /// Errors: what of it isn't as it must be.
    pub(super) fn new(asked: Asked) -> Result<Request, Fault> {
        let url = Url::parse(&asked.url).map_err(|error| Fault::Invalid(error.0))?;
        let name = asked.method.as_deref().unwrap_or("GET");
        let method = METHODS.contains(&name).then(|| Method::from_bytes(name.as_bytes()).ok()).flatten();
        let unknown = || Fault::Invalid(format!("unknown method `{}`; there are {}", short(name), METHODS.join(", ")));
        let timeout = asked.timeout.filter(|timeout| *timeout != Value::Nil);
        let timeout =
            timeout.map(|timeout| timeout.to_duration().map_err(|error| Fault::Invalid(format!("timeout: {error}"))));
        let body = match asked.body {
            None | Some(Value::Nil) => Bytes::new(),
            Some(Value::String(bytes)) => bytes.into(),
            Some(_) => {
                return Err(Fault::Invalid("body must be a string; `json.encode` makes one of a table".to_owned()));
            }
        };
        let redirects = asked.redirects.unwrap_or(REDIRECTS);
        if redirects > REDIRECTS {
            return Err(Fault::Invalid(format!("redirects must be at most {REDIRECTS}")));
        }
        Ok(Request {
            method: method.ok_or_else(unknown)?,
            url,
            headers: headers(asked.headers.unwrap_or_default())?,
            body,
            timeout: timeout.transpose()?,
            redirects,
            follows: redirects != 0,
        })
    }

    /// The request that a redirect with this status leads to.
    pub(super) fn redirected(mut self, status: StatusCode, url: Url) -> Request {
        let keeps = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
        if !keeps && self.method != Method::HEAD {
            self.method = Method::GET;
            self.body = Bytes::new();
            self.headers.remove(header::CONTENT_TYPE);
        }
        if url.origin != self.url.origin {
            // What may be a secret was for the one that was asked.
            let open = [header::ACCEPT, header::ACCEPT_LANGUAGE, header::CONTENT_TYPE, header::USER_AGENT];
            self.headers =
                open.into_iter().filter_map(|name| Some((name.clone(), self.headers.remove(name)?))).collect();
        }
        self.redirects = self.redirects.saturating_sub(1);
        Request { url, ..self }
    }
}

fn headers(given: BTreeMap<String, String>) -> Result<HeaderMap, Fault> {
    let bytes: usize = given.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum();
    if given.len() > MOST_HEADERS || bytes > MOST_HEADER_BYTES {
        let text = format!("headers are more than {MOST_HEADERS}, or more than {MOST_HEADER_BYTES} bytes");
        return Err(Fault::Invalid(text));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let unfit = |what: &str| Fault::Invalid(format!("header `{}` {what}", short(&name)));
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit("can't be the name of one"))?;
        if OWN.contains(&key) || key.as_str().starts_with("proxy-") {
            return Err(unfit("is set by the client itself"));
        }
        let value = HeaderValue::from_str(&value)
            .map_err(|_| unfit("has a value with a line break, a control character or a letter that isn't ASCII"))?;
        if headers.insert(key, value).is_some() {
            return Err(unfit("is there twice"));
        }
    }
    Ok(headers)
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// What a script gets.
#[derive(Debug, Serialize)]
pub(super) struct Response {
    pub(super) status: u16,
    /// The one that has answered, after redirects.
    pub(super) url: String,
    pub(super) headers: BTreeMap<String, Text>,
    pub(super) body: Text,
}

/// Bytes that are a string in Lua.
#[derive(Debug, Default)]
pub(super) struct Text(pub(super) Vec<u8>);

impl serde::Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

/// Headers of a response by their names in lower case. Those that come several times are joined by commas, as HTTP means them;
/// `set-cookie` by line breaks, since a cookie may have commas.
pub(super) fn received(headers: &HeaderMap) -> BTreeMap<String, Text> {
    let mut received: BTreeMap<String, Text> = BTreeMap::new();
    for (name, value) in headers {
        let separator: &[u8] = if name == header::SET_COOKIE { b"\n" } else { b", " };
        match received.get_mut(name.as_str()) {
            Some(Text(there)) => there.extend([separator, value.as_bytes()].concat()),
            None => drop(received.insert(name.as_str().to_owned(), Text(value.as_bytes().to_vec()))),
        }
    }
    received
}
