//! What was deployed, on the disk: `tenants/NAME/deployments/NUMBER` below the host's data directory, and which of them counts.
//!
//! Owns that a deployment is there as a whole or not at all, whenever the host is killed: it is unpacked under another name,
//! renamed when it is whole, and counts when `current` names it, which is replaced by a rename, too. Owns that no link is followed that
//! somebody has put there: what is no folder or file of ours is an error. Reads no application. Everything here waits for the disk.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};

use cap_std::fs::{Dir, OpenOptions};

/// Bytes of `current`, which holds a number.
const CURRENT_BYTES: u64 = 32;
const CURRENT: &str = "current";
const CURRENT_NEW: &str = "current.new";
const TENANTS: &str = "tenants";
const DEPLOYMENTS: &str = "deployments";
const UNFINISHED: &str = ".part";
/// Ends the name of what is being taken away; no tenant's name has a dot.
const GONE: &str = ".gone";

/// The deployments of one tenant.
#[derive(Debug)]
pub(super) struct Store {
    /// `tenants/NAME`.
    dir: Dir,
    /// `tenants/NAME/deployments`.
    deployments: Dir,
}

/// The tenants, but for those `named`, to whom something was deployed that counts, or of whom that can't be told. What a host that was killed
/// has left of others is taken away.
///
/// Errors: as it says.
pub(super) fn kept(data: &Dir, named: &BTreeSet<String>) -> io::Result<Vec<String>> {
    let Some(tenants) = folder(data, TENANTS)? else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    for entry in tenants.entries()? {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else { continue };
        if name.ends_with(GONE) {
            take_away(&tenants, name)?;
        } else if lunarium_app::is_tenant(name) && !named.contains(name) && is_kept(&tenants, name) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn is_kept(tenants: &Dir, name: &str) -> bool {
    let is_kept = || {
        let Some(dir) = folder(tenants, name)? else { return Ok(false) };
        let Some(deployments) = folder(&dir, DEPLOYMENTS)? else { return Ok(false) };
        let store = Store { dir, deployments };
        if store.current()?.is_some() {
            return Ok(true);
        }
        store.keep_only(&[])?;
        // Where its modules have kept something, that stays.
        let _ = store.dir.remove_dir(DEPLOYMENTS).and_then(|()| tenants.remove_dir(name));
        Ok::<bool, io::Error>(false)
    };
    // What can't be read shows as a tenant that has failed.
    is_kept().unwrap_or(true)
}

/// Forgets all that is kept of a tenant: what was deployed, and its store.
pub(super) fn forget(data: &Dir, name: &str) -> io::Result<()> {
    let Some(tenants) = folder(data, TENANTS)? else { return Ok(()) };
    let gone = format!("{name}{GONE}");
    take_away(&tenants, &gone)?;
    // At once, should the host be killed before all of it is gone: half of it is nobody's.
    absent_is_fine(tenants.rename(name, &tenants, &gone))?;
    sync(&tenants)?;
    take_away(&tenants, &gone)
}

/// A folder below another, which is no link. None: there is none.
fn folder(within: &Dir, name: &str) -> io::Result<Option<Dir>> {
    match within.symlink_metadata(name) {
        Ok(metadata) if metadata.is_dir() => within.open_dir(name).map(Some),
        Ok(metadata) => Err(unfit(name, metadata.is_symlink(), "folder")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The same, and it is made if there is none. Several tenants may be at it at once.
fn folder_or_new(within: &Dir, name: &str) -> io::Result<Dir> {
    if let Some(dir) = folder(within, name)? {
        return Ok(dir);
    }
    match within.create_dir(name) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => sync(within)?,
    }
    folder(within, name)?.ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn unfit(name: &str, is_link: bool, expected: &str) -> io::Error {
    let what = if is_link { "is a symbolic link, and none is followed here" } else { "is something else" };
    io::Error::new(io::ErrorKind::NotADirectory, format!("`{name}` is to be a {expected}, and {what}"))
}

/// Takes a folder away with all that is in it, or a file or a link alone, if it is there.
fn take_away(within: &Dir, name: impl AsRef<std::path::Path>) -> io::Result<()> {
    let name = name.as_ref();
    absent_is_fine(within.symlink_metadata(name).and_then(|there| match there.is_dir() {
        true => within.remove_dir_all(name),
        false => within.remove_file(name),
    }))
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// What was made, renamed and taken away in it is durable.
pub(super) fn sync(dir: &Dir) -> io::Result<()> {
    // A directory is synced like a file; what is open of it is for finding others only.
    dir.open(".")?.sync_data()
}

/// All that was written on the disk that holds it is durable: ten thousand files at once, of which each by itself would take as long.
pub(super) fn sync_all(dir: &Dir) -> io::Result<()> {
    Ok(rustix::fs::syncfs(dir.open(".")?)?)
}

impl Store {
    /// The deployments of a tenant; the directory is made if it isn't there.
    ///
    /// Errors: it can't be; a link lies in the way.
    pub(super) fn open(data: &Dir, name: &str) -> io::Result<Self> {
        let dir = folder_or_new(&folder_or_new(data, TENANTS)?, name)?;
        let deployments = folder_or_new(&dir, DEPLOYMENTS)?;
        Ok(Self { dir, deployments })
    }

    /// The number of the deployment that counts. None: none was made, or the tenant's folder counts.
    ///
    /// Errors: it can't be read; it isn't a number.
    pub(super) fn current(&self) -> io::Result<Option<u64>> {
        match self.dir.symlink_metadata(CURRENT) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(metadata) => return Err(unfit(CURRENT, metadata.is_symlink(), "file")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
        let mut text = String::new();
        self.dir.open(CURRENT)?.take(CURRENT_BYTES).read_to_string(&mut text)?;
        let number = text.trim_end().parse();
        number.map(Some).map_err(|_| io::Error::other(format!("`{CURRENT}` holds no number")))
    }

    /// From now on this one counts, or none.
    pub(super) fn set_current(&self, number: Option<u64>) -> io::Result<()> {
        let Some(number) = number else {
            absent_is_fine(self.dir.remove_file(CURRENT))?;
            return sync(&self.dir);
        };
        let written = self.write_new(number);
        if written.is_err() {
            let _ = self.dir.remove_file(CURRENT_NEW);
        }
        written?;
        self.dir.rename(CURRENT_NEW, &self.dir, CURRENT)?;
        sync(&self.dir)
    }

    fn write_new(&self, number: u64) -> io::Result<()> {
        take_away(&self.dir, CURRENT_NEW)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let mut file = self.dir.open_with(CURRENT_NEW, &options)?;
        writeln!(file, "{number}")?;
        file.sync_data()
    }

    /// The numbers of the deployments that are there as a whole, ascending.
    pub(super) fn numbers(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in self.deployments.entries()? {
            numbers.extend(number_of(&entry?.file_name()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// An empty folder for a deployment that isn't whole yet.
    pub(super) fn begin(&self, number: u64) -> io::Result<Dir> {
        let name = unfinished(number);
        take_away(&self.deployments, &name)?;
        self.deployments.create_dir(&name)?;
        self.deployments.open_dir(&name)
    }

    /// It is whole, and counts.
    pub(super) fn finish(&self, number: u64) -> io::Result<()> {
        take_away(&self.deployments, number.to_string())?;
        self.deployments.rename(unfinished(number), &self.deployments, number.to_string())?;
        sync(&self.deployments)?;
        self.set_current(Some(number))
    }

    /// The folder of a deployment.
    ///
    /// Errors: it can't be opened; it isn't there; it is a link.
    pub(super) fn folder(&self, number: u64) -> io::Result<Dir> {
        folder(&self.deployments, &number.to_string())?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// As it was: this one counts, or none, and there are these.
    pub(super) fn restore(&self, current: Option<u64>, numbers: &[u64]) -> io::Result<()> {
        // Written only where it must be: the disk may be full of what is taken away next.
        if self.current()? != current {
            self.set_current(current)?;
        }
        self.keep_only(numbers)
    }

    /// Takes away all but these, and what was never finished.
    pub(super) fn keep_only(&self, numbers: &[u64]) -> io::Result<()> {
        take_away(&self.dir, CURRENT_NEW)?;
        for entry in self.deployments.entries()? {
            let name = entry?.file_name();
            if !number_of(&name).is_some_and(|number| numbers.contains(&number)) {
                take_away(&self.deployments, name)?;
            }
        }
        Ok(())
    }
}

/// The number that a name is, in its one form.
fn number_of(name: &std::ffi::OsStr) -> Option<u64> {
    let text = name.to_str()?;
    text.parse::<u64>().ok().filter(|number| number.to_string() == text)
}

fn unfinished(number: u64) -> String {
    format!("{number}{UNFINISHED}")
}
