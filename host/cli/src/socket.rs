//! A socket that a host listens at, by its name.
//!
//! Owns that one which is open isn't opened again.

use std::os::fd::OwnedFd;

use crate::Refused;

/// Sockets that a host listens at, at most. The number: what hands them over in one message can do so with 253.
pub const MOST: usize = 64;

/// A socket that a host is to listen at.
#[derive(Debug)]
pub struct Socket {
    /// What names it: `unix:PATH` or `tcp:ADDRESS` of the admin interface, an address of requests.
    pub name: String,
    /// None: it is open already.
    pub opened: Option<OwnedFd>,
}

impl Socket {
    /// The socket that is named so, opened if it isn't `held`.
    ///
    /// Errors: it can't be.
    pub fn open(name: &str, held: &[String], open: impl FnOnce() -> Result<OwnedFd, Refused>) -> Result<Self, Refused> {
        let opened = if held.iter().any(|held| held == name) { None } else { Some(open()?) };
        Ok(Self { name: name.to_owned(), opened })
    }
}
