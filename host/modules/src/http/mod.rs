//! Requests to HTTP servers: the module `http`.
//!
//! ```
//! use lunarium::Node;
//! use lunarium_modules::http::Http;
//!
//! # fn main() -> Result<(), lunarium::Error> {
//! let node = Node::builder().module(Http::new().module()).start()?;
//! let source = "return function() return (require('http').get('http://localhost:9/')) end";
//! let rules = [std::collections::BTreeMap::from([("url", "http://localhost:9/*")])];
//! let plugin = node.plugin("fetch.lua", source).grant_with("http", rules).start_blocking()?;
//! # let _ = plugin.result_blocking::<Option<()>>();
//! # Ok(())
//! # }
//! ```
//!
//! A grant is a list of rules: `url` (with `/*` at its end for all that lies below), `methods` (GET and HEAD by default) and
//! `addresses`, those beside public ones that the host's name may have. A URL is compared in its one form, part by part; each redirect
//! is compared again; a connection goes to an address that was checked. Each request has a connection of its own.
//!
//! Futures of the module need a tokio runtime with its drivers for time and input: one that was built with `enable_all`.
//!
//! Its folders and files use each other in one direction: `url` and `address` below `grant`, `quota` below `limits`, `dns` below
//! `resolve`, `connect` below both, all of them below `client`; `reach` above `grant`. Refuses proxies, cookies, HTTP/2, compressed bodies and connections that are used again.

mod address;
mod client;
mod connect;
mod dns;
mod fault;
mod grant;
mod limits;
mod quota;
mod reach;
mod request;
mod resolve;
mod url;
mod wire;

use std::sync::Arc;

use lunarium::{Caller, Module};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

pub use connect::{Connect, Connecting, Direct};
pub use limits::Limits;
pub use reach::Reach;
pub use resolve::{HOSTS, NameFiles, NameServers, RESOLV_CONF, Resolve, Resolving};

use self::client::Client;
use self::fault::Fault;
use self::limits::Quota;
use self::request::{Asked, Options, Request, Response};

/// The name of the module.
pub const NAME: &str = "http";

/// How the module is made. Everything has a default.
#[must_use]
pub struct Http {
    limits: Limits,
    resolver: Option<Box<dyn Resolve>>,
    connector: Arc<dyn Connect>,
    roots: RootCertStore,
}

/// A certificate that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("the certificate can't be read as DER: {0}")]
pub struct RootError(rustls::Error);

impl Default for Http {
    fn default() -> Http {
        Http::new()
    }
}

impl Http {
    /// The default limits, the machine's name servers, and the certificate authorities that Mozilla trusts.
    pub fn new() -> Http {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Http { limits: Limits::default(), resolver: None, connector: Arc::new(Direct), roots }
    }

    /// Other limits.
    pub fn limits(self, limits: Limits) -> Http {
        Http { limits, ..self }
    }

    /// Something else that finds addresses of names.
    pub fn resolver(self, resolver: impl Resolve + 'static) -> Http {
        Http { resolver: Some(Box::new(resolver)), ..self }
    }

    /// Something else that opens sockets. A [`resolver`](Http::resolver) that is given has its own.
    pub fn connector(self, connector: Arc<dyn Connect>) -> Http {
        Http { connector, ..self }
    }

    /// A certificate, as DER, that is trusted beside Mozilla's: an authority's, or one that a server has made itself.
    ///
    /// Errors: it can't be read.
    pub fn root(mut self, certificate: &[u8]) -> Result<Http, RootError> {
        self.roots.add(CertificateDer::from(certificate)).map_err(RootError)?;
        Ok(self)
    }

    /// The module, for one node: what it counts, it counts for that one. With the machine's name servers, their addresses and the
    /// hosts file are read here, and not again.
    pub fn module(self) -> Module {
        let connector = self.connector;
        let resolver =
            self.resolver.unwrap_or_else(|| Box::new(NameServers::of_machine().connector(Arc::clone(&connector))));
        let quota = Arc::new(Quota::new(&self.limits));
        let tls = Arc::new(tls(self.roots));
        let client = Arc::new(Client { limits: self.limits, quota, resolver, connector, tls });
        let get = Arc::clone(&client);
        Module::new(NAME)
            .settings(grant::read)
            .bounded(|allowed: &[&Vec<_>], asked: &Vec<_>| grant::within(allowed, asked))
            .function("get", move |caller: Caller, (url, options): (String, Option<Options>)| {
                let client = Arc::clone(&get);
                async move { answer(&client, &caller, Request::get(&url, options.unwrap_or_default())).await }
            })
            .function("request", move |caller: Caller, (asked,): (Asked,)| {
                let client = Arc::clone(&client);
                async move { answer(&client, &caller, Request::new(asked)).await }
            })
    }
}

async fn answer(client: &Client, caller: &Caller, request: Result<Request, Fault>) -> Result<Response, Fault> {
    client.fetch(caller, request?).await
}

#[expect(clippy::expect_used, reason = "the versions are those that the provider has")]
fn tls(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    versions.expect("ring has TLS 1.2 and 1.3").with_root_certificates(roots).with_no_client_auth()
}
