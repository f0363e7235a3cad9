//! The second process: answers until nobody asks any more.
//!
//! Owns that it opens what the node's file names, and what the grants in it lead to. It trusts nothing else that it hears.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use lunarium_app::NodeFile;
use lunarium_modules::http::{NameFiles, NameServers, Reach};
use rustix::io::Errno;
use rustix::net::{AddressFamily, Shutdown, SocketFlags, SocketType, connect, shutdown, socket_with};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use super::OPENER;
use super::link::{Question, Received, receive, send};
use super::message::{Answer, Ask, Connected, Opened, Transport, Wanted, mark};
use crate::Refused;
use crate::arguments::Serve;
use crate::serve::settings::Source;
use crate::serve::sockets::SocketSet;
use crate::socket::Place;
use crate::verdict::SUCCESS;

/// What it may connect to.
#[derive(Default)]
struct Allowed {
    /// Where all grants lead that the file has had since the host's start: who runs keeps what he was started with.
    reach: Reach,
    /// Those that the machine has had since then.
    servers: BTreeSet<SocketAddr>,
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
    let mut opening = Opening {
        options,
        source: Source::of(options)?,
        allowed: Arc::clone(&allowed),
        is_ready: false,
        default: None,
    };
    // Of its own: a disk that doesn't answer keeps nobody from servers.
    let connecting = move || {
        serve_connections(&allowed);
        // Nobody is to wait for what isn't there: this process ends.
        let _ = shutdown(io::stdin(), Shutdown::Both);
    };
    thread::Builder::new().spawn(connecting).map_err(Refused::no_thread)?;
    let stranger = |error: io::Error| Refused::usage(format!("`{OPENER}` is for the host alone: {error}"), None);
    let host = io::stdin();
    while let Some(Received { message: question, .. }) = receive::<Question<Ask>>(host.as_fd()).map_err(stranger)? {
        if question.is_late() {
            continue;
        }
        let opened = opening.answer(&question.message);
        let (answer, descriptors) = match &opened {
            Ok(Some(opened)) => (Answer::of(opened), opened.descriptors()),
            Ok(None) => (Answer::Ready, Vec::new()),
            Err(refused) => (Answer::refused(refused), Vec::new()),
        };
        // What took too long is closed. Else the host has it then, or nobody.
        if !question.is_late() {
            send(host.as_fd(), &question.answer(answer), &descriptors).map_err(stranger)?;
        }
    }
    Ok(SUCCESS)
}

struct Opening<'o> {
    options: &'o Serve,
    source: Source,
    allowed: Arc<Mutex<Allowed>>,
    /// From then on the host may run what is to be distrusted.
    is_ready: bool,
    /// Where the admin interface listens if nothing is said, if the host had found that before its wall.
    default: Option<Place>,
}

impl Opening<'_> {
    fn answer(&mut self, ask: &Ask) -> Result<Option<Opened>, Refused> {
        match ask {
            Ask::Ready { default } => {
                if !std::mem::replace(&mut self.is_ready, true) {
                    self.default.clone_from(default);
                    self.read(false)?;
                }
                Ok(None)
            }
            Ask::Allow => self.open(None, false).map(Some),
            Ask::Open { held, styled } => self.open(Some(held), *styled).map(Some),
        }
    }

    /// Opens the sockets that aren't `held`; none: only what says what names mean.
    fn open(&mut self, held: Option<&[String]>, styled: bool) -> Result<Opened, Refused> {
        self.is_ready = true;
        let (node, reach) = self.read(styled)?;
        let sockets = match held {
            Some(held) => self.source.places(self.options, &node, self.default.as_ref())?.open(held),
            None => SocketSet::default(),
        };
        Ok(Opened { sockets, names: NameFiles::of_machine(), reach: mark(&reach) })
    }

    /// Reads the file, with where its grants lead: from now on that may be connected to, too.
    fn read(&self, styled: bool) -> Result<(NodeFile, Reach), Refused> {
        let node = self.source.read(styled)?;
        let (reach, servers) = (self.source.reach(&node), NameServers::of_machine().servers().to_vec());
        let mut allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        allowed.reach.extend(&reach);
        // The host may go on with those that it had.
        allowed.servers.extend(servers);
        Ok((node, reach))
    }
}

/// Answers who asks for sockets to servers, at standard output, until nobody does.
fn serve_connections(allowed: &Mutex<Allowed>) {
    let host = io::stdout();
    while let Ok(Some(Received { message: question, .. })) = receive::<Question<Wanted>>(host.as_fd()) {
        if question.is_late() {
            continue;
        }
        let wanted = question.message;
        let is_allowed = allowed.lock().unwrap_or_else(PoisonError::into_inner).allows(wanted);
        let opened = if is_allowed { begin(wanted) } else { Err(Errno::ACCESS) };
        let refuse = |error: Option<i32>| {
            let answer = Connected::Refused(error.unwrap_or(Errno::IO.raw_os_error()));
            send(host.as_fd(), &question.answer(answer), &[])
        };
        let sent = match &opened {
            // The system bounds how many are under way from one process to another.
            Ok(socket) => send(host.as_fd(), &question.answer(Connected::Begun), &[socket.as_fd()])
                .or_else(|error| refuse(error.raw_os_error())),
            Err(error) => refuse(Some(error.raw_os_error())),
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
    use std::collections::BTreeSet;

    use lunarium_engine::Value;
    use lunarium_modules::http::Reach;

    use super::{Allowed, Transport, Wanted};

    #[test]
    fn it_connects_to_where_grants_lead_and_for_those_to_name_servers() {
        let rule = Value::Map(vec![(Value::from("url"), Value::from("https://a.example/*"))]);
        let servers = BTreeSet::from(["192.0.2.53:53".parse().unwrap()]);
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
