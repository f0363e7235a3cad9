//! What was deployed, on the disk: `tenants/NAME/deployments/NUMBER` below the host's data directory, and which of them counts.
//!
//! Owns that a deployment is there as a whole or not at all, whenever the host is killed: it is unpacked under another name,
//! renamed when it is whole, and counts when `current` names it, which is replaced by a rename, too. Reads no application.

use std::io::{self, Read, Write};
use std::path::Path;

use cap_std::fs::{Dir, OpenOptions};

/// Bytes of `current`, which holds a number.
const CURRENT_BYTES: u64 = 32;
const CURRENT: &str = "current";
const CURRENT_NEW: &str = "current.new";
const DEPLOYMENTS: &str = "deployments";
const UNFINISHED: &str = ".part";

/// The deployments of one tenant.
pub(super) struct Store {
    /// `tenants/NAME`.
    dir: Dir,
}

/// The tenants that something is kept of.
pub(super) fn kept(data: &Dir) -> io::Result<Vec<String>> {
    let entries = match data.read_dir("tenants") {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        names.extend(name.to_str().filter(|name| lunarium_app::is_tenant(name)).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Forgets all that is kept of a tenant: what was deployed, and its store.
pub(super) fn forget(data: &Dir, name: &str) -> io::Result<()> {
    let path = Path::new("tenants").join(name);
    // First so that it counts no more, should the host be killed before all of it is gone.
    absent_is_fine(data.remove_file(path.join(CURRENT)))?;
    absent_is_fine(data.remove_dir_all(path))
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

impl Store {
    /// The deployments of a tenant; the directory is made if it isn't there.
    pub(super) fn open(data: &Dir, name: &str) -> io::Result<Self> {
        let path = Path::new("tenants").join(name);
        data.create_dir_all(path.join(DEPLOYMENTS))?;
        Ok(Self { dir: data.open_dir(path)? })
    }

    /// The number of the deployment that counts. None: none was made, or the tenant's folder counts.
    ///
    /// Errors: it can't be read; it isn't a number.
    pub(super) fn current(&self) -> io::Result<Option<u64>> {
        let file = match self.dir.open(CURRENT) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut text = String::new();
        file.take(CURRENT_BYTES).read_to_string(&mut text)?;
        let number = text.trim_end().parse();
        number.map(Some).map_err(|_| io::Error::other(format!("`{CURRENT}` holds no number")))
    }

    /// From now on this one counts, or none.
    pub(super) fn set_current(&self, number: Option<u64>) -> io::Result<()> {
        let Some(number) = number else {
            absent_is_fine(self.dir.remove_file(CURRENT))?;
            return self.sync();
        };
        let written = self.write_new(number);
        if written.is_err() {
            let _ = self.dir.remove_file(CURRENT_NEW);
        }
        written?;
        self.dir.rename(CURRENT_NEW, &self.dir, CURRENT)?;
        self.sync()
    }

    fn write_new(&self, number: u64) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let mut file = self.dir.open_with(CURRENT_NEW, &options)?;
        writeln!(file, "{number}")?;
        file.sync_data()
    }

    fn sync(&self) -> io::Result<()> {
        // A directory is synced like a file; what is open of it is for finding others only.
        self.dir.open(".")?.sync_data()
    }

    /// The numbers of the deployments that are there as a whole, ascending.
    pub(super) fn numbers(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in self.dir.read_dir(DEPLOYMENTS)? {
            numbers.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// An empty folder for a deployment that isn't whole yet.
    pub(super) fn begin(&self, number: u64) -> io::Result<Dir> {
        let path = unfinished(number);
        absent_is_fine(self.dir.remove_dir_all(&path))?;
        self.dir.create_dir(&path)?;
        self.dir.open_dir(&path)
    }

    /// It is whole.
    pub(super) fn finish(&self, number: u64) -> io::Result<()> {
        absent_is_fine(self.dir.remove_dir_all(finished(number)))?;
        self.dir.rename(unfinished(number), &self.dir, finished(number))?;
        self.sync()
    }

    /// The folder of a deployment.
    pub(super) fn folder(&self, number: u64) -> io::Result<Dir> {
        self.dir.open_dir(finished(number))
    }

    /// Takes away all but these, and what was never finished.
    pub(super) fn keep_only(&self, numbers: &[u64]) -> io::Result<()> {
        for entry in self.dir.read_dir(DEPLOYMENTS)? {
            let name = entry?.file_name();
            let is_kept = name.to_str().and_then(|name| name.parse().ok()).is_some_and(|name| numbers.contains(&name));
            if !is_kept {
                absent_is_fine(self.dir.remove_dir_all(Path::new(DEPLOYMENTS).join(name)))?;
            }
        }
        Ok(())
    }
}

fn finished(number: u64) -> String {
    format!("{DEPLOYMENTS}/{number}")
}

fn unfinished(number: u64) -> String {
    format!("{DEPLOYMENTS}/{number}{UNFINISHED}")
}
