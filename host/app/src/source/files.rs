//! The files of an application, reached through its directory and no other way.
//!
//! Owns which files there are, how large they may be and the refusal of everything that isn't inside. Opens no path by
//! itself: the directory is given, and cap-std keeps `..` and symbolic links inside of it.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use cap_std::fs::Dir;
use thiserror::Error;

use super::file::SourceFile;

/// Bytes of one source or index file. Far above what people write, far below what a parser takes seconds for.
pub const MAX_FILE: u64 = 1024 * 1024;
/// Folders below the application's, so that a search through a strange tree ends.
const MAX_FOLDER_DEPTH: usize = 32;
/// Files and folders looked at in the search for index files.
const MAX_SEARCHED: usize = 100_000;

/// The name of the files that define entries.
pub(crate) const INDEX: &str = "_index.yaml";

/// Why a file can't be read.
#[derive(Debug, Error)]
pub(crate) enum ReadError {
    #[error("there is no file `{0}`")]
    Missing(String),
    #[error("`{0}` leaves the application's folder")]
    Leaves(String),
    #[error("`{0}` is not a file")]
    NotAFile(String),
    #[error("`{path}` has {size} bytes, above the limit of {MAX_FILE}")]
    TooLarge { path: String, size: u64 },
    #[error("`{path}` is not UTF-8: the first bad byte is in line {line}")]
    NotUtf8 { path: String, line: usize },
    #[error("`{path}` can't be read: {error}")]
    Io { path: String, error: io::Error },
    #[error("folder `{path}` can't be searched: {error}")]
    Search { path: String, error: io::Error },
}

/// An index file that was found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Its folder relative to the application, empty for the application's own; parts joined by `/`.
    pub(crate) folder: String,
}

impl Found {
    pub(crate) fn path(&self) -> String {
        join(&self.folder, INDEX)
    }
}

/// The application's folder, with what was read of it.
pub(crate) struct Files<'d> {
    dir: &'d Dir,
    shown: &'d Path,
    read: BTreeMap<String, Arc<SourceFile>>,
}

impl<'d> Files<'d> {
    /// `shown` is what messages put before the paths of files: the path as the user gave it.
    pub(crate) fn new(dir: &'d Dir, shown: &'d Path) -> Self {
        Self { dir, shown, read: BTreeMap::new() }
    }

    /// The application's folder.
    pub(crate) fn dir(&self) -> &'d Dir {
        self.dir
    }

    /// A path inside the application as people see it.
    pub(crate) fn shown(&self, path: &str) -> String {
        if path.is_empty() { self.shown.display().to_string() } else { self.shown.join(path).display().to_string() }
    }

    /// Every index file, in the order of their paths. Hidden folders and symbolic links to folders aren't searched:
    /// the former are tools', the latter could go in circles. Second: which folders couldn't be searched.
    pub(crate) fn find_indexes(&self) -> (Vec<Found>, Vec<ReadError>) {
        let (files, unsearched) = self.find(|name| name == INDEX);
        (files.into_iter().map(|(folder, _)| Found { folder }).collect(), unsearched)
    }

    /// Every file whose name is wanted, each as its folder and its name, in the order of their paths; searched as for index files.
    pub(crate) fn find(&self, wanted: impl Fn(&str) -> bool) -> (Vec<(String, String)>, Vec<ReadError>) {
        let (mut found, mut unsearched) = (Vec::new(), Vec::new());
        let mut left = MAX_SEARCHED;
        let mut folders = vec![(String::new(), 0_usize)];
        while let Some((folder, depth)) = folders.pop() {
            match self.search(&folder, depth, &wanted, &mut left, &mut folders) {
                Ok(names) => found.extend(names.into_iter().map(|name| (folder.clone(), name))),
                Err(error) => unsearched.push(ReadError::Search { path: self.shown(&folder), error }),
            }
        }
        found.sort();
        (found, unsearched)
    }

    /// Looks at one folder: the names of it that are wanted; its folders are added to the search.
    fn search(
        &self,
        folder: &str,
        depth: usize,
        wanted: &impl Fn(&str) -> bool,
        left: &mut usize,
        folders: &mut Vec<(String, usize)>,
    ) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        let entries = if folder.is_empty() { self.dir.entries()? } else { self.dir.read_dir(folder)? };
        for entry in entries {
            let entry = entry?;
            *left = left
                .checked_sub(1)
                .ok_or_else(|| io::Error::other(format!("the application has more than {MAX_SEARCHED} files")))?;
            let name = entry.file_name();
            // A name that isn't UTF-8 can't be written into an index file either.
            let Some(name) = name.to_str() else { continue };
            if wanted(name) {
                found.push(name.to_owned());
            } else if !name.starts_with('.') && entry.file_type()?.is_dir() {
                if depth >= MAX_FOLDER_DEPTH {
                    return Err(io::Error::other(format!("it is nested deeper than {MAX_FOLDER_DEPTH} folders")));
                }
                folders.push((join(folder, name), depth.saturating_add(1)));
            }
        }
        Ok(found)
    }

    /// Reads a text file. The same path is read once.
    pub(crate) fn read(&mut self, path: &str) -> Result<Arc<SourceFile>, ReadError> {
        if let Some(file) = self.read.get(path) {
            return Ok(Arc::clone(file));
        }
        let text = self.read_text(path)?;
        let file = Arc::new(SourceFile::new(self.shown(path), text.into()));
        self.read.insert(path.to_owned(), Arc::clone(&file));
        Ok(file)
    }

    pub(crate) fn read_text(&self, path: &str) -> Result<String, ReadError> {
        let shown = || self.shown(path);
        let refused = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => ReadError::Missing(shown()),
            // cap-std's refusal of a link that leads out has no number of the system.
            io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => ReadError::Leaves(shown()),
            _ => ReadError::Io { path: shown(), error },
        };
        // Asked before opening: to open a pipe would wait for its writer.
        let metadata = self.dir.metadata(path).map_err(refused)?;
        if !metadata.is_file() {
            return Err(ReadError::NotAFile(shown()));
        }
        if metadata.len() > MAX_FILE {
            return Err(ReadError::TooLarge { path: shown(), size: metadata.len() });
        }
        let mut bytes = Vec::new();
        let file = self.dir.open(path).map_err(refused)?;
        // It may have grown meanwhile.
        let size = file.take(MAX_FILE.saturating_add(1)).read_to_end(&mut bytes).map_err(refused)?;
        if u64::try_from(size).unwrap_or(u64::MAX) > MAX_FILE {
            return Err(ReadError::TooLarge { path: shown(), size: MAX_FILE.saturating_add(1) });
        }
        String::from_utf8(bytes).map_err(|error| {
            let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
            let line = good.iter().filter(|byte| **byte == b'\n').count().saturating_add(1);
            ReadError::NotUtf8 { path: shown(), line }
        })
    }

    /// The names of the Lua files of a folder, for hints.
    pub(crate) fn lua_files(&self, folder: &str) -> Vec<String> {
        let entries = if folder.is_empty() { self.dir.entries() } else { self.dir.read_dir(folder) };
        let names = entries.into_iter().flatten().take(1_000).flatten().map(|entry| entry.file_name());
        let mut names: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
        names.retain(|name| Path::new(name).extension().is_some_and(|extension| extension == "lua"));
        names.sort();
        names
    }
}

/// `path` as seen from `folder`, without `.` and `..`.
///
/// Errors: it is absolute or leads out of the application.
pub(crate) fn resolve(folder: &str, path: &str) -> Result<String, ReadError> {
    let leaves = || ReadError::Leaves(path.to_owned());
    if path.starts_with('/') {
        return Err(leaves());
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or_else(leaves)?;
            }
            name => parts.push(name),
        }
    }
    Ok(parts.join("/"))
}

pub(crate) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
