//! The table that a script gets of a request.
//!
//! Owns its fields, which headers are the script's to see, and how repeated ones are joined.

use std::borrow::Cow;
use std::collections::HashSet;
use std::net::IpAddr;

use hyper::HeaderMap;
use hyper::header::{CONNECTION, COOKIE, HeaderName};
use hyper::http::request::Parts;
use lunarium_app::{Endpoint, Segment};
use lunarium_engine::{Raw, to_arguments};
use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use super::path::{Text, query};
use super::refusal::Refusal;

/// What a request consists of.
pub(super) struct Table<'r> {
    pub(super) head: &'r Parts,
    /// As the endpoints see it.
    pub(super) path: &'r str,
    pub(super) segments: &'r [Text<'r>],
    pub(super) endpoint: &'r Endpoint,
    pub(super) body: &'r [u8],
    pub(super) remote: IpAddr,
    /// Who has connected is believed about where the request comes from.
    pub(super) is_believed: bool,
}

/// About connections, not about requests (RFC 9110, 7.6.1), and what was done about by whoever read the request.
const OF_CONNECTION: [&str; 9] = [
    "connection",
    "expect",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl Table<'_> {
    /// The arguments of a function that gets it.
    ///
    /// Errors: it is too much to take apart.
    pub(super) fn encode(&self) -> Result<Raw, Refusal> {
        let query = query(self.head.uri.query().unwrap_or_default())
            .map_err(|error| Refusal::bad_request(error.to_string()))?;
        let payload = to_arguments(&(Written { table: self, query: &query },));
        payload.map(|payload| Raw(payload.into())).map_err(|error| Refusal::bad_request(error.to_string()))
    }
}

struct Written<'w> {
    table: &'w Table<'w>,
    query: &'w [(Text<'w>, Text<'w>)],
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Table { head, path, segments, endpoint, body, remote, is_believed } = self.table;
        let mut fields = serializer.serialize_struct("Request", 8)?;
        fields.serialize_field("method", head.method.as_str())?;
        fields.serialize_field("path", path)?;
        fields.serialize_field("query_string", head.uri.query().unwrap_or_default())?;
        fields.serialize_field("params", &Parameters { segments, pattern: endpoint.path.segments() })?;
        fields.serialize_field("query", &Query(self.query))?;
        fields.serialize_field("headers", &Headers { headers: &head.headers, is_believed: *is_believed })?;
        fields.serialize_field("body", &Bytes(body))?;
        fields.serialize_field("remote", &remote.to_string())?;
        fields.end()
    }
}

/// A string of any bytes.
struct Bytes<'b>(&'b [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => serializer.serialize_bytes(self.0),
        }
    }
}

struct Parameters<'p> {
    segments: &'p [Text<'p>],
    pattern: &'p [Segment],
}

impl Serialize for Parameters<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let count = self.pattern.iter().filter(|segment| !matches!(segment, Segment::Text(_))).count();
        let mut map = serializer.serialize_map(Some(count))?;
        for (place, segment) in self.pattern.iter().enumerate() {
            let rest = self.segments.get(place..).unwrap_or_default();
            match segment {
                Segment::Text(_) => {}
                Segment::Parameter(name) => {
                    map.serialize_entry(name, &Bytes(rest.first().map_or(&[][..], |value| value.as_ref())))?;
                }
                Segment::Rest(name) => map.serialize_entry(name, &Bytes(&rest.join(&b'/')))?,
            }
        }
        map.end()
    }
}

struct Query<'q>(&'q [(Text<'q>, Text<'q>)]);

impl Serialize for Query<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (String::from_utf8_lossy(name), Bytes(value))))
    }
}

struct Headers<'h> {
    headers: &'h HeaderMap,
    is_believed: bool,
}

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let of_connection = self.of_connection();
        for name in self.headers.keys().filter(|name| self.is_shown(name) && !of_connection.contains(name.as_str())) {
            map.serialize_entry(name.as_str(), &Bytes(&self.joined(name)))?;
        }
        map.end()
    }
}

impl Headers<'_> {
    fn is_shown(&self, name: &HeaderName) -> bool {
        let text = name.as_str();
        let is_claim = text == "forwarded" || text == "x-real-ip" || text.starts_with("x-forwarded-");
        !OF_CONNECTION.contains(&text) && (self.is_believed || !is_claim)
    }

    /// The headers of which the sender has said that they are for this connection only. Looked for once, as a head has room for thousands
    /// of such names.
    fn of_connection(&self) -> HashSet<String> {
        let named = self.headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
        let tokens = named.flat_map(|value| value.split(',')).map(str::trim);
        tokens.filter(|token| self.headers.contains_key(*token)).map(str::to_ascii_lowercase).collect()
    }

    fn joined(&self, name: &HeaderName) -> Cow<'_, [u8]> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next().map_or(&[][..], |value| value.as_bytes());
        let separator: &[u8] = if *name == COOKIE { b"; " } else { b", " };
        let mut joined = Cow::Borrowed(first);
        for value in values {
            let joined = joined.to_mut();
            joined.extend_from_slice(separator);
            joined.extend_from_slice(value.as_bytes());
        }
        joined
    }
}

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;
    use hyper::header::{CONNECTION, HeaderValue};

    use super::Headers;

    #[test]
    fn of_what_a_connection_header_names_only_headers_are_looked_at() {
        let mut headers = HeaderMap::new();
        headers.insert("x-secret", HeaderValue::from_static("s"));
        headers.insert("x-shown", HeaderValue::from_static("s"));
        let flood = "a,X-Secret ,,".repeat(5_000);
        headers.append(CONNECTION, HeaderValue::from_maybe_shared(flood).unwrap());
        headers.append(CONNECTION, HeaderValue::from_static("close"));
        let named = Headers { headers: &headers, is_believed: false }.of_connection();
        assert_eq!(named.into_iter().collect::<Vec<_>>(), ["x-secret"]);
    }
}
