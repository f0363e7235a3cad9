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
use lunarium_serve::{Admin, AdminConfig, AdminSocket, Host, Reloader, Surroundings, Token};
use tokio::task::JoinSet;

use super::requests::Requests;
use super::sockets::{Key, SocketSet};
use crate::Refused;
use crate::endpoints::{Listening, OpenFiles};
use crate::socket::{Place, Socket};
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
    /// Those at which nobody is to come any more: who has come there for the reload that closes them waits for its end.
    closing: Vec<Open>,
    requests: Option<(Place, Requests)>,
    /// Servers that answer what is under way, and nothing else.
    leaving: JoinSet<()>,
    reloader: Reloader,
}

/// A socket of the admin interface.
struct Open {
    place: Place,
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
        reloader: Reloader,
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
            closing: Vec::new(),
            requests: None,
            leaving: JoinSet::new(),
            reloader,
        }
    }

    /// The names of the places at which it listens. A Unix socket that somebody has taken away is none.
    pub fn held(&self) -> Vec<String> {
        let is_there = |place: &Place| place.unix().is_none_or(|path| path.symlink_metadata().is_ok());
        let admin = self.open.iter().filter(|(_, open)| is_there(&open.place)).map(|(name, _)| name);
        admin.chain(self.requests.iter().map(|(place, _)| &place.name)).cloned().collect()
    }

    /// From now on these are served and no others, but for what stays because something that is to be there is refused; requests come by way of
    /// these proxies. What couldn't be done is returned.
    pub fn serve(&mut self, sockets: SocketSet, proxies: &[Network]) -> Unserved {
        let (keeps_admin, keeps_http) =
            (sockets.lacks(Key::Admin) || sockets.lacks(Key::Token), sockets.lacks(Key::Http));
        let SocketSet { admin, token, http, mut refused } = sockets;
        if let Err(why) = self.serve_admin(admin, token, keeps_admin) {
            refused.push((Key::Admin, why));
        }
        if let Err(why) = self.serve_requests(http, proxies, keeps_http) {
            refused.push((Key::Http, why));
        }
        Unserved(refused)
    }

    fn serve_admin(&mut self, sockets: Vec<Socket>, token: Option<Token>, keeps: bool) -> Result<(), Refused> {
        let refused = |error| Refused::machine(format!("the admin interface can't be served: {error}"));
        if self.admin.is_none() && !sockets.is_empty() {
            let mut config = AdminConfig::new(Arc::clone(&self.log));
            config.names.clone_from(&self.names);
            config.max_connections = config.max_connections.min(self.files.admin());
            config.requests = Box::new(self.sites.clone());
            config.reloader = Some(self.reloader.clone());
            self.admin = Some(Admin::start(self.host.clone(), config).map_err(refused)?);
        }
        let Some(admin) = &self.admin else { return Ok(()) };
        let (mut open, mut places, mut done) = (BTreeMap::new(), Vec::new(), Ok(()));
        for Socket { place, opened } in sockets {
            let before = self.open.remove(&place.name);
            let served = match (place.unix(), opened) {
                (Some(_), Some(opened)) => serve_unix(admin, &place, opened, &mut places).map(Some),
                (Some(_), None) => Ok(before),
                (None, opened) => serve_tcp(admin, &place, opened, before, token.as_ref(), &mut places),
            };
            match served {
                Ok(served) => open.extend(served.map(|served| (place.name, served))),
                Err(error) => done = Err(refused(error)),
            }
        }
        let mut closed = std::mem::replace(&mut self.open, open);
        if keeps {
            self.open.append(&mut closed);
        }
        let shown: Vec<String> = closed.values().map(|open| open.place.shown.clone()).collect();
        // Whoever is served at the others has two seconds, from now where a token counts no more.
        let counts = |known: &Token| token.as_ref().is_none_or(|token| token.as_str() == known.as_str());
        let closing = closed.into_values().filter(|open| open.tcp.as_ref().is_none_or(|(_, known)| counts(known)));
        self.closing.extend(closing);
        let at = |place: String| LogField::text("at", place);
        if !places.is_empty() {
            self.screen.note(Level::Info, "admin interface", &places.into_iter().map(at).collect::<Vec<_>>());
        }
        if !shown.is_empty() {
            self.screen.note(Level::Info, "admin interface closed", &shown.into_iter().map(at).collect::<Vec<_>>());
        }
        done
    }

    /// Whoever is served at sockets that are no more has two seconds.
    pub fn close(&mut self) {
        self.closing.clear();
    }

    fn serve_requests(&mut self, http: Option<Socket>, proxies: &[Network], keeps: bool) -> Result<(), Refused> {
        self.requests.iter().for_each(|(_, requests)| requests.believe(proxies));
        let is_held =
            self.requests.as_ref().map(|(place, _)| &place.name) == http.as_ref().map(|http| &http.place.name);
        if is_held || keeps {
            return Ok(());
        }
        let new = http.and_then(|Socket { place, opened }| Some((place, opened?))).map(|(place, opened)| {
            let listening = Listening::at(TcpListener::from(opened), proxies.to_vec(), self.files);
            Ok((place, Requests::start(listening, self.sites.clone(), &self.host, &self.screen)?))
        });
        let before = self.requests.take();
        match new.transpose() {
            Ok(new) => self.requests = new,
            Err(refused) => {
                self.requests = before;
                return Err(refused);
            }
        }
        if let Some((_, requests)) = before {
            self.screen.note(Level::Info, &format!("serving http://{} no more", requests.address()), &[]);
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

fn serve_unix(admin: &Admin, place: &Place, opened: OwnedFd, places: &mut Vec<String>) -> io::Result<Open> {
    let served = admin.serve_unix(UnixListener::from(opened))?;
    places.push(place.shown.clone());
    Ok(Open { place: place.clone(), _served: served, tcp: None })
}

/// A socket over TCP, served anew when it has come or its token is another. Where it listens is told then.
fn serve_tcp(
    admin: &Admin,
    place: &Place,
    opened: Option<OwnedFd>,
    before: Option<Open>,
    token: Option<&Token>,
    places: &mut Vec<String>,
) -> io::Result<Option<Open>> {
    // Without a token nobody is let in anew.
    let Some(token) = token else { return Ok(before) };
    let listener = match (opened, before) {
        (Some(opened), _) => TcpListener::from(opened),
        (None, Some(Open { tcp: Some((listener, known)), .. })) if known.as_str() != token.as_str() => listener,
        (None, before) => return Ok(before),
    };
    let kept = listener.try_clone()?;
    places.push(format!("tcp:{}", listener.local_addr()?));
    let served = admin.serve_tcp(listener, token.clone())?;
    Ok(Some(Open { place: place.clone(), _served: served, tcp: Some((kept, token.clone())) }))
}

/// What is not served, or stays because it is.
#[must_use]
pub struct Unserved(pub Vec<(Key, Refused)>);

impl Unserved {
    /// Errors: there is something.
    pub fn whole(mut self) -> Result<(), Refused> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0.swap_remove(0).1) }
    }
}
