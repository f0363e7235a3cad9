//! A second process that opens sockets for a host behind the wall, which can open none: to listen at, and to servers.
//!
//! It was started before the wall. It hears which sockets are open and where a tenant's request is to go, reads the node's file itself, opens what
//! that names and allows, and nothing else, and hands it over. Owns what a host does without it.

mod connector;
mod link;
mod message;
mod process;

use std::env;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use lunarium_modules::http::{Connect, NameFiles, Reach};

use self::connector::Connector;
use self::link::{Answered, Link};
use self::message::{Answer, Ask, Opened, mark};
pub use self::process::serve_opener;
use super::settings::Source;
use super::sockets::{Key, Places, SocketSet};
use crate::Refused;
use crate::socket::Place;
use crate::terminal::Screen;

/// The option of the second process.
const OPENER: &str = "--opener";

/// Who opens sockets for a host that runs.
pub enum Opener {
    /// The host itself: it keeps what the system allows it.
    Host,
    Process(Process),
    /// Nobody; why.
    Nobody(String),
}

/// Another process.
pub struct Process {
    /// Where it is asked for those to listen at.
    listening: Mutex<Link>,
    /// Where it is asked for those to servers, until somebody does.
    connecting: Option<Link>,
}

/// What is to be opened.
pub struct Wish<'w> {
    pub places: &'w Places,
    /// Names of the places at which the host listens.
    pub held: &'w [String],
    /// Where the file's grants lead.
    pub reach: &'w Reach,
    /// Whether mistakes of the file are told with colours.
    pub styled: bool,
}

impl Opener {
    /// Starts the process that opens sockets for a host behind the wall, and waits until it can be asked; the admin interface is at `default` if
    /// nothing is said of it and that was found already. Starts no thread.
    pub fn start(default: Option<&Place>) -> Self {
        match Process::start(default) {
            Ok(process) => Self::Process(process),
            Err(error) => Self::Nobody(format!("the process that would open them can't be started: {error}")),
        }
    }

    /// Whether it is another process.
    pub fn is_process(&self) -> bool {
        matches!(self, Self::Process(_))
    }

    /// Who opens sockets to servers, if it is another process: once. Starts a thread.
    ///
    /// Errors: it can't be started.
    pub fn connector(&mut self, screen: &Arc<Screen>) -> io::Result<Option<Arc<dyn Connect>>> {
        let Self::Process(Process { connecting, .. }) = self else { return Ok(None) };
        connecting.take().map(|link| Ok(Arc::new(Connector::start(link, screen)?) as Arc<dyn Connect>)).transpose()
    }

    /// What a host is to listen at, and what says what names mean now, if somebody has looked; from now on connections are made also to where
    /// the file's grants lead. Blocks.
    pub fn open(&self, source: &Source, wish: Wish<'_>) -> (SocketSet, Option<NameFiles>) {
        let Wish { places, held, reach, styled } = wish;
        let process = match self {
            Self::Host => return (places.open(held), Some(NameFiles::of_machine())),
            Self::Nobody(_) | Self::Process(_) if places.is_known(held) && reach.is_empty() => {
                return (places.open(held), None);
            }
            Self::Nobody(why) => return (places.held(held, &lacking(why)), None),
            Self::Process(process) => process,
        };
        let opened = process
            .ask(Ask::Open { held: held.to_vec(), styled }, source, reach)
            .and_then(|opened| if opened.sockets.is_of(places) { Ok(opened) } else { Err(changed(source)) });
        match opened {
            Ok(opened) => (opened.sockets, Some(opened.names)),
            Err(refused) => {
                let mut sockets = places.held(held, &refused);
                if !reach.is_empty() {
                    sockets.refused.push((Key::Grants, refused));
                }
                (sockets, None)
            }
        }
    }

    /// What says what names mean now, if somebody has looked; from now on connections are made also to where the file's grants lead. Blocks.
    ///
    /// Errors: they can't be.
    pub fn allow(&self, source: &Source, reach: &Reach) -> Result<Option<NameFiles>, Refused> {
        match self {
            Self::Host => Ok(Some(NameFiles::of_machine())),
            Self::Process(process) if !reach.is_empty() => {
                process.ask(Ask::Allow, source, reach).map(|opened| Some(opened.names))
            }
            Self::Nobody(_) | Self::Process(_) => Ok(None),
        }
    }
}

/// Of a file that is written meanwhile.
fn changed(source: &Source) -> Refused {
    Refused::machine(format!("`{}` has changed while it was read: have it read again", source.shown()))
}

impl Process {
    /// Errors: it can't be asked, or has read another file.
    fn ask(&self, ask: Ask, source: &Source, reach: &Reach) -> Result<Opened, Refused> {
        let mut link = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = link.ask(ask).and_then(|Answered { message, descriptors }: Answered<Answer>| {
            message.opened(descriptors).ok_or_else(|| io::Error::other("its answer makes no sense"))
        });
        match answer {
            Ok(Ok(opened)) if opened.reach == mark(reach) => Ok(opened),
            Ok(Ok(_)) => Err(changed(source)),
            Ok(Err(refused)) => Err(refused),
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) => {
                Err(Refused::machine("the host has too many files open for another socket".to_owned()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                Err(lacking("the process that opens them is gone"))
            }
            Err(error) => Err(Refused::machine(format!("the process that opens sockets doesn't answer: {error}"))
                .with_hint("have it read again; what there is stays")),
        }
    }

    fn start(default: Option<&Place>) -> io::Result<Self> {
        let (mut listening, first) = Link::new()?;
        let (connecting, second) = Link::new()?;
        // The same program with the same command line, so that it reads the same of both.
        let mut arguments = env::args_os().skip(1);
        let mut command = Command::new("/proc/self/exe");
        command.arg0("lunarium-opener").args(arguments.next()).arg(OPENER).args(arguments);
        command.stdin(first).stdout(second).stderr(Stdio::null());
        // It ends when its other end does.
        drop(command.spawn()?);
        // These ends of what it has must be gone, or nobody would notice that it is.
        drop(command);
        match listening.ask(Ask::Ready { default: default.cloned() })?.message {
            Answer::Ready => Ok(Self { listening: Mutex::new(listening), connecting: Some(connecting) }),
            Answer::Refused(why, _) => Err(io::Error::other(why)),
            Answer::Open { .. } => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// There will be none.
fn lacking(why: &str) -> Refused {
    let refused = Refused::machine(format!("this host can have no other sockets while it runs: {why}"));
    refused.with_hint("restart it to have others; those that it has stay")
}
