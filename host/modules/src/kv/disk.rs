//! What the store's file lies on, as redb sees it.
//!
//! Owns two things that redb leaves to who opens it again after a failure: that an opening which was given up touches the
//! file no more, and whether a sync has ever failed. After a failed write the file is as it was at the last sync, so it can
//! be opened again. After a failed sync nobody knows: the kernel may have forgotten what it couldn't write.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;
use redb::StorageBackend;

/// What is read and written, for as long as the store is open.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    medium: Arc<Medium>,
}

#[derive(Debug)]
struct Medium {
    storage: Box<dyn StorageBackend>,
    sync_failed: AtomicBool,
}

/// One opening of it.
#[derive(Debug, Clone)]
pub(super) struct Opening {
    medium: Arc<Medium>,
    given_up: Arc<RwLock<bool>>,
}

impl Disk {
    pub(super) fn new(storage: impl StorageBackend) -> Disk {
        Disk { medium: Arc::new(Medium { storage: Box::new(storage), sync_failed: AtomicBool::new(false) }) }
    }

    pub(super) fn open(&self) -> Opening {
        Opening { medium: Arc::clone(&self.medium), given_up: Arc::default() }
    }

    /// Whether what was written may not have arrived.
    pub(super) fn sync_failed(&self) -> bool {
        self.medium.sync_failed.load(Ordering::Acquire)
    }
}

impl Opening {
    /// From now on it reads and writes nothing; what is under way ends before.
    pub(super) fn give_up(&self) {
        *self.given_up.write() = true;
    }

    fn with<T>(&self, act: impl FnOnce(&dyn StorageBackend) -> io::Result<T>) -> io::Result<T> {
        let given_up = self.given_up.read();
        match *given_up {
            true => Err(io::Error::other("this opening of the store was given up")),
            false => act(&*self.medium.storage),
        }
    }
}

impl StorageBackend for Opening {
    fn len(&self) -> io::Result<u64> {
        self.with(|storage| storage.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.with(|storage| storage.read(offset, out))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(|storage| storage.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        let synced = self.with(|storage| storage.sync_data());
        if synced.is_err() && !*self.given_up.read() {
            self.medium.sync_failed.store(true, Ordering::Release);
        }
        synced
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.with(|storage| storage.write(offset, data))
    }
}

/// A file that this process alone has locked, for as long as it is open.
#[derive(Debug)]
pub(super) struct LockedFile(File);

impl LockedFile {
    /// None: somebody else has it.
    pub(super) fn lock(file: File) -> io::Result<Option<LockedFile>> {
        match file.try_lock() {
            Ok(()) => Ok(Some(LockedFile(file))),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

impl StorageBackend for LockedFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write_all_at(data, offset)
    }
}
