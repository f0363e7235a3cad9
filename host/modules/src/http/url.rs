//! URLs: one form for each, so that what a grant is compared with is what is asked for.
//!
//! Owns what a URL may look like. Strict where programs disagree about what is meant: a user name, a backslash, a host that isn't
//! ASCII or only looks like an address, and segments of a path that lead upward, however they are written, are no part of a
//! URL here. Knows no grant.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use hyper::Uri;

/// Bytes of a URL. The number: what servers commonly take.
const LONGEST: usize = 8 << 10;
/// Bytes of a host's name, and of one of its labels (RFC 1035).
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;
/// How often percent signs may be nested. The number: programs decode once, careless ones twice.
const DECODINGS: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    fn port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

/// Whom a URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    /// In lower case.
    Name(String),
    Address(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Address(IpAddr::V4(address)) => address.fmt(f),
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// Where a request can go: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) scheme: Scheme,
    pub(super) host: Host,
    pub(super) port: u16,
}

impl Origin {
    /// The host, with the port where that isn't the scheme's: what the header `host` says.
    pub(super) fn authority(&self) -> String {
        if self.port == self.scheme.port() { self.host.to_string() } else { format!("{}:{}", self.host, self.port) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority())
    }
}

/// A URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) origin: Origin,
    /// It begins with a slash, and no segment of it leads upward.
    pub(super) path: String,
    pub(super) query: Option<String>,
}

/// What is wrong with a URL: a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UrlError(pub(super) String);

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn wrong<T>(text: impl Into<String>) -> Result<T, UrlError> {
    Err(UrlError(text.into()))
}

impl Url {
    /// Errors: it isn't one; the text says why.
    pub(super) fn parse(text: &str) -> Result<Url, UrlError> {
        if text.len() > LONGEST {
            return wrong(format!("url has more than {LONGEST} bytes"));
        }
        if let Some(odd) = text.chars().find(|c| !c.is_ascii_graphic() || *c == '\\') {
            return wrong(format!(
                "url has the character {odd:?}, which must be percent-encoded; in a host, written as xn--…"
            ));
        }
        let scheme = match text.split_once("://").map(|(scheme, _)| scheme) {
            Some(scheme) if scheme.eq_ignore_ascii_case("http") => Scheme::Http,
            Some(scheme) if scheme.eq_ignore_ascii_case("https") => Scheme::Https,
            Some(scheme) if has_scheme(&format!("{scheme}:")) => return wrong("url is neither http nor https"),
            _ => return wrong("url must begin with `http://` or `https://`"),
        };
        let uri = Uri::from_str(text).map_err(|error| UrlError(format!("url can't be read: {error}")))?;
        let authority = uri.authority().map(hyper::http::uri::Authority::as_str).unwrap_or_default();
        if authority.contains('@') {
            return wrong("url has a user name: that goes into the header `authorization`");
        }
        let (host, port) = split_port(authority)?;
        let origin = Origin { scheme, host: read_host(host)?, port: port.unwrap_or(scheme.port()) };
        let path = match uri.path() {
            "" => "/",
            path => path,
        };
        if leads_upward(path) {
            return wrong("path of the url has a segment `.` or `..`");
        }
        Ok(Url { origin, path: path.to_owned(), query: uri.query().map(str::to_owned) })
    }

    /// The URL that a reference in a response of this one means (RFC 3986, 5.2).
    ///
    /// Errors: as [`Url::parse`].
    pub(super) fn join(&self, reference: &str) -> Result<Url, UrlError> {
        let reference = reference.split('#').next().unwrap_or_default();
        if has_scheme(reference) {
            return Url::parse(reference);
        }
        if reference.starts_with("//") {
            return Url::parse(&format!("{}:{reference}", self.origin.scheme.as_str()));
        }
        let (path, query) = match reference.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (reference, None),
        };
        let (path, query) = match path {
            "" => (self.path.clone(), query.or(self.query.as_deref())),
            path if path.starts_with('/') => (without_dots(path), query),
            path => {
                let (folder, _) = self.path.rsplit_once('/').unwrap_or_default();
                (without_dots(&format!("{folder}/{path}")), query)
            }
        };
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        Url::parse(&format!("{}{path}{query}", self.origin))
    }

    /// What stands in a request's first line.
    pub(super) fn path_and_query(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path_and_query())
    }
}

fn has_scheme(reference: &str) -> bool {
    let Some((scheme, _)) = reference.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), UrlError> {
    let end = match authority.strip_prefix('[') {
        Some(_) => authority.find(']').map(|at| at.saturating_add(1)).unwrap_or_default(),
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at_checked(end).unwrap_or_default();
    let digits = match port.strip_prefix(':') {
        None if port.is_empty() => return Ok((host, None)),
        Some("") | None => return wrong("port of the url isn't a number"),
        Some(digits) => digits,
    };
    let port = digits.parse().ok().filter(|port| *port != 0 && digits.bytes().all(|digit| digit.is_ascii_digit()));
    match port {
        Some(port) => Ok((host, Some(port))),
        None => wrong("port of the url isn't a number from 1 to 65535"),
    }
}

fn read_host(text: &str) -> Result<Host, UrlError> {
    if let Some(address) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return match Ipv6Addr::from_str(address) {
            Ok(address) => Ok(Host::Address(address.into())),
            Err(_) => wrong("host of the url isn't an IPv6 address"),
        };
    }
    if let Ok(address) = Ipv4Addr::from_str(text) {
        return Ok(Host::Address(address.into()));
    }
    if text.is_empty() {
        return wrong("url has no host");
    }
    let name = text.to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=LONGEST_LABEL).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if name.len() > LONGEST_NAME || !name.split('.').all(is_label) {
        return wrong(format!("host of the url can't be `{}`", shortened(text)));
    }
    // What other programs take for an address in another notation: 127.1, 0x7f.1, 2130706433.
    let last = name.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x") {
        return wrong("host of the url looks like an address, and is none: four numbers from 0 to 255");
    }
    Ok(Host::Name(name))
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

/// Whether a segment of a path is `.` or `..`, for whoever decodes it, takes backslashes for slashes, or cuts off what
/// follows a semicolon, the mark of a query or of a fragment, or a zero. What stays encoded after several decodings counts too, and
/// a character in more bytes than it needs, where careless decoders find a dot or a slash.
fn leads_upward(path: &str) -> bool {
    let mut bytes = path.as_bytes().to_vec();
    for _ in 0..DECODINGS {
        let segments = bytes.split(|byte| matches!(byte, b'/' | b'\\'));
        let names = segments.map(|segment| segment.split(|byte| b";?#\0".contains(byte)).next().unwrap_or_default());
        let is_overlong =
            |pair: &[u8]| matches!(pair, [0xc0 | 0xc1, 0x80..=0xbf] | [0xe0, 0x80..=0x9f] | [0xf0, 0x80..=0x8f]);
        if names.into_iter().any(|name| matches!(name, b"." | b"..")) || bytes.windows(2).any(is_overlong) {
            return true;
        }
        let decoded = decoded(&bytes);
        if decoded == bytes {
            return false;
        }
        bytes = decoded;
    }
    true
}

fn decoded(bytes: &[u8]) -> Vec<u8> {
    let digit =
        |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let mut result = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, digit(after.first()), digit(after.get(1))) {
            (b'%', Some(high), Some(low)) => {
                result.push(high << 4 | low);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => result.push(*first),
        }
    }
    result
}

/// A path with `.` and `..` carried out (RFC 3986, 5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments = path.strip_prefix('/').unwrap_or(path).split('/');
    let mut ends_with_slash = false;
    for segment in segments {
        ends_with_slash = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    let slash = if ends_with_slash && !kept.is_empty() { "/" } else { "" };
    format!("/{}{slash}", kept.join("/"))
}

#[cfg(test)]
mod tests;
