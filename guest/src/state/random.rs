//! A process's random bytes, and the time of its last UUID. Owns that nobody can tell them from others that were seen.
//!
//! Each call has a stream of ChaCha20 to itself: under the key of the process, with the number of the call as its nonce. So
//! nothing is kept between calls but that number, and a process that never asks pays nothing.

use std::cell::Cell;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng as _, SeedableRng as _};

/// What belongs to one process.
#[derive(Default)]
pub struct Random {
    /// The host gives it at `start`. 192 bits: what is missing to a key is zero.
    key: Cell<[u64; 3]>,
    calls: Cell<u64>,
    /// When the last UUID by time was made, in units of [`UNITS`] a millisecond.
    last: Cell<u64>,
}

/// Parts of a millisecond in a UUID by time: as many as its twelve bits tell.
const UNITS: u64 = 1 << 12;

impl Random {
    pub fn start(&self, key: [u64; 3]) {
        self.key.set(key);
    }

    /// Other bytes at each call.
    pub fn fill(&self, bytes: &mut [u8]) {
        let mut seed = [0; 32];
        for (piece, number) in seed.chunks_exact_mut(8).zip(self.key.get()) {
            piece.copy_from_slice(&number.to_le_bytes());
        }
        let mut random = ChaCha20Rng::from_seed(seed);
        random.set_stream(self.calls.replace(self.calls.get().wrapping_add(1)));
        random.fill_bytes(bytes);
    }

    /// Milliseconds, and the part of one, for a UUID at this time: later than those of all before, whatever the clock does.
    pub fn stamp(&self, seconds: i64, nanoseconds: u32) -> (u64, u16) {
        let nanoseconds = u64::from(nanoseconds);
        let milliseconds = u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000) + nanoseconds / 1_000_000;
        let part = nanoseconds % 1_000_000 * UNITS / 1_000_000;
        let now = milliseconds.saturating_mul(UNITS).saturating_add(part);
        let stamp = now.max(self.last.get().saturating_add(1));
        self.last.set(stamp);
        (stamp / UNITS, (stamp % UNITS) as u16)
    }
}
