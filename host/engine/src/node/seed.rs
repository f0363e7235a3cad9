//! The chance that processes get: a key of the node's, and what follows from it for each program of a process.
//!
//! Owns that it can be replayed by whoever knows the key, that each one's is another, and that who sees as much as they like of some can't tell any
//! other: SHA-256 of the key and of which one it is.

use std::sync::atomic::{AtomicU64, Ordering};

use lunarium_kernel::Pid;
use sha2::{Digest, Sha256};

pub(crate) struct Seeds {
    key: [u8; 32],
    /// For what isn't a process's.
    drawn: AtomicU64,
}

impl Seeds {
    /// The key comes from the seed, or from the operating system.
    ///
    /// Errors: the operating system has none.
    pub(crate) fn new(seed: Option<u64>) -> Result<Seeds, getrandom::Error> {
        let mut key = [0; 32];
        match seed {
            // Nobody's secret, so how few there are doesn't matter.
            Some(seed) => key = Sha256::digest(seed.to_le_bytes()).into(),
            None => getrandom::fill(&mut key)?,
        }
        Ok(Seeds { key, drawn: AtomicU64::new(0) })
    }

    /// For one incarnation of a process.
    pub(crate) fn of(&self, pid: &Pid, incarnation: u64) -> (u64, u64, u64, u64) {
        self.derive(pid.number(), incarnation)
    }

    /// Another number each time. No process has the number zero.
    pub(crate) fn draw(&self) -> u64 {
        self.derive(0, self.drawn.fetch_add(1, Ordering::Relaxed)).0
    }

    /// One block of one length: nothing can be hung on it.
    fn derive(&self, number: u64, incarnation: u64) -> (u64, u64, u64, u64) {
        let hash = Sha256::new_with_prefix(self.key).chain_update(number.to_le_bytes());
        let digest = hash.chain_update(incarnation.to_le_bytes()).finalize();
        let mut numbers = [0; 4];
        for (to, piece) in numbers.iter_mut().zip(digest.chunks_exact(8)) {
            *to = piece.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
        }
        let [first, second, third, fourth] = numbers;
        (first, second, third, fourth)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use lunarium_kernel::Pid;

    use super::Seeds;

    #[test]
    fn each_one_has_its_own_and_a_seed_gives_them_again() {
        let pid = |number: u64| Pid::parse(&format!("{{app:host|0x{number:05x}}}")).unwrap();
        let all = |seeds: &Seeds| -> Vec<(u64, u64, u64, u64)> {
            (1..50)
                .flat_map(|number| (0..4).map(move |life| (number, life)))
                .map(|(n, life)| seeds.of(&pid(n), life))
                .collect()
        };
        let (one, again, other) =
            (Seeds::new(Some(7)).unwrap(), Seeds::new(Some(7)).unwrap(), Seeds::new(Some(8)).unwrap());
        assert_eq!(all(&one), all(&again));
        let unseeded = [Seeds::new(None).unwrap(), Seeds::new(None).unwrap()];
        let mut seen = BTreeSet::new();
        for seeds in [&one, &other].into_iter().chain(&unseeded) {
            for (first, second, third, fourth) in all(seeds) {
                assert!([first, second, third, fourth].into_iter().all(|number| seen.insert(number)));
            }
            assert!((0..50).all(|_| seen.insert(seeds.draw())));
        }
    }
}
