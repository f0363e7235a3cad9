//! What a process may log: how many lines in a second, how long one is, and how much of what all may log together.
//!
//! Owns the count; time is an argument. What is over the limit is dropped and counted, and the count is told with the
//! next line that passes.

use lunarium_contract::length;
use lunarium_kernel::{LimitName, LogBudget};

use super::{LogField, clean, visible_json};

/// At the limit: lines are dropped and counted until the second is over.
#[derive(Debug)]
pub(crate) struct Log {
    per_second: u32,
    second: u64,
    used: u32,
    /// Bytes of the lines of this second.
    bytes: u64,
    dropped: u64,
}

/// Why a line isn't written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// The limit or budget that was reached.
    pub(crate) limit: &'static str,
    /// The line before it was written.
    pub(crate) is_first: bool,
}

/// A line as it is shown: cleaned, and no longer than it may be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) message: String,
    pub(crate) fields: Vec<LogField>,
}

impl Log {
    pub(crate) fn new(per_second: u32) -> Log {
        Log { per_second, second: 0, used: 0, bytes: 0, dropped: 0 }
    }

    /// From now on, so many a second.
    pub(crate) fn set_limit(&mut self, per_second: u32) {
        self.per_second = per_second;
    }

    /// Counts a line of so many bytes written at `now` (nanoseconds), within these budgets: how many were dropped since the last
    /// one. Errors: it is dropped.
    pub(crate) fn admit(
        &mut self,
        now: u64,
        bytes: usize,
        budgets: &[(&LogBudget, &'static str)],
    ) -> Result<u64, Dropped> {
        let second = now / 1_000_000_000;
        if second != self.second {
            self.second = second;
            self.used = 0;
            self.bytes = 0;
        }
        // What is longer is cut, and an empty line is one, too.
        let bytes = u64::try_from(bytes.clamp(1, length::LOG_LINE)).unwrap_or(u64::MAX);
        let full = |(budget, _): &(&LogBudget, _)| !budget.admit(second, self.bytes, bytes);
        let reached = match self.used >= self.per_second {
            true => Some(LimitName::LogLines.as_str()),
            false => budgets.iter().find(|budget| full(budget)).map(|(_, name)| *name),
        };
        if let Some(limit) = reached {
            let is_first = self.dropped == 0;
            self.dropped = self.dropped.saturating_add(1);
            return Err(Dropped { limit, is_first });
        }
        self.used = self.used.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(std::mem::take(&mut self.dropped))
    }

    /// Lines of this second.
    pub(crate) fn used(&self, now: u64) -> u32 {
        if now / 1_000_000_000 == self.second { self.used } else { 0 }
    }

    /// Counts lines that the guest dropped itself.
    pub(crate) fn dropped(&mut self, lines: u32) {
        self.dropped = self.dropped.saturating_add(lines.into());
    }
}

impl Line {
    pub(crate) fn new(message: &str, fields: &[LogField], dropped: u64) -> Line {
        let mut room = length::LOG_LINE;
        let message = clean(take(message, &mut room).as_bytes());
        let mut shown = Vec::new();
        for field in fields {
            // One for what stands between them: a line can't have fields of nothing without end.
            let Some(left) = room.checked_sub(1) else { break };
            room = left;
            let name = clean(take(field.name(), &mut room).as_bytes());
            let text = take(field.as_str(), &mut room);
            // A number or a table that was cut is another one, or none.
            shown.push(match field.is_json() && text.len() == field.as_str().len() {
                true => LogField::json(name, visible_json(text)),
                false => LogField::text(name, clean(text.as_bytes())),
            });
        }
        if dropped > 0 {
            shown.push(LogField::number("dropped_lines", dropped));
        }
        Line { message, fields: shown }
    }
}

/// As much of `text` as there is room for.
fn take<'t>(text: &'t str, room: &mut usize) -> &'t str {
    let kept = text.get(..text.floor_char_boundary(*room)).unwrap_or_default();
    *room = room.saturating_sub(kept.len());
    kept
}

#[cfg(test)]
mod tests {
    use super::{Dropped, Line, Log, LogBudget, LogField, length::LOG_LINE as LINE};

    #[test]
    fn lines_beyond_the_limit_are_dropped_and_counted() {
        let mut log = Log::new(2);
        let (host, node) = (LogBudget::new(1_000), LogBudget::new(200));
        let mut admit = |now, bytes| log.admit(now, bytes, &[(&host, "host"), (&node, "node")]);
        assert_eq!(admit(0, 1), Ok(0));
        assert_eq!(admit(1, 1), Ok(0));
        assert_eq!(admit(2, 1), Err(Dropped { limit: "log_lines", is_first: true }));
        let more_than_half = admit(1_000_000_000, 101);
        assert_eq!(more_than_half, Err(Dropped { limit: "node", is_first: false }));
        assert_eq!(admit(1_000_000_000, 100), Ok(2));
    }

    #[test]
    fn a_line_has_an_end_whatever_a_guest_sends() {
        let line = Line::new(&"m".repeat(2 * LINE), &[LogField::text("key", "value")], 0);
        assert_eq!((line.message.len(), line.fields.len()), (LINE, 0));
        let line = Line::new("", &vec![LogField::text("", ""); 3 * LINE], 0);
        assert_eq!(line.fields.len(), LINE);
        let fields = [LogField::text("a", "v".repeat(2 * LINE)), LogField::text("b", "")];
        let line = Line::new("\x1b[m", &fields, 0);
        assert_eq!((&*line.message, line.fields.len()), ("\\x1b[m", 1));
    }

    #[test]
    fn a_number_that_was_cut_is_a_text() {
        let fields = [LogField::json("a", "1".repeat(LINE)), LogField::number("b", 7)];
        let line = Line::new(&"m".repeat(LINE - 10), &fields, 0);
        assert_eq!(line.fields, [LogField::text("a", "1".repeat(8))]);
        let fields = [LogField::json("a", "[\"\u{202e}\"]"), LogField::number("b", 7)];
        let line = Line::new("", &fields, 3);
        let told =
            [LogField::json("a", "[\"\\u202e\"]"), LogField::number("b", 7), LogField::number("dropped_lines", 3)];
        assert_eq!(line.fields, told);
    }
}
