//! Where a host listens, and the sockets there.
//!
//! Owns what makes two names one place.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// Where the program was started. Nobody behind the wall can ask for it.
static HERE: LazyLock<PathBuf> = LazyLock::new(|| std::env::current_dir().unwrap_or_default());

/// Remembers what names of places begin with, before the wall.
pub fn prepare() {
    LazyLock::force(&HERE);
}

/// What no place is called.
const DEFAULT: &str = "default";

/// A place at which a host listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The same for the same place, however it was written: `unix:PATH`, `tcp:ADDRESS:PORT`; requests have the address alone.
    pub name: String,
    /// As it was written.
    pub shown: String,
}

impl Place {
    /// The place that was written so.
    pub fn new(written: &str) -> Self {
        let path = written.strip_prefix("unix:").map(|path| HERE.join(path).components().collect::<PathBuf>());
        let name = path.map_or_else(|| written.to_owned(), |path| format!("unix:{}", path.display()));
        Self { name, shown: written.to_owned() }
    }

    /// Where the admin interface listens when nothing is said of it: found and made when it is opened.
    pub fn default_socket() -> Self {
        Self { name: DEFAULT.to_owned(), shown: DEFAULT.to_owned() }
    }

    /// Whether it is that one, not found yet.
    pub fn is_default(&self) -> bool {
        self.name == DEFAULT
    }

    /// The path of a Unix socket. None: it is TCP.
    pub fn unix(&self) -> Option<&Path> {
        self.name.strip_prefix("unix:").map(Path::new)
    }

    /// Whether it is one of those with these names.
    pub fn is_in(&self, names: &[String]) -> bool {
        names.contains(&self.name)
    }
}

/// A socket that a host is to listen at.
#[derive(Debug)]
pub struct Socket {
    pub place: Place,
    /// None: it is open already.
    pub opened: Option<OwnedFd>,
}
