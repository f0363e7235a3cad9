//! Where a tenant's processes print and log.
//!
//! Owns that nobody waits for who reads. What becomes of a line outside is the surroundings'.

use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use lunarium_engine::{Level, LogField, Output, ProcessLabel};
use parking_lot::Mutex;

use super::Surroundings;
use super::logs::{LogLine, Logs, PrintBudget};

/// Bytes that a tenant may print in a second where nothing else is said. The number: far more than anybody reads.
const PRINT_BYTES: u64 = 1 << 20;

pub(super) struct TenantOutput {
    tenant: String,
    pub(super) logs: Logs,
    print: Mutex<PrintBudget>,
    surroundings: Arc<dyn Surroundings>,
}

impl TenantOutput {
    pub(super) fn new(tenant: &str, bytes: Option<u64>, surroundings: &Arc<dyn Surroundings>) -> Self {
        Self {
            tenant: tenant.to_owned(),
            logs: Logs::default(),
            print: Mutex::new(PrintBudget::new(bytes.unwrap_or(PRINT_BYTES))),
            surroundings: Arc::clone(surroundings),
        }
    }

    /// A line of the host about this tenant.
    pub(super) fn note(&self, level: Level, message: &str, fields: Vec<LogField>) {
        self.push(LogLine { fields, ..LogLine::new(None, level, message) });
    }

    pub(super) fn set_bytes(&self, bytes: Option<u64>) {
        self.print.lock().set(bytes.unwrap_or(PRINT_BYTES));
    }

    fn push(&self, line: LogLine) {
        let line = self.logs.push(line);
        self.surroundings.line(&self.tenant, &line);
    }
}

impl Output for TenantOutput {
    /// What is beyond the budget is lost.
    fn print(&self, process: &ProcessLabel, line: &str) -> bool {
        let Some(dropped) = self.print.lock().admit(line.len(), Instant::now()) else { return true };
        let mut line = LogLine { printed: true, ..LogLine::new(Some(process), Level::Info, line) };
        if dropped > 0 {
            line.fields.push(LogField::number("dropped_lines", dropped));
        }
        self.push(line);
        true
    }

    fn on_ready(&self, waker: Waker) {
        waker.wake();
    }

    fn log(&self, process: &ProcessLabel, level: Level, message: &str, fields: &[LogField]) {
        self.push(LogLine { fields: fields.to_vec(), ..LogLine::new(Some(process), level, message) });
    }
}
