//! Requests from outside to what a run runs: the socket, the server, its stop.
//!
//! Owns `--http`: how an address is written, and that the socket is there before the wall. What a request becomes is `lunarium-serve`'s.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use lunarium_app::{App, Draft, Services};
use lunarium_engine::{Level, LogField, Node};
use lunarium_serve::endpoint::{Drained, Network, Notes, Server, ServerConfig, Site, Sites, Traffic, TrafficLimits};

use crate::Refused;
use crate::socket::Place;
use crate::terminal::Screen;

/// How an address is written, for hints.
const ADDRESS_FORM: &str = "an address is `127.0.0.1:8080` or `[::1]:8080`; `8080` alone is that port of 127.0.0.1";

/// Files that a server may have open, where the system lets it: a connection is one.
const OPEN_FILES: u64 = 65_536;

/// With fewer a server has less connections than it would take.
const FEW_FILES: u64 = 20_000;

/// How long requests under way may take when a run stops. At the limit: they are cut off.
const PATIENCE: Duration = Duration::from_secs(10);

/// Files that the program may have open, and which of them connections may be: the rest is for all else, such as a store that is opened again.
#[derive(Debug, Clone, Copy)]
pub struct OpenFiles(u64);

impl OpenFiles {
    /// As many as the system allows. Behind the wall it can't be raised any more.
    pub fn raise() -> Self {
        Self(lunarium_confine::raise_open_files(OPEN_FILES))
    }

    /// Connections with requests from outside at most.
    pub fn requests(self) -> u32 {
        u32::try_from(self.0 / 2).unwrap_or(u32::MAX).max(1)
    }

    /// Connections of the admin interface at most.
    pub fn admin(self) -> usize {
        usize::try_from(self.0 / 8).unwrap_or(usize::MAX).max(2)
    }

    /// Says that there are few.
    pub fn tell(self, screen: &Screen) {
        if self.0 < FEW_FILES {
            let message = format!(
                "the system lets this program have {} open files, so there can be {} connections for requests and {} of the admin \
                 interface: `ulimit -Hn`, or systemd's `LimitNOFILE`, raises it",
                self.0,
                self.requests(),
                self.admin()
            );
            screen.note(Level::Warn, &message, &[]);
        }
    }
}

/// A socket that listens, and whom nobody answers yet.
pub struct Listening {
    listener: TcpListener,
    config: ServerConfig,
}

impl Listening {
    /// Opens what `--http` names.
    ///
    /// Errors: it is no address; the system refuses it; the application has nothing that would be served there.
    pub fn open(written: Option<&str>, draft: &Draft) -> Result<Option<Self>, Refused> {
        let Some(written) = written else { return Ok(None) };
        named(written)?;
        // What is wrong with the application is told later.
        if !draft.has_endpoints() && !draft.is_wrong() {
            let hint = "an entry of the kind `http.endpoint` says which requests become what";
            let message = "`--http`: the application has no endpoint to serve".to_owned();
            return Err(Refused::usage(message, Some(hint.to_owned())));
        }
        Ok(Some(Self::at(bind(written)?, Vec::new(), OpenFiles::raise())))
    }

    /// A socket that is open, for who is asked directly or by these proxies.
    pub fn at(listener: TcpListener, proxies: Vec<Network>, files: OpenFiles) -> Self {
        let mut config = ServerConfig::default();
        config.proxies = proxies;
        config.max_connections = config.max_connections.min(files.requests());
        Self { listener, config }
    }

    /// Begins to answer.
    ///
    /// Errors: the system gives no thread.
    pub fn serve(self, node: &Node, app: &App, services: &Services, screen: &Arc<Screen>) -> Result<Server, Refused> {
        let traffic = Traffic::new(TrafficLimits::default());
        let site = Site::new("run", node.clone(), services.running().clone(), app.endpoints(), traffic);
        let sites = Sites::new([site]).map_err(|error| Refused::machine(error.to_string()))?;
        self.answer(sites, screen)
    }

    /// Begins to answer for these sites.
    ///
    /// Errors: the system gives no thread.
    pub fn answer(self, sites: Sites, screen: &Arc<Screen>) -> Result<Server, Refused> {
        let Self { listener, mut config } = self;
        let log = Arc::clone(screen);
        config.notes = Notes::new(move |line| log.note(Level::Warn, line, &[]));
        let server = Server::start(listener, config, sites);
        let server = server.map_err(|error| Refused::machine(format!("`http`: {error}")))?;
        screen.note(Level::Info, &format!("serving http://{}", server.address()), &[]);
        Ok(server)
    }
}

/// The place that a text means; what is none is told by [`bind`].
pub fn place(written: &str) -> Place {
    let place = Place::new(written);
    match address(written) {
        Some(address) => Place { name: address.to_string(), ..place },
        None => place,
    }
}

/// Opens the socket at the address that a text is.
///
/// Errors: it is none; the system refuses it.
pub fn bind(written: &str) -> Result<TcpListener, Refused> {
    let address = named(written)?;
    TcpListener::bind(address).map_err(|error| {
        let refused = Refused::machine(format!("`http`: cannot listen on {address}: {error}"));
        match error.kind() {
            io::ErrorKind::AddrInUse => {
                refused.with_hint("something listens there already: stop it, or take another port")
            }
            _ => refused,
        }
    })
}

/// Answers what is under way, and tells when that took too long.
pub async fn stop(server: Server, screen: &Screen) {
    let Drained { cut } = server.stop(PATIENCE).await;
    if cut > 0 {
        let message = format!("connections are cut off, with requests that were still under way after {PATIENCE:?}");
        screen.note(Level::Warn, &message, &[LogField::number("connections", cut)]);
    }
}

/// The address that a text is.
///
/// Errors: it is none, with how one is written.
pub fn parse(written: &str) -> Result<SocketAddr, (String, &'static str)> {
    address(written).ok_or_else(|| (format!("`http`: `{written}` is no address"), ADDRESS_FORM))
}

/// The same of the command line.
///
/// Errors: it is none.
pub fn named(written: &str) -> Result<SocketAddr, Refused> {
    parse(written).map_err(|(message, hint)| Refused::usage(message, Some(hint.to_owned())))
}

fn address(text: &str) -> Option<SocketAddr> {
    let port = || text.parse().ok().map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    text.parse().ok().or_else(port)
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_is_numbers() {
        let shown = |text: &str| address(text).map(|address| address.to_string()).unwrap_or_default();
        assert_eq!(shown("8080"), "127.0.0.1:8080");
        assert_eq!(shown("0.0.0.0:80"), "0.0.0.0:80");
        assert_eq!(shown("[::1]:80"), "[::1]:80");
        for wrong in ["", "localhost:80", ":80", "127.0.0.1", "70000", "::1:80:x"] {
            assert_eq!(shown(wrong), "", "{wrong}");
        }
    }
}
