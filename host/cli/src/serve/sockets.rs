//! The sockets that a host listens at: which there are to be, and who opens them.
//!
//! Owns that a host behind the wall, which can open none, can have others than at its start: a second process that was started before
//! the wall opens them. It hears which are open, reads the node's file itself, opens what that names and nothing else, and hands it over.

use std::env;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lunarium_serve::Token;
use rustix::cmsg_space;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use serde::{Deserialize, Serialize};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use super::settings::Source;
use crate::arguments::Serve;
use crate::remote::place;
use crate::socket::{Place, Socket};
use crate::verdict::SUCCESS;
use crate::{Refused, admin, endpoints};

/// Bytes of a message between both processes. The number: 65 places, each twice with a path of 107 bytes, have a quarter of it.
const MESSAGE: usize = 64 << 10;

/// Sockets that a message may hand over: all of the admin interface, and that of requests. Linux allows 253.
const MOST: usize = admin::MOST + 1;

/// How long the other process may take to answer. At the limit: it is given up. The number: more than a disk that is busy needs.
const PATIENCE: Duration = Duration::from_secs(10);

/// The option of the second process.
const OPENER: &str = "--opener";

/// Where a host is to listen.
#[derive(Debug, Clone, Default)]
pub struct Places {
    pub admin: Vec<Place>,
    /// The file of the token that the admin interface's callers must have over TCP, if it listens there.
    pub token_file: Option<PathBuf>,
    pub http: Option<Place>,
}

impl Places {
    /// Whether there is any.
    pub fn is_any(&self) -> bool {
        !self.admin.is_empty() || self.http.is_some()
    }

    /// Whether all of it is known to who holds these.
    fn is_known(&self, held: &[String]) -> bool {
        self.token_file.is_none() && self.admin.iter().chain(&self.http).all(|place| place.is_in(held))
    }

    /// Opens what isn't `held`.
    pub fn open(&self, held: &[String]) -> SocketSet {
        let http = |place: &Place| endpoints::bind(&place.name).map(OwnedFd::from);
        self.open_by(held, admin::find, |place, is_admin| if is_admin { admin::open(place) } else { http(place) })
            .with_token(self.token_file.as_deref().map(place::token))
    }

    /// What of it is `held`, and for the rest why it can't be opened.
    fn held(&self, held: &[String], why: &Refused) -> SocketSet {
        let set = self.open_by(held, |place| Ok(place.clone()), |_, _| Err(why.clone()));
        set.with_token(self.token_file.as_ref().map(|_| Err(why.clone())))
    }

    fn open_by(
        &self,
        held: &[String],
        find: impl Fn(&Place) -> Result<Place, Refused>,
        open: impl Fn(&Place, bool) -> Result<OwnedFd, Refused>,
    ) -> SocketSet {
        let mut set = SocketSet::default();
        let socket = |place: &Place, is_admin| {
            let place = find(place)?;
            let opened = if place.is_in(held) { None } else { Some(open(&place, is_admin)?) };
            Ok(Socket { place, opened })
        };
        for place in &self.admin {
            match socket(place, true) {
                Ok(socket) => set.admin.push(socket),
                Err(why) => set.refused.push((Key::Admin, why)),
            }
        }
        match self.http.as_ref().map(|place| socket(place, false)).transpose() {
            Ok(socket) => set.http = socket,
            Err(why) => set.refused.push((Key::Http, why)),
        }
        set
    }
}

/// What something is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Key {
    Admin,
    Token,
    Http,
}

impl Key {
    /// As the node's file has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Token => "token_file",
            Self::Http => "http",
        }
    }
}

/// The sockets that a host is to listen at.
#[derive(Debug, Default)]
pub struct SocketSet {
    /// Of the admin interface.
    pub admin: Vec<Socket>,
    /// What requests of the admin interface must have over TCP. None: what they must have already.
    pub token: Option<Token>,
    /// Of requests for tenants.
    pub http: Option<Socket>,
    /// What there is to be besides, and isn't: where this is about, what is there already stays.
    pub refused: Vec<(Key, Refused)>,
}

impl SocketSet {
    fn with_token(mut self, token: Option<Result<Token, Refused>>) -> Self {
        match token.transpose() {
            Ok(token) => self.token = token,
            Err(why) => self.refused.push((Key::Token, why)),
        }
        self
    }

    /// All of it.
    ///
    /// Errors: what is refused.
    pub fn whole(mut self) -> Result<Self, Refused> {
        if self.refused.is_empty() { Ok(self) } else { Err(self.refused.swap_remove(0).1) }
    }

    /// Whether something is refused that is about this.
    pub fn lacks(&self, key: Key) -> bool {
        self.refused.iter().any(|(about, _)| *about == key)
    }

    fn all(&self) -> impl Iterator<Item = &Socket> {
        self.admin.iter().chain(&self.http)
    }
}

/// What the other process is asked.
#[derive(Serialize, Deserialize)]
struct Ask {
    /// Names of places at which the host listens.
    held: Vec<String>,
    /// Where the admin interface listens if nothing is said.
    default: Option<Place>,
    styled: bool,
}

/// What it says. The sockets that it has opened go beside it, in order.
#[derive(Serialize, Deserialize)]
enum Answer {
    /// It can be asked.
    Ready,
    Open {
        /// Each with whether it was opened.
        admin: Vec<(Place, bool)>,
        token: Option<String>,
        http: Option<(Place, bool)>,
        /// What, why, and the exit code that it would be at a start.
        refused: Vec<(Key, String, u8)>,
    },
    /// The file is wrong.
    Refused(String, u8),
}

impl Answer {
    fn of(set: &SocketSet) -> Self {
        let named = |socket: &Socket| (socket.place.clone(), socket.opened.is_some());
        Self::Open {
            admin: set.admin.iter().map(named).collect(),
            token: set.token.as_ref().map(|token| token.as_str().to_owned()),
            http: set.http.as_ref().map(named),
            refused: set.refused.iter().map(|(key, why)| (*key, bounded(&why.text), why.code)).collect(),
        }
    }

    /// With what came beside it. None: it makes no sense.
    fn set(self, opened: Vec<OwnedFd>) -> Option<Result<SocketSet, Refused>> {
        let mut opened = opened.into_iter();
        let mut socket = |(place, is_new): (Place, bool)| {
            let opened = if is_new { Some(opened.next()?) } else { None };
            Some(Socket { place, opened })
        };
        Some(match self {
            Self::Ready => return None,
            Self::Refused(text, code) => Err(Refused { text, code }),
            Self::Open { admin, token, http, refused } => Ok(SocketSet {
                admin: admin.into_iter().map(&mut socket).collect::<Option<_>>()?,
                token: token.map(|text| Token::new(&text)).transpose().ok()?,
                http: match http {
                    Some(http) => Some(socket(http)?),
                    None => None,
                },
                refused: refused.into_iter().map(|(key, text, code)| (key, Refused { text, code })).collect(),
            }),
        })
    }
}

/// A text that fits into a message: escaped, each byte may be six.
fn bounded(text: &str) -> String {
    text.get(..text.floor_char_boundary(MESSAGE / 4 / 6)).unwrap_or_default().to_owned()
}

/// Who opens sockets for a host that runs.
pub enum Opener {
    /// The host itself: it keeps what the system allows it.
    Host,
    /// Another process, at the other end; none any more when it hasn't answered.
    Process(Mutex<Option<OwnedFd>>),
    /// Nobody; why.
    Nobody(String),
}

impl Opener {
    /// Starts the process that opens sockets for a host behind the wall, and waits until it can be asked. Starts no thread.
    pub fn start() -> Self {
        let start = || {
            let (own, other) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
            set_socket_timeout(&own, Timeout::Recv, Some(PATIENCE))?;
            set_socket_timeout(&own, Timeout::Send, Some(PATIENCE))?;
            // The same program with the same command line, so that it reads the same of both.
            let mut arguments = env::args_os().skip(1);
            let mut command = Command::new("/proc/self/exe");
            command.arg0("lunarium-opener").args(arguments.next()).arg(OPENER).args(arguments);
            command.stdin(other).stdout(Stdio::null()).stderr(Stdio::null());
            // It ends when its other end does.
            drop(command.spawn()?);
            // This end of what it has must be gone, or nobody would notice that it is.
            drop(command);
            match receive(own.as_fd())?.message {
                Some(Answer::Ready) => Ok(own),
                _ => Err(io::Error::other("it has ended")),
            }
        };
        match start() {
            Ok(own) => Self::Process(Mutex::new(Some(own))),
            Err(error) => Self::Nobody(format!("the process that would open them can't be started: {error}")),
        }
    }

    /// What a host is to listen at that listens at those that are `held`; at `default` where nothing is said of the admin interface. Blocks.
    pub fn open(
        &self,
        source: &Source,
        places: &Places,
        held: &[String],
        default: Option<Place>,
        styled: bool,
    ) -> SocketSet {
        if places.is_known(held) {
            return places.open(held);
        }
        let other = match self {
            Self::Host => return places.open(held),
            Self::Process(other) => other,
            Self::Nobody(why) => return places.held(held, &lacking(why)),
        };
        let mut other = other.lock().unwrap_or_else(PoisonError::into_inner);
        let ask = Ask { held: held.to_vec(), default, styled };
        let asked = match &*other {
            Some(other) => send(other.as_fd(), &ask, &[]).and_then(|()| receive(other.as_fd())),
            None => Err(io::ErrorKind::NotConnected.into()),
        };
        let answer = asked.and_then(|Received { message, opened, is_whole }| {
            if !is_whole {
                return Ok(Err(Refused::machine("the host has too many files open for another socket".to_owned())));
            }
            let set = message.and_then(|answer: Answer| answer.set(opened));
            set.ok_or_else(|| io::Error::other("it has ended"))
        });
        match answer {
            Ok(Ok(set)) if set.is_of(places) => set,
            Ok(Ok(_)) => {
                let why = format!("`{}` has changed while it was read: have it read again", source.shown());
                places.held(held, &Refused::machine(why))
            }
            Ok(Err(refused)) => places.held(held, &refused),
            Err(error) => {
                // A late answer would be taken for the next.
                *other = None;
                places.held(held, &lacking(&format!("the process that opens them doesn't answer: {error}")))
            }
        }
    }
}

impl SocketSet {
    /// Whether these are the places that are meant.
    fn is_of(&self, places: &Places) -> bool {
        let has_default = places.admin.iter().any(Place::is_default);
        let is_meant = |Socket { place, .. }: &Socket| {
            places.admin.contains(place) || places.http.as_ref() == Some(place) || has_default && place.unix().is_some()
        };
        let meant = places.admin.len().saturating_add(usize::from(places.http.is_some()));
        let refused = self.refused.iter().filter(|(key, _)| *key != Key::Token).count();
        self.all().all(is_meant) && self.all().count().saturating_add(refused) == meant
    }
}

fn lacking(why: &str) -> Refused {
    let refused = Refused::machine(format!("this host can have no other sockets while it runs: {why}"));
    refused.with_hint("restart it to have others; those that it has stay")
}

/// The second process: answers until nobody asks any more, and returns the exit code.
///
/// Errors: it wasn't started by a host.
pub fn serve_opener(options: &Serve) -> Result<u8, Refused> {
    let stranger = |error: io::Error| Refused::usage(format!("`{OPENER}` is for the host alone: {error}"), None);
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
    let host = io::stdin();
    let source = Source::of(options)?;
    send(host.as_fd(), &Answer::Ready, &[]).map_err(stranger)?;
    while let Some(Ask { held, default, styled }) = receive(host.as_fd()).map_err(stranger)?.message {
        let places = source.read(styled).and_then(|node| source.places(options, &node, default.as_ref()));
        match places.map(|places| places.open(&held)) {
            Ok(set) => {
                let opened = set.all().filter_map(|socket| Some(socket.opened.as_ref()?.as_fd()));
                // The host has them then, or nobody.
                send(host.as_fd(), &Answer::of(&set), &opened.collect::<Vec<_>>()).map_err(stranger)?;
            }
            Err(Refused { text, code }) => {
                send(host.as_fd(), &Answer::Refused(bounded(&text), code), &[]).map_err(stranger)?;
            }
        }
    }
    Ok(SUCCESS)
}

/// Sends a message with descriptors.
fn send(to: BorrowedFd<'_>, message: &impl Serialize, opened: &[BorrowedFd<'_>]) -> io::Result<()> {
    let message = serde_json::to_vec(message)?;
    if opened.is_empty() {
        // Behind the wall nobody is allowed more.
        rustix::io::write(to, &message)?;
        return Ok(());
    }
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MOST))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    if !beside.push(SendAncillaryMessage::ScmRights(opened)) {
        return Err(io::Error::other(format!("there are more than {MOST} sockets")));
    }
    sendmsg(to, &[IoSlice::new(&message)], &mut beside, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// What has come.
struct Received<M> {
    /// None: the other end is gone.
    message: Option<M>,
    opened: Vec<OwnedFd>,
    /// There was room for all descriptors that came with it.
    is_whole: bool,
}

/// Receives a message with its descriptors.
fn receive<M: for<'m> Deserialize<'m>>(from: BorrowedFd<'_>) -> io::Result<Received<M>> {
    let mut message = vec![0; MESSAGE];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MOST))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        match recvmsg(from, &mut [IoSliceMut::new(&mut message)], &mut beside, RecvFlags::CMSG_CLOEXEC) {
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                return Err(io::Error::other(format!("nothing has come for {PATIENCE:?}")));
            }
            result => break result?,
        }
    };
    let opened = beside.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(opened) => opened.collect(),
        _ => Vec::new(),
    });
    let opened = opened.collect();
    let is_whole = !received.flags.contains(ReturnFlags::CTRUNC);
    let message = match message.get(..received.bytes) {
        Some([]) | None => None,
        Some(message) => Some(serde_json::from_slice(message)?),
    };
    Ok(Received { message, opened, is_whole })
}
