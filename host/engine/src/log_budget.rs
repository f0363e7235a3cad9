//! How many log lines a process may write in a second.
//!
//! Owns the count; time is an argument. What is over the limit is dropped and counted, and the count is told with the
//! next line that passes.

/// At the limit: lines are dropped and counted until the second is over.
#[derive(Debug)]
pub(crate) struct LogBudget {
    per_second: u32,
    second: u64,
    used: u32,
    dropped: u64,
}

/// What happens to a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is written; so many were dropped since the last one.
    Write { dropped: u64 },
    /// It is dropped.
    Drop,
}

impl LogBudget {
    pub(crate) fn new(per_second: u32) -> LogBudget {
        LogBudget { per_second, second: 0, used: 0, dropped: 0 }
    }

    /// From now on, so many a second.
    pub(crate) fn set_limit(&mut self, per_second: u32) {
        self.per_second = per_second;
    }

    /// Counts a line written at `now` (nanoseconds).
    pub(crate) fn line(&mut self, now: u64) -> Verdict {
        let second = now / 1_000_000_000;
        if second != self.second {
            self.second = second;
            self.used = 0;
        }
        if self.used >= self.per_second {
            self.dropped = self.dropped.saturating_add(1);
            return Verdict::Drop;
        }
        self.used = self.used.saturating_add(1);
        Verdict::Write { dropped: std::mem::take(&mut self.dropped) }
    }

    /// Counts lines that the guest dropped itself.
    pub(crate) fn dropped(&mut self, lines: u32) {
        self.dropped = self.dropped.saturating_add(lines.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_beyond_the_limit_are_dropped_and_counted() {
        let mut budget = LogBudget::new(2);
        assert_eq!(budget.line(0), Verdict::Write { dropped: 0 });
        assert_eq!(budget.line(1), Verdict::Write { dropped: 0 });
        assert_eq!(budget.line(2), Verdict::Drop);
        assert_eq!(budget.line(1_000_000_000), Verdict::Write { dropped: 1 });
    }
}
