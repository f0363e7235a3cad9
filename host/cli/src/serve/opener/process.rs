//! The second process: answers until nobody asks any more.
//!
//! Owns that it opens what the node's file names, and what the grants in it lead to. It trusts nothing else that it hears.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use lunarium_app::NodeFile;
use lunarium_modules::http::{NameFiles, NameServers, Reach};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use super::OPENER;
use super::link::{Numbered, Received, receive, send};
use super::message::{Answer, Ask, Connected, Opened, Transport, Wanted};
use crate::Refused;
use crate::arguments::Serve;
use crate::serve::settings::Source;
use crate::verdict::SUCCESS;

/// What it may connect to, as the file was when it was read last.
#[derive(Default)]
struct Allowed {
    reach: Reach,
    servers: Vec<SocketAddr>,
}

impl Allowed {
    fn allows(&self, Wanted { transport, address }: Wanted) -> bool {
        // Who may ask nobody needs no names. A name server is asked over TCP, too, when its answer is long.
        !self.reach.is_empty() && self.servers.contains(&address)
            || transport == Transport::Tcp && self.reach.leads_to(address)
    }
}

/// Answers, and returns the exit code.
///
/// Errors: it wasn't started by a host.
pub fn serve_opener(options: &Serve) -> Result<u8, Refused> {
    // What shows processes shows it, or the name of the link by which it was started.
    let _ = rustix::thread::set_name(c"lunarium-opener");
    // A signal for all of a terminal's, or of a service's, is the host's to answer: this one ends with it.
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Refused::deaf)?;
    {
        let _inside = runtime.enter();
        for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()] {
            // The handler stays when nobody listens.
            drop(signal(kind).map_err(Refused::deaf)?);
        }
    }
    let allowed = Arc::new(Mutex::new(Allowed::default()));
    let opening = Opening { options, source: Source::of(options)?, allowed: Arc::clone(&allowed) };
    // Of its own: a disk that doesn't answer keeps nobody from servers.
    thread::Builder::new().spawn(move || serve_connections(&allowed)).map_err(Refused::no_thread)?;
    let stranger = |error: io::Error| Refused::usage(format!("`{OPENER}` is for the host alone: {error}"), None);
    let host = io::stdin();
    while let Some(Received { message, .. }) = receive::<Numbered<Ask>>(host.as_fd()).map_err(stranger)? {
        let opened = opening.answer(&message.message);
        let (answer, descriptors) = match &opened {
            Ok(Some(opened)) => (Answer::of(opened), opened.descriptors()),
            Ok(None) => (Answer::Ready, Vec::new()),
            Err(refused) => (Answer::refused(refused), Vec::new()),
        };
        // The host has them then, or nobody.
        send(host.as_fd(), &message.answer(answer), &descriptors).map_err(stranger)?;
    }
    Ok(SUCCESS)
}

struct Opening<'o> {
    options: &'o Serve,
    source: Source,
    allowed: Arc<Mutex<Allowed>>,
}

impl Opening<'_> {
    fn answer(&self, ask: &Ask) -> Result<Option<Opened>, Refused> {
        match ask {
            Ask::Ready => self.read(false).map(|_| None),
            Ask::Open { held, default, styled } => {
                let node = self.read(*styled)?;
                let places = self.source.places(self.options, &node, default.as_ref())?;
                Ok(Some(Opened { sockets: places.open(held), names: NameFiles::of_machine() }))
            }
        }
    }

    /// Reads the file; from now on what it allows may be connected to.
    fn read(&self, styled: bool) -> Result<NodeFile, Refused> {
        let node = self.source.read(styled)?;
        let (reach, servers) = (self.source.reach(&node), NameServers::of_machine().servers().to_vec());
        *self.allowed.lock().unwrap_or_else(PoisonError::into_inner) = Allowed { reach, servers };
        Ok(node)
    }
}

/// Answers who asks for sockets to servers, at standard output.
fn serve_connections(allowed: &Mutex<Allowed>) {
    let host = io::stdout();
    // When the line is broken, nobody asks any more.
    while let Ok(Some(Received { message, .. })) = receive::<Numbered<Wanted>>(host.as_fd()) {
        let opened = match allowed.lock().unwrap_or_else(PoisonError::into_inner).allows(message.message) {
            true => begin(message.message),
            false => Err(Errno::ACCESS),
        };
        let sent = match &opened {
            Ok(socket) => send(host.as_fd(), &message.answer(Connected::Begun), &[socket.as_fd()]),
            Err(error) => send(host.as_fd(), &message.answer(Connected::Refused(error.raw_os_error())), &[]),
        };
        if sent.is_err() {
            break;
        }
    }
}

/// A socket that is on its way to an address: who waits until it is there has it.
fn begin(Wanted { transport, address }: Wanted) -> Result<OwnedFd, Errno> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let kind = match transport {
        Transport::Tcp => SocketType::STREAM,
        Transport::Udp => SocketType::DGRAM,
    };
    let socket = socket_with(family, kind, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC, None)?;
    match connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use lunarium_engine::Value;
    use lunarium_modules::http::Reach;

    use super::{Allowed, Transport, Wanted};

    #[test]
    fn it_connects_to_where_grants_lead_and_for_those_to_name_servers() {
        let rule = Value::Map(vec![(Value::from("url"), Value::from("https://a.example/*"))]);
        let servers = vec!["192.0.2.53:53".parse().unwrap()];
        let some = Allowed { reach: Reach::of([Value::Array(vec![rule])]), servers: servers.clone() };
        let none = Allowed { reach: Reach::default(), servers };
        let asked = |allowed: &Allowed, transport, address: &str| {
            allowed.allows(Wanted { transport, address: address.parse().unwrap() })
        };
        for transport in [Transport::Tcp, Transport::Udp] {
            assert!(asked(&some, transport, "192.0.2.53:53"));
            assert!(!asked(&none, transport, "192.0.2.53:53"));
            assert!(!asked(&some, transport, "192.0.2.54:53"));
            assert!(!asked(&none, transport, "1.1.1.1:443"));
        }
        assert!(asked(&some, Transport::Tcp, "1.1.1.1:443"));
        assert!(!asked(&some, Transport::Udp, "1.1.1.1:443"));
    }
}
