//! `output.print`, `output.dropped` and `output.log`: what a process shows to people, cleaned and counted.

use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use crate::node::Caller;
use crate::process::{Level, LogField, Process, clean};
use crate::wasm::imports::output::{Host, Level as WitLevel};

impl Host for Caller {
    fn print(&mut self, line: Vec<u8>) -> wasmtime::Result<bool> {
        let who = self.living()?;
        let output = &self.node.output;
        let written = output.print(&who.incarnation.label, &clean(&line));
        if !written && who.process.begin_output_wait() {
            output.on_ready(Waker::from(Arc::new(Ready(Arc::downgrade(&who.process)))));
        }
        Ok(written)
    }

    fn dropped(&mut self, lines: u32) -> wasmtime::Result<()> {
        self.living()?.process.log.lock().dropped(lines);
        Ok(())
    }

    fn log(&mut self, level: WitLevel, message: String, fields: Vec<(String, String, bool)>) -> wasmtime::Result<()> {
        let who = self.living()?;
        let field =
            |(name, text, is_json)| if is_json { LogField::json(name, text) } else { LogField::text(name, text) };
        let fields: Vec<LogField> = fields.into_iter().map(field).collect();
        self.node.log(&who.process, &who.incarnation.label, convert_level(level), &message, &fields);
        Ok(())
    }
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
