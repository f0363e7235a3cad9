//! A directory that somebody opened and gave: its name for scripts, and whether it may be changed.
//!
//! Owns which of several a path belongs to. Opens nothing.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use cap_std::fs::Dir;

use super::{PathError, normalise, shown};

/// A directory that was given to a process.
#[derive(Clone)]
pub struct Directory {
    /// Normalised: empty for the relative root.
    name: Arc<str>,
    dir: Arc<Dir>,
    write: bool,
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
        Ok(Directory { name: normalise(name)?.into(), dir: Arc::new(dir), write })
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

    /// Whether both are one directory under one name.
    pub(crate) fn is_same(&self, other: &Directory) -> bool {
        Arc::ptr_eq(&self.dir, &other.dir) && self.name == other.name
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
        self.is_same(other) && self.write == other.write
    }
}

impl Eq for Directory {}

/// Without the host's own path, which isn't known here either.
impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory").field("name", &self.name()).field("write", &self.write).finish_non_exhaustive()
    }
}
