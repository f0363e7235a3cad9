//! The command as its users meet it: the real binary, the real guest, exit codes and both streams.
//!
//! Owns how a test runs the command. No test waits for time to pass: it waits for a line, an end or a signal's effect.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "what can't be tried here is told")]

mod asked;
mod changing;
mod check;
mod clock;
mod connecting;
mod crowd;
mod documentation;
mod endpoints;
mod examples;
mod exit;
mod failure;
mod fault;
mod fmt;
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
use std::io::{BufRead, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

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

/// Runs a command to its end, with this on its standard input.
fn fed(mut command: Command, input: &[u8]) -> Output {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // Whoever has ended doesn't read it all.
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// The command under a limit that a shell sets: `-n 128`.
fn limited(folder: &TempDir, limit: &str, arguments: &[&str]) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit {limit}; exec \"$@\""), "sh", env!("CARGO_BIN_EXE_lunarium")]);
    shell.args(arguments).current_dir(folder.path());
    shell
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
    _patience: Patience,
}

/// Kills a command that a test waits for in vain: the test fails, with what it has seen, instead of never ending.
struct Patience {
    pid: String,
    /// Dropped with it, which ends the wait.
    _ended: Sender<()>,
}

/// A test that fails leaves nothing running.
impl Drop for Patience {
    fn drop(&mut self) {
        if thread::panicking() {
            kill(&self.pid);
        }
    }
}

fn kill(pid: &str) {
    drop(Command::new("kill").args(["-s", "KILL", pid]).status());
}

impl Patience {
    /// Many times what the slowest test takes on a busy machine.
    const LIMIT: Duration = Duration::from_mins(5);

    fn with(child: &Child) -> Self {
        let (ended, waiting) = mpsc::channel();
        let pid = child.id().to_string();
        let waited = pid.clone();
        thread::spawn(move || {
            if waiting.recv_timeout(Self::LIMIT) == Err(RecvTimeoutError::Timeout) {
                kill(&waited);
            }
        });
        Self { pid, _ended: ended }
    }
}

/// The second process of a host while it stands still: when this goes, it goes on, also after a failure, as it would never end otherwise.
struct Stopped(String);

impl Stopped {
    fn opener_of(running: &Running) -> Self {
        let stopped = Self(running.child.id().to_string());
        assert!(stopped.signal("-STOP"));
        stopped
    }

    fn signal(&self, name: &str) -> bool {
        Command::new("pkill").args([name, "-P", &self.0]).status().unwrap().success()
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.signal("-CONT");
    }
}

impl Running {
    fn start(folder: &TempDir, arguments: &[&str]) -> Self {
        Self::of(lunarium(folder.path(), arguments))
    }

    fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let patience = Patience::with(&child);
        Self { child, lines, _patience: patience }
    }

    /// The next line; empty at the end.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Reads standard error up to the line that holds a text.
    fn wait_for_error(&mut self, text: &str) -> String {
        self.wait_for_any(&[text])
    }

    /// The same for one of several.
    fn wait_for_any(&mut self, texts: &[&str]) -> String {
        self.wait_until(|told| texts.iter().any(|text| told.contains(text)), texts)
    }

    /// The same until each of them was told, in any order.
    fn wait_for_all(&mut self, texts: &[&str]) {
        let mut missing = texts.to_vec();
        let all = |told: &str| {
            missing.retain(|text| !told.contains(text));
            missing.is_empty()
        };
        self.wait_until(all, texts);
    }

    fn wait_until(&mut self, mut is_last: impl FnMut(&str) -> bool, wanted: &[&str]) -> String {
        let errors = self.child.stderr.as_mut().unwrap();
        let mut seen = String::new();
        let mut line = Vec::new();
        let mut byte = [0];
        // A byte at a time: what follows the line is for `finish`.
        while errors.read(&mut byte).unwrap() == 1 {
            if byte[0] != b'\n' {
                line.push(byte[0]);
                continue;
            }
            let told = String::from_utf8_lossy(&line);
            if is_last(&told) {
                return told.into_owned();
            }
            seen.push_str(&format!("{told}\n"));
            line.clear();
        }
        let from = seen.ceil_char_boundary(seen.len().saturating_sub(8192));
        panic!("standard error ended without {wanted:?}, after:\n{}", &seen[from..]);
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for the end: exit code and what is left of both streams, which are read at once.
    fn finish(mut self) -> String {
        let read = self.lines.buffer().to_vec();
        self.child.stdout = Some(self.lines.into_inner());
        let mut output = self.child.wait_with_output().unwrap();
        output.stdout.splice(0..0, read);
        transcript(&without_times(output))
    }

    /// Asks it to end, which it does without a failure: the same.
    fn stop(self) -> String {
        self.signal("TERM");
        let told = self.finish();
        assert!(told.starts_with("exit code: 0\n"), "{told}");
        told
    }
}
