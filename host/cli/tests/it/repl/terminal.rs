//! `lunarium repl` at a terminal, which `script` (of util-linux) makes.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tempfile::TempDir;

use crate::folder;

/// Somebody at a terminal.
struct Person {
    child: Child,
    keys: ChildStdin,
    screen: ChildStdout,
    /// What was seen since the last look.
    seen: String,
}

impl Person {
    /// None: there is nothing that makes a terminal.
    fn at(folder: &TempDir, variables: &[(&str, &str)]) -> Option<Self> {
        // What it doesn't see in time it waits for in vain.
        let mut command = Command::new("timeout");
        command.args([
            "--foreground",
            "40",
            "script",
            "-qec",
            &format!("exec {} repl", env!("CARGO_BIN_EXE_lunarium")),
            "/dev/null",
        ]);
        command
            .current_dir(folder.path())
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh")
            .env("LUNARIUM_HISTORY", "history");
        command.envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        if Command::new("script").arg("--version").stdout(Stdio::null()).status().is_err() {
            println!("SKIPPED: there is no `script`");
            return None;
        }
        let mut child = command.spawn().unwrap();
        let (keys, screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Some(Self { child, keys, screen, seen: String::new() })
    }

    fn presses(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until this is to be seen, behind what was seen before.
    fn sees(&mut self, text: &str) {
        let mut bytes = [0; 4096];
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            let count = self.screen.read(&mut bytes).unwrap_or_default();
            assert_ne!(count, 0, "the end came before {text:?}: {:?}", self.seen);
            self.seen += &String::from_utf8_lossy(&bytes[..count]);
        }
    }

    /// Waits for the prompt, with nothing behind it.
    fn is_asked(&mut self) {
        self.sees("> \r\u{1b}[2C");
    }

    fn code(mut self) -> Option<i32> {
        let mut rest = Vec::new();
        let _ = self.screen.read_to_end(&mut rest);
        self.child.wait().unwrap().code()
    }
}

#[test]
fn a_person_edits_interrupts_and_goes_on() {
    let folder = folder(&[]);
    let Some(mut person) = Person::at(&folder, &[]) else { return };
    person.sees("Ctrl+D or `exit` ends\r\n");
    person.sees("> ");
    // Two lines, then a completion, then what is dropped.
    person.presses("1 +\r");
    person.sees("1 +\r\n");
    person.presses("41\r");
    person.sees("\r\n42\r\n");
    person.presses("proc\t");
    person.sees("process");
    person.presses(".registry.lo\t('x')\r");
    person.sees("process.registry.lookup");
    person.sees("nil\t");
    person.is_asked();
    person.presses("dropped\u{3}");
    person.sees("dropped");
    person.presses("'not ' .. 'that'\r");
    person.sees("\r\n\"not that\"\r\n");
    // What comes while one types stands above it.
    person.presses("coroutine.spawn(function() process.listen('go'):receive() print('abo' .. 've') end)\r");
    person.presses(
        "time.sleep('1ms') coroutine.spawn(function() time.sleep('20ms') process.send(process.pid(), 'go') end)\r",
    );
    person.sees("above\r\n> ");
    // Ctrl+C ends what waits, and not the prompt; and what computes, with its process.
    person.presses("x = 5 print('wai' .. 'ts') time.sleep('1h')\r");
    person.sees("\r\nwaits\r\n");
    person.presses("\u{3}");
    person.sees("interrupted\r\n");
    person.presses("x\r");
    person.sees("\r\n5\r\n");
    person.presses("print('compu' .. 'tes') while true do end\r");
    person.sees("\r\ncomputes\r\n");
    person.presses("\u{3}");
    person.sees("its globals are lost: what comes next runs in a new process\r\n");
    person.presses("'still ' .. 'here'\r");
    person.sees("\"still here\"");
    person.is_asked();
    person.presses("\u{4}");
    assert_eq!(person.code(), Some(0));
    let history = std::fs::read_to_string(folder.path().join("history")).unwrap();
    let lines: Vec<_> = history.lines().collect();
    assert_eq!((lines[0], lines[lines.len() - 1]), ("1 +\\n41", "'still ' .. 'here'"));
    assert!(!history.contains("dropped"), "{history}");
}

#[test]
fn names_come_with_what_they_take() {
    let folder = folder(&[]);
    let Some(mut person) = Person::at(&folder, &[]) else { return };
    person.sees("> ");
    // The first key completes as far as there is one way, the second shows the ways.
    person.presses("process.spa\t\t");
    person.sees("spawn(id, host, ...)");
    person.sees("spawn_linked_monitored(id, host, ...)");
    person.presses("_mon\t(");
    person.sees("process.spawn_monitored(");
    person.sees("\u{1b}[2mid, host, ...)\u{1b}[0m");
    person.presses("'a:b', ");
    person.sees("\u{1b}[2mhost, ...)\u{1b}[0m");
    // What is shown isn't typed.
    person.presses("'x')\r");
    person.sees("nil\t");
    // What has no names to be seen at run time, too.
    person.presses("process.send(process.pid(), 't', 7) m = process.inbox():receive() ch = channel.new() wrong = 1\r");
    person.is_asked();
    person.presses("m:pay\t() + 1\r");
    person.sees("m:payload");
    person.sees("\r\n8\r\n");
    person.presses("ch:send(");
    person.sees("\u{1b}[2mvalue)\u{1b}[0m");
    person.presses("\u{3}");
    person.is_asked();
    // What is no channel has none.
    person.presses("wrong:send(1)\r");
    person.sees("attempt to index a number value (global 'wrong')");
    person.presses("exit\r");
    assert_eq!(person.code(), Some(0));
    let folder = self::folder(&[]);
    let Some(mut person) = Person::at(&folder, &[("NO_COLOR", "1")]) else { return };
    person.sees("> ");
    person.presses("process.exec(1)\r");
    person.sees("process.exec(1)");
    person.is_asked();
    person.presses("\u{4}");
    assert_eq!(person.code(), Some(0));
}

#[test]
fn what_was_typed_before_is_there_again() {
    let folder = folder(&[("history", "'from ' .. 'before'\n")]);
    let Some(mut person) = Person::at(&folder, &[]) else { return };
    person.sees("> ");
    person.presses("\u{1b}[A\r");
    person.sees("\"from before\"");
    person.presses("exit\r");
    assert_eq!(person.code(), Some(0));
    let Some(mut person) = Person::at(&folder, &[("LUNARIUM_HISTORY", "/dev/null")]) else { return };
    person.sees("warning: what is typed is not kept: `/dev/null`: is not a file\r\n");
    person.sees("> ");
    person.presses("\u{4}");
    assert_eq!(person.code(), Some(0));
}

#[test]
fn a_terminal_that_only_prints_is_typed_at_line_by_line() {
    let folder = folder(&[]);
    let Some(mut person) = Person::at(&folder, &[("TERM", "dumb")]) else { return };
    person.presses("40 + 2\n");
    person.sees("42\r\n");
    person.presses("exit\n");
    assert_eq!(person.code(), Some(0));
}
