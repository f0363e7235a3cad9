//! `lunarium new`: a small application to begin with.
//!
//! Owns what is written and that it is written as a whole or not at all: beside its place first, then moved there. Refuses
//! to touch anything that is there.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::{fs, process};

use lunarium_app::{NAMESPACE_FORM, is_namespace};
use thiserror::Error;

use crate::{library, open};

/// What stands in the files where the application's namespace belongs.
const NAMESPACE: &str = "NAMESPACE";

/// The files of a new application.
const TEMPLATE: [(&str, &str); 6] = [
    ("_index.yaml", include_str!("../template/_index.yaml")),
    ("main.lua", include_str!("../template/main.lua")),
    ("worker.lua", include_str!("../template/worker.lua")),
    ("worker_test.lua", include_str!("../template/worker_test.lua")),
    ("README.md", include_str!("../template/README.md")),
    (".luarc.json", include_str!("../template/luarc.json")),
];

/// Where an editor finds what the modules have: named in `.luarc.json`.
const LIBRARY_FOLDER: &str = ".lunarium/library";

/// Why nothing was made.
#[derive(Debug, Error)]
pub enum NewError {
    /// The folder's name can't be the namespace.
    #[error("`{0}` can't be the name of an application")]
    Name(String),
    /// Something is in the way.
    #[error("folder `{0}` is not empty")]
    NotEmpty(PathBuf),
    /// Something else is in the way.
    #[error("`{0}` is there and is no folder")]
    NotAFolder(PathBuf),
    /// There is no place for it.
    #[error("there is no folder `{0}` to make it in")]
    NoParent(PathBuf),
    /// The system refuses.
    #[error("`{path}` can't be made: {error}")]
    Io {
        /// What was to be made.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

impl NewError {
    /// What would be right.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Name(_) => Some(NAMESPACE_FORM.to_owned()),
            Self::NotEmpty(_) | Self::NotAFolder(_) => Some("choose another name".to_owned()),
            Self::NoParent(_) | Self::Io { .. } => None,
        }
    }
}

/// Makes an application in a folder that isn't there or is empty; its name becomes the namespace.
///
/// Errors: the name, what is there already, or the system; nothing is left behind then.
pub fn make(path: &Path) -> Result<(), NewError> {
    let refused = |error: io::Error| NewError::Io { path: path.to_owned(), error };
    let name = path.file_name().and_then(|name| name.to_str()).filter(|name| is_namespace(name));
    let name = name.ok_or_else(|| NewError::Name(path.display().to_string()))?;
    let parent = open::folder(path.parent().unwrap_or(Path::new("")));
    if !parent.is_dir() {
        return Err(NewError::NoParent(parent.to_owned()));
    }
    refuse_existing(path)?;
    // Of this process, so nobody else's; hidden, so that no search for index files meets it.
    let draft = parent.join(format!(".{name}.{}.new", process::id()));
    fs::create_dir(&draft).map_err(refused)?;
    // Moved onto an empty folder it takes its place; onto anything else the system refuses.
    let made = write(&draft, name).and_then(|()| fs::rename(&draft, path));
    made.map_err(|error| {
        // What was said about the failure matters more than another one.
        let _ = fs::remove_dir_all(&draft);
        refused(error)
    })
}

fn refuse_existing(path: &Path) -> Result<(), NewError> {
    match fs::read_dir(path) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(NewError::NotEmpty(path.to_owned())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(NewError::Io { path: path.to_owned(), error })
        }
        Err(_) => Err(NewError::NotAFolder(path.to_owned())),
    }
}

fn write(folder: &Path, namespace: &str) -> io::Result<()> {
    for (name, text) in TEMPLATE {
        fs::write(folder.join(name), text.replace(NAMESPACE, namespace))?;
    }
    let library = folder.join(LIBRARY_FOLDER);
    fs::create_dir_all(&library)?;
    for (name, text) in library::FILES {
        fs::write(library.join(name), text)?;
    }
    Ok(())
}

/// Says what to do next.
pub fn tell(path: &Path) {
    let path = path.display();
    let text = format!(
        "made {path}: main.lua starts worker.lua and talks to it, worker_test.lua tests it\n\n  lunarium run {path}\n  lunarium check {path}\n  \
         lunarium test {path}\n\n\
         Editors with the Lua language server find the modules through {path}/.luarc.json.\n"
    );
    // It is made, whether or not anybody reads this.
    let _ = io::stdout().write_all(text.as_bytes());
}
