//! `http:` of a node's file, and `--http`: where requests for tenants are taken, and how the server follows the tenants.
//!
//! Owns what is wrong with that key, with `admin`, and with tenants' own. What a request becomes is `lunarium-serve`'s.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use lunarium_app::{NodeFile, Report, Written};
use lunarium_engine::Level;
use lunarium_serve::Host;
use lunarium_serve::endpoint::{HOST_FORM, Network, Server, TenantSites, host_name};

use crate::endpoints::{self, Listening};
use crate::terminal::Screen;
use crate::{Refused, admin};

/// Looks at the key, and at the tenants' host names.
pub fn check(node: &NodeFile, report: &mut Report) {
    hosts(node, report);
    if let Some(admin) = &node.admin
        && let Err((message, hint)) = admin::parse(admin.address.as_str())
    {
        report.add(admin.address.mistake(message, Some(hint.to_owned())));
    }
    let Some(http) = &node.http else { return };
    if let Err((message, hint)) = endpoints::parse(http.address.as_str()) {
        report.add(http.address.mistake(message, Some(hint.to_owned())));
    }
    for proxy in &http.proxies {
        if let Err(error) = Network::parse(proxy.as_str()) {
            report.add(proxy.mistake(error.to_string(), None));
        }
    }
}

/// A name is one tenant's alone.
fn hosts(node: &NodeFile, report: &mut Report) {
    let mut known: BTreeMap<Cow<'_, str>, &Written> = BTreeMap::new();
    for written in node.tenants.iter().flat_map(|tenant| &tenant.hosts) {
        let text = written.as_str();
        let Some(name) = host_name(text) else {
            report.add(written.mistake(format!("`{text}` is no host name"), Some(format!("it has {HOST_FORM}"))));
            continue;
        };
        match known.get(&name) {
            Some(first) => report.add(written.again(format!("host name `{name}` is named twice"), first)),
            None => drop(known.insert(name, written)),
        }
    }
}

/// Who is believed about whom a request comes from.
pub fn proxies(node: &NodeFile) -> Vec<Network> {
    let proxies = node.http.iter().flat_map(|http| &http.proxies);
    proxies.filter_map(|proxy| Network::parse(proxy.as_str()).ok()).collect()
}

/// The server of a host's tenants.
pub struct Requests {
    server: Server,
    sites: TenantSites,
}

impl Requests {
    /// Begins to answer.
    ///
    /// Errors: the system gives no thread.
    pub fn start(listening: Listening, sites: TenantSites, host: &Host, screen: &Arc<Screen>) -> Result<Self, Refused> {
        let (all, errors) = sites.of(host);
        tell(&errors, screen);
        let server = listening.answer(all, screen)?;
        sites.served_by(&server);
        Ok(Self { server, sites })
    }

    /// Answers for the tenants as they are now.
    pub fn follow(&self, host: &Host, screen: &Screen) {
        let (all, errors) = self.sites.of(host);
        tell(&errors, screen);
        self.server.exchange(all);
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// From now on these are believed about whom a request comes from.
    pub fn believe(&self, proxies: &[Network]) {
        self.server.believe(proxies);
    }

    /// Answers what is under way, and no more.
    pub async fn stop(self, screen: &Screen) {
        endpoints::stop(self.server, screen).await;
    }
}

fn tell(errors: &[lunarium_serve::endpoint::SiteError], screen: &Screen) {
    for error in errors {
        screen.note(Level::Error, &format!("requests of a tenant are not served: {error}"), &[]);
    }
}
