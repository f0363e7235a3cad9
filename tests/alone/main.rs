//! Truths that need an operating-system process of their own: all of its address space, its memory, its limits.
//!
//! Each test runs this program once more for itself alone. Owns how; what is tried stands in the other files.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod density;
mod fault;
mod slot;

use std::env;
use std::process::Command;

/// Set where a test is alone.
const ALONE: &str = "LUNARIUM_TESTS_ALONE";

/// Runs `act` in a process of its own, in which nothing else runs. `name` is the test's.
fn alone(name: &str, act: impl FnOnce()) {
    if env::var_os(ALONE).is_some() {
        return act();
    }
    let mut again = Command::new(env::current_exe().unwrap());
    again.args([name, "--exact", "--nocapture", "--test-threads=1"]).env(ALONE, "");
    let output = again.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    println!("{text}");
    assert!(output.status.success() && text.contains("1 passed"), "{:?}", output.status);
}
