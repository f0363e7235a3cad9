//! Grants of the command line: `--grant-env` and `--grant-fs`.
//!
//! Owns their notation. What they name is looked up at once, before anything runs.

use cap_std::fs::Dir;
use lunarium_app::{Authority, parse_budget};
use lunarium_engine::{Directory, Grants, PathError};
use thiserror::Error;

use crate::open::Ambient;

/// What stands behind a directory that may be changed; what it may be filled with can follow, after an `=`.
const WRITABLE: &str = ":rw";

/// Why something can't be granted.
#[derive(Debug, Error)]
pub enum GrantError {
    /// Not the name of a variable.
    #[error("`--grant-env {0}`: only a name is given; the value is the environment's")]
    Variable(String),
    /// Not the name of a directory.
    #[error("`--grant-fs {0}`: {1}")]
    Path(String, PathError),
    /// It can't be opened, or looked at.
    #[error("`--grant-fs {0}`: {1}")]
    Io(String, std::io::Error),
    /// No size.
    #[error("{0}")]
    Size(String),
}

/// The path, whether it may be changed, and what it may be filled with: of `data`, `data:rw`, `data:rw=64MiB`.
fn parts(given: &str) -> Result<(&str, bool, Option<u64>), GrantError> {
    if let Some(path) = given.strip_suffix(WRITABLE) {
        return Ok((path, true, None));
    }
    // A path may hold anything: only the last one counts, and only where a size can stand.
    match given.rsplit_once('=').and_then(|(path, size)| Some((path.strip_suffix(WRITABLE)?, size))) {
        None => Ok((given, false, None)),
        Some((path, size)) => {
            let size = parse_budget("--grant-fs", size).map_err(GrantError::Size)?;
            Ok((path, true, Some(size)))
        }
    }
}

/// The grants that were asked for.
///
/// Errors: what isn't a variable's name or a size; a directory that isn't there.
pub fn grants(variables: &[String], directories: &[String]) -> Result<Grants, GrantError> {
    let mut grants = Grants::default();
    for name in variables {
        if name.is_empty() || name.contains('=') {
            return Err(GrantError::Variable(name.clone()));
        }
        grants.env.insert(name.clone(), Ambient::default().variable(name));
    }
    for given in directories {
        let (path, write, max_bytes) = parts(given)?;
        let name = Directory::normal_name(path).map_err(|error| GrantError::Path(path.to_owned(), error))?;
        let dir: Dir =
            Ambient::default().open_directory(&name).map_err(|error| GrantError::Io(path.to_owned(), error))?;
        let directory = Directory::new(&name, dir, write).map_err(|error| GrantError::Path(path.to_owned(), error))?;
        let directory = match max_bytes {
            Some(most) => directory.with_max_bytes(most).map_err(|error| GrantError::Io(path.to_owned(), error))?,
            None => directory,
        };
        grants.fs.push(directory);
    }
    Ok(grants)
}
