//! Why an operation on a file is refused or fails. Owns the kinds and texts a script sees: they name the path as the
//! script knows it, and never the host's.

use std::io::{self, ErrorKind as Io};

use lunarium_kernel::{ErrorKind, Refusal, action};
use rustix::io::Errno;

use super::{PathError, is_disk_full};

/// The name of the budget of a granted directory.
const GRANT_BYTES: &str = "grant.bytes";

/// What happens to a file, as permissions name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

impl Access {
    /// The action that a policy speaks of.
    pub(crate) fn action(self) -> &'static str {
        match self {
            Access::Read => action::FS_READ,
            Access::Write => action::FS_WRITE,
        }
    }
}

/// Why an operation is refused or has failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error(transparent)]
    Path(PathError),
    #[error("{} on `{path}` {fault}", access.action())]
    Failed { access: Access, path: String, fault: Fault },
}

/// What went wrong with a path.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("is not granted")]
    NotGranted,
    #[error("is not granted: `{0}` is granted for reading only")]
    ReadOnly(String),
    #[error("is not granted: a link leads out of the granted directory")]
    Outside,
    #[error("failed: it is a directory")]
    Directory,
    #[error("failed: it is neither a file nor a directory")]
    Special,
    #[error("failed: it is a granted directory itself")]
    Root,
    #[error("failed: `{0}` lies in another granted directory")]
    Across(String),
    #[error("failed: the granted directory `{0}` lies inside of it")]
    Holds(String),
    #[error("failed: {size} bytes exceed the message limit of {limit}")]
    TooLarge { size: u64, limit: u32 },
    #[error("failed: the granted directory `{directory}` may be filled with {most} bytes")]
    Full { directory: String, most: u64 },
    #[error("failed: the directory has more than {0} entries")]
    TooMany(usize),
    #[error("failed: the list of {size} bytes exceeds the message limit of {limit}")]
    LongList { size: usize, limit: u32 },
    #[error("failed: {}", .0.kind())]
    System(#[from] io::Error),
}

impl Refusal for FileError {
    fn kind(&self) -> ErrorKind {
        match self {
            FileError::Path(PathError::Leaves(_)) => ErrorKind::PermissionDenied,
            FileError::Path(_) => ErrorKind::Invalid,
            FileError::Failed { fault, .. } => fault.kind(),
        }
    }

    fn limit(&self) -> Option<&'static str> {
        matches!(self, FileError::Failed { fault: Fault::Full { .. }, .. }).then_some(GRANT_BYTES)
    }
}

impl Fault {
    /// A fault of the system. cap-std's own refusal to follow a link out of a directory has no number of the system.
    pub(super) fn of_system(error: io::Error) -> Fault {
        if error.kind() == Io::PermissionDenied && error.raw_os_error().is_none() {
            return Fault::Outside;
        }
        Fault::System(error)
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Fault::NotGranted | Fault::ReadOnly(_) | Fault::Outside => ErrorKind::PermissionDenied,
            Fault::Directory
            | Fault::Special
            | Fault::Root
            | Fault::Across(_)
            | Fault::Holds(_)
            | Fault::TooLarge { .. } => ErrorKind::Invalid,
            Fault::Full { .. } | Fault::TooMany(_) | Fault::LongList { .. } => ErrorKind::ResourceExhausted,
            // The library has no stable name for it.
            Fault::System(error) if Errno::from_io_error(error) == Some(Errno::LOOP) => ErrorKind::Invalid,
            Fault::System(error) => match error.kind() {
                Io::NotFound => ErrorKind::NotFound,
                Io::AlreadyExists => ErrorKind::AlreadyExists,
                Io::PermissionDenied | Io::ReadOnlyFilesystem => ErrorKind::PermissionDenied,
                Io::IsADirectory
                | Io::NotADirectory
                | Io::DirectoryNotEmpty
                | Io::InvalidInput
                | Io::InvalidFilename
                | Io::CrossesDevices => ErrorKind::Invalid,
                Io::OutOfMemory => ErrorKind::ResourceExhausted,
                _ if is_disk_full(error) => ErrorKind::ResourceExhausted,
                _ => ErrorKind::Unavailable,
            },
        }
    }
}
