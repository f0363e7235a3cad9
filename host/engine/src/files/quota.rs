//! How much a granted directory may be filled with.
//!
//! Owns the count and what counts: every file, directory and link in blocks, or a script could fill a disk with empty files. What
//! lies there already is measured when the bound is set, so a restart gives no room anew. Refuses to know what others write
//! meanwhile: only what goes through this grant is counted.

use std::io;

use cap_std::fs::{Dir, Metadata};
use parking_lot::{Mutex, MutexGuard};

/// Bytes by which files take room: what most file systems give out at once.
const BLOCK: u64 = 4096;

/// What an entry in a directory takes that is no file.
pub(super) const ENTRY: u64 = BLOCK;

#[derive(Debug)]
pub(super) struct Quota {
    most: u64,
    held: Mutex<u64>,
}

/// The count, while a change is made: one at a time, or two that look at one file would both count it.
pub(super) struct Change<'q> {
    most: u64,
    held: MutexGuard<'q, u64>,
}

impl Quota {
    /// A bound for a directory that holds what it holds now. Looks at everything below it, and follows no link.
    pub(super) fn measure(dir: &Dir, most: u64) -> io::Result<Quota> {
        let mut held = 0_u64;
        let mut left = vec![".".to_owned()];
        while let Some(path) = left.pop() {
            for entry in dir.read_dir(&path)? {
                let entry = entry?;
                let metadata = entry.metadata()?;
                held = held.saturating_add(taken(&metadata));
                if metadata.is_dir() {
                    // A name that isn't UTF-8 leads nowhere by its text; scripts can't reach below it either.
                    left.extend(entry.file_name().to_str().map(|name| format!("{path}/{name}")));
                }
            }
        }
        Ok(Quota { most, held: Mutex::new(held) })
    }

    pub(super) fn most(&self) -> u64 {
        self.most
    }

    /// Waits until nobody else changes what is counted.
    pub(super) fn begin(&self) -> Change<'_> {
        Change { most: self.most, held: self.held.lock() }
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> u64 {
        *self.held.lock()
    }
}

impl Change<'_> {
    /// Whether what takes `before` may take `after` instead. Less is always fine.
    pub(super) fn fits(&self, before: u64, after: u64) -> bool {
        after <= before || self.held.saturating_sub(before).saturating_add(after) <= self.most
    }

    /// It does now.
    pub(super) fn done(mut self, before: u64, after: u64) {
        *self.held = self.held.saturating_sub(before).saturating_add(after);
    }
}

/// What a file of so many bytes takes.
pub(super) fn taken_by(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK).max(1).saturating_mul(BLOCK)
}

/// What something takes.
pub(super) fn taken(metadata: &Metadata) -> u64 {
    if metadata.is_file() { taken_by(metadata.len()) } else { ENTRY }
}
