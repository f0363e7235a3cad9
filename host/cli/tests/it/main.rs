//! The command as its users meet it: the real binary, the real guest, exit codes and both streams.
//!
//! Owns how a test runs the command. No test waits for time to pass: it waits for a line, an end or a signal's effect.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "what can't be tried here is told")]

mod check;
mod clock;
mod crowd;
mod documentation;
mod endpoints;
mod examples;
mod exit;
mod failure;
mod fault;
mod full_disk;
mod grants;
mod hosted;
mod http;
mod killed;
mod kv;
mod links;
mod manual;
mod new;
mod output;
mod place;
mod remote;
mod repl;
mod script;
mod security;
mod serve;
mod services;
mod signals;
mod starts;
mod testing;
mod usage;
mod wall;
mod watch;

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use tempfile::TempDir;

/// The command with these arguments, in a folder of its own.
fn lunarium(folder: &Path, arguments: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lunarium"));
    command.args(arguments).current_dir(folder).env_remove("NO_COLOR").stdin(Stdio::null());
    // Hosts of several tests would meet at the default socket.
    command.env("LUNARIUM_ADMIN", "none");
    command
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    dir
}

/// An application with these entries in its folder `app`.
fn app(entries: &str) -> TempDir {
    let index = format!("version: \"1.0\"\nnamespace: app\nentries:\n{entries}");
    folder(&[("app/_index.yaml", &index)])
}

/// Log lines without their times: `2026-11-21T04:37:16.123Z INFO …` becomes `<time> INFO …`.
fn without_times(mut output: Output) -> Output {
    let text = String::from_utf8(output.stderr).unwrap();
    let mut shown = String::new();
    for line in text.split_inclusive('\n') {
        match line.split_once(' ') {
            Some((time, rest)) if time.parse::<jiff::Timestamp>().is_ok() => shown.push_str(&format!("<time> {rest}")),
            _ => shown.push_str(line),
        }
    }
    output.stderr = shown.into_bytes();
    output
}

/// Exit code and both streams, as one text for a snapshot.
fn transcript(output: &Output) -> String {
    let code = output.status.code().map_or_else(|| "none".to_owned(), |code| code.to_string());
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let mut text = format!("exit code: {code}\n");
    for (name, stream) in [("stdout", stdout), ("stderr", stderr)] {
        if !stream.is_empty() {
            text.push_str(&format!("--- {name}\n{stream}"));
        }
    }
    text
}

/// Runs the command to its end.
fn run(folder: &TempDir, arguments: &[&str]) -> String {
    transcript(&lunarium(folder.path(), arguments).output().unwrap())
}

/// Runs a single file with this text.
fn run_file(text: &str, arguments: &[&str]) -> String {
    let folder = folder(&[("file.lua", text)]);
    let mut all = vec!["run", "file.lua"];
    all.extend(arguments);
    run(&folder, &all)
}

/// A command that is under way, its standard output read line by line.
struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Running {
    fn start(folder: &TempDir, arguments: &[&str]) -> Self {
        Self::of(lunarium(folder.path(), arguments))
    }

    fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The next line; empty at the end.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Reads standard error up to the line that holds a text.
    fn wait_for_error(&mut self, text: &str) {
        self.wait_for_any(&[text]);
    }

    /// The same for one of several.
    fn wait_for_any(&mut self, texts: &[&str]) {
        let errors = self.child.stderr.as_mut().unwrap();
        let mut line = Vec::new();
        let mut byte = [0];
        // A byte at a time: what follows the line is for `finish`.
        while errors.read(&mut byte).unwrap() == 1 {
            if byte[0] != b'\n' {
                line.push(byte[0]);
            } else if texts.iter().any(|text| String::from_utf8_lossy(&line).contains(text)) {
                return;
            } else {
                line.clear();
            }
        }
        panic!("standard error ended without {texts:?}");
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for the end: exit code and what is left of both streams.
    fn finish(mut self) -> String {
        let mut rest = Vec::new();
        self.lines.read_to_end(&mut rest).unwrap();
        let mut output = self.child.wait_with_output().unwrap();
        output.stdout = rest;
        transcript(&without_times(output))
    }
}
