//! What stands beside the message of a log line.
//!
//! Owns that people and programs read the same: a value is what its text says.

use std::fmt;

use crate::value::Value;

/// A name with a value, beside the message of a log line.
///
/// `Debug` shows it as a pair; a text is quoted there, and what is none stands as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct LogField {
    name: String,
    text: String,
    /// The text says a number, a boolean or a table, in JSON. It may be a guest's word.
    is_json: bool,
}

impl LogField {
    /// A field with a text.
    pub fn text(name: impl Into<String>, text: impl Into<String>) -> LogField {
        LogField { name: name.into(), text: text.into(), is_json: false }
    }

    /// A field with a number.
    pub fn number(name: impl Into<String>, number: u64) -> LogField {
        LogField::json(name, number.to_string())
    }

    /// A field that is true or false.
    pub fn flag(name: impl Into<String>, value: bool) -> LogField {
        LogField::json(name, value.to_string())
    }

    /// A field whose text is JSON, or isn't: then it is a text.
    pub(crate) fn json(name: impl Into<String>, text: impl Into<String>) -> LogField {
        LogField { name: name.into(), text: text.into(), is_json: true }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// As people read it: a text as it is, a number as Lua prints it, a table as JSON.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// As programs read it: a number, a boolean or a table where it was one, else a string. A table that was too long for its line,
    /// and cut, is a string. Reads JSON anew with each call; it is nested 128 deep at most.
    pub fn value(&self) -> Value {
        let value = if self.is_json { serde_json::from_str(&self.text).ok() } else { None };
        value.unwrap_or_else(|| Value::from(self.text.as_str()))
    }

    /// Bytes of its name and its text.
    pub fn size(&self) -> usize {
        self.name.len().saturating_add(self.text.len())
    }

    pub(crate) fn is_json(&self) -> bool {
        self.is_json
    }
}

impl fmt::Debug for LogField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_json {
            true => write!(f, "({:?}, {})", self.name, self.text),
            false => write!(f, "({:?}, {:?})", self.name, self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LogField;
    use crate::value::Value;

    #[test]
    fn a_value_is_what_its_text_says() {
        let values = [
            (LogField::text("a", "7"), Value::from("7")),
            (LogField::number("a", 7), Value::Integer(7)),
            (LogField::flag("a", false), Value::Boolean(false)),
            (LogField::json("a", "2.50"), Value::Float(2.5)),
            (LogField::json("a", "1e+16"), Value::Float(1e16)),
            (
                LogField::json("a", r#"{"b":[1,null]}"#),
                Value::Map(vec![(Value::from("b"), Value::Array(vec![Value::Integer(1), Value::Nil]))]),
            ),
        ];
        for (field, value) in values {
            assert_eq!(field.value(), value, "{field:?}");
        }
    }

    #[test]
    fn what_is_no_json_is_a_text_whoever_says_that_it_is() {
        let deep = "[".repeat(4096) + &"]".repeat(4096);
        for text in ["", "nope", "[1,", "1 2", "inf", "NaN", "1e999", "18446744073709551615", "\"\\ud800\"", &deep] {
            assert_eq!(LogField::json("a", text).value(), Value::from(text));
        }
    }

    #[test]
    fn types_are_seen_where_a_field_is_printed_for_programmers() {
        let fields = [LogField::text("a", "7"), LogField::number("b", 7), LogField::json("c", "[1]")];
        assert_eq!(format!("{fields:?}"), r#"[("a", "7"), ("b", 7), ("c", [1])]"#);
    }
}
