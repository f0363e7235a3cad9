//! The way of one request: from its head to its answer.
//!
//! Owns the order: whose it is, whether there is room, which endpoint, the body, then a process or a call, then its answer; and that what
//! runs for a request that nobody waits for any more is ended. Each step refuses with a status and a reason, and the reason is told.

use std::net::IpAddr;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_lite::future::poll_once;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Request, Response};
use lunarium_app::{Endpoint, EndpointAction, HttpMethod};
use lunarium_engine::{CallError, Handle, LogField, Outcome, Raw, Refusal as _, SpawnRequest};

use super::answer::{Answer, AnswerBody};
use super::body::{self, Reading, Room};
use super::path;
use super::proxy::{is_believed, remote};
use super::refusal::Refusal;
use super::request::Table;
use super::routes::Found;
use super::server::Shared;
use super::site::Site;
use super::timer::Timer;

/// Answers one request of a connection from `peer`.
pub(super) async fn answer(
    shared: &Shared,
    peer: IpAddr,
    timer: &Timer,
    request: Request<Incoming>,
) -> Response<AnswerBody> {
    let began = Instant::now();
    let (head, incoming) = request.into_parts();
    let sites = shared.sites();
    let (site, path) = match sites.find(&head) {
        Ok(found) => found,
        Err(refusal) => {
            shared.count_stray();
            return refusal.response();
        }
    };
    drop(sites);
    let (remote, is_believed) = {
        let proxies = shared.proxies();
        (remote(peer, &head.headers, &proxies), is_believed(peer, &proxies))
    };
    let asked = Asked { shared, timer, site: &site, head: &head, path, remote, is_believed };
    let response = match asked.run(incoming).await {
        Ok(response) => response,
        Err(refusal) => {
            asked.tell(&refusal);
            refusal.bound.into_iter().for_each(|bound| site.traffic.note_refusal(bound));
            refusal.response()
        }
    };
    site.traffic.note_answer(response.status().as_u16(), began.elapsed(), response.body().len());
    response
}

/// What is asked, and of whom.
struct Asked<'a> {
    shared: &'a Shared,
    timer: &'a Timer,
    site: &'a Site,
    head: &'a Parts,
    /// As the endpoints see it.
    path: &'a str,
    remote: IpAddr,
    is_believed: bool,
}

impl Asked<'_> {
    async fn run(&self, incoming: Incoming) -> Result<Response<AnswerBody>, Refusal> {
        let (site, head) = (self.site, self.head);
        let limits = site.traffic.limits();
        if !site.traffic.admit() {
            return Err(Refusal::too_many(limits.requests_per_second));
        }
        let at_once = || Refusal::too_many_at_once(limits.requests_at_once);
        let mut under_way = site.traffic.enter().ok_or_else(at_once)?;
        let segments = path::segments(self.path).map_err(|error| Refusal::bad_request(error.to_string()))?;
        let endpoint = match site.routes.find(HttpMethod::parse(head.method.as_str()), &segments) {
            Found::Endpoint(endpoint) => endpoint,
            Found::Nothing => return Err(Refusal::not_found("no endpoint has the path")),
            Found::OtherMethods(methods) => return Err(Refusal::other_methods(methods)),
        };
        let mut holding = site.node.holding();
        let room = Room { holding: &mut holding, under_way: &mut under_way };
        let patience = self.shared.config.body_timeout;
        let reading = Reading { traffic: &site.traffic, remote: self.remote, patience };
        let body = body::read(incoming, endpoint.max_body, reading, room).await?;
        site.traffic.note_received(body.len());
        let Asked { path, remote, is_believed, .. } = *self;
        let table = Table { head, path, segments: &segments, endpoint, body: &body, remote, is_believed };
        let arguments = table.encode()?;
        drop(body);
        // What gets it is charged for it from here on.
        let release = || {
            drop(holding);
            under_way.release();
            under_way
        };
        let (answer, under_way) = match &endpoint.action {
            EndpointAction::Process { entry, host, security } => {
                let mut request =
                    SpawnRequest::new(entry.clone(), host.clone()).with_raw_arguments(arguments).ordinary();
                request.security.clone_from(security);
                self.process(endpoint, request, release).await?
            }
            EndpointAction::Call { service, function } => {
                let running = site.running.of(service);
                let running =
                    running.ok_or_else(|| Refusal::unavailable(format!("service `{service}` doesn't run")))?;
                self.call(endpoint, &running, function, arguments, release).await?
            }
        };
        answer.into_response(site.node.holding(), under_way, remote)
    }

    /// Starts a process for it, and waits for its end.
    async fn process<R>(
        &self,
        endpoint: &Endpoint,
        request: SpawnRequest,
        started: impl FnOnce() -> R,
    ) -> Result<(Answer, R), Refusal> {
        let handle =
            self.site.node.spawn(request).map_err(|error| Refusal::of_kind(error.kind(), error.to_string()))?;
        let started = started();
        let mut process = Ends(Some(handle));
        let (pid, outcome) = process.within(self.timer, endpoint.timeout).await?;
        let answer = match &outcome {
            Outcome::Completed(payload) => Answer::of_process(payload),
            Outcome::Failed(failure) => Err(Refusal::of_failure(failure)),
        };
        answer.map(|answer| (answer, started)).map_err(|refusal| refusal.of(&pid))
    }

    /// Calls a service, and waits for what its function returns.
    async fn call<R>(
        &self,
        endpoint: &Endpoint,
        service: &Handle,
        function: &str,
        arguments: Raw,
        begun: impl FnOnce() -> R,
    ) -> Result<(Answer, R), Refusal> {
        let mut call = pin!(service.call_raw(function, arguments));
        // The first look begins it.
        let at_once = poll_once(&mut call).await;
        let begun = begun();
        let result = match at_once {
            Some(result) => Some(result),
            None => self.timer.within(endpoint.timeout, call).await,
        };
        let answer = match result {
            Some(Ok(Raw(payload))) => Answer::of_call(&payload),
            Some(Err(CallError::Failed(failure))) => Err(Refusal::of_failure(&failure)),
            Some(Err(error)) => Err(Refusal::of_kind(error.kind(), error.to_string())),
            None => Err(Refusal::no_answer(endpoint.timeout)),
        };
        answer.map(|answer| (answer, begun)).map_err(|refusal| refusal.of(service.pid()))
    }

    /// Writes a line into the log of whose site it is. Neither queries nor headers are in it: they may hold secrets.
    fn tell(&self, refusal: &Refusal) {
        if !self.site.traffic.may_tell(refusal.status.is_server_error()) {
            return;
        }
        let path: String = self.path.chars().take(200).collect();
        let status = refusal.status.as_u16();
        let message = format!("{} {path} is answered {status}: {}", self.head.method, refusal.reason);
        let mut fields = vec![LogField::text("remote", self.remote.to_string())];
        fields.extend(refusal.pid.iter().map(|pid| LogField::text("pid", pid.as_str())));
        fields.extend(refusal.stack.iter().map(|stack| LogField::text("stack", stack.as_str())));
        self.site.node.log(refusal.level(), &message, &fields);
    }
}

/// A process that ends with the wait for it: by itself, at its timeout, or because its client has gone.
struct Ends(Option<Handle>);

impl Ends {
    async fn within(&mut self, timer: &Timer, patience: Duration) -> Result<(lunarium_engine::Pid, Outcome), Refusal> {
        let Some(handle) = &self.0 else { return Err(Refusal::unavailable("there is no process")) };
        let pid = handle.pid().clone();
        match timer.within(patience, handle.wait()).await {
            Some(outcome) => {
                self.0 = None;
                Ok((pid, outcome))
            }
            None => Err(Refusal::no_answer(patience).of(&pid)),
        }
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        if let Some(handle) = self.0.take() {
            // It may have ended just now.
            let _ = handle.terminate();
        }
    }
}
