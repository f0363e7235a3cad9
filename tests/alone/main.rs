//! Truths that need an operating-system process of their own: all of its address space, its memory, its limits.
//!
//! Each test runs this program once more for itself alone. Owns how; what is tried stands in the other files.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod density;
mod fault;
mod kv;
mod slot;

use std::env;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Set where a test is alone.
const ALONE: &str = "LUNARIUM_TESTS_ALONE";
/// A user who is nobody else: limits on processes don't hold for root.
const NOBODY: u32 = 61_234;

/// Runs `act` in a process of its own, in which nothing else runs. `name` is the test's.
fn alone(name: &str, act: impl FnOnce()) {
    if env::var_os(ALONE).is_some() {
        return act();
    }
    run(name, Command::new(env::current_exe().unwrap()));
}

/// The same as a user who may do nothing.
fn alone_as_nobody(name: &str, act: impl FnOnce()) {
    if env::var_os(ALONE).is_some() {
        return act();
    }
    let program = env::current_exe().unwrap();
    let mut again = Command::new(&program);
    again.uid(NOBODY).gid(NOBODY);
    if !Command::new(&program)
        .arg("--list")
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .is_ok_and(|output| output.status.success())
    {
        return println!("{name}: not tried, as this program can't become somebody else");
    }
    run(name, again);
}

/// The same in mounts of its own, once a shell has done something to `folder`, which it finds as `$FOLDER`.
fn alone_in(name: &str, folder: &Path, prepare: &str, act: impl FnOnce(&Path)) {
    if let Some(folder) = env::var_os(ALONE) {
        return act(Path::new(&folder));
    }
    let within = |act: &str| {
        let mut shell = Command::new("unshare");
        shell.args(["--mount", "sh", "-c", &format!("{prepare} && {act}"), "sh"]).env("FOLDER", folder);
        shell
    };
    if !within("true").output().is_ok_and(|output| output.status.success()) {
        return println!("{name}: not tried, as this program can't mount anything");
    }
    let mut again = within("exec \"$@\"");
    again.arg(env::current_exe().unwrap()).env(ALONE, folder);
    run(name, again);
}

fn run(name: &str, mut again: Command) {
    again.args([name, "--exact", "--nocapture", "--test-threads=1"]);
    if again.get_envs().all(|(variable, _)| variable != ALONE) {
        again.env(ALONE, "");
    }
    let output = again.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    println!("{text}");
    assert!(output.status.success() && text.contains("1 passed"), "{:?}", output.status);
}
