//! Grants: what a process may reach outside of its node. Environment variables with their values, and directories that
//! somebody opened.
//!
//! Owns the union of what the entry and the process host give, and which directory a path belongs to. Opens nothing and
//! reads no environment: whoever makes a grant has that power and gives a part of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use cap_std::fs::Dir;

use crate::files::{PathError, normalise, shown};

/// What a process may reach outside of its node. The default is nothing.
///
/// A process has what its entry and its host grant, together: a grant is a power that the app's author gives, and a
/// child gets none from its parent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// Environment variables by name. None: granted, and not set; reads as absent.
    pub env: BTreeMap<String, Option<String>>,
    /// Directories. Where several contain a path, the one with the longest name counts.
    pub fs: Vec<Directory>,
}

/// A directory that was given to a process.
#[derive(Clone)]
pub struct Directory {
    /// Normalised: empty for the relative root.
    name: Arc<str>,
    dir: Arc<Dir>,
    write: bool,
}

impl Grants {
    /// Nothing is granted.
    pub fn is_empty(&self) -> bool {
        self.env.is_empty() && self.fs.is_empty()
    }

    /// What an entry and its host give together. Of a variable that both grant, the entry's value counts.
    pub(crate) fn union(entry: &Arc<Grants>, host: &Arc<Grants>) -> Arc<Grants> {
        if host.is_empty() {
            return Arc::clone(entry);
        }
        if entry.is_empty() {
            return Arc::clone(host);
        }
        let mut both = Grants::clone(host);
        for (name, value) in &entry.env {
            if value.is_some() || !both.env.contains_key(name) {
                both.env.insert(name.clone(), value.clone());
            }
        }
        both.fs.extend(entry.fs.iter().cloned());
        Arc::new(both)
    }

    /// The value of a granted variable that is set.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.env.get(name)?.as_deref()
    }

    /// The directory that a normalised path belongs to, and the rest of the path inside of it. Of those with the
    /// same name a writable one.
    pub(crate) fn directory<'p>(&self, path: &'p str) -> Option<(&Directory, &'p str)> {
        let inside = self.fs.iter().filter_map(|directory| Some((directory, directory.rest(path)?)));
        inside.max_by_key(|(directory, _)| (directory.name.len(), directory.write))
    }
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

    /// What is left of a normalised path inside of this directory; none when it lies elsewhere.
    fn rest<'p>(&self, path: &'p str) -> Option<&'p str> {
        let name = &*self.name;
        if name.is_empty() {
            return (!path.starts_with('/')).then_some(path);
        }
        let rest = path.strip_prefix(name)?;
        if rest.is_empty() || name == "/" { Some(rest) } else { rest.strip_prefix('/') }
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
