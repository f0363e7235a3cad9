//! How a run ends: the exit code, and what is said about a failure.
//!
//! Owns the mapping from a process's end to the shell. Prints nothing itself.

use std::fmt::Write as _;

use lunarium_engine::{Failure, Outcome, Pid, Value};

use crate::terminal::visible;

/// Ended well.
pub const SUCCESS: u8 = 0;
/// The process ended abnormally or returned `false`; or the machine refused.
pub const FAILURE: u8 = 1;
/// The command line or the application is wrong.
pub const USAGE: u8 = 2;
/// Standard output went away: what a shell reports for a program that SIGPIPE ended.
pub const OUTPUT_CLOSED: u8 = 141;

/// An exit code with what standard error says.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The exit code.
    pub code: u8,
    /// What to say, without its last newline.
    pub message: Option<String>,
}

/// The verdict on a process that has ended.
pub fn of_process(entry: &str, pid: &Pid, outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::Failed(failure) => Verdict { code: FAILURE, message: Some(failed(entry, pid, failure)) },
        Outcome::Completed(result) => match Value::decode(result) {
            Ok(Value::Boolean(false)) => Verdict { code: FAILURE, message: None },
            Ok(Value::Integer(number)) => match u8::try_from(number) {
                Ok(code) => Verdict { code, message: None },
                Err(_) => {
                    let message = format!("error: {entry} {pid} returned {number}, which is no exit code (0 to 255)");
                    Verdict { code: FAILURE, message: Some(message) }
                }
            },
            // Any other result is a result, and no code.
            Ok(_) | Err(_) => Verdict { code: SUCCESS, message: None },
        },
    }
}

/// What is said about a failure: who, what, and where it was raised.
fn failed(entry: &str, pid: &Pid, failure: &Failure) -> String {
    let mut text = format!("error: {entry} {pid} failed: {}", visible(&failure.message));
    let kind = failure.kind.as_str();
    // Writing to a String can't fail.
    if !kind.is_empty() {
        let _ = write!(text, " ({kind})");
    }
    let stack = failure.stack.as_deref().unwrap_or_default().trim();
    // A header without a frame tells nothing.
    if stack.contains('\n') {
        let _ = write!(text, "\n{}", visible(stack));
    }
    text
}
