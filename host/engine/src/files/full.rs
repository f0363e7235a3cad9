//! When a disk is full.
//!
//! Owns which failures of the system mean it, for everybody who writes: scripts' files, stores, deployments, logs.

use std::io::{Error, ErrorKind};

/// Whether something couldn't be written because there is no room: the disk is full, or holds as much as this user or this program may
/// write. It is the same later, until somebody makes room.
pub fn is_disk_full(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

#[cfg(test)]
mod tests {
    use std::io::Error;

    use rustix::io::Errno;

    use super::is_disk_full;

    #[test]
    fn a_disk_is_full_by_space_by_quota_and_by_the_size_of_a_file() {
        let full = |errno: Errno| is_disk_full(&Error::from(errno));
        assert!([Errno::NOSPC, Errno::DQUOT, Errno::FBIG].into_iter().all(full));
        assert!(![Errno::IO, Errno::NOMEM, Errno::ROFS, Errno::MFILE, Errno::ACCESS].into_iter().any(full));
        assert!(!is_disk_full(&Error::other("the disk is full")), "a text tells nothing");
    }
}
