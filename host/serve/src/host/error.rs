//! Why a tenant doesn't change.
//!
//! Owns the words. After each of them but [`HostError::Ended`] the tenant is as it was before.

use std::io;
use std::sync::Arc;

use lunarium_app::Report;
use lunarium_engine::is_disk_full;
use rustix::io::Errno;
use thiserror::Error;

/// Why a tenant wasn't changed.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum HostError {
    /// There is no such tenant.
    #[error("there is no tenant `{0}`")]
    Unknown(String),
    /// It can't be one's name.
    #[error("`{0}` can't be the name of a tenant: {form}", form = lunarium_app::TENANT_FORM)]
    Name(String),
    /// The application is wrong.
    #[error("{0}")]
    Wrong(Arc<Report>),
    /// What its entry names can't be had, or the host can't do it.
    #[error("{0}")]
    Refused(String),
    /// The machine, or the host's budgets, have no room for it now.
    #[error("{0}")]
    NoRoom(String),
    /// There is no place for what is deployed.
    #[error("the host has no `data` directory, so nothing can be deployed: `--data DIR` names one")]
    NoData,
    /// It has neither a folder nor a deployment.
    #[error("tenant `{0}` has no application yet: it waits for a deployment")]
    Nothing(String),
    /// There is no deployment before this one.
    #[error("tenant `{0}` has no earlier deployment to go back to")]
    NoEarlier(String),
    /// Its entry would bring it back.
    #[error(
        "tenant `{0}` stands in the node's file, or was named when the host was started: take it out there, and reload or restart"
    )]
    Named(String),
    /// What was sent is no application's folder.
    #[error("the archive can't be used: {0}")]
    Archive(String),
    /// The disk.
    #[error("{what}: {error}")]
    Disk {
        /// What was to be done.
        what: String,
        /// What the system says.
        error: Arc<io::Error>,
    },
    /// It was to start anew, and has ended.
    #[error("it has ended, and can't start: {0}")]
    Ended(Box<HostError>),
    /// The host ends.
    #[error("the host is stopping")]
    Stopping,
}

impl HostError {
    /// Whether there is no room on the disk: it is full, or more than this program or its user may write.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Disk { error, .. } => is_disk_full(error),
            Self::Ended(error) => error.is_disk_full(),
            _ => false,
        }
    }

    /// Whether the same may be done later, without anybody's doing: somebody else holds now what is missing.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::NoRoom(_) | Self::Stopping => true,
            Self::Ended(error) => error.is_temporary(),
            Self::Disk { error, .. } => {
                let later = [
                    io::ErrorKind::WouldBlock,
                    io::ErrorKind::Interrupted,
                    io::ErrorKind::OutOfMemory,
                    io::ErrorKind::ResourceBusy,
                    io::ErrorKind::TimedOut,
                ];
                // Open files: all of the system's, or of this program's.
                let files = [Errno::NFILE, Errno::MFILE];
                later.contains(&error.kind()) || Errno::from_io_error(error).is_some_and(|error| files.contains(&error))
            }
            _ => false,
        }
    }

    /// What was to be done, and the system refuses.
    pub fn disk(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Disk { what: what.into(), error: Arc::new(error) }
    }
}
