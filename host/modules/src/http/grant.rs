//! Grants: which requests may be made, and to which addresses.
//!
//! Owns how a rule is written and when it allows. A URL is compared part by part, in the one form that it has.

use std::net::IpAddr;
use std::str::FromStr;

use hyper::Method;
use lunarium::{SettingsError, SettingsStep, Value};

use super::address::{Network, is_public};
use super::url::{Host, Origin, Url};
use crate::settings::{self, Rule as Written};

/// What can be granted, and be asked for.
pub(super) const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// What a rule allows that names no methods: what asks and changes nothing.
const READING: [&str; 2] = ["GET", "HEAD"];

/// The name that means the machine itself, whatever a name server says (RFC 6761).
const LOCALHOST: &str = "localhost";

/// One rule of a grant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rule {
    origin: Origin,
    path: Path,
    methods: Vec<Method>,
    /// Addresses beside public ones that the host's name may have.
    addresses: Vec<Network>,
}

#[derive(Debug, PartialEq, Eq)]
enum Path {
    Exactly(String),
    /// All that begin with this, which ends with a slash.
    Below(String),
}

/// The settings of a grant.
///
/// Errors: what isn't a list of rules, and where.
pub(super) fn read(written: &Value) -> Result<Vec<Rule>, SettingsError> {
    settings::rules(written, "a rule", &["url", "methods", "addresses"], rule)
}

/// Whether every rule allows only what one of `allowed` does.
///
/// Errors: the rules that allow more.
pub(super) fn within(allowed: &[&Vec<Rule>], asked: &[Rule]) -> Result<(), SettingsError> {
    settings::within(asked, |rule| allowed.iter().flat_map(|rules| rules.iter()).any(|outer| outer.covers(rule)))
}

fn rule(written: &Written<'_>) -> Result<Rule, SettingsError> {
    let in_url = |error: SettingsError| error.under(SettingsStep::Value("url".to_owned()));
    let (origin, path) = pattern(written.text("url")?).map_err(in_url)?;
    let methods = match written.texts("methods")? {
        None => READING.iter().filter_map(|name| Method::from_str(name).ok()).collect(),
        Some(names) => each(&names, "methods", method)?,
    };
    let addresses = match written.texts("addresses")? {
        None => Vec::new(),
        Some(texts) => each(&texts, "addresses", network)?,
    };
    Ok(Rule { origin, path, methods, addresses })
}

fn each<T>(texts: &[&str], key: &str, read: fn(&str) -> Result<T, SettingsError>) -> Result<Vec<T>, SettingsError> {
    if texts.is_empty() {
        let error = SettingsError::new(format!("`{key}` is empty")).with_hint("leave it out for what is usual");
        return Err(error.under(SettingsStep::Value(key.to_owned())));
    }
    let item = |(index, text): (usize, &&str)| {
        read(text).map_err(|error| error.under(SettingsStep::Item(index)).under(SettingsStep::Value(key.to_owned())))
    };
    texts.iter().enumerate().map(item).collect()
}

fn method(name: &str) -> Result<Method, SettingsError> {
    match METHODS.contains(&name) {
        true => Method::from_str(name).map_err(|_| SettingsError::new(format!("`{name}` is no method"))),
        false => Err(SettingsError::new(format!("`{name}` is no method that can be granted"))
            .with_hint(format!("there are `{}`", METHODS.join("`, `")))),
    }
}

fn network(text: &str) -> Result<Network, SettingsError> {
    let error = |()| {
        SettingsError::new(format!("`{text}` is neither an address nor a network"))
            .with_hint("write it like `10.1.2.3` or `10.0.0.0/8`")
    };
    text.parse().map_err(error)
}

/// An origin and a path, or what lies below it: `https://api.example.com/v1/*`.
fn pattern(text: &str) -> Result<(Origin, Path), SettingsError> {
    let (start, is_open) = match text.strip_suffix("/*") {
        Some(start) => (format!("{start}/"), true),
        None => (text.to_owned(), false),
    };
    if start.contains('*') {
        let error = SettingsError::new("`*` can only be the last segment of the path");
        return Err(error.with_hint("write it like `https://api.example.com/v1/*`"));
    }
    let (_, after) = text.split_once("://").unwrap_or_default();
    let url = Url::parse(&start).map_err(|error| SettingsError::new(error.0))?;
    if !after.contains('/') {
        let hint = format!("write `{}/*` for all of it, or `{}/` for its first page", url.origin, url.origin);
        return Err(SettingsError::new("url has no path").with_hint(hint));
    }
    if url.query.is_some() || text.contains('#') {
        let error = SettingsError::new("url has a query or a fragment");
        return Err(error.with_hint("a grant is for a path, whatever the query"));
    }
    let path = if is_open { Path::Below(url.path) } else { Path::Exactly(url.path) };
    Ok((url.origin, path))
}

impl Rule {
    /// Whether it allows all that another one does.
    fn covers(&self, other: &Rule) -> bool {
        let path = match (&self.path, &other.path) {
            (Path::Exactly(one), Path::Exactly(other)) => one == other,
            (Path::Exactly(_), Path::Below(_)) => false,
            (Path::Below(start), Path::Exactly(path) | Path::Below(path)) => path.starts_with(start.as_str()),
        };
        let methods = other.methods.iter().all(|method| self.methods.contains(method));
        let addresses = other.addresses.iter().all(|network| self.addresses.contains(network));
        path && methods && addresses && self.origin == other.origin
    }

    /// Whether it allows this request, as far as that is known before its host has an address.
    pub(super) fn allows(&self, method: &Method, url: &Url) -> bool {
        let path = match &self.path {
            Path::Exactly(path) => url.path == *path,
            Path::Below(start) => url.path.starts_with(start.as_str()),
        };
        path && self.origin == url.origin && self.methods.contains(method)
    }

    /// The port that its requests go to.
    pub(super) fn port(&self) -> u16 {
        self.origin.port
    }

    /// Whether a request that it allows may go to this address.
    pub(super) fn reaches(&self, address: IpAddr) -> bool {
        is_public(address) || self.networks().any(|network| network.contains(address))
    }

    /// The addresses beside public ones that it names.
    pub(super) fn networks(&self) -> impl Iterator<Item = Network> {
        let (one, loopback) = match &self.origin.host {
            Host::Address(address) => (Some(Network::of(*address)), [].as_slice()),
            Host::Name(name) if name == LOCALHOST => (None, Network::LOOPBACK.as_slice()),
            Host::Name(_) => (None, [].as_slice()),
        };
        one.into_iter().chain(loopback.iter().copied()).chain(self.addresses.iter().copied())
    }
}

/// The addresses of a host that needs nobody to say them.
pub(super) fn known_addresses(host: &Host) -> Option<Vec<IpAddr>> {
    match host {
        Host::Address(address) => Some(vec![*address]),
        Host::Name(name) if name == LOCALHOST => {
            Some(vec![std::net::Ipv4Addr::LOCALHOST.into(), std::net::Ipv6Addr::LOCALHOST.into()])
        }
        Host::Name(_) => None,
    }
}

#[cfg(test)]
mod tests;
