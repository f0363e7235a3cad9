//! From an archive that somebody sent to files in an empty folder.
//!
//! Owns what an archive may hold: files and folders, inside of it, each once, within bounds. Nothing of it is believed: no link, no device,
//! no mode, no owner, no size before it was counted.

use std::collections::HashSet;
use std::io::{self, Read, Write};
use std::path::{Component, Path};

use cap_std::fs::{Dir, OpenOptions};
use tar::{Archive, EntryType};

use super::error::HostError;
use super::store::sync_all;

/// Bytes of an archive. The number: a hundred times what applications have.
pub const MAX_ARCHIVE: usize = 64 << 20;
/// Files and folders of an archive, also those folders that only a path names: each costs the disk a block, whatever its size.
const MAX_ENTRIES: usize = 10_000;
/// Folders around a file; as deep as an application is searched.
const MAX_DEPTH: usize = 32;
/// Bytes of a path.
const MAX_PATH: usize = 1_024;
/// A block of an archive.
const BLOCK: u64 = 512;

/// Unpacks an archive into an empty folder; what it holds is durable then.
///
/// Errors: what is wrong with it, by the path inside of it; what the disk says. Files may lie there then.
pub(super) fn unpack(archive: &[u8], into: &Dir) -> Result<(), HostError> {
    if archive.len() > MAX_ARCHIVE {
        return Err(wrong(format!("{} bytes are above the limit of {MAX_ARCHIVE}", archive.len())));
    }
    if archive.starts_with(&[0x1f, 0x8b]) {
        return Err(wrong("it is compressed: send it as it is, without gzip"));
    }
    let unreadable = |error: io::Error| wrong(format!("it is no whole tar: {error}"));
    let mut reader = Archive::new(archive);
    let (mut entries, mut end, mut written) = (0_usize, 0_u64, 0_u64);
    let mut folders = HashSet::new();
    for entry in reader.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        entries = entries.saturating_add(1);
        let too_many = || wrong(format!("it holds more than {MAX_ENTRIES} files and folders"));
        if entries > MAX_ENTRIES {
            return Err(too_many());
        }
        let size = entry.size();
        end = entry.raw_file_position().saturating_add(size).next_multiple_of(BLOCK);
        let path = entry.path_bytes().into_owned();
        let kind = entry.header().entry_type();
        // Its own comments, such as a commit's number.
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let path = inside(&path)?;
        let around = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        for folder in around.filter(|folder| !folders.contains(*folder)).collect::<Vec<_>>() {
            folders.insert(folder.to_owned());
            if entries.saturating_add(folders.len()) > MAX_ENTRIES {
                return Err(too_many());
            }
        }
        match kind {
            EntryType::Directory => make_folder(into, &path)?,
            EntryType::Regular | EntryType::Continuous if !path.is_empty() => {
                let copied = write_file(into, &path, &mut entry)?;
                written = written.saturating_add(copied);
                if copied != size {
                    return Err(wrong(format!("it ends in the middle of `{path}`")));
                }
            }
            other => return Err(wrong(format!("`{path}` is {}, neither a file nor a folder", noun(other)))),
        }
        // What is written is in the archive, but for entries that claim to lie elsewhere in it.
        if written > MAX_ARCHIVE as u64 {
            return Err(wrong(format!("its files have more than {MAX_ARCHIVE} bytes")));
        }
    }
    sync_all(into).map_err(HostError::disk("what was unpacked can't be made durable"))?;
    let block = usize::try_from(end).ok().and_then(|end| archive.get(end..)?.get(..BLOCK as usize));
    match block {
        Some(block) if block.iter().all(|byte| *byte == 0) => Ok(()),
        _ => Err(wrong("it has no end: a part of it is missing")),
    }
}

/// The path of an entry in its one form; empty for the folder itself.
///
/// Errors: it leads elsewhere, or is none that an application can have.
fn inside(path: &[u8]) -> Result<String, HostError> {
    let shown = || String::from_utf8_lossy(path).chars().take(100).collect::<String>();
    let text = std::str::from_utf8(path).map_err(|_| wrong(format!("the path `{}` is not UTF-8", shown())))?;
    if text.len() > MAX_PATH || text.contains('\0') {
        return Err(wrong(format!("the path `{}` is longer than {MAX_PATH} bytes, or has a zero", shown())));
    }
    let mut parts = Vec::new();
    for component in Path::new(text).components() {
        match component {
            Component::Normal(part) => parts.extend(part.to_str()),
            Component::CurDir => {}
            _ => return Err(wrong(format!("`{}` leaves the folder", shown()))),
        }
    }
    if parts.len() > MAX_DEPTH {
        return Err(wrong(format!("`{}` is nested deeper than {MAX_DEPTH} folders", shown())));
    }
    Ok(parts.join("/"))
}

fn make_folder(into: &Dir, path: &str) -> Result<(), HostError> {
    if path.is_empty() {
        return Ok(());
    }
    into.create_dir_all(path).map_err(|error| refused(path, error))
}

fn write_file(into: &Dir, path: &str, entry: &mut impl Read) -> Result<u64, HostError> {
    if let Some((folder, _)) = path.rsplit_once('/') {
        make_folder(into, folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let mut file = into.open_with(path, &options).map_err(|error| refused(path, error))?;
    let copied = io::copy(entry, &mut file).map_err(|error| refused(path, error))?;
    file.flush().map_err(|error| refused(path, error))?;
    Ok(copied)
}

fn refused(path: &str, error: io::Error) -> HostError {
    match error.kind() {
        io::ErrorKind::AlreadyExists => wrong(format!("`{path}` comes twice")),
        io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => wrong(format!("`{path}` is a file and a folder")),
        io::ErrorKind::UnexpectedEof => wrong(format!("it ends in the middle of `{path}`")),
        io::ErrorKind::InvalidFilename => wrong(format!("`{path}` can't be the name of a file")),
        _ => HostError::disk(format!("`{path}` can't be written"))(error),
    }
}

fn noun(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Symlink => "a symbolic link",
        EntryType::Link => "a link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a pipe",
        EntryType::GNUSparse => "a file with holes",
        _ => "something else",
    }
}

fn wrong(message: impl Into<String>) -> HostError {
    HostError::Archive(message.into())
}

#[cfg(test)]
mod tests;
