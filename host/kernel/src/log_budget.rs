//! What many processes may log together in a second: all of a process host, all of a node.
//!
//! Owns the rule; time is an argument. Half of a budget is for whoever comes first, the other half is shared by all who
//! log, in equal parts: who logs little is never dropped for who logs much.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

/// Bytes that all processes of a node may log in a second, by default. At the limit: lines are dropped and counted. 4 MiB:
/// as much as a busy machine's log takes, a twentieth of what 300 processes write that do nothing else.
pub const LOG_BYTES: u64 = 4 << 20;

/// A budget of bytes a second.
#[derive(Debug)]
pub struct LogBudget {
    per_second: AtomicU64,
    second: Mutex<Second>,
}

#[derive(Debug, Default)]
struct Second {
    number: u64,
    used: u64,
    /// Processes that have logged in it.
    writers: u64,
    /// Those of the second before.
    writers_before: u64,
}

impl LogBudget {
    /// Bytes a second.
    pub fn new(per_second: u64) -> LogBudget {
        LogBudget { per_second: AtomicU64::new(per_second), second: Mutex::default() }
    }

    /// Bytes a second.
    pub fn limit(&self) -> u64 {
        self.per_second.load(Relaxed)
    }

    /// From now on so many.
    pub fn set_limit(&self, per_second: u64) {
        self.per_second.store(per_second, Relaxed);
    }

    /// Bytes of this second's lines.
    pub fn used(&self, number: u64) -> u64 {
        let second = self.second.lock();
        if second.number == number { second.used } else { 0 }
    }

    /// Counts a line of so many bytes, of a process that has logged `own` bytes in this second already. False: it is to be
    /// dropped. All lines together are at most twice the budget, in the first second of many writers; then at most once.
    pub fn admit(&self, number: u64, own: u64, bytes: u64) -> bool {
        let mut second = self.second.lock();
        if second.number != number {
            let writers_before = if second.number.saturating_add(1) == number { second.writers } else { 0 };
            *second = Second { number, used: 0, writers: 0, writers_before };
        }
        if own == 0 {
            second.writers = second.writers.saturating_add(1);
        }
        let limit = self.limit();
        let half = limit / 2;
        let share = half / second.writers.max(second.writers_before).max(1);
        let used = second.used.saturating_add(bytes);
        let admitted = used <= half || own.saturating_add(bytes) <= share && used <= limit.saturating_mul(2);
        if admitted {
            second.used = used;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::LogBudget;

    /// The bytes that each of these writers gets through in each second, who wants to write so many lines of ten bytes,
    /// the others between each of its lines.
    fn written(budget: &LogBudget, second: u64, wanted: &[u64]) -> Vec<u64> {
        let mut own = vec![0; wanted.len()];
        for round in 0..wanted.iter().copied().max().unwrap_or_default() {
            for (writer, lines) in wanted.iter().enumerate() {
                if round < *lines && budget.admit(second, own[writer], 10) {
                    own[writer] += 10;
                }
            }
        }
        own
    }

    #[test]
    fn who_logs_little_is_never_dropped_for_who_logs_much() {
        let budget = LogBudget::new(10_000);
        // Ten that never stop, and one that writes now and then, last of all.
        let mut wanted = vec![10_000; 10];
        wanted.push(20);
        for second in 0..5 {
            let written = written(&budget, second, &wanted);
            assert_eq!(written[10], 200, "{second}: {written:?}");
            let sum: u64 = written.iter().sum();
            assert!(sum <= if second == 0 { 20_000 } else { 10_200 }, "{second}: {sum}");
        }
    }

    #[test]
    fn one_alone_has_at_least_half_and_the_next_second_is_another() {
        let budget = LogBudget::new(1_000);
        assert_eq!(written(&budget, 7, &[1_000]), [500]);
        assert_eq!(written(&budget, 8, &[1_000]), [500]);
        assert_eq!(written(&budget, 100, &[3]), [30]);
        budget.set_limit(100);
        assert_eq!((written(&budget, 101, &[1_000]), budget.limit()), (vec![50], 100));
    }

    #[test]
    fn a_crowd_ends_at_twice_the_budget() {
        let budget = LogBudget::new(1_000);
        let sum: u64 = written(&budget, 1, &vec![100; 500]).iter().sum();
        assert!(sum <= 2_000, "{sum}");
    }
}
