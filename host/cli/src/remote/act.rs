//! `lunarium send`, `call` and `kill`: what is done to a process.

use lunarium_engine::{parse_duration, visible_json};
use serde_json::{Value, json};

use super::arguments::{Call, Kill, Send};
use super::http::process_path;
use super::show::{items, text};
use super::{Asking, Failed, print, print_json};
use crate::Refused;

/// A value as it is written: JSON, or a text as it stands.
fn value(written: &str, as_text: bool) -> Result<Value, Refused> {
    if as_text {
        return Ok(Value::from(written));
    }
    serde_json::from_str(written).map_err(|error| {
        let shown: String = written.chars().take(100).collect();
        let message = format!("`{shown}` is no JSON: {error}");
        Refused::usage(message, Some("a text is `'\"a text\"'`, or `--string` takes it as it stands".to_owned()))
    })
}

fn milliseconds(option: &str, written: &str) -> Result<u64, Refused> {
    let duration = parse_duration(written).map_err(|error| {
        Refused::usage(format!("`{option}`: {error}"), Some("it is written as `500ms`, `10s` or `1m30s`".to_owned()))
    })?;
    Ok(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

/// `lunarium send`
pub fn send(options: &Send) -> Result<(), Failed> {
    let written = options.value.as_deref().map(|written| value(written, options.string)).transpose()?;
    let body = json!({"topic": options.topic, "value": written});
    let path = process_path(&options.tenant, &options.process);
    let answer = Asking::new(&options.target)?.post(&(path + "/send"), Some(&body))?;
    if options.target.json { print_json(&answer) } else { Ok(()) }
}

/// `lunarium call`: a line of JSON for each result.
pub fn call(options: &Call) -> Result<(), Failed> {
    let arguments =
        options.arguments.iter().map(|written| value(written, options.string)).collect::<Result<Vec<_>, _>>()?;
    let timeout = milliseconds("--timeout", &options.timeout)?;
    let body = json!({"method": options.method, "arguments": arguments, "timeout_ms": timeout});
    let path = process_path(&options.tenant, &options.process);
    let answer = Asking::new(&options.target)?.post(&(path + "/call"), Some(&body))?;
    if options.target.json {
        return print_json(&answer);
    }
    items(&answer, "results").iter().try_for_each(|result| print(&visible_json(&result.to_string())))
}

/// `lunarium kill`
pub fn kill(options: &Kill) -> Result<(), Failed> {
    let (what, body) = match options.now {
        true => ("/terminate", None),
        false => ("/cancel", Some(json!({"deadline_ms": milliseconds("--within", &options.within)?}))),
    };
    let path = process_path(&options.tenant, &options.process);
    let answer = Asking::new(&options.target)?.post(&(path + what), body.as_ref())?;
    if options.target.json {
        return print_json(&answer);
    }
    let done = if options.now { "has ended" } else { "is asked to end" };
    print(&format!("{} {done}", crate::terminal::one_line(&text(&answer, "pid"))))
}
