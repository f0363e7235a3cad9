//! Grants of the command line: `--grant-env` and `--grant-fs`.
//!
//! Owns their notation. What they name is looked up at once, before anything runs.

use cap_std::fs::Dir;
use lunarium_app::Authority;
use lunarium_engine::{Directory, Grants, PathError};
use thiserror::Error;

use crate::open::Ambient;

/// What stands behind a directory that may be changed.
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
    /// It can't be opened.
    #[error("`--grant-fs {0}`: {1}")]
    Io(String, std::io::Error),
}

/// The grants that were asked for.
///
/// Errors: what isn't a variable's name; a directory that isn't there.
pub fn grants(variables: &[String], directories: &[String]) -> Result<Grants, GrantError> {
    let mut grants = Grants::default();
    for name in variables {
        if name.is_empty() || name.contains('=') {
            return Err(GrantError::Variable(name.clone()));
        }
        grants.env.insert(name.clone(), Ambient.variable(name));
    }
    for given in directories {
        let (path, write) = given.strip_suffix(WRITABLE).map_or((given.as_str(), false), |path| (path, true));
        let name = Directory::normal_name(path).map_err(|error| GrantError::Path(path.to_owned(), error))?;
        let dir: Dir = Ambient.open_directory(&name).map_err(|error| GrantError::Io(path.to_owned(), error))?;
        let directory = Directory::new(&name, dir, write).map_err(|error| GrantError::Path(path.to_owned(), error))?;
        grants.fs.push(directory);
    }
    Ok(grants)
}
