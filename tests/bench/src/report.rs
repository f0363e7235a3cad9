//! The table for people and the JSON for machines.

use std::time::Duration;

use serde_json::{Map, Value, json};

#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<(String, String, String)>,
    json: Map<String, Value>,
}

impl Report {
    /// A time.
    pub(crate) fn time(&mut self, name: &str, time: Duration) {
        self.row(name, show(time), String::new());
        self.json.insert(name.into(), json!({ "seconds": time.as_secs_f64() }));
    }

    /// A time beside the native time of the same run.
    pub(crate) fn ratio(&mut self, name: &str, time: Duration, native: Duration) {
        self.beside(name, time, "native", native);
    }

    /// A time beside another of the same run.
    pub(crate) fn beside(&mut self, name: &str, time: Duration, what: &str, other: Duration) {
        let ratio = time.as_secs_f64() / other.as_secs_f64();
        self.row(name, show(time), format!("{ratio:.2} x {what} ({})", show(other)));
        let figure = json!({ "seconds": time.as_secs_f64(), "beside": what, "beside_seconds": other.as_secs_f64(), "ratio": ratio });
        self.json.insert(name.into(), figure);
    }

    /// Delays in milliseconds.
    pub(crate) fn delays(&mut self, name: &str, median: f64, p99: f64, worst: f64) {
        let show = |delay: f64| format!("{delay:.1} ms");
        self.row(name, show(median), format!("p99 {}, worst {}", show(p99), show(worst)));
        self.json.insert(name.into(), json!({ "seconds": median / 1e3, "p99": p99 / 1e3, "worst": worst / 1e3 }));
    }

    /// Requests in a second, with the median of their times and that which a hundredth exceeds.
    pub(crate) fn requests(&mut self, name: &str, rate: f64, median: Duration, p99: Duration) {
        self.row(name, format!("{rate:.0}/s"), format!("p50 {}, p99 {}", show(median), show(p99)));
        self.json
            .insert(name.into(), json!({ "rate": rate, "seconds": median.as_secs_f64(), "p99": p99.as_secs_f64() }));
    }

    /// Any other figure.
    pub(crate) fn number(&mut self, name: &str, value: f64, unit: &str) {
        self.row(name, format!("{value:.2}"), unit.into());
        self.json.insert(name.into(), json!({ "value": value, "unit": unit }));
    }

    fn row(&mut self, name: &str, value: String, note: String) {
        eprintln!("{name:<44} {value:>12}  {note}");
        self.rows.push((name.into(), value, note));
    }

    /// The table.
    pub(crate) fn table(&self) -> String {
        let mut table = String::from("| what | figure | beside |\n|---|---|---|\n");
        for (name, value, note) in &self.rows {
            table.push_str(&format!("| {name} | {value} | {note} |\n"));
        }
        table
    }

    /// The JSON.
    pub(crate) fn json(&self) -> String {
        Value::Object(self.json.clone()).to_string()
    }
}

/// A time as people read it.
pub(crate) fn show(time: Duration) -> String {
    let nanos = time.as_secs_f64() * 1e9;
    match nanos {
        n if n < 1e4 => format!("{:.2} µs", n / 1e3),
        n if n < 1e6 => format!("{:.1} µs", n / 1e3),
        n => format!("{:.1} ms", n / 1e6),
    }
}
