//! What processes of a test print and log, kept for the test and for whoever reads why it failed.
//!
//! Owns the lines of one case, in the order in which they came, and their bound. Writes nothing anywhere.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use lunarium_engine::{Level, LogField, Output, ProcessLabel, Value};

/// Bytes that are kept of a case. At the limit: lines are dropped and counted.
const MOST: usize = 256 * 1024;

/// A line that was printed or logged.
pub struct Line {
    pub pid: String,
    pub text: String,
    /// Of a line of the log.
    pub log: Option<Logged>,
}

pub struct Logged {
    pub level: Level,
    pub fields: Vec<LogField>,
}

/// All of a case.
#[derive(Default)]
pub struct Capture {
    lines: Mutex<Lines>,
}

#[derive(Default)]
pub struct Lines {
    pub lines: Vec<Line>,
    bytes: usize,
    pub dropped: u64,
}

impl Capture {
    /// What was kept so far.
    pub fn lines(&self) -> MutexGuard<'_, Lines> {
        // The lines are whole after every statement.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: Line) {
        let mut lines = self.lines();
        let fields = line.log.iter().flat_map(|log| &log.fields).map(LogField::size);
        // A line takes some room besides.
        let size = fields.sum::<usize>() + line.text.len() + 64;
        if lines.bytes + size > MOST {
            lines.dropped += 1;
            return;
        }
        lines.bytes += size;
        lines.lines.push(line);
    }

    /// What this process (none: any) has printed.
    pub fn printed(&self, pid: Option<&str>) -> Value {
        let lines = self.lines();
        let of = lines.lines.iter().filter(|line| line.log.is_none() && pid.is_none_or(|pid| line.pid == pid));
        Value::Array(of.map(|line| Value::from(line.text.as_str())).collect())
    }

    /// What this process (none: any) has logged.
    pub fn logged(&self, pid: Option<&str>) -> Value {
        let lines = self.lines();
        let of = lines.lines.iter().filter(|line| pid.is_none_or(|pid| line.pid == pid));
        let logged = of.filter_map(|line| {
            let log = line.log.as_ref()?;
            let fields = log.fields.iter().map(|field| (Value::from(field.name()), field.value()));
            Some(Value::Map(vec![
                (Value::from("pid"), Value::from(line.pid.as_str())),
                (Value::from("level"), Value::from(log.level.as_str())),
                (Value::from("message"), Value::from(line.text.as_str())),
                (Value::from("fields"), Value::Map(fields.collect())),
            ]))
        });
        Value::Array(logged.collect())
    }
}

impl Output for Capture {
    fn print(&self, process: &ProcessLabel, line: &str) -> bool {
        self.push(Line { pid: process.pid.to_string(), text: line.to_owned(), log: None });
        true
    }

    fn on_ready(&self, waker: Waker) {
        waker.wake();
    }

    fn log(&self, process: &ProcessLabel, level: Level, message: &str, fields: &[LogField]) {
        let log = Some(Logged { level, fields: fields.to_vec() });
        self.push(Line { pid: process.pid.to_string(), text: message.to_owned(), log });
    }
}

#[cfg(test)]
mod tests {
    use lunarium_engine::Value;

    use super::{Capture, Line, MOST};

    #[test]
    fn what_is_too_much_is_dropped_and_counted() {
        let capture = Capture::default();
        let line = |text: String| Line { pid: "a".to_owned(), text, log: None };
        capture.push(line("x".repeat(MOST - 100)));
        capture.push(line("lost".repeat(10)));
        capture.push(line(String::new()));
        assert_eq!(capture.lines().dropped, 2);
        assert!(matches!(capture.printed(Some("a")), Value::Array(lines) if lines.len() == 1));
        assert!(matches!(capture.printed(Some("b")), Value::Array(lines) if lines.is_empty()));
    }
}
