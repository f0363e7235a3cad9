//! What a host serves at its sockets while it runs: the admin interface, and requests for tenants.
//!
//! Owns that a host has others without a restart: new ones are served before old ones are closed, and what is under way at those is
//! answered. Opens none.

use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use lunarium_engine::{Level, LogField};
use lunarium_serve::endpoint::{Network, TenantSites};
use lunarium_serve::{Admin, AdminConfig, AdminSocket, Host, Surroundings, Token};
use tokio::task::JoinSet;

use super::requests::Requests;
use super::sockets::SocketSet;
use crate::Refused;
use crate::endpoints::{Listening, OpenFiles};
use crate::socket::Socket;
use crate::terminal::Screen;

/// What is served.
pub struct Served {
    host: Host,
    screen: Arc<Screen>,
    files: OpenFiles,
    /// Where each change leaves a line.
    log: Arc<dyn Surroundings>,
    /// Names of the host.
    names: Vec<String>,
    /// Both the server of requests and the metrics know it.
    sites: TenantSites,
    admin: Option<Admin>,
    /// Of the admin interface, by name.
    open: BTreeMap<String, Open>,
    requests: Option<(String, Requests)>,
    /// Servers that answer what is under way, and nothing else.
    leaving: JoinSet<()>,
}

/// A socket of the admin interface.
struct Open {
    _served: AdminSocket,
    /// Over TCP, as it may be served with another token.
    tcp: Option<(TcpListener, Token)>,
}

impl Served {
    /// Nothing yet.
    pub fn new(
        host: &Host,
        screen: &Arc<Screen>,
        files: OpenFiles,
        log: Arc<dyn Surroundings>,
        names: &[String],
    ) -> Self {
        Self {
            host: host.clone(),
            screen: Arc::clone(screen),
            files,
            log,
            names: names.to_vec(),
            sites: TenantSites::default(),
            admin: None,
            open: BTreeMap::new(),
            requests: None,
            leaving: JoinSet::new(),
        }
    }

    /// The names of the sockets that are open.
    pub fn held(&self) -> Vec<String> {
        self.open.keys().chain(self.requests.iter().map(|(name, _)| name)).cloned().collect()
    }

    /// From now on these are served and no others; requests come by way of these proxies.
    ///
    /// Errors: the system gives no thread, or a socket can't be waited for; what could be done is done.
    pub fn serve(&mut self, sockets: SocketSet, proxies: Vec<Network>) -> Result<(), Refused> {
        let SocketSet { admin, token, http } = sockets;
        let admin = self.serve_admin(admin, token);
        let requests = self.serve_requests(http, proxies);
        admin.and(requests)
    }

    fn serve_admin(&mut self, sockets: Vec<Socket>, token: Option<Token>) -> Result<(), Refused> {
        let refused = |error| Refused::machine(format!("the admin interface can't be served: {error}"));
        if self.admin.is_none() && !sockets.is_empty() {
            let mut config = AdminConfig::new(Arc::clone(&self.log));
            config.names.clone_from(&self.names);
            config.max_connections = config.max_connections.min(self.files.admin());
            config.requests = Box::new(self.sites.clone());
            self.admin = Some(Admin::start(self.host.clone(), config).map_err(refused)?);
        }
        let Some(admin) = &self.admin else { return Ok(()) };
        let (mut open, mut places, mut done) = (BTreeMap::new(), Vec::new(), Ok(()));
        for Socket { name, opened } in sockets {
            let before = self.open.remove(&name);
            let served = match (opened, &token) {
                (opened, Some(token)) if name.starts_with("tcp:") => {
                    serve_tcp(admin, opened, before, token, &mut places)
                }
                (Some(opened), _) => {
                    places.push(name.clone());
                    admin.serve_unix(UnixListener::from(opened)).map(|served| Some(Open { _served: served, tcp: None }))
                }
                (None, _) => Ok(before),
            };
            match served {
                Ok(served) => open.extend(served.map(|served| (name, served))),
                Err(error) => done = Err(refused(error)),
            }
        }
        // Whoever was served elsewhere has two seconds.
        let closed: Vec<String> = std::mem::replace(&mut self.open, open).into_keys().collect();
        let at = |place: String| LogField::text("at", place);
        if !places.is_empty() {
            self.screen.note(Level::Info, "admin interface", &places.into_iter().map(at).collect::<Vec<_>>());
        }
        if !closed.is_empty() {
            self.screen.note(Level::Info, "admin interface closed", &closed.into_iter().map(at).collect::<Vec<_>>());
        }
        done
    }

    fn serve_requests(&mut self, http: Option<Socket>, proxies: Vec<Network>) -> Result<(), Refused> {
        let held = self.requests.as_ref().map(|(name, _)| name);
        if held == http.as_ref().map(|http| &http.name) {
            self.requests.iter().for_each(|(_, requests)| requests.believe(&proxies));
            return Ok(());
        }
        let before = self.requests.take();
        if let Some(Socket { name, opened: Some(opened) }) = http {
            let listening = Listening::at(TcpListener::from(opened), proxies, self.files);
            match Requests::start(listening, self.sites.clone(), &self.host, &self.screen) {
                Ok(requests) => self.requests = Some((name, requests)),
                Err(refused) => {
                    self.requests = before;
                    return Err(refused);
                }
            }
        }
        if let Some((name, requests)) = before {
            self.screen.note(Level::Info, &format!("serving http://{name} no more"), &[]);
            let screen = Arc::clone(&self.screen);
            self.leaving.spawn(async move { requests.stop(&screen).await });
        }
        Ok(())
    }

    /// Answers for the tenants as they are now.
    pub fn follow(&self) {
        self.requests.iter().for_each(|(_, requests)| requests.follow(&self.host, &self.screen));
    }

    /// The host begins to stop: it can be looked at until it has.
    pub fn drain(&self) {
        self.admin.iter().for_each(Admin::drain);
    }

    /// Answers the requests under way, and no more.
    pub async fn stop_requests(&mut self) {
        if let Some((_, requests)) = self.requests.take() {
            requests.stop(&self.screen).await;
        }
        while self.leaving.join_next().await.is_some() {}
    }

    /// Ends the admin interface.
    pub async fn stop(self) {
        if let Some(admin) = self.admin {
            admin.stop().await;
        }
    }
}

/// A socket over TCP, served anew when it has come or its token is another. Where it listens is told then.
fn serve_tcp(
    admin: &Admin,
    opened: Option<OwnedFd>,
    before: Option<Open>,
    token: &Token,
    places: &mut Vec<String>,
) -> io::Result<Option<Open>> {
    let listener = match (opened, before) {
        (Some(opened), _) => TcpListener::from(opened),
        (None, Some(Open { tcp: Some((listener, known)), .. })) if known.as_str() != token.as_str() => listener,
        (None, before) => return Ok(before),
    };
    let kept = listener.try_clone()?;
    places.push(format!("tcp:{}", listener.local_addr()?));
    let served = admin.serve_tcp(listener, token.clone())?;
    Ok(Some(Open { _served: served, tcp: Some((kept, token.clone())) }))
}
