//! Grants: what a process may reach outside of its node. Environment variables with their values, directories that
//! somebody opened, and modules of the embedding program by name.
//!
//! Owns the union of what the entry and the process host give. Opens nothing and reads no environment: whoever makes a
//! grant has that power and gives a part of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Settings;
use crate::files::Directory;

/// What a process may reach outside of its node. The default is nothing. Made by [`Grants::new`].
///
/// A process has what its entry and its host grant, together: a grant is a power that the app's author gives, and a
/// child gets none from its parent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grants {
    /// Environment variables by name. None: granted, and not set; reads as absent.
    pub env: BTreeMap<String, Option<String>>,
    /// Directories. Where several contain a path, the one with the longest name counts.
    pub fs: Vec<Directory>,
    /// Modules of the node. One that the node doesn't have is absent, until it has it.
    pub modules: BTreeSet<Arc<str>>,
    /// What grants of modules say beyond the name, for those that take settings. Several of one module add up.
    pub settings: Vec<Settings>,
}

impl Grants {
    /// Nothing.
    pub fn new() -> Grants {
        Grants::default()
    }

    /// The same with this environment variable. None: it reads as absent. A value that was granted before is replaced.
    #[must_use]
    pub fn with_variable(mut self, name: impl Into<String>, value: Option<String>) -> Grants {
        self.env.insert(name.into(), value);
        self
    }

    /// The same with this directory.
    #[must_use]
    pub fn with_directory(mut self, directory: Directory) -> Grants {
        self.fs.push(directory);
        self
    }

    /// The same with this module.
    #[must_use]
    pub fn with_module(mut self, name: impl Into<Arc<str>>) -> Grants {
        self.modules.insert(name.into());
        self
    }

    /// The same with the module that these are settings of.
    #[must_use]
    pub fn with_settings(mut self, settings: Settings) -> Grants {
        self.modules.insert(Arc::clone(settings.module()));
        self.settings.push(settings);
        self
    }

    /// The same and these, which count before its own: variables, and directories of one name.
    #[must_use]
    pub fn with(mut self, others: &Grants) -> Grants {
        self.env.extend(others.env.clone());
        self.fs.splice(..0, others.fs.iter().cloned());
        self.modules.extend(others.modules.iter().cloned());
        self.settings.extend(others.settings.iter().cloned());
        self
    }

    /// Nothing is granted.
    pub fn is_empty(&self) -> bool {
        self.env.is_empty() && self.fs.is_empty() && self.modules.is_empty()
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
        both.modules.extend(entry.modules.iter().cloned());
        both.settings.extend(entry.settings.iter().cloned());
        Arc::new(both)
    }

    /// The value of a granted variable that is set.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.env.get(name)?.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cap_std::ambient_authority;
    use cap_std::fs::Dir;

    use super::Grants;
    use crate::files::Directory;

    #[test]
    fn entry_and_host_add_up() {
        let env = |pairs: &[(&str, Option<&str>)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect()
        };
        let dir = Dir::open_ambient_dir(".", ambient_authority()).unwrap();
        let data = Directory::new("data", dir, false).unwrap();
        let entry = Grants { env: env(&[("A", Some("entry")), ("B", None)]), ..Grants::default() }.with_module("x");
        let entry = Arc::new(entry);
        let env = env(&[("A", Some("host")), ("B", Some("host")), ("C", None)]);
        let host = Grants { env, ..Grants::default() }.with_directory(data.clone()).with_module("y");
        let both = Grants::union(&entry, &Arc::new(host));
        assert_eq!(["A", "B", "C", "D"].map(|name| both.variable(name)), [Some("entry"), Some("host"), None, None]);
        assert_eq!(both.fs, [data]);
        assert!(both.modules.iter().map(|name| &**name).eq(["x", "y"]));
    }
}
