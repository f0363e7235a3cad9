//! The details of a failure as text.
//!
//! Owns how much of them is shown, as Lua would write it.

use std::fmt::Write as _;

use lunarium_engine::{Failure, Value};

use super::cause::Cause;

/// Bytes of a failure's details that are shown. They are for programs; people see how they begin.
const SHOWN_DETAILS: usize = 400;

/// What else the error says; the message tells a cause already.
pub(super) fn details(failure: &Failure) -> Option<String> {
    let value = Value::decode(failure.details.as_ref()?).ok()?;
    if Cause::of(failure).is_some() && matches!(&value, Value::Map(pairs) if pairs.len() == 1) {
        return None;
    }
    // Of an object that says all by its text.
    if matches!(&value, Value::Array(items) if items.is_empty()) {
        return None;
    }
    let mut text = String::from("details: ");
    write_value(&mut text, &value);
    if text.len() > SHOWN_DETAILS {
        text.truncate(text.floor_char_boundary(SHOWN_DETAILS));
        text.push('…');
    }
    Some(text)
}

fn write_value(text: &mut String, value: &Value) {
    // More wouldn't be shown.
    if text.len() > SHOWN_DETAILS {
        return;
    }
    // Writing to a String can't fail.
    let _ = match value {
        Value::Nil => write!(text, "nil"),
        Value::Boolean(value) => write!(text, "{value}"),
        Value::Integer(value) => write!(text, "{value}"),
        Value::Float(value) => write!(text, "{value:?}"),
        Value::String(bytes) => write!(text, "{:?}", String::from_utf8_lossy(bytes)),
        Value::Extension(..) => write!(text, "…"),
        Value::Array(items) => {
            text.push('{');
            for (number, item) in items.iter().enumerate() {
                text.push_str(if number == 0 { "" } else { ", " });
                write_value(text, item);
            }
            write!(text, "}}")
        }
        Value::Map(pairs) => {
            let mut fields: Vec<String> = pairs.iter().map(|(key, item)| field(key, item)).collect();
            // Lua's own order is another in every process.
            fields.sort();
            write!(text, "{{{}}}", fields.join(", "))
        }
    };
}

fn field(key: &Value, item: &Value) -> String {
    let mut text = match key.as_str() {
        Some(key) => key.to_owned(),
        None => {
            let mut text = "[".to_owned();
            write_value(&mut text, key);
            text.push(']');
            text
        }
    };
    text.push_str(" = ");
    write_value(&mut text, item);
    text
}
