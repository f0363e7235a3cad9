//! The sockets that a host listens at: which there are to be.
//!
//! Owns what a host is to listen at, and what of it is open. Who opens it when the host can't is `opener`'s.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use lunarium_serve::Token;
use serde::{Deserialize, Serialize};

use crate::remote::place;
use crate::socket::{Place, Socket};
use crate::{Refused, admin, endpoints};

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
    pub fn is_known(&self, held: &[String]) -> bool {
        self.token_file.is_none() && self.admin.iter().chain(&self.http).all(|place| place.is_in(held))
    }

    /// Opens what isn't `held`.
    pub fn open(&self, held: &[String]) -> SocketSet {
        let http = |place: &Place| endpoints::bind(&place.name).map(OwnedFd::from);
        self.open_by(held, admin::find, |place, is_admin| if is_admin { admin::open(place) } else { http(place) })
            .with_token(self.token_file.as_deref().map(place::token))
    }

    /// What of it is `held`, and for the rest why it can't be opened.
    pub fn held(&self, held: &[String], why: &Refused) -> SocketSet {
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
    /// Where tenants' requests may go.
    Grants,
}

impl Key {
    /// As the node's file has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Token => "token_file",
            Self::Http => "http",
            Self::Grants => "grants",
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

    pub fn all(&self) -> impl Iterator<Item = &Socket> {
        self.admin.iter().chain(&self.http)
    }

    /// Whether these are the places that are meant.
    pub fn is_of(&self, places: &Places) -> bool {
        let has_default = places.admin.iter().any(Place::is_default);
        let is_meant = |Socket { place, .. }: &Socket| {
            places.admin.contains(place) || places.http.as_ref() == Some(place) || has_default && place.unix().is_some()
        };
        let meant = places.admin.len().saturating_add(usize::from(places.http.is_some()));
        let refused = self.refused.iter().filter(|(key, _)| *key != Key::Token).count();
        self.all().all(is_meant) && self.all().count().saturating_add(refused) == meant
    }
}
