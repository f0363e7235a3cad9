//! What a host and the process that opens sockets for it say to each other.
//!
//! Owns the form. What is asked can't say what is to be opened, but for an address: that one is compared with what the node's file allows.

use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use lunarium_modules::http::{NameFiles, Reach};
use lunarium_serve::Token;
use serde::{Deserialize, Serialize};

use super::link::MESSAGE;
use crate::Refused;
use crate::serve::sockets::{Key, SocketSet};
use crate::socket::{Place, Socket};

/// What the other process is asked.
#[derive(Serialize, Deserialize)]
pub enum Ask {
    /// Whether it can be asked; before the wall, and once.
    Ready {
        /// Where the admin interface listens if nothing is said, if that was found already.
        default: Option<Place>,
    },
    /// For what says what names mean; and that where the file's grants lead may be connected to.
    Allow,
    /// The same, and for sockets to listen at.
    Open {
        /// Names of places at which the host listens.
        held: Vec<String>,
        styled: bool,
    },
}

/// What it says. The descriptors go beside it, in order.
#[derive(Serialize, Deserialize)]
pub enum Answer {
    /// It can be asked.
    Ready,
    Open {
        /// Each with whether it was opened.
        admin: Vec<(Place, bool)>,
        token: Option<String>,
        http: Option<(Place, bool)>,
        /// What, why, and the exit code that it would be at a start.
        refused: Vec<(Key, String, u8)>,
        /// Whether the machine's `resolv.conf` and `hosts` could be opened.
        names: (bool, bool),
        /// What tells one [`Reach`] from another: where the file's grants lead.
        reach: u64,
    },
    /// The file is wrong.
    Refused(String, u8),
}

/// What a host has from it.
pub struct Opened {
    pub sockets: SocketSet,
    pub names: NameFiles,
    pub reach: u64,
}

/// What tells one reach from another, in both processes: they are the same program.
pub fn mark(reach: &Reach) -> u64 {
    let mut hasher = DefaultHasher::new();
    reach.hash(&mut hasher);
    hasher.finish()
}

impl Answer {
    pub fn of(opened: &Opened) -> Self {
        let named = |socket: &Socket| (socket.place.clone(), socket.opened.is_some());
        let Opened { sockets, names, reach } = opened;
        Self::Open {
            admin: sockets.admin.iter().map(named).collect(),
            token: sockets.token.as_ref().map(|token| token.as_str().to_owned()),
            http: sockets.http.as_ref().map(named),
            refused: sockets.refused.iter().map(|(key, why)| (*key, bounded(&why.text), why.code)).collect(),
            names: (names.configuration.is_some(), names.hosts.is_some()),
            reach: *reach,
        }
    }

    pub fn refused(Refused { text, code }: &Refused) -> Self {
        Self::Refused(bounded(text), *code)
    }

    /// What it says, with the descriptors that came beside it. None: it makes no sense.
    pub fn opened(self, descriptors: Vec<OwnedFd>) -> Option<Result<Opened, Refused>> {
        let mut descriptors = descriptors.into_iter();
        let mut next = |is_there: bool| if is_there { descriptors.next().map(Some) } else { Some(None) };
        Some(match self {
            Self::Ready => return None,
            Self::Refused(text, code) => Err(Refused { text, code }),
            Self::Open { admin, token, http, refused, names, reach } => {
                let mut socket = |(place, is_new)| Some(Socket { place, opened: next(is_new)? });
                let sockets = SocketSet {
                    admin: admin.into_iter().map(&mut socket).collect::<Option<_>>()?,
                    token: token.map(|text| Token::new(&text)).transpose().ok()?,
                    http: match http {
                        Some(http) => Some(socket(http)?),
                        None => None,
                    },
                    refused: refused.into_iter().map(|(key, text, code)| (key, Refused { text, code })).collect(),
                };
                let (configuration, hosts) = (next(names.0)?.map(File::from), next(names.1)?.map(File::from));
                Ok(Opened { sockets, names: NameFiles { configuration, hosts }, reach })
            }
        })
    }
}

impl Opened {
    /// What is handed over, in the order of the answer.
    pub fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        let sockets = self.sockets.all().filter_map(|socket| Some(socket.opened.as_ref()?.as_fd()));
        let files = self.names.configuration.iter().chain(&self.names.hosts).map(|file| file.as_fd());
        sockets.chain(files).collect()
    }
}

/// A text that fits into a message: escaped, each byte may be six.
fn bounded(text: &str) -> String {
    text.get(..text.floor_char_boundary(MESSAGE / 4 / 6)).unwrap_or_default().to_owned()
}

/// A socket to somebody else that the other process is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    pub transport: Transport,
    pub address: SocketAddr,
}

/// What it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Transport {
    Tcp,
    Udp,
}

/// What the process says to that.
#[derive(Debug, Serialize, Deserialize)]
pub enum Connected {
    /// It goes beside this. Over TCP it may still be on its way.
    Begun,
    /// The system's number for why not.
    Refused(i32),
}
