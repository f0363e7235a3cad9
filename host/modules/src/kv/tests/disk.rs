//! A disk that forgets, fails and fills up, at the operation that a test names.

use std::io;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use redb::StorageBackend;

/// Bytes that are written whole or not at all.
const SECTOR: usize = 512;

#[derive(Debug, Clone, Default)]
pub struct Disk {
    state: Arc<Mutex<State>>,
    /// Held where a sync is to take its time.
    syncs: Arc<Mutex<()>>,
}

#[derive(Debug, Default)]
struct State {
    /// As it was synced.
    synced: Vec<u8>,
    /// As it is read.
    seen: Vec<u8>,
    /// What isn't synced.
    pending: Vec<Change>,
    /// Changes and syncs so far.
    operations: usize,
    fail: Option<Fail>,
    /// Bytes that it has.
    capacity: Option<u64>,
}

#[derive(Debug, Clone)]
enum Change {
    Length(usize),
    Write(usize, Vec<u8>),
}

/// What fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fail {
    /// This operation and everything after: the machine is off.
    OffAt(usize),
    /// This operation and no other, if it is no sync.
    FullAt(usize),
    /// Each sync.
    Sync,
    /// The next read.
    Read,
}

fn full() -> io::Error {
    io::Error::from(io::ErrorKind::StorageFull)
}

impl Disk {
    pub fn new() -> Disk {
        Disk::default()
    }

    pub fn fail(&self, fail: Option<Fail>) {
        self.state.lock().fail = fail;
    }

    /// No sync ends as long as this is held.
    pub fn stop_syncs(&self) -> MutexGuard<'_, ()> {
        self.syncs.lock()
    }

    pub fn hold(&self, capacity: u64) {
        self.state.lock().capacity = Some(capacity);
    }

    pub fn operations(&self) -> usize {
        self.state.lock().operations
    }

    pub fn length(&self) -> u64 {
        self.state.lock().seen.len() as u64
    }

    /// Changes a byte where it lies.
    pub fn damage(&self, at: usize) {
        let mut state = self.state.lock();
        let byte = state.seen.get_mut(at).unwrap();
        *byte ^= 0xff;
        let seen = state.seen.clone();
        state.synced = seen;
    }

    /// As it is after the machine was off: of what wasn't synced some is there, some in part, some not.
    pub fn after_power_loss(&self, mut chance: impl FnMut() -> u64) -> Disk {
        let state = self.state.lock();
        let mut bytes = state.synced.clone();
        for change in &state.pending {
            match change {
                Change::Length(length) if chance().is_multiple_of(2) => bytes.resize(*length, 0),
                Change::Length(_) => {}
                Change::Write(at, data) => {
                    let all = chance() % 3;
                    for (index, sector) in data.chunks(SECTOR).enumerate() {
                        if all == 0 || all == 1 && chance().is_multiple_of(2) {
                            let at = at + index * SECTOR;
                            let end = at + sector.len();
                            if bytes.len() < end {
                                bytes.resize(end, 0);
                            }
                            bytes[at..end].copy_from_slice(sector);
                        }
                    }
                }
            }
        }
        let state = State { synced: bytes.clone(), seen: bytes, ..State::default() };
        Disk { state: Arc::new(Mutex::new(state)), syncs: Arc::default() }
    }
}

impl State {
    fn begin(&mut self, sync: bool) -> io::Result<()> {
        let number = self.operations;
        self.operations += 1;
        match self.fail {
            Some(Fail::OffAt(at)) if number >= at => Err(io::Error::other("off")),
            Some(Fail::FullAt(at)) if number == at && !sync => Err(full()),
            Some(Fail::Sync) if sync => Err(io::Error::other("input/output error")),
            _ => Ok(()),
        }
    }

    fn change(&mut self, change: Change) {
        match &change {
            Change::Length(length) => self.seen.resize(*length, 0),
            Change::Write(at, data) => self.seen[*at..at + data.len()].copy_from_slice(data),
        }
        self.pending.push(change);
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.length())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.state.lock();
        match state.fail {
            Some(Fail::OffAt(at)) if state.operations >= at => return Err(io::Error::other("off")),
            Some(Fail::Read) => {
                state.fail = None;
                return Err(io::Error::other("input/output error"));
            }
            _ => {}
        }
        let at = offset as usize;
        let found = state.seen.get(at..at + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(found);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state.lock();
        state.begin(false)?;
        if state.capacity.is_some_and(|most| len > most && len > state.seen.len() as u64) {
            return Err(full());
        }
        state.change(Change::Length(len as usize));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let _goes_on = self.syncs.lock();
        let mut state = self.state.lock();
        state.begin(true)?;
        for change in std::mem::take(&mut state.pending) {
            match change {
                Change::Length(length) => state.synced.resize(length, 0),
                Change::Write(at, data) => state.synced[at..at + data.len()].copy_from_slice(&data),
            }
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state.lock();
        state.begin(false)?;
        state.change(Change::Write(offset as usize, data.to_vec()));
        Ok(())
    }
}
