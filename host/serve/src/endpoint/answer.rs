//! The answer that a script gives, checked, and its way to the client.
//!
//! Owns what of it may be sent: a status, headers that are valid and not the server's own, a body; and that its bytes are held until they
//! are written. Nothing of it is believed.

use std::convert::Infallible;
use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, Response, StatusCode};
use lunarium_engine::{Holding, Value, from_payload, from_results};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_derive::Deserialize;

use super::body::Room;
use super::refusal::Refusal;
use super::traffic::UnderWay;

/// Headers of an answer. At the limit: 502. Clients take about as many.
const MOST_HEADERS: usize = 64;

/// Bytes of their names and values. At the limit: 502.
const MOST_HEADER_BYTES: usize = 16 << 10;

/// Headers that say how an answer travels: the server writes them, or nobody does.
const SERVERS: [&str; 10] = [
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "proxy-authenticate",
];

/// Bytes of an answer that are held without being charged: a connection's own buffers are larger.
const FREE: usize = 4 << 10;

/// An answer as the script has written it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw<'p> {
    status: Option<i64>,
    #[serde(default)]
    headers: Headers,
    #[serde(borrow)]
    body: Option<Text<'p>>,
}

/// An answer that can be sent.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// Reads what a process has returned.
    ///
    /// Errors: it is no answer.
    pub(super) fn of_process(payload: &Bytes) -> Result<Self, Refusal> {
        Self::read(payload, from_payload(payload))
    }

    /// Reads what a called function has returned.
    ///
    /// Errors: it is no answer.
    pub(super) fn of_call(payload: &Bytes) -> Result<Self, Refusal> {
        Self::read(payload, from_results(payload).map_err(|error| told(payload).unwrap_or_else(|| error.to_string())))
    }

    fn read(payload: &Bytes, raw: Result<Raw<'_>, impl fmt::Display>) -> Result<Self, Refusal> {
        let Raw { status, headers: Headers(mut headers), body } = raw.map_err(Refusal::bad_answer)?;
        let status = status.unwrap_or(200);
        let number = u16::try_from(status).ok().filter(|status| (200..600).contains(status));
        let code = number.and_then(|status| StatusCode::from_u16(status).ok());
        let status = code.ok_or_else(|| Refusal::bad_answer(format!("status {status} is not from 200 to 599")))?;
        // Of these no client expects a body: what followed would be read as the next answer.
        let body = body.filter(|_| {
            !matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
        });
        let body = body.map(|Text(body)| payload.slice_ref(body)).unwrap_or_default();
        if !body.is_empty() && !headers.contains_key(CONTENT_TYPE) {
            // Or a browser would guess, and run what it takes for a page.
            let is_text = std::str::from_utf8(&body).is_ok();
            let kind = if is_text { "text/plain; charset=utf-8" } else { "application/octet-stream" };
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        Ok(Self { status, headers, body })
    }

    /// What is sent to this address. It is held for the site until it is written; what a connection's buffers take is nobody's place any more.
    ///
    /// Errors: the site has no room for it; its client doesn't read others.
    pub(super) fn into_response(
        self,
        mut holding: Holding,
        mut under_way: UnderWay,
        remote: IpAddr,
    ) -> Result<Response<AnswerBody>, Refusal> {
        let Self { status, headers, body } = self;
        let mut held = None;
        if body.len() > FREE {
            let bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
            Room { holding: &mut holding, under_way: &mut under_way }.grow(bytes)?;
            under_way.wait_for_reader(remote)?;
            held = Some((holding, under_way));
        }
        let mut response =
            Response::new(AnswerBody(Some(Held { bytes: body, _held: held }).filter(|held| held.has_remaining())));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// What a function has returned that was to return one value: `nil, err`, or too many.
fn told(payload: &Bytes) -> Option<String> {
    let Ok(Value::Array(values)) = Value::decode(payload) else { return None };
    match values.as_slice() {
        [Value::Nil | Value::Boolean(false), error, ..] => {
            let failure = error.failure().map(|failure| failure.message);
            failure.or_else(|| error.as_str().map(str::to_owned))
        }
        [_, _, ..] => Some(format!("table expected, got {} values", values.len())),
        _ => None,
    }
}

/// A string of any bytes, where it stands in its payload.
struct Text<'p>(&'p [u8]);

impl<'de: 'p, 'p> Deserialize<'de> for Text<'p> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfText;
        impl<'de> Visitor<'de> for OfText {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_bytes<E: de::Error>(self, bytes: &'de [u8]) -> Result<Text<'de>, E> {
                Ok(Text(bytes))
            }
        }
        deserializer.deserialize_bytes(OfText)
    }
}

/// Checked while they are read: what is too much is never collected.
#[derive(Default)]
struct Headers(HeaderMap);

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfHeaders;
        impl<'de> Visitor<'de> for OfHeaders {
            type Value = Headers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Headers, A::Error> {
                let mut collected = Collected::default();
                while let Some(Name(name)) = pairs.next_key()? {
                    pairs.next_value_seed(Values { name: &name, collected: &mut collected })?;
                }
                Ok(Headers(collected.headers))
            }
        }
        deserializer.deserialize_map(OfHeaders)
    }
}

#[derive(Default)]
struct Collected {
    headers: HeaderMap,
    bytes: usize,
}

impl Collected {
    fn add<E: de::Error>(&mut self, name: &HeaderName, value: &[u8]) -> Result<(), E> {
        self.bytes = self.bytes.saturating_add(name.as_str().len()).saturating_add(value.len());
        if self.headers.len() >= MOST_HEADERS || self.bytes > MOST_HEADER_BYTES {
            return Err(E::custom(format_args!(
                "more than {MOST_HEADERS} headers, or {MOST_HEADER_BYTES} bytes of them"
            )));
        }
        let value = HeaderValue::from_bytes(value)
            .map_err(|_| E::custom("a value with control characters, such as a line break"))?;
        self.headers.append(name, value);
        Ok(())
    }
}

/// A header's name that a script may set.
struct Name(HeaderName);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfName;
        impl Visitor<'_> for OfName {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a header's name")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Name, E> {
                let shown =
                    || String::from_utf8_lossy(bytes.get(..bytes.len().min(60)).unwrap_or_default()).into_owned();
                let name = HeaderName::from_bytes(bytes)
                    .map_err(|_| E::custom(format_args!("`{}` is no name of a header", shown())))?;
                if SERVERS.contains(&name.as_str()) {
                    return Err(E::custom(format_args!("header `{name}` is the server's to set")));
                }
                Ok(Name(name))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Name, E> {
                Err(E::custom(format_args!("a header's name is a string, not {number}")))
            }
        }
        deserializer.deserialize_bytes(OfName)
    }
}

/// A header's value, or a list of them.
struct Values<'c> {
    name: &'c HeaderName,
    collected: &'c mut Collected,
}

impl<'de> de::DeserializeSeed<'de> for Values<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("string, integer or list of strings")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.collected.add(self.name, text.as_bytes())
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<(), E> {
        self.collected.add(self.name, bytes)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<(), E> {
        self.collected.add(self.name, number.to_string().as_bytes())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(Text(value)) = items.next_element()? {
            self.collected.add(self.name, value)?;
        }
        Ok(())
    }
}

/// The body of an answer: all at once, or nothing.
pub(super) struct AnswerBody(Option<Held>);

impl AnswerBody {
    /// The server's own words.
    pub(super) fn own(text: String) -> Self {
        Self(Some(Held { bytes: text.into(), _held: None }))
    }

    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, Buf::remaining)
    }
}

impl Body for AnswerBody {
    type Data = Held;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Held>, Infallible>>> {
        Poll::Ready(self.0.take().map(|held| Ok(Frame::data(held))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.len()).unwrap_or(u64::MAX))
    }
}

/// Bytes, and what is held for them until they are written.
pub(super) struct Held {
    bytes: Bytes,
    _held: Option<(Holding, UnderWay)>,
}

impl Buf for Held {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
    }
}
