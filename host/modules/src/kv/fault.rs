//! How the store fails: what the disk does to it, in words for scripts and for whoever runs the node.

use std::io;
use std::path::{Path, PathBuf};

use lunarium::is_disk_full;

use super::table::Refused;

/// The store can't do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The disk is full, or what may be written of it.
    #[error("the disk is full")]
    NoSpace,
    /// Something else, in words. Later it may work.
    #[error("the disk failed: {0}")]
    Disk(String),
    /// What stands in the file can't be.
    #[error("the store's file is damaged: {0}")]
    Damaged(String),
    /// A failed sync, or an opening that failed after a failure.
    #[error("the store has stopped, because the disk failed; it begins again with the node")]
    Stopped,
}

/// A write that isn't there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The entry, or the quota, is against it.
    #[error(transparent)]
    Refused(Refused),
    /// The store can't.
    #[error(transparent)]
    Fault(Fault),
    /// Too much waits to be written.
    #[error("too many writes wait")]
    Busy,
}

impl Fault {
    /// The library has panicked: it does where pages say what no page of its own says.
    pub(super) fn panicked() -> Fault {
        Fault::Damaged("its pages contradict each other".to_owned())
    }

    pub(super) fn of(error: &redb::Error) -> Fault {
        match error {
            redb::Error::Io(error) => Fault::of_io(error),
            redb::Error::Corrupted(what) => Fault::Damaged(what.clone()),
            other => Fault::Disk(other.to_string()),
        }
    }

    fn of_io(error: &io::Error) -> Fault {
        match error.kind() {
            // What the library says of a file that begins otherwise, and the system of one that ends early.
            io::ErrorKind::InvalidData => Fault::Damaged("it is no database".to_owned()),
            io::ErrorKind::UnexpectedEof => Fault::Damaged("it ends too early".to_owned()),
            _ if is_disk_full(error) => Fault::NoSpace,
            _ => Fault::Disk(error.to_string()),
        }
    }
}

impl OpenError {
    pub(super) fn of(path: &Path, fault: Fault) -> OpenError {
        match fault {
            Fault::Damaged(what) => OpenError::Damaged { path: path.to_owned(), what },
            Fault::NoSpace => OpenError::io(path, io::ErrorKind::StorageFull.into()),
            other => OpenError::io(path, io::Error::other(other.to_string())),
        }
    }

    /// The system refuses. Of a full disk it says what to do, and keeps the kind.
    pub(super) fn io(path: &Path, error: io::Error) -> OpenError {
        let error = match is_disk_full(&error) {
            true => io::Error::new(error.kind(), "the disk is full: make room on it, and try again"),
            false => error,
        };
        OpenError::Io { path: path.to_owned(), error }
    }
}

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The system refuses.
    #[error("`{path}` can't be opened: {error}")]
    Io {
        /// What was to be opened or made.
        path: PathBuf,
        /// Why it can't be.
        error: io::Error,
    },
    /// Another node has it.
    #[error("`{0}` is in use by another node: each needs a directory of its own")]
    InUse(PathBuf),
    /// It holds something else, or not all of it.
    #[error(
        "`{path}` is no store, or is damaged ({what}): put a backup in its place, or move it away to begin with an empty one"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Another version of this program wrote it.
    #[error("`{path}` has form {found}, this version knows form {known}: run the version that wrote it")]
    Form {
        /// The file.
        path: PathBuf,
        /// Its form.
        found: u64,
        /// What can be read.
        known: u64,
    },
}
