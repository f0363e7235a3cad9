//! Grants: from `grants:` and `env.variable` as written to values of variables and open directories.
//!
//! Owns what is wrong with them. Reads no environment and opens nothing outside of the application by itself: it asks the
//! [`Authority`] that the caller hands in.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use cap_std::fs::Dir;
use lunarium_engine::{Directory, Grants, Module, PathError, SettingsError};

use super::authority::Authority;
use crate::node::Allowance;
use crate::notation::hint;
use crate::raw::{GRANT_KEYS, RawBody, RawDirectory, RawEntry, RawGrants, RawSettings, RawVariable};
use crate::report::{Mistake, Report};
use crate::source::At;

/// What grants are made of: the application's folder, its defaults, and the power to reach further.
pub(super) struct Granter<'a> {
    folder: &'a Dir,
    authority: &'a dyn Authority,
    defaults: BTreeMap<&'a str, Option<&'a str>>,
    /// Each directory is opened once, whoever is granted it.
    opened: BTreeMap<String, Directory>,
    allowance: Allowance,
}

impl<'a> Granter<'a> {
    /// Collects the defaults of the `env.variable` entries.
    pub(super) fn new(
        folder: &'a Dir,
        authority: &'a dyn Authority,
        entries: &'a [RawEntry],
        report: &mut Report,
    ) -> Self {
        let mut defaults = BTreeMap::new();
        let mut first: BTreeMap<&str, &At<String>> = BTreeMap::new();
        for entry in entries {
            let RawBody::Variable(RawVariable { variable: Some(name), default }) = &entry.body else { continue };
            if let Some(first) = first.get(name.value.as_str()) {
                let mistake = Mistake::new(format!("variable `{}` is described twice", name.value));
                report.push(mistake.at(&name.place).related(&first.place, "first described here"));
                continue;
            }
            first.insert(&name.value, name);
            defaults.insert(name.value.as_str(), default.as_deref());
        }
        Self { folder, authority, defaults, opened: BTreeMap::new(), allowance: authority.allowance() }
    }

    /// The grants of an entry. What can't be granted goes into the report.
    pub(super) fn grants(&mut self, raw: &RawGrants, report: &mut Report) -> Arc<Grants> {
        let mut grants = Grants::default();
        for name in &raw.env {
            let default = || self.defaults.get(name.value.as_str()).copied().flatten().map(str::to_owned);
            let value = self.authority.variable(&name.value).or_else(default);
            if value.is_none() {
                report.extend(self.allowance.refuse_variable(name));
            }
            if grants.env.insert(name.value.clone(), value).is_some() {
                report.push(Mistake::new(format!("variable `{}` is granted twice", name.value)).at(&name.place));
            }
        }
        for RawDirectory { path, write, max_bytes } in &raw.fs {
            let max_bytes = match self.allowance.bound(path, *write, max_bytes.as_ref()) {
                Ok(max_bytes) => max_bytes,
                Err(mistake) => {
                    report.push(*mistake);
                    continue;
                }
            };
            match self.granted(&path.value, *write, max_bytes) {
                Ok(directory) if grants.fs.iter().any(|granted| granted.name() == directory.name()) => {
                    let message = format!("directory `{}` is granted twice", directory.name());
                    report.push(Mistake::new(message).at(&path.place));
                }
                Ok(directory) => grants.fs.push(directory),
                Err(error) => {
                    report.push(Mistake::new(error.message(&path.value)).at(&path.place).hint(error.hint()));
                }
            }
        }
        for name in &raw.modules {
            if self.module(&name.value).is_some_and(Module::takes_settings) {
                let mistake = Mistake::new(format!("module `{}` is granted with settings", name.value)).at(&name.place);
                report
                    .push(mistake.hint(Some(format!("write `{}:` and what it may do, beside `modules`", name.value))));
            } else if let Some(mistake) = self.allowance.refuse_module(name) {
                report.push(mistake);
            } else if !grants.modules.insert(name.value.as_str().into()) {
                report.push(Mistake::new(format!("module `{}` is granted twice", name.value)).at(&name.place));
            }
        }
        for settings in &raw.settings {
            grants = self.with_settings(grants, settings, report);
        }
        Arc::new(grants)
    }

    fn module(&self, name: &str) -> Option<&'a Module> {
        self.authority.modules().iter().find(|module| module.name() == name)
    }

    /// The same with a module and its settings.
    fn with_settings(&self, grants: Grants, raw: &RawSettings, report: &mut Report) -> Grants {
        let name = raw.module.value.as_str();
        let Some(module) = self.module(name) else {
            let modules = self.authority.modules().iter().filter(|module| module.takes_settings());
            let keys: Vec<&str> = GRANT_KEYS.into_iter().chain(modules.map(Module::name)).collect();
            let mistake = Mistake::new(format!("unknown key `{name}` in `grants`")).at(&raw.module.place);
            report.push(mistake.hint(hint(name, &keys)));
            return grants;
        };
        if !module.takes_settings() {
            let mistake = Mistake::new(format!("module `{name}` takes no settings")).at(&raw.module.place);
            report.push(mistake.hint(Some(format!("write `modules: [{name}]`"))));
            return grants;
        }
        // A key without a value counts as absent.
        let Some(written) = raw.value() else { return grants };
        match module.grant(&written) {
            Ok(settings) => {
                report.extend(self.allowance.refuse_settings(raw, module, &settings));
                grants.with_settings(settings)
            }
            Err(error) => {
                let mistake = |error: &SettingsError| {
                    let mistake = Mistake::new(error.message()).at(&raw.place(error.path()));
                    mistake.hint(error.hint().map(str::to_owned))
                };
                report.extend(error.all().map(mistake));
                // It is granted, and nobody is told that it isn't.
                grants.with_module(name)
            }
        }
    }

    /// The directory at a path, for this grant: what it may be filled with is counted for who has it.
    fn granted(&mut self, path: &str, write: bool, max_bytes: Option<u64>) -> Result<Directory, DirectoryError> {
        let directory = self.directory(path)?.with_write(write);
        match max_bytes {
            Some(most) => directory.with_max_bytes(most).map_err(DirectoryError::Unmeasured),
            None => Ok(directory),
        }
    }

    /// The directory at a path of the application, or at an absolute one.
    fn directory(&mut self, path: &str) -> Result<Directory, DirectoryError> {
        let normal = Directory::normal_name(path).map_err(|error| match error {
            PathError::Leaves(_) => DirectoryError::Leaves,
            error => DirectoryError::NoPath(error),
        })?;
        if let Some(directory) = self.opened.get(&normal) {
            return Ok(directory.clone());
        }
        let dir = if normal.starts_with('/') {
            self.authority.open_directory(&normal)
        } else {
            self.folder.open_dir(&normal)
        };
        let dir = dir.map_err(DirectoryError::of_system)?;
        let directory = Directory::new(&normal, dir, false).map_err(DirectoryError::NoPath)?;
        self.opened.insert(normal, directory.clone());
        Ok(directory)
    }
}

/// Why a directory can't be granted.
#[derive(Debug)]
enum DirectoryError {
    NoPath(PathError),
    Leaves,
    Missing,
    NotADirectory,
    Io(io::Error),
    Unmeasured(io::Error),
}

impl DirectoryError {
    fn of_system(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            io::ErrorKind::NotADirectory => Self::NotADirectory,
            // cap-std's refusal of a link that leads out has no number of the system.
            io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => Self::Leaves,
            _ => Self::Io(error),
        }
    }

    fn message(&self, path: &str) -> String {
        match self {
            Self::NoPath(error) => error.to_string(),
            Self::Leaves => format!("`{path}` leaves the application's folder"),
            Self::Missing => format!("there is no directory `{path}`"),
            Self::NotADirectory => format!("`{path}` is not a directory"),
            Self::Io(error) => format!("`{path}` can't be opened: {error}"),
            Self::Unmeasured(error) => format!("what lies in `{path}` can't be looked at: {error}"),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Leaves => "write its absolute path",
            Self::Missing => "it must be there before the application starts; a relative path begins at its folder",
            Self::NotADirectory => "grant the directory that it lies in",
            Self::NoPath(_) | Self::Io(_) | Self::Unmeasured(_) => return None,
        };
        Some(hint.to_owned())
    }
}
