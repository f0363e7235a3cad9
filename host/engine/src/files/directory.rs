//! A directory that somebody opened and gave: its name for scripts, whether it may be changed, and filled with how much.
//!
//! Owns which of several a path belongs to. Opens nothing.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use cap_std::fs::Dir;

use super::quota::Quota;
use super::{PathError, normalise, shown};

/// A directory that was given to a process.
#[derive(Clone)]
pub struct Directory {
    /// Normalised: empty for the relative root.
    name: Arc<str>,
    dir: Arc<Dir>,
    /// Device and number, by which one that is opened again is known as the same. None: they can't be told.
    identity: Option<(u64, u64)>,
    write: bool,
    quota: Option<Arc<Quota>>,
}

/// The directory that a normalised path belongs to, and the rest of the path inside of it. Of those with the same name a
/// writable one.
pub(super) fn find<'d, 'p>(directories: &'d [Directory], path: &'p str) -> Option<(&'d Directory, &'p str)> {
    let inside = directories.iter().filter_map(|directory| Some((directory, rest(&directory.name, path)?)));
    inside.max_by_key(|(directory, _)| (directory.name.len(), directory.write))
}

/// A directory that lies below a normalised path.
pub(super) fn below<'d>(directories: &'d [Directory], path: &str) -> Option<&'d Directory> {
    directories.iter().find(|directory| rest(path, &directory.name).is_some_and(|rest| !rest.is_empty()))
}

/// What is left of a normalised path inside of a directory of this normalised name; none when it lies elsewhere.
fn rest<'p>(name: &str, path: &'p str) -> Option<&'p str> {
    if name.is_empty() {
        return (!path.starts_with('/')).then_some(path);
    }
    let rest = path.strip_prefix(name)?;
    if rest.is_empty() || name == "/" { Some(rest) } else { rest.strip_prefix('/') }
}

impl Directory {
    /// A directory under the name by which scripts see it: `data`, `/srv/files`, or `.` for every relative path. Only
    /// with `write` may it be changed.
    ///
    /// Errors: a name that is no path, or that leads out of itself by `..`.
    pub fn new(name: &str, dir: Dir, write: bool) -> Result<Directory, PathError> {
        let identity = rustix::fs::fstat(&dir).map(|stat| (stat.st_dev, stat.st_ino)).ok();
        Ok(Directory { name: normalise(name)?.into(), dir: Arc::new(dir), identity, write, quota: None })
    }

    /// The name under which [`Directory::new`] would make a directory known: without `..`, and `.` parts only where it is
    /// all.
    ///
    /// Errors: as for [`Directory::new`].
    pub fn normal_name(name: &str) -> Result<String, PathError> {
        Ok(shown(&normalise(name)?).to_owned())
    }

    /// The same directory with or without the power to change it.
    #[must_use]
    pub fn with_write(self, write: bool) -> Directory {
        Directory { write, ..self }
    }

    /// The same directory, filled with so many bytes at most: by who has this grant or a clone of it, all together. Every file counts in
    /// blocks of 4 KiB, and so does a directory. What lies there now counts, too: everything below is looked at, which
    /// blocks. At the limit: an operation that would take more is refused, `ResourceExhausted`; what takes less never is.
    ///
    /// Errors: what lies there can't be looked at.
    pub fn with_max_bytes(self, most: u64) -> io::Result<Directory> {
        let quota = Quota::measure(&self.dir, most)?;
        Ok(Directory { quota: Some(Arc::new(quota)), ..self })
    }

    /// What it may be filled with; none: it isn't counted.
    pub fn max_bytes(&self) -> Option<u64> {
        self.quota.as_ref().map(|quota| quota.most())
    }

    /// The name by which scripts see it.
    pub fn name(&self) -> &str {
        shown(&self.name)
    }

    /// Whether it may be changed.
    pub fn is_writable(&self) -> bool {
        self.write
    }

    pub(crate) fn dir(&self) -> &Dir {
        &self.dir
    }

    pub(super) fn quota(&self) -> Option<&Quota> {
        self.quota.as_deref()
    }

    /// Whether both are one directory under one name.
    pub(crate) fn is_same(&self, other: &Directory) -> bool {
        let known = self.identity.is_some() && self.identity == other.identity;
        (known || Arc::ptr_eq(&self.dir, &other.dir)) && self.name == other.name
    }
}

/// Whoever has a directory has the power that it stands for.
impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

impl PartialEq for Directory {
    fn eq(&self, other: &Directory) -> bool {
        self.is_same(other) && self.write == other.write && self.max_bytes() == other.max_bytes()
    }
}

impl Eq for Directory {}

/// Without the host's own path, which isn't known here either.
impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory")
            .field("name", &self.name())
            .field("write", &self.write)
            .field("max_bytes", &self.max_bytes())
            .finish_non_exhaustive()
    }
}
