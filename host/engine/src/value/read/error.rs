//! Why a payload isn't of the type that is wanted. Owns the words.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

/// Why a value isn't of the type that is wanted: where in it, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// Innermost step first.
    path: Vec<String>,
    what: String,
}

impl ReadError {
    pub(in super::super) fn new(what: impl Into<String>) -> ReadError {
        ReadError { path: Vec::new(), what: what.into() }
    }

    pub(super) fn under(mut self, step: impl FnOnce() -> String) -> ReadError {
        self.path.push(step());
        self
    }

    /// What was wanted isn't there at all.
    pub(crate) fn of_missing(self) -> ReadError {
        let what = self.what.strip_suffix("got nil").map(|start| format!("{start}got no value"));
        ReadError { what: what.unwrap_or(self.what), ..self }
    }

    /// A function has returned so many values where one was wanted.
    pub(in super::super) fn of_several(self, count: usize) -> ReadError {
        match self.what.strip_suffix("got table") {
            Some(start) if self.path.is_empty() => ReadError::new(format!("{start}got {count} values")),
            _ => self,
        }
    }

    pub(crate) fn mismatch(expected: &str, got: &str) -> ReadError {
        ReadError::new(format!("{expected} expected, got {got}"))
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path: String = self.path.iter().rev().map(String::as_str).collect();
        match path.strip_prefix('.').unwrap_or(&path) {
            "" => f.write_str(&self.what),
            path => write!(f, "{path}: {}", self.what),
        }
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> ReadError {
        ReadError::new(message.to_string())
    }

    fn invalid_type(got: Unexpected<'_>, expected: &dyn Expected) -> ReadError {
        ReadError::mismatch(&wanted(expected), found(&got))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> ReadError {
        ReadError::new(format!("{expected} expected, got a list of {length}"))
    }

    fn invalid_value(got: Unexpected<'_>, expected: &dyn Expected) -> ReadError {
        match got {
            Unexpected::Signed(number) => ReadError::new(format!("{number} is out of the range of {expected}")),
            Unexpected::Unsigned(number) => ReadError::new(format!("{number} is out of the range of {expected}")),
            got => ReadError::new(format!("{} expected, got {got}", wanted(expected))),
        }
    }
}

/// Lua's word for what a Rust type is made of.
fn wanted(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    let word = match text.as_str() {
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => "integer",
        "f32" | "f64" => "number",
        "a string" | "a borrowed string" => "string",
        "a boolean" => "boolean",
        "a sequence" => "list",
        "a map" => "table",
        "unit" => "nil",
        "struct SystemTime" => "time",
        "struct Duration" => "duration",
        other if other.starts_with("struct ") => "table",
        other if other.starts_with("a tuple ") => "list",
        other => other,
    };
    word.to_owned()
}

fn found(got: &Unexpected<'_>) -> &'static str {
    match got {
        Unexpected::Bool(_) => "boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "number",
        Unexpected::Char(_) | Unexpected::Str(_) | Unexpected::Bytes(_) => "string",
        Unexpected::Unit | Unexpected::Option => "nil",
        Unexpected::NewtypeStruct => "time, duration or error",
        _ => "table",
    }
}
