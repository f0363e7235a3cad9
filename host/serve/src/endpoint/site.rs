//! Whose a request is: sites by host name, by the first segment of the path, or one for all.
//!
//! Owns that no request can be two sites': a name is one's alone, and a request to a host that belongs to a site never reaches another.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use hyper::header::HOST;
use hyper::http::request::Parts;
use lunarium_app::{Endpoint, Running};
use lunarium_engine::Node;

use super::refusal::Refusal;
use super::routes::Routes;
use super::traffic::Traffic;

/// What one tenant answers.
pub struct Site {
    pub(super) name: Arc<str>,
    pub(super) node: Node,
    pub(super) running: Running,
    pub(super) routes: Arc<Routes>,
    pub(super) traffic: Arc<Traffic>,
    at: At,
}

#[derive(Debug, Clone)]
enum At {
    /// Wherever a request goes.
    Everywhere,
    /// At these host names.
    Hosts(Vec<String>),
    /// Below `/` and its name, at whatever host belongs to no other.
    Prefix,
}

/// What a host name is, in words.
pub const HOST_FORM: &str = "letters, digits, `-` and `.`, no port";

/// Why sites can't be beside each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SiteError {
    /// Two sites have a host name.
    #[error("host name `{host}` is `{one}`'s and `{other}`'s")]
    Host {
        /// The name.
        host: String,
        /// One site.
        one: String,
        /// Another.
        other: String,
    },
    /// Two sites have a name and no host name, or two are everywhere.
    #[error("sites `{one}` and `{other}` would have the same requests")]
    Same {
        /// One site.
        one: String,
        /// Another.
        other: String,
    },
    /// What can't stand in a `Host` header.
    #[error("`{host}` of `{site}` is no host name: {HOST_FORM}")]
    Form {
        /// What was written.
        host: String,
        /// Whose.
        site: String,
    },
}

impl Site {
    /// A site with these endpoints on a node, wherever a request goes. `running` are the services that they call, `traffic` is what was made for
    /// the tenant: it may have been another site's of it before.
    pub fn new(name: &str, node: Node, running: Running, endpoints: &[Endpoint], traffic: Arc<Traffic>) -> Self {
        Self::with_routes(name, node, running, Arc::new(Routes::new(endpoints.to_vec())), traffic)
    }

    /// The same with routes that are made.
    pub(super) fn with_routes(
        name: &str,
        node: Node,
        running: Running,
        routes: Arc<Routes>,
        traffic: Arc<Traffic>,
    ) -> Self {
        Self { name: name.into(), node, running, routes, traffic, at: At::Everywhere }
    }

    /// The same at these host names only; without any, below its name: `/name/…`. There the endpoints' paths begin.
    #[must_use]
    pub fn at_hosts(self, hosts: &[String]) -> Self {
        let at = if hosts.is_empty() { At::Prefix } else { At::Hosts(hosts.to_vec()) };
        Self { at, ..self }
    }
}

/// Sites beside each other.
#[derive(Default)]
pub struct Sites {
    /// None: whose it is can't answer now, and nobody else gets its requests.
    hosts: HashMap<String, Option<Arc<Site>>>,
    /// The same.
    prefixes: HashMap<String, Option<Arc<Site>>>,
    everywhere: Option<Arc<Site>>,
}

impl Sites {
    /// Puts sites beside each other.
    ///
    /// Errors: a name that two have, or that is none.
    pub fn new(sites: impl IntoIterator<Item = Site>) -> Result<Self, SiteError> {
        let mut all = Self::default();
        sites.into_iter().try_for_each(|site| all.add(site))?;
        Ok(all)
    }

    /// Puts one site more beside them.
    ///
    /// Errors: a name that another has, or that is none; nothing is changed then.
    pub fn add(&mut self, site: Site) -> Result<(), SiteError> {
        let name = site.name.to_string();
        let same = |other: &Arc<Site>| SiteError::Same { one: other.name.to_string(), other: name.clone() };
        match site.at.clone() {
            At::Everywhere => match &self.everywhere {
                Some(other) => return Err(same(other)),
                None => self.everywhere = Some(Arc::new(site)),
            },
            At::Prefix => match self.prefixes.get(&name) {
                Some(Some(other)) => return Err(same(other)),
                _ => drop(self.prefixes.insert(name, Some(Arc::new(site)))),
            },
            At::Hosts(written) => {
                let mut hosts = Vec::new();
                for host in written {
                    let Some(host) = host_name(&host).map(Cow::into_owned) else {
                        return Err(SiteError::Form { host, site: name });
                    };
                    if let Some(Some(other)) = self.hosts.get(&host) {
                        return Err(SiteError::Host { host, one: other.name.to_string(), other: name });
                    }
                    hosts.push(host);
                }
                let site = Arc::new(site);
                self.hosts.extend(hosts.into_iter().map(|host| (host, Some(Arc::clone(&site)))));
            }
        }
        Ok(())
    }

    /// Keeps the names of a site that can't answer now: at these host names, or below its name.
    pub fn keep(&mut self, name: &str, hosts: &[String]) {
        if hosts.is_empty() {
            self.prefixes.entry(name.to_owned()).or_default();
        }
        for host in hosts.iter().filter_map(|host| host_name(host)) {
            self.hosts.entry(host.into_owned()).or_default();
        }
    }

    /// Whose a request is, and the path that its endpoints see.
    pub(super) fn find<'h>(&self, head: &'h Parts) -> Result<(Arc<Site>, &'h str), Refusal> {
        let host = asked_host(head)?;
        let path = head.uri.path();
        if !path.starts_with('/') {
            return Err(Refusal::bad_request("a target that is no path"));
        }
        let here = |site: &Option<Arc<Site>>| {
            site.clone().ok_or_else(|| Refusal::unavailable("what has this name doesn't run"))
        };
        if let Some(site) = host.and_then(|host| self.hosts.get(&*host)) {
            return Ok((here(site)?, path));
        }
        let after = path.get(1..).unwrap_or_default();
        let (first, rest) = after.find('/').map_or((after, "/"), |at| after.split_at(at));
        if let Some(site) = self.prefixes.get(first) {
            return Ok((here(site)?, rest));
        }
        match &self.everywhere {
            Some(site) => Ok((Arc::clone(site), path)),
            None => Err(Refusal::not_found("nobody's host name, and nobody's name as the first segment")),
        }
    }
}

/// The host name that a request asks for; none: HTTP/1.0 has none.
fn asked_host(head: &Parts) -> Result<Option<Cow<'_, str>>, Refusal> {
    let mut written = head.headers.get_all(HOST).iter();
    let header = match (written.next(), written.next()) {
        (Some(_), Some(_)) => return Err(Refusal::bad_request("two `host` headers")),
        (Some(value), None) => Some(value.to_str().map_err(|_| Refusal::bad_request("a `host` that is no host name"))?),
        (None, _) if head.version == hyper::Version::HTTP_11 => return Err(Refusal::bad_request("no `host` header")),
        (None, _) => None,
    };
    // A target with a host of its own goes before, as the standard has it (RFC 9112, 3.2.2).
    let Some(text) = head.uri.authority().map(|authority| authority.as_str()).or(header) else { return Ok(None) };
    // Empty is what a client sends whose URL has no host.
    if text.is_empty() {
        return Ok(None);
    }
    let bare = match text.rsplit_once(':') {
        Some((bare, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => bare,
        _ => text,
    };
    match host_name(bare).or_else(|| is_address(bare).then_some(Cow::Borrowed(bare))) {
        Some(host) => Ok(Some(host)),
        None => Err(Refusal::bad_request("a `host` that is no host name")),
    }
}

fn is_address(text: &str) -> bool {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())
}

/// A host name in its one form: small letters, no dot at its end. None: it is none.
pub fn host_name(text: &str) -> Option<Cow<'_, str>> {
    let bare = text.strip_suffix('.').unwrap_or(text);
    let fits = bare.split('.').all(|label| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    });
    let is_small = !bare.bytes().any(|byte| byte.is_ascii_uppercase());
    let small = || if is_small { Cow::Borrowed(bare) } else { Cow::Owned(bare.to_ascii_lowercase()) };
    (fits && bare.len() <= 253).then(small)
}
