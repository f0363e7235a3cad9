//! From a path on the command line to a directory that the application layer may read.
//!
//! Owns the only opening of paths for what runs, and the only look at variables that are granted. Which modules there are,
//! it is told.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use lunarium_app::{Authority, Draft, MAX_FILE};
use lunarium_engine::Module;
use rustix::fs::OFlags;
use thiserror::Error;

/// Why a path names nothing to run.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Nothing is there.
    #[error("there is no file or folder `{0}`")]
    Missing(PathBuf),
    /// An index file instead of its folder.
    #[error("`{0}` is a part of an application: name its folder")]
    Index(PathBuf),
    /// Something else, such as a device.
    #[error("`{0}` is neither a file nor a folder")]
    Neither(PathBuf),
    /// A script on standard input that can't be one.
    #[error("the script on standard input {0}")]
    Script(String),
    /// The system refuses.
    #[error("`{path}` can't be opened: {error}")]
    Io {
        /// What was named.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

/// The whole environment and file system, of which an application's grants give parts to its processes.
#[derive(Default)]
pub struct Ambient<'m> {
    /// Those of the node that it will run on.
    pub modules: &'m [Module],
}

impl Authority for Ambient<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn open_directory(&self, path: &str) -> io::Result<Dir> {
        Dir::open_ambient_dir(path, ambient_authority())
    }

    fn modules(&self) -> &[Module] {
        self.modules
    }
}

/// A folder as it can be opened: the one in which the command runs has no name in a path.
pub fn folder(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

/// Opens a file that is read whole. What is there is looked at through what is returned, and nobody is waited for: of a pipe, its writer.
///
/// Errors: it can't be opened.
pub fn file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)
}

/// What is read to its end, if that is no more than so many bytes.
///
/// Errors: it can't be read.
pub fn bounded(input: impl Read, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    input.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= most);
    Ok(fits.then_some(bytes))
}

/// Reads a script to its end.
///
/// Errors: it can't be read, is larger than a file may be, or no UTF-8.
pub fn script(input: impl Read) -> Result<String, OpenError> {
    let refused = |what: String| OpenError::Script(what);
    let bytes = bounded(input, MAX_FILE).map_err(|error| refused(format!("can't be read: {error}")))?;
    let bytes = bytes.ok_or_else(|| refused(format!("has more than {MAX_FILE} bytes, the limit")))?;
    String::from_utf8(bytes).map_err(|_| refused("is not UTF-8".to_owned()))
}

/// Reads the application or the Lua files of a folder with their tests: those of one file, or all.
///
/// Errors: the folder can't be opened.
pub fn tests(folder: &Path, file: Option<&str>, modules: &[Module]) -> Result<Draft, OpenError> {
    let refused = |error: io::Error| OpenError::Io { path: folder.to_owned(), error };
    let dir = Dir::open_ambient_dir(folder, ambient_authority()).map_err(refused)?;
    let shown = if folder == Path::new(".") { Path::new("") } else { folder };
    Ok(Draft::of_tests(&dir, shown, file, &Ambient { modules }))
}

/// Reads the application or the single file at a path.
///
/// Errors: there is none. What is wrong inside of it is the draft's.
pub fn read(path: &Path, modules: &[Module]) -> Result<Draft, OpenError> {
    read_by(path, modules, Draft::of_folder)
}

/// The same, and a folder of Lua files may be it.
///
/// Errors: as above.
pub fn read_any(path: &Path, modules: &[Module]) -> Result<Draft, OpenError> {
    read_by(path, modules, Draft::of_folder_or_files)
}

fn read_by(
    path: &Path,
    modules: &[Module],
    of_folder: fn(&Dir, &Path, &dyn Authority) -> Draft,
) -> Result<Draft, OpenError> {
    let open = |shown: &Path| {
        let refused = |error| OpenError::Io { path: path.to_owned(), error };
        Dir::open_ambient_dir(folder(shown), ambient_authority()).map_err(refused)
    };
    Ok(match place(path)? {
        Place::Folder(shown) => of_folder(&open(&shown)?, &shown, &Ambient { modules }),
        Place::File { folder, name } => Draft::of_file(&open(&folder)?, &folder, &name),
    })
}

/// What a path names.
pub enum Place {
    /// A folder.
    Folder(PathBuf),
    /// A file of a folder, which may be that in which the command runs.
    File { folder: PathBuf, name: String },
}

/// Looks at what is there.
///
/// Errors: there is none, or it is neither.
pub fn place(path: &Path) -> Result<Place, OpenError> {
    let refused = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => OpenError::Missing(path.to_owned()),
        _ => OpenError::Io { path: path.to_owned(), error },
    };
    let kind = std::fs::metadata(path).map_err(refused)?;
    if kind.is_dir() {
        return Ok(Place::Folder(path.to_owned()));
    }
    if !kind.is_file() {
        return Err(OpenError::Neither(path.to_owned()));
    }
    if path.file_name().is_some_and(|name| name == "_index.yaml") {
        return Err(OpenError::Index(path.to_owned()));
    }
    // A link to a file is the file: the user named it, so it may lie anywhere.
    let real = if path.is_symlink() { path.canonicalize().map_err(refused)? } else { path.to_owned() };
    let folder = real.parent().unwrap_or(Path::new("")).to_owned();
    let name = real.file_name().and_then(|name| name.to_str()).ok_or_else(|| OpenError::Neither(path.to_owned()))?;
    Ok(Place::File { folder, name: name.to_owned() })
}
