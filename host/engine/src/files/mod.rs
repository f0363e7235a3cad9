//! Files: which a path names under a process's grants, and what can be done with one.
//!
//! Owns every operation's checks and bounds, and that what a grant is filled with is counted. An operation blocks, so it runs on a thread for that (see `process`),
//! never on a worker; no handle outlives it. What a link leads to is cap-std's to keep inside of the granted directory.
//! A hard link can't be told from the file: whoever can make one in a granted directory grants the file.

mod directory;
mod error;
mod full;
mod path;
mod quota;

use std::io::{Read, Seek, SeekFrom, Write};

use cap_std::fs::{File, Metadata, MetadataExt, OpenOptions, OpenOptionsExt};
use lunarium_contract::length;
use rustix::fs::OFlags;

pub use directory::Directory;
use error::Fault;
pub(crate) use error::{Access, FileError};
pub use full::is_disk_full;
pub use path::PathError;
use path::{normalise, shown};
use quota::Quota;

use crate::value::{StringPayload, Value};

/// A path under a grant.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    directory: Directory,
    /// Inside of the directory; empty: the directory itself.
    rest: String,
    /// As the script knows it, normalised: what policies speak of.
    path: String,
}

impl Place {
    /// Finds a script's path among what was granted.
    ///
    /// Errors: no path, not granted, or granted for reading only.
    pub(crate) fn find(granted: &[Directory], access: Access, path: &str) -> Result<Place, FileError> {
        let failed = |path: &str, fault| FileError::Failed { access, path: path.to_owned(), fault };
        let normal = match normalise(path) {
            Ok(normal) => normal,
            Err(PathError::Leaves(_)) => return Err(failed(path, Fault::NotGranted)),
            Err(error) => return Err(FileError::Path(error)),
        };
        let (directory, rest) =
            directory::find(granted, &normal).ok_or_else(|| failed(shown(&normal), Fault::NotGranted))?;
        if access == Access::Write && !directory.is_writable() {
            return Err(failed(shown(&normal), Fault::ReadOnly(directory.name().to_owned())));
        }
        let rest = rest.to_owned();
        Ok(Place { directory: directory.clone(), rest, path: shown(&normal).to_owned() })
    }

    /// The resource that a policy speaks of.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The path for the system.
    fn inside(&self) -> &str {
        shown(&self.rest)
    }

    fn metadata(&self) -> Result<Metadata, Fault> {
        self.directory.dir().metadata(self.inside()).map_err(Fault::of_system)
    }
}

/// What can be done with a place.
#[derive(Debug)]
pub(crate) enum Operation {
    /// `length` none: the rest of the file.
    Read {
        offset: u64,
        length: Option<u32>,
    },
    Write(Vec<u8>),
    Append(Vec<u8>),
    List,
    Stat,
    Remove,
    MakeDirectory,
    Rename(Place),
}

/// An operation that may be performed.
#[derive(Debug)]
pub(crate) struct Task {
    place: Place,
    operation: Operation,
    /// Bytes of a message: of what is read or written at once.
    limit: u32,
}

impl Task {
    /// Errors: more bytes than a message may have, another grant's file, a granted directory or what holds one.
    pub(crate) fn new(
        granted: &[Directory],
        place: Place,
        operation: Operation,
        limit: u32,
    ) -> Result<Task, FileError> {
        let fault = match &operation {
            Operation::Read { length: Some(length), .. } => too_large(u64::from(*length), limit),
            Operation::Write(bytes) | Operation::Append(bytes) => too_large(size_of(bytes), limit),
            Operation::Rename(to) if !place.directory.is_same(&to.directory) => Some(Fault::Across(to.path.clone())),
            Operation::Rename(to) if place.rest.is_empty() || to.rest.is_empty() => Some(Fault::Root),
            // What is granted for reading only would be writable under its new name.
            Operation::Rename(_) => {
                directory::below(granted, &place.path).map(|inner| Fault::Holds(inner.name().to_owned()))
            }
            Operation::Remove if place.rest.is_empty() => Some(Fault::Root),
            _ => None,
        };
        let task = Task { place, operation, limit };
        match fault {
            Some(fault) => Err(task.failed(fault)),
            None => Ok(task),
        }
    }

    /// The most bytes that it holds: what is written, or what will be read.
    pub(crate) fn bytes(&self) -> u64 {
        match &self.operation {
            Operation::Read { length, .. } => length.unwrap_or(self.limit).into(),
            Operation::Write(bytes) | Operation::Append(bytes) => size_of(bytes),
            Operation::List => self.limit.into(),
            Operation::Stat | Operation::Remove | Operation::MakeDirectory | Operation::Rename(_) => 0,
        }
    }

    /// Performs the operation: the payload of its result. Blocks.
    pub(crate) fn run(&self) -> Result<Vec<u8>, FileError> {
        let result = match &self.operation {
            Operation::Read { offset, length } => {
                return self.read(*offset, *length).map_err(|fault| self.failed(fault));
            }
            Operation::List => self.list(),
            Operation::Stat => self.stat(),
            _ => match self.place.directory.quota() {
                Some(quota) => self.change_within(quota),
                None => self.change(),
            },
        };
        result.and_then(|value| self.payload(&value)).map_err(|fault| self.failed(fault))
    }

    /// Performs what changes something.
    fn change(&self) -> Result<Value, Fault> {
        match &self.operation {
            Operation::Write(bytes) => self.write(bytes, false),
            Operation::Append(bytes) => self.write(bytes, true),
            Operation::Remove => self.remove(),
            Operation::MakeDirectory => self.make_directory(),
            Operation::Rename(to) => self.rename(to),
            Operation::Read { .. } | Operation::List | Operation::Stat => Ok(Value::Nil),
        }
    }

    /// The same, counted. A write that fails half way is counted as far as it got.
    fn change_within(&self, quota: &Quota) -> Result<Value, Fault> {
        let count = quota.begin();
        let before = self.takes();
        let wanted = match &self.operation {
            Operation::Write(bytes) => quota::taken_by(size_of(bytes)),
            Operation::Append(bytes) => {
                let there = self.place.metadata().map_or(0, |metadata| metadata.len());
                quota::taken_by(there.saturating_add(size_of(bytes)))
            }
            Operation::MakeDirectory => quota::ENTRY,
            _ => 0,
        };
        if !count.fits(before, wanted) {
            let directory = self.place.directory.name().to_owned();
            return Err(Fault::Full { directory, most: quota.most() });
        }
        let result = self.change();
        let after = match &self.operation {
            // What took its place was counted where it was.
            Operation::Rename(_) if result.is_ok() => 0,
            _ => self.takes(),
        };
        count.done(before, after);
        result
    }

    /// What is taken by what the operation makes, replaces or removes, as it is now.
    fn takes(&self) -> u64 {
        let of = |place: &Place| place.directory.dir().symlink_metadata(place.inside());
        let metadata = match &self.operation {
            Operation::Write(_) | Operation::Append(_) => self.place.metadata().ok(),
            Operation::Rename(to) => match (of(&self.place), of(to)) {
                // Onto itself, by whatever name: nothing is removed.
                (Ok(from), Ok(to)) if (from.dev(), from.ino()) == (to.dev(), to.ino()) => None,
                (_, to) => to.ok(),
            },
            _ => of(&self.place).ok(),
        };
        metadata.map_or(0, |metadata| quota::taken(&metadata))
    }

    /// A listing's payload is larger than the names in it.
    fn payload(&self, value: &Value) -> Result<Vec<u8>, Fault> {
        let payload = value.encode();
        let size = payload.len();
        if matches!(self.operation, Operation::List) && u32::try_from(size).map_or(true, |size| size > self.limit) {
            return Err(Fault::LongList { size, limit: self.limit });
        }
        Ok(payload)
    }

    fn failed(&self, fault: Fault) -> FileError {
        let access = match self.operation {
            Operation::Read { .. } | Operation::List | Operation::Stat => Access::Read,
            _ => Access::Write,
        };
        FileError::Failed { access, path: self.place.path.clone(), fault }
    }

    /// The payload of what is read, written in place: a file's bytes are copied into it and from it into the guest.
    fn read(&self, offset: u64, length: Option<u32>) -> Result<Vec<u8>, Fault> {
        let mut file = self.open(OpenOptions::new().read(true))?;
        let rest = file.metadata()?.len().saturating_sub(offset);
        if length.is_none()
            && let Some(fault) = too_large(rest, self.limit)
        {
            return Err(fault);
        }
        if offset > 0 {
            file.seek(SeekFrom::Start(offset))?;
        }
        // It may have grown meanwhile, and some of the system's files have more than their size.
        let most = length.unwrap_or(self.limit.saturating_add(1));
        let mut payload = StringPayload::with_capacity(rest.min(u64::from(most)));
        let size = file.take(u64::from(most)).read_to_end(payload.end())?;
        match too_large(u64::try_from(size).unwrap_or(u64::MAX), self.limit) {
            Some(fault) => Err(fault),
            None => Ok(payload.finish()),
        }
    }

    /// The old contents go first: a file that can't be written whole is left as far as it got.
    fn write(&self, bytes: &[u8], append: bool) -> Result<Value, Fault> {
        let mut options = OpenOptions::new();
        options.create(true).write(true).append(append);
        let mut file = self.open(&mut options)?;
        if !append {
            file.set_len(0)?;
        }
        file.write_all(bytes)?;
        Ok(Value::Boolean(true))
    }

    /// Opens a plain file, and nothing else: a pipe would wait for its other end, and to open a device may do something.
    fn open(&self, options: &mut OpenOptions) -> Result<File, Fault> {
        match self.place.metadata() {
            Ok(metadata) => plain(&metadata)?,
            // It may be created; or it isn't there.
            Err(Fault::System(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(fault) => return Err(fault),
        }
        options.custom_flags(nonblocking());
        let file = self.place.directory.dir().open_with(self.place.inside(), options).map_err(Fault::of_system)?;
        // Somebody may have put another thing into its place.
        plain(&file.metadata()?)?;
        Ok(file)
    }

    fn list(&self) -> Result<Value, Fault> {
        let mut found = Vec::new();
        for entry in self.place.directory.dir().read_dir(self.place.inside()).map_err(Fault::of_system)? {
            let entry = entry?;
            if found.len() >= length::LISTED {
                return Err(Fault::TooMany(length::LISTED));
            }
            found.push((entry.file_name().into_encoded_bytes(), kind(entry.file_type()?)));
        }
        found.sort();
        let table = |(name, kind)| {
            Value::Map(vec![(Value::from("name"), Value::String(name)), (Value::from("type"), Value::from(kind))])
        };
        Ok(Value::Array(found.into_iter().map(table).collect()))
    }

    fn stat(&self) -> Result<Value, Fault> {
        let metadata = self.place.metadata()?;
        let size = i64::try_from(metadata.len()).unwrap_or(i64::MAX);
        Ok(Value::Map(vec![
            (Value::from("type"), Value::from(kind(metadata.file_type()))),
            (Value::from("size"), Value::Integer(size)),
            (Value::from("modified"), modified(&metadata)?),
            (Value::from("readonly"), Value::Boolean(!self.place.directory.is_writable())),
        ]))
    }

    fn remove(&self) -> Result<Value, Fault> {
        let dir = self.place.directory.dir();
        let is_dir = dir.symlink_metadata(self.place.inside()).map_err(Fault::of_system)?.is_dir();
        let removed = if is_dir { dir.remove_dir(self.place.inside()) } else { dir.remove_file(self.place.inside()) };
        removed.map_err(Fault::of_system)?;
        Ok(Value::Boolean(true))
    }

    fn make_directory(&self) -> Result<Value, Fault> {
        self.place.directory.dir().create_dir(self.place.inside()).map_err(Fault::of_system)?;
        Ok(Value::Boolean(true))
    }

    fn rename(&self, to: &Place) -> Result<Value, Fault> {
        let dir = self.place.directory.dir();
        dir.rename(self.place.inside(), dir, to.inside()).map_err(Fault::of_system)?;
        Ok(Value::Boolean(true))
    }
}

/// Opening returns at once, whatever it is.
fn nonblocking() -> i32 {
    OFlags::NONBLOCK.union(OFlags::NOCTTY).bits().cast_signed()
}

fn size_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn too_large(size: u64, limit: u32) -> Option<Fault> {
    (size > u64::from(limit)).then_some(Fault::TooLarge { size, limit })
}

fn plain(metadata: &Metadata) -> Result<(), Fault> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(if metadata.is_dir() { Fault::Directory } else { Fault::Special })
}

fn kind(kind: cap_std::fs::FileType) -> &'static str {
    if kind.is_file() {
        "file"
    } else if kind.is_dir() {
        "directory"
    } else if kind.is_symlink() {
        "link"
    } else {
        "other"
    }
}

/// When the file was last changed, as a payload's Time.
fn modified(metadata: &Metadata) -> Result<Value, Fault> {
    Ok(Value::nearest_time(metadata.modified()?.into_std()))
}

#[cfg(test)]
mod tests;
