//! A store in a file: entries with versions that outlive whoever wrote them.
//!
//! Owns the file, its lock and its writer's thread. What is written is on the disk when it is answered; what is read is the
//! last that was written, from a snapshot, without waiting for a writer. Knows nothing of processes but a name for their turn.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::RwLock;
use redb::{Database, ReadTransaction, ReadableDatabase};
use tokio::sync::oneshot;

use super::disk::{Disk, LockedFile, Opening};
use super::fault::{Fault, OpenError, WriteError};
use super::queue::Queue;
use super::table::{self, Found, Page, Range, Sums, Write, Written};
use super::writer::{self, Job};

/// The file's name in the node's directory.
pub const FILE: &str = "kv.redb";

/// Its name until it is whole.
const UNMADE: &str = "kv.redb.new";

/// What a store may hold where nothing else was said: keys, values, and 64 bytes for each entry. The number: small beside a
/// disk, large beside what scripts keep.
pub const QUOTA: u64 = 1 << 30;

/// Bytes of pages kept in memory. The number: the upper pages of the largest store and one transaction.
const CACHE: usize = 16 << 20;

/// Milliseconds since 1970.
type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;
type Report = Arc<dyn Fn(&str) + Send + Sync>;

/// A file that is open and locked, and not looked into yet. Has no thread.
pub struct Opened {
    path: PathBuf,
    disk: Disk,
}

/// An open store. Dropped, it writes what waits, and the file is closed.
pub struct Store {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

pub(super) struct Shared {
    pub(super) queue: Queue<Job>,
    quota: AtomicU64,
    disk: Disk,
    base: RwLock<Base>,
    clock: Clock,
    report: Report,
    /// The last transaction failed: that was reported.
    fails: AtomicBool,
}

/// The database, as long as there is one.
enum Base {
    Open(Arc<Database>, Opening),
    /// It failed, and couldn't be opened again so far.
    Failed(Fault),
    Stopped,
}

impl Opened {
    /// Opens the file [`FILE`] in this directory, or makes it, and locks it.
    ///
    /// Errors: it can't be opened or made; it is a link; another node has it.
    pub fn in_directory(directory: &Path) -> Result<Opened, OpenError> {
        let refused = |path: &Path| {
            let path = path.to_owned();
            move |error: io::Error| OpenError::io(&path, error)
        };
        // For nobody but the node's user.
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(refused(directory))?;
        let path = directory.join(FILE);
        for path in [&path, &directory.join(UNMADE)] {
            // It could lead to a file of somebody else's.
            if path.is_symlink() {
                let error = io::Error::other("it is a symbolic link, and none is followed here");
                return Err(refused(path)(error));
            }
        }
        let options = || {
            let mut options = OpenOptions::new();
            options.read(true).write(true).mode(0o600);
            options
        };
        let file = match options().open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Opened::make(directory, path, options()),
            Err(error) => return Err(refused(&path)(error)),
        };
        match LockedFile::lock(file).map_err(refused(&path))? {
            Some(file) => Ok(Opened { path, disk: Disk::new(file) }),
            None => Err(OpenError::InUse(path)),
        }
    }

    /// Makes the file: under another name until it is whole.
    fn make(directory: &Path, path: PathBuf, mut options: OpenOptions) -> Result<Opened, OpenError> {
        let refused = |error: io::Error| OpenError::io(&path, error);
        let unmade = directory.join(UNMADE);
        let file = options.create(true).truncate(false).open(&unmade).map_err(refused)?;
        let number = file.metadata().map_err(refused)?.ino();
        let Some(file) = LockedFile::lock(file).map_err(refused)? else { return Err(OpenError::InUse(path)) };
        // Whoever was first has renamed what was opened here, and may have ended since.
        if std::fs::metadata(&unmade).map(|there| there.ino()).ok() != Some(number) {
            return Err(OpenError::InUse(path));
        }
        // What an earlier start has left.
        redb::StorageBackend::set_len(&file, 0).map_err(refused)?;
        let disk = Disk::new(file);
        let (base, opening) = opened(&disk).map_err(|fault| OpenError::of(&path, fault))?;
        form(&base).map_err(|fault| OpenError::of(&path, fault))?;
        drop(base);
        opening.give_up();
        std::fs::rename(&unmade, &path).map_err(refused)?;
        // The name is durable as well.
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(refused)?;
        // And so are those of folders that were made for it, where they can be opened.
        for folder in directory.canonicalize().map_err(refused)?.ancestors().skip(1) {
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        Ok(Opened { path, disk })
    }

    /// For tests of what a disk can do.
    #[cfg(test)]
    pub(super) fn on(storage: impl redb::StorageBackend) -> Opened {
        Opened { path: PathBuf::from("test"), disk: Disk::new(storage) }
    }

    /// Reads what is there, and starts the thread that writes. What whoever runs the node should know is reported, a line
    /// each.
    ///
    /// Errors: the file is no store, or is damaged; there can be no thread.
    pub fn start(self, quota: u64, report: impl Fn(&str) + Send + Sync + 'static) -> Result<Store, OpenError> {
        self.start_at(quota, report, Arc::new(wall_clock))
    }

    pub(super) fn start_at(
        self,
        quota: u64,
        report: impl Fn(&str) + Send + Sync + 'static,
        clock: Clock,
    ) -> Result<Store, OpenError> {
        let Opened { path, disk } = self;
        let (base, opening) = opened(&disk).map_err(|fault| OpenError::of(&path, fault))?;
        let found = form(&base).map_err(|fault| OpenError::of(&path, fault))?;
        if found != table::FORM {
            return Err(OpenError::Form { path, found, known: table::FORM });
        }
        let shared = Arc::new(Shared {
            queue: Queue::new(),
            quota: AtomicU64::new(quota),
            disk,
            base: RwLock::new(Base::Open(Arc::new(base), opening)),
            clock,
            report: Arc::new(report),
            fails: AtomicBool::new(false),
        });
        let writer = {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name("lunarium-kv".to_owned()).spawn(move || writer::run(&shared))
        };
        let writer = writer.map_err(|error| OpenError::io(&path, error))?;
        Ok(Store { shared, writer: Some(writer) })
    }
}

impl Store {
    /// From now on it may hold so many bytes, its quota. Whatever it holds stays, also beyond: more is refused until enough was deleted.
    pub fn set_quota(&self, quota: u64) {
        self.shared.quota.store(quota, Ordering::Relaxed);
    }

    /// Writes; the answer comes when it is on the disk. Writes of many are one transaction, and those of `who` come in the
    /// order in which they were given. Dropping the future takes the write away if it hasn't begun.
    pub async fn write(&self, who: &str, write: Write) -> Result<Written, WriteError> {
        let bytes = table::cost(&write.key, size(&write), false);
        let (reply, answer) = oneshot::channel();
        let queued = self.shared.queue.push(who, usize::try_from(bytes).unwrap_or(usize::MAX), Job { write, reply });
        queued.map_err(|_| WriteError::Busy)?;
        // The writer answers everything that it takes.
        answer.await.unwrap_or(Err(WriteError::Fault(Fault::Stopped)))
    }

    /// An entry, if it is there. Blocks on the disk.
    pub fn get(&self, key: &str) -> Result<Option<Found>, Fault> {
        self.shared.read(|transaction, now| table::get(transaction, key, now))
    }

    /// A page of entries. Blocks on the disk.
    pub fn list(&self, range: &Range<'_>) -> Result<Page, Fault> {
        self.shared.read(|transaction, now| table::list(transaction, range, now))
    }

    /// What there is. Blocks on the disk.
    pub fn sums(&self) -> Result<Sums, Fault> {
        self.shared.read(|transaction, _| table::sums(transaction))
    }
}

fn size(write: &Write) -> usize {
    match &write.act {
        table::Act::Set(value, _) => value.len(),
        table::Act::Delete => 0,
        table::Act::Increment(..) => super::number::MOST,
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.shared.queue.close();
        if let Some(writer) = self.writer.take() {
            // A writer that has panicked has closed nothing; the lock goes with its file.
            let _ = writer.join();
        }
    }
}

impl Shared {
    pub(super) fn quota(&self) -> u64 {
        self.quota.load(Ordering::Relaxed)
    }

    pub(super) fn now(&self) -> u64 {
        (self.clock)()
    }

    /// Writes have failed. Reported when that begins and when it ends: whoever writes much would fill the log otherwise.
    pub(super) fn fails(&self, fault: &Fault) {
        if !self.fails.swap(true, Ordering::Relaxed) {
            (self.report)(&format!("the store can't be written: {fault}"));
        }
    }

    pub(super) fn works(&self) {
        if self.fails.load(Ordering::Relaxed) && self.fails.swap(false, Ordering::Relaxed) {
            (self.report)("the store can be written again");
        }
    }

    pub(super) fn base(&self) -> Result<Arc<Database>, Fault> {
        match &*self.base.read() {
            Base::Open(base, _) => Ok(Arc::clone(base)),
            Base::Failed(fault) => Err(fault.clone()),
            Base::Stopped => Err(Fault::Stopped),
        }
    }

    /// Opens the file again, after a failure. Errors: it can't be; after a failed sync never again.
    pub(super) fn reopen(&self) -> Result<Arc<Database>, Fault> {
        let mut base = self.base.write();
        if let Base::Open(_, opening) = &*base {
            opening.give_up();
        }
        if matches!(*base, Base::Stopped) {
            return Err(Fault::Stopped);
        }
        if self.disk.sync_failed() {
            replace(&mut base, Base::Stopped);
            return Err(Fault::Stopped);
        }
        replace(&mut base, Base::Failed(Fault::Disk("it is opened again".to_owned())));
        match opened(&self.disk) {
            Ok((database, opening)) => {
                let database = Arc::new(database);
                *base = Base::Open(Arc::clone(&database), opening);
                Ok(database)
            }
            Err(fault) => {
                *base = Base::Failed(fault.clone());
                Err(fault)
            }
        }
    }

    /// Closes the file.
    pub(super) fn close(&self) {
        replace(&mut self.base.write(), Base::Stopped);
    }

    fn read<T>(&self, act: impl Fn(&ReadTransaction, u64) -> Result<T, redb::Error>) -> Result<T, Fault> {
        let once = || {
            let base = self.base()?;
            // What a panic leaves is thrown away: the writer opens the file again.
            let result = catch_unwind(AssertUnwindSafe(|| {
                let transaction = base.begin_read()?;
                act(&transaction, self.now())
            }));
            match result {
                Ok(result) => result.map_err(|error| Fault::of(&error)),
                Err(_) => Err(Fault::panicked()),
            }
        };
        // It may have been opened again in between.
        once().or_else(|_| once()).inspect_err(|fault| {
            if *fault != Fault::Stopped {
                self.queue.nudge();
            }
        })
    }
}

/// Drops what was there before, whatever that does.
fn replace(place: &mut Base, with: Base) {
    let before = std::mem::replace(place, with);
    let _ = catch_unwind(AssertUnwindSafe(|| drop(before)));
}

fn opened(disk: &Disk) -> Result<(Database, Opening), Fault> {
    let opening = disk.open();
    let backend = opening.clone();
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE).create_with_backend(backend)
    }));
    match result {
        Ok(Ok(database)) => Ok((database, opening)),
        Ok(Err(error)) => {
            opening.give_up();
            Err(Fault::of(&error.into()))
        }
        Err(_) => {
            opening.give_up();
            Err(Fault::panicked())
        }
    }
}

/// The form of what is there; an empty file gets this version's.
fn form(base: &Database) -> Result<u64, Fault> {
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut transaction = base.begin_write()?;
        transaction.set_quick_repair(true);
        let form = table::form(&transaction)?;
        transaction.commit()?;
        Ok::<u64, redb::Error>(form)
    }));
    match result {
        Ok(result) => result.map_err(|error| Fault::of(&error)),
        Err(_) => Err(Fault::panicked()),
    }
}

fn wall_clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
