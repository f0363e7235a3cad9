//! The sockets that a host listens at: which there are to be, and who opens them.
//!
//! Owns that a host behind the wall, which can open none, can have others than at its start: a second process that was started before
//! the wall opens them. It hears which are open, reads the node's file itself, opens what that names and nothing else, and hands it over.

use std::env;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use lunarium_serve::Token;
use rustix::cmsg_space;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use serde::{Deserialize, Serialize};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use super::settings::Source;
use crate::Refused;
use crate::arguments::Serve;
use crate::socket::{MOST, Socket};
use crate::verdict::SUCCESS;

/// Bytes of a message between both processes. The number: 64 names of sockets with paths of 107 bytes have a seventh of it.
const MESSAGE: usize = 64 << 10;

/// The option of the second process.
const OPENER: &str = "--opener";

/// All sockets that a host is to listen at.
#[derive(Debug, Default)]
pub struct SocketSet {
    /// Of the admin interface.
    pub admin: Vec<Socket>,
    /// What requests of the admin interface must have over TCP.
    pub token: Option<Token>,
    /// Of requests for tenants.
    pub http: Option<Socket>,
}

impl SocketSet {
    fn all(&self) -> impl Iterator<Item = &Socket> {
        self.admin.iter().chain(&self.http)
    }

    /// Whether there is any.
    pub fn is_any(&self) -> bool {
        self.all().next().is_some()
    }
}

/// What the other process is asked.
#[derive(Serialize, Deserialize)]
struct Ask {
    /// Sockets that are open.
    held: Vec<String>,
    styled: bool,
}

/// What it answers. The sockets that it has opened go beside it, in order.
#[derive(Serialize, Deserialize)]
enum Answer {
    Open { admin: Vec<Named>, token: Option<String>, http: Option<Named> },
    Refused { text: String, code: u8 },
}

/// A socket by name, and whether it was opened.
#[derive(Serialize, Deserialize)]
struct Named(String, bool);

impl Named {
    fn of(socket: &Socket) -> Self {
        Self(socket.name.clone(), socket.opened.is_some())
    }

    /// None: it isn't among those that came.
    fn socket(self, opened: &mut impl Iterator<Item = OwnedFd>) -> Option<Socket> {
        let Self(name, is_new) = self;
        let opened = if is_new { Some(opened.next()?) } else { None };
        Some(Socket { name, opened })
    }
}

/// Who opens sockets for a host that runs.
pub enum Opener {
    /// The host itself: it keeps what the system allows it.
    Host,
    /// Another process, at the other end.
    Process(OwnedFd),
}

impl Opener {
    /// Starts the process that opens sockets for a host behind the wall. Starts no thread.
    ///
    /// Errors: the system refuses it.
    pub fn start() -> io::Result<Self> {
        let (own, other) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        // The same program with the same command line, so that it reads the same of both.
        let mut command = Command::new("/proc/self/exe");
        command.arg0("lunarium-opener").args(env::args_os().skip(1)).arg(OPENER);
        command.stdin(other).stdout(Stdio::null()).stderr(Stdio::null());
        // It ends when its other end does.
        drop(command.spawn()?);
        Ok(Self::Process(own))
    }

    /// Opens what the node's file and the command line name, but for what is `held`. Blocks. `styled`: reports may have colours.
    ///
    /// Errors: what is wrong with it; the other process is gone.
    pub fn open(&self, source: &Source, options: &Serve, held: &[String], styled: bool) -> Result<SocketSet, Refused> {
        let Self::Process(other) = self else {
            return source.sockets(options, &source.read(styled)?, held);
        };
        let gone = |error: io::Error| {
            Refused::machine(format!("the process that opens sockets for this host doesn't answer: {error}"))
                .with_hint("restart the host to have other sockets; those that are open stay")
        };
        let ask = serde_json::to_vec(&Ask { held: held.to_vec(), styled }).map_err(|error| gone(error.into()))?;
        rustix::io::write(other, &ask).map_err(|error| gone(error.into()))?;
        let (answer, opened) = receive(other.as_fd()).map_err(gone)?;
        let mut opened = opened.into_iter();
        let missing = || gone(io::ErrorKind::InvalidData.into());
        match serde_json::from_slice(&answer).map_err(|error| gone(error.into()))? {
            Answer::Refused { text, code } => Err(Refused { text, code }),
            Answer::Open { admin, token, http } => {
                let admin = admin.into_iter().map(|named| named.socket(&mut opened));
                let admin = admin.collect::<Option<_>>().ok_or_else(missing)?;
                let http = http.map(|named| named.socket(&mut opened).ok_or_else(missing)).transpose()?;
                let token = token.map(|text| Token::new(&text)).transpose().map_err(|_| missing())?;
                Ok(SocketSet { admin, token, http })
            }
        }
    }
}

/// The second process: answers until nobody asks any more, and returns the exit code.
///
/// Errors: it wasn't started by a host.
pub fn serve_opener(options: &Serve) -> Result<u8, Refused> {
    let stranger = |error: io::Error| Refused::usage(format!("`{OPENER}` is for the host alone: {error}"), None);
    // A signal for all of a terminal's, or of a service's, is the host's to answer: this one ends with it.
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Refused::deaf)?;
    {
        let _inside = runtime.enter();
        for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()] {
            // The handler stays when nobody listens.
            drop(signal(kind).map_err(Refused::deaf)?);
        }
    }
    let host = io::stdin();
    let source = Source::of(options)?;
    loop {
        let (message, _) = receive(host.as_fd()).map_err(stranger)?;
        if message.is_empty() {
            return Ok(SUCCESS);
        }
        let Ask { held, styled } = serde_json::from_slice(&message).map_err(|error| stranger(error.into()))?;
        let sockets = source.read(styled).and_then(|node| source.sockets(options, &node, &held));
        let (answer, sockets) = match sockets {
            Ok(sockets) => {
                let token = sockets.token.as_ref().map(|token| token.as_str().to_owned());
                let admin = sockets.admin.iter().map(Named::of).collect();
                (Answer::Open { admin, token, http: sockets.http.as_ref().map(Named::of) }, sockets)
            }
            Err(Refused { mut text, code }) => {
                // Escaped, each byte may be six.
                text.truncate(text.floor_char_boundary(MESSAGE / 8));
                (Answer::Refused { text, code }, SocketSet::default())
            }
        };
        let answer = serde_json::to_vec(&answer).map_err(|error| stranger(error.into()))?;
        let opened: Vec<BorrowedFd<'_>> =
            sockets.all().filter_map(|socket| Some(socket.opened.as_ref()?.as_fd())).collect();
        send(host.as_fd(), &answer, &opened).map_err(stranger)?;
        // The host has them now, or nobody.
        drop(opened);
    }
}

/// Sends a message with descriptors.
fn send(to: BorrowedFd<'_>, message: &[u8], opened: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MOST))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    if !opened.is_empty() && !beside.push(SendAncillaryMessage::ScmRights(opened)) {
        return Err(io::Error::other(format!("there are more than {MOST} sockets")));
    }
    sendmsg(to, &[IoSlice::new(message)], &mut beside, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Receives a message with its descriptors; an empty one when the other end is gone.
fn receive(from: BorrowedFd<'_>) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    let mut message = vec![0; MESSAGE];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MOST))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        match recvmsg(from, &mut [IoSliceMut::new(&mut message)], &mut beside, RecvFlags::CMSG_CLOEXEC) {
            Err(rustix::io::Errno::INTR) => {}
            result => break result?,
        }
    };
    let opened = beside.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(opened) => opened.collect(),
        _ => Vec::new(),
    });
    let opened = opened.collect();
    message.truncate(received.bytes);
    Ok((message, opened))
}
