//! The power to reach what lies outside of an application.
//!
//! Owns what may be asked of it. Has none itself: whoever reads an application hands it in.

use std::io;

use cap_std::fs::Dir;
use lunarium_engine::Module;

use crate::node::Allowance;

/// The power to reach what lies outside of an application, of which its grants give parts to processes.
pub trait Authority {
    /// The value of an environment variable; none when it isn't set, or isn't UTF-8.
    fn variable(&self, name: &str) -> Option<String>;

    /// Opens the directory at an absolute path.
    ///
    /// Errors: there is none, or it can't be opened.
    fn open_directory(&self, path: &str) -> io::Result<Dir>;

    /// The modules that the application's node will have, as far as they are known: those among them that take settings read
    /// here what grants say. None by default.
    fn modules(&self) -> &[Module] {
        &[]
    }

    /// What the application may grant at all; everything by default.
    fn allowance(&self) -> Allowance {
        Allowance::everything()
    }
}

/// No authority: no variable is set, and no directory outside of the application can be opened.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoAuthority;

impl Authority for NoAuthority {
    fn variable(&self, _name: &str) -> Option<String> {
        None
    }

    fn open_directory(&self, _path: &str) -> io::Result<Dir> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}
