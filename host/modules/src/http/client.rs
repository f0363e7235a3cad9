//! From a request to its answer: granted, resolved, checked, made, redirected, and checked again.
//!
//! Owns the order of that: nothing is looked up for a request that no grant allows, and nothing is connected with but addresses that
//! were checked. What is granted is the caller's.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use hyper::{StatusCode, header};
use lunarium::Caller;
use rustls::ClientConfig;
use tokio::time::timeout;

use super::connect::Connect;
use super::fault::Fault;
use super::grant::{Rule, known_addresses};
use super::limits::{Budget, Limits, Quota};
use super::request::{Request, Response, Text, received};
use super::resolve::Resolve;
use super::url::{Host, Origin, Url};
use super::wire::{self, Counted, Head};

/// What the result of a call takes beside body, headers and URL: names of fields, lengths.
const FRAME: usize = 256;
/// The same for each header.
const HEADER_FRAME: usize = 10;

/// What all requests of a node have in common.
pub(super) struct Client {
    pub(super) limits: Limits,
    pub(super) quota: Arc<Quota>,
    pub(super) resolver: Box<dyn Resolve>,
    pub(super) connector: Arc<dyn Connect>,
    pub(super) tls: Arc<ClientConfig>,
}

/// What came of one message.
enum Step {
    Answered(Response),
    Redirected(StatusCode, Url),
}

impl Client {
    /// Makes a request.
    ///
    /// Errors: it isn't allowed, it takes too much, or nobody answers.
    pub(super) async fn fetch(&self, caller: &Caller, request: Request) -> Result<Response, Fault> {
        let time = request.timeout.unwrap_or(self.limits.timeout);
        if time > self.limits.timeout {
            return Err(Fault::Invalid(format!("timeout is longer than the limit of {:?}", self.limits.timeout)));
        }
        let budget = self.quota.begin(caller.pid())?;
        timeout(time, self.follow(caller, request, &budget)).await.unwrap_or(Err(Fault::Timeout(time)))
    }

    async fn follow(&self, caller: &Caller, mut request: Request, budget: &Arc<Budget>) -> Result<Response, Fault> {
        let most = request.redirects;
        loop {
            match self.step(caller, &request, budget).await? {
                Step::Answered(response) => return Ok(response),
                Step::Redirected(..) if request.redirects == 0 => return Err(Fault::Redirects(most)),
                Step::Redirected(status, url) => request = request.redirected(status, url),
            }
        }
    }

    async fn step(&self, caller: &Caller, request: &Request, budget: &Arc<Budget>) -> Result<Step, Fault> {
        let origin = &request.url.origin;
        let rules = allowing(caller, request)?;
        // Counted before anybody is asked for an address: a name that leads nowhere costs as much.
        budget.request(Instant::now())?;
        let addresses = self.addresses(&rules, origin).await?;
        let stream = wire::connect(&*self.connector, &addresses, budget).await?;
        let take = async |head| self.take(caller, request, budget, head).await;
        if wire::is_encrypted(origin) {
            let stream = wire::encrypt(stream, &origin.host, &self.tls).await?;
            wire::exchange(stream, request, &self.limits, take).await
        } else {
            wire::exchange::<Counted, _>(stream, request, &self.limits, take).await
        }
    }

    /// The addresses that a request may go to, at least one.
    async fn addresses(&self, rules: &[&Rule], origin: &Origin) -> Result<Vec<SocketAddr>, Fault> {
        let found = match known_addresses(&origin.host) {
            Some(known) => known,
            None => self.resolve(&origin.host).await?,
        };
        let reached = |address: &IpAddr| rules.iter().any(|rule| rule.reaches(*address));
        let reached: Vec<SocketAddr> =
            found.into_iter().filter(reached).map(|address| SocketAddr::new(address, origin.port)).collect();
        if reached.is_empty() { Err(Fault::Address(origin.host.to_string())) } else { Ok(reached) }
    }

    async fn resolve(&self, host: &Host) -> Result<Vec<IpAddr>, Fault> {
        let name = host.to_string();
        match self.resolver.resolve(&name).await {
            Ok(addresses) if addresses.is_empty() => Err(Fault::Unknown(name)),
            Ok(addresses) => Ok(addresses),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Fault::Unknown(name)),
            Err(error) => Err(Fault::Unavailable(format!("address of `{name}` can't be found: {error}"))),
        }
    }

    async fn take(&self, caller: &Caller, request: &Request, budget: &Arc<Budget>, head: Head) -> Result<Step, Fault> {
        let (head, body) = head.into_parts();
        if let Some(url) = redirect(request, &head)? {
            return Ok(Step::Redirected(head.status, url));
        }
        let (url, headers) = (request.url.to_string(), received(&head.headers));
        let taken = headers
            .iter()
            .map(|(name, Text(value))| name.len().saturating_add(value.len()).saturating_add(HEADER_FRAME));
        let taken = taken.fold(FRAME.saturating_add(url.len()), usize::saturating_add);
        let message = usize::try_from(caller.limits().message).unwrap_or(usize::MAX).saturating_sub(taken);
        let most = usize::try_from(self.limits.body).unwrap_or(usize::MAX);
        let most = if message < most { ("message", message) } else { (Limits::BODY, most) };
        let body = wire::read_body(body, most, budget, &self.limits).await?;
        Ok(Step::Answered(Response { status: head.status.as_u16(), url, headers, body: Text(body) }))
    }
}

/// The rules that allow a request, at least one.
fn allowing<'c>(caller: &'c Caller, request: &Request) -> Result<Vec<&'c Rule>, Fault> {
    let rules = caller.grants::<Vec<Rule>>().flatten();
    let rules: Vec<&Rule> = rules.filter(|rule| rule.allows(&request.method, &request.url)).collect();
    let (origin, path) = (&request.url.origin, &request.url.path);
    if rules.is_empty() { Err(Fault::NotGranted(format!("{} {origin}{path}", request.method))) } else { Ok(rules) }
}

/// Where an answer sends the request on; none when it is the answer.
fn redirect(request: &Request, head: &hyper::http::response::Parts) -> Result<Option<Url>, Fault> {
    let leads_on = matches!(
        head.status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let Some(location) = head.headers.get(header::LOCATION).filter(|_| leads_on && request.follows) else {
        return Ok(None);
    };
    let location = location.to_str().map_err(|_| Fault::Redirect("it isn't ASCII".to_owned()))?;
    request.url.join(location).map(Some).map_err(|error| Fault::Redirect(error.0))
}
