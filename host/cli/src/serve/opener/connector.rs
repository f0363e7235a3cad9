//! Sockets of tenants' requests, which the second process opens.
//!
//! Owns that nobody who waits for one holds up a worker, and that a request that is over leaves nothing behind.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use lunarium_engine::Level;
use lunarium_modules::http::{Connect, Connecting};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::oneshot;

use super::link::{Answered, Link};
use super::message::{Connected, Transport, Wanted};
use crate::terminal::Screen;

/// Who asks for sockets to servers. As many wait as requests are under way.
pub struct Connector {
    waiting: Sender<Waiting>,
}

struct Waiting {
    wanted: Wanted,
    answer: oneshot::Sender<io::Result<OwnedFd>>,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl Connector {
    /// Starts the thread that asks. It ends with the last who has this.
    pub(super) fn start(link: Link, screen: &Arc<Screen>) -> io::Result<Self> {
        let (waiting, asked) = channel();
        let screen = Arc::clone(screen);
        thread::Builder::new().name("lunarium-connect".to_owned()).spawn(move || work(link, &asked, &screen))?;
        Ok(Self { waiting })
    }

    async fn open(&self, transport: Transport, address: SocketAddr) -> io::Result<OwnedFd> {
        let (answer, opened) = oneshot::channel();
        // Without the thread nobody answers.
        let _ = self.waiting.send(Waiting { wanted: Wanted { transport, address }, answer });
        opened.await.unwrap_or_else(|_| Err(io::ErrorKind::NotConnected.into()))
    }
}

impl Connect for Connector {
    fn tcp(&self, address: SocketAddr) -> Connecting<'_, TcpStream> {
        Box::pin(async move {
            let stream = TcpStream::from_std(self.open(Transport::Tcp, address).await?.into())?;
            // It is on its way: then it can be written to, or there is an error.
            stream.writable().await?;
            match stream.take_error()? {
                Some(error) => Err(error),
                None => Ok(stream),
            }
        })
    }

    fn udp(&self, address: SocketAddr) -> Connecting<'_, UdpSocket> {
        Box::pin(async move { UdpSocket::from_std(self.open(Transport::Udp, address).await?.into()) })
    }
}

fn work(mut link: Link, asked: &Receiver<Waiting>, screen: &Screen) {
    let mut is_told = false;
    for Waiting { wanted, answer } in asked {
        // The request is over.
        if answer.is_closed() {
            continue;
        }
        let opened = ask(&mut link, wanted);
        if let Err(error) = &opened
            && error.kind() == io::ErrorKind::NotConnected
            && !std::mem::replace(&mut is_told, true)
        {
            let why = "this host can reach no servers any more: the process that connects to them is gone; restart it";
            screen.note(Level::Error, why, &[]);
        }
        // Nobody may wait any more: then it is closed.
        let _ = answer.send(opened);
    }
}

fn ask(link: &mut Link, wanted: Wanted) -> io::Result<OwnedFd> {
    let Answered { message, descriptors } = link.ask(wanted)?;
    match message {
        Connected::Begun => descriptors.into_iter().next().ok_or_else(|| io::ErrorKind::InvalidData.into()),
        Connected::Refused(error) => Err(io::Error::from_raw_os_error(error)),
    }
}
