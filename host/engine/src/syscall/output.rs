//! `output.print`, `output.dropped` and `output.log`: what a process shows to people, cleaned and counted.

use std::sync::{Arc, PoisonError, Weak};
use std::task::{Wake, Waker};

use crate::bindings::lunarium::process::output::{Host, Level as WitLevel};
use crate::log_budget::Verdict;
use crate::output::{Level, clean};
use crate::process::Process;
use crate::store::StoreData;

/// Bytes of one log line, its fields included. The rest is cut.
const LOG_LINE: usize = 8 << 10;

impl Host for StoreData {
    fn print(&mut self, line: Vec<u8>) -> bool {
        let output = self.node.output();
        let written = output.print(&self.incarnation.label, &clean(&line));
        if !written && self.process.begin_output_wait() {
            output.on_ready(Waker::from(Arc::new(Ready(Arc::downgrade(&self.process)))));
        }
        written
    }

    fn dropped(&mut self, lines: u32) {
        self.process.log.lock().unwrap_or_else(PoisonError::into_inner).dropped(lines);
    }

    fn log(&mut self, level: WitLevel, message: String, fields: Vec<(String, String)>) {
        let now = self.node.engine().clock().now();
        let verdict = self.process.log.lock().unwrap_or_else(PoisonError::into_inner).line(now);
        let Verdict::Write { dropped } = verdict else { return };
        let (message, mut shown) = fit(&message, &fields);
        if dropped > 0 {
            shown.push(("dropped_lines".into(), dropped.to_string()));
        }
        self.node.output().log(&self.incarnation.label, convert_level(level), &message, &shown);
    }
}

/// As much of a line as it may have, cleaned.
fn fit(message: &str, fields: &[(String, String)]) -> (String, Vec<(String, String)>) {
    let mut room = LOG_LINE;
    let message = take(message, &mut room);
    let mut shown = Vec::new();
    for (key, value) in fields {
        // One for what stands between them: a line can't have fields of nothing without end.
        let Some(left) = room.checked_sub(1) else { break };
        room = left;
        shown.push((take(key, &mut room), take(value, &mut room)));
    }
    (message, shown)
}

/// As much of `text` as there is room for, cleaned.
fn take(text: &str, room: &mut usize) -> String {
    let kept = text.get(..text.floor_char_boundary(*room)).unwrap_or_default();
    *room = room.saturating_sub(kept.len());
    clean(kept.as_bytes())
}

fn convert_level(level: WitLevel) -> Level {
    match level {
        WitLevel::Debug => Level::Debug,
        WitLevel::Info => Level::Info,
        WitLevel::Warn => Level::Warn,
        WitLevel::Error => Level::Error,
    }
}

/// Tells a process that waits for the output. A dead one is forgotten.
struct Ready(Weak<Process>);

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        if let Some(process) = self.0.upgrade() {
            process.output_ready();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LOG_LINE, fit};

    #[test]
    fn a_line_has_an_end_whatever_a_guest_sends() {
        let (message, fields) = fit(&"m".repeat(2 * LOG_LINE), &[("key".into(), "value".into())]);
        assert_eq!((message.len(), fields.len()), (LOG_LINE, 0));
        let (_, fields) = fit("", &vec![(String::new(), String::new()); 3 * LOG_LINE]);
        assert_eq!(fields.len(), LOG_LINE);
        let (message, fields) = fit("\x1b[m", &[("a".into(), "v".repeat(2 * LOG_LINE)), ("b".into(), String::new())]);
        assert_eq!((&*message, fields.len()), ("\\x1b[m", 1));
    }
}
