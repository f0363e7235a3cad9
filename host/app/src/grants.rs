//! Grants: from `grants:` and `env.variable` as written to values of variables and open directories.
//!
//! Owns their keys and what is wrong with them. Reads no environment and opens nothing outside of the application by
//! itself: it asks the [`Authority`] that the caller hands in.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use cap_std::fs::Dir;
use lunarium_engine::{Directory, Grants, PathError};

use crate::fields::{self, Fields};
use crate::raw::{RawBody, RawEntry};
use crate::report::{Findings, Mistake, Place, Report};
use crate::yaml::{At, Node};

/// Bytes of a variable's name, as `env.get` takes it.
const MAX_VARIABLE: usize = 255;

/// The power to reach what lies outside of an application, of which its grants give parts to processes.
pub trait Authority {
    /// The value of an environment variable; none when it isn't set, or isn't UTF-8.
    fn variable(&self, name: &str) -> Option<String>;

    /// Opens the directory at an absolute path.
    ///
    /// Errors: there is none, or it can't be opened.
    fn open_directory(&self, path: &str) -> io::Result<Dir>;
}

/// No authority: no variable is set, and no directory outside of the application can be opened.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoAuthority;

impl Authority for NoAuthority {
    fn variable(&self, _name: &str) -> Option<String> {
        None
    }

    fn open_directory(&self, _path: &str) -> io::Result<Dir> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

/// A `grants:` table.
#[derive(Debug, Default)]
pub(crate) struct RawGrants {
    pub(crate) env: Vec<At<String>>,
    pub(crate) fs: Vec<RawDirectory>,
}

/// An item of `fs`.
#[derive(Debug)]
pub(crate) struct RawDirectory {
    pub(crate) path: At<String>,
    pub(crate) write: bool,
}

/// An `env.variable` entry.
#[derive(Debug)]
pub(crate) struct RawVariable {
    pub(crate) variable: Option<At<String>>,
    pub(crate) default: Option<String>,
}

/// Reads a `grants:` table.
pub(crate) fn read(node: &Node, findings: &mut Findings<'_>) -> RawGrants {
    let mut grants = RawGrants::default();
    let Some(mut own) = Fields::open(node, "`grants`", findings) else { return grants };
    if let Some(env) = own.optional("env") {
        for item in fields::list(env, "`env`", findings) {
            grants.env.extend(fields::text(item, "a variable", findings).filter(|name| is_variable(name, findings)));
        }
    }
    if let Some(fs) = own.optional("fs") {
        for item in fields::list(fs, "`fs`", findings) {
            grants.fs.extend(directory(item, findings));
        }
    }
    own.finish(findings);
    grants
}

fn directory(item: &Node, findings: &mut Findings<'_>) -> Option<RawDirectory> {
    let mut own = Fields::open(item, "a granted directory", findings)?;
    let path = own.required_text("path", findings);
    let write = own.boolean("write", findings).unwrap_or(false);
    own.finish(findings);
    Some(RawDirectory { path: path?, write })
}

/// Reads the fields of an `env.variable`.
pub(crate) fn read_variable(fields: &mut Fields<'_>, findings: &mut Findings<'_>) -> RawVariable {
    let variable = fields.required_text("variable", findings).filter(|name| is_variable(name, findings));
    let default = fields.text("default", findings).map(|text| text.value);
    RawVariable { variable, default }
}

fn is_variable(name: &At<String>, findings: &mut Findings<'_>) -> bool {
    let fits = (1..=MAX_VARIABLE).contains(&name.value.len()) && !name.value.contains(['=', '\0']);
    if !fits {
        let message = format!("`{}` can't be the name of an environment variable", name.value);
        let hint = format!("a name has 1 to {MAX_VARIABLE} bytes and no `=`");
        findings.hinted(&name.span, message, Some(hint));
    }
    fits
}

/// What grants are made of: the application's folder, its defaults, and the power to reach further.
pub(crate) struct Granter<'a> {
    folder: &'a Dir,
    authority: &'a dyn Authority,
    defaults: BTreeMap<&'a str, Option<&'a str>>,
    /// Each directory is opened once, whoever is granted it.
    opened: BTreeMap<String, Directory>,
}

impl<'a> Granter<'a> {
    /// Collects the defaults of the `env.variable` entries.
    pub(crate) fn new(
        folder: &'a Dir,
        authority: &'a dyn Authority,
        entries: &'a [RawEntry],
        report: &mut Report,
    ) -> Self {
        let mut defaults = BTreeMap::new();
        let mut places: BTreeMap<&str, Place> = BTreeMap::new();
        for entry in entries {
            let RawBody::Variable(RawVariable { variable: Some(name), default }) = &entry.body else { continue };
            let place = Place::new(&entry.file, name.span.clone());
            if let Some(first) = places.get(name.value.as_str()) {
                let mistake = Mistake::new(format!("variable `{}` is described twice", name.value));
                report.push(mistake.at(place).related(first.clone(), "first described here"));
                continue;
            }
            places.insert(&name.value, place);
            defaults.insert(name.value.as_str(), default.as_deref());
        }
        Self { folder, authority, defaults, opened: BTreeMap::new() }
    }

    /// The grants of an entry. What can't be granted goes into the report.
    pub(crate) fn grants(&mut self, raw: &RawGrants, findings: &mut Findings<'_>) -> Arc<Grants> {
        let mut grants = Grants::default();
        for name in &raw.env {
            let default = || self.defaults.get(name.value.as_str()).copied().flatten().map(str::to_owned);
            let value = self.authority.variable(&name.value).or_else(default);
            if grants.env.insert(name.value.clone(), value).is_some() {
                findings.mistake(&name.span, format!("variable `{}` is granted twice", name.value));
            }
        }
        for RawDirectory { path, write } in &raw.fs {
            match self.directory(&path.value) {
                Ok(directory) if grants.fs.iter().any(|granted| granted.name() == directory.name()) => {
                    findings.mistake(&path.span, format!("directory `{}` is granted twice", directory.name()));
                }
                Ok(directory) => grants.fs.push(directory.with_write(*write)),
                Err(error) => findings.hinted(&path.span, error.message(&path.value), error.hint()),
            }
        }
        Arc::new(grants)
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
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Leaves => "write its absolute path",
            Self::Missing => "it must be there before the application starts; a relative path begins at its folder",
            Self::NotADirectory => "grant the directory that it lies in",
            Self::NoPath(_) | Self::Io(_) => return None,
        };
        Some(hint.to_owned())
    }
}
