//! `--watch`: the command again when a file changes. Each step waits for a line, never for time to pass.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use expect_test::expect;
use tempfile::TempDir;

use crate::{Patience, folder, lunarium, run};

struct Watching {
    child: Child,
    out: BufReader<ChildStdout>,
    err: BufReader<ChildStderr>,
    _patience: Patience,
}

impl Watching {
    fn start(folder: &TempDir, arguments: &[&str]) -> Self {
        let mut command = lunarium(folder.path(), arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let patience = Patience::with(&child);
        Self { child, out: BufReader::new(out), err: BufReader::new(err), _patience: patience }
    }

    fn out(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line
    }

    /// The next line of the watcher itself.
    fn told(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.err.read_line(&mut line).unwrap() > 0, "it has ended");
            if line.starts_with("watch: ") || line.starts_with('{') {
                return line;
            }
        }
    }

    fn signal(&self, name: &str) {
        Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[test]
fn a_script_runs_again_when_its_file_changes() {
    let folder = folder(&[("main.lua", "print('one')"), ("notes.txt", "")]);
    let mut watching = Watching::start(&folder, &["run", "--watch", "main.lua"]);
    assert_eq!(watching.out(), "one\n");
    assert_eq!(watching.told(), "watch: ended with exit code 0; runs again when a file in `.` changes\n");
    // What isn't a source doesn't count.
    std::fs::write(folder.path().join("notes.txt"), "more").unwrap();
    // As editors do it: another file in its place.
    std::fs::write(folder.path().join(".main.lua.new"), "print('two') error('x', 0)").unwrap();
    std::fs::rename(folder.path().join(".main.lua.new"), folder.path().join("main.lua")).unwrap();
    assert!(watching.told().ends_with("main.lua` has changed\n"));
    assert_eq!(watching.out(), "two\n");
    assert_eq!(watching.told(), "watch: ended with exit code 1; runs again when a file in `.` changes\n");
    watching.signal("-TERM");
    assert_eq!(watching.child.wait().unwrap().code(), Some(143));
}

#[test]
fn what_still_runs_is_asked_to_end() {
    let script = |text: &str| format!("print('{text}') process.events():receive() print('asked')");
    let folder = folder(&[("main.lua", &script("one"))]);
    let mut watching = Watching::start(&folder, &["run", "--watch", "main.lua"]);
    assert_eq!(watching.out(), "one\n");
    std::fs::write(folder.path().join("main.lua"), script("two")).unwrap();
    assert_eq!(watching.out(), "asked\n");
    assert_eq!(watching.out(), "two\n");
    // And passes on what it is told itself.
    watching.signal("-TERM");
    assert_eq!(watching.out(), "asked\n");
    assert_eq!(watching.child.wait().unwrap().code(), Some(0));
}

#[test]
fn tests_and_checks_run_again_too() {
    let test =
        |wanted: u32| format!("local test = require('test') test.case('it', function() test.eq(1, {wanted}) end)");
    let folder = folder(&[("a_test.lua", &test(2)), ("main.lua", "local x = = 1")]);
    let mut watching = Watching::start(&folder, &["test", "--watch"]);
    assert!(watching.told().starts_with("watch: ended with exit code 2;"), "main.lua doesn't compile");
    std::fs::write(folder.path().join("main.lua"), "return {}").unwrap();
    assert!(watching.told().ends_with("main.lua` has changed\n"));
    assert!(watching.told().starts_with("watch: ended with exit code 1;"));
    std::fs::write(folder.path().join("a_test.lua"), test(1)).unwrap();
    assert!(watching.told().ends_with("a_test.lua` has changed\n"));
    assert!(watching.told().starts_with("watch: ended with exit code 0;"));
    drop(watching);
    let mut watching = Watching::start(&folder, &["check", "--watch", "main.lua"]);
    assert!(watching.told().starts_with("watch: ended with exit code 0;"));
    std::fs::write(folder.path().join("main.lua"), "local x = = 1").unwrap();
    assert!(watching.told().ends_with("main.lua` has changed\n"));
    assert!(watching.told().starts_with("watch: ended with exit code 2;"));
}

#[test]
fn what_cannot_be_watched_is_refused() {
    let folder = folder(&[]);
    expect![[r#"
        exit code: 2
        --- stderr
        error: there is no file or folder `nowhere`
    "#]]
    .assert_eq(&run(&folder, &["run", "--watch", "nowhere"]));
    expect![[r#"
        exit code: 2
        --- stderr
        error: `--watch` needs a file or a folder
    "#]]
    .assert_eq(&run(&folder, &["run", "--watch", "-"]));
    expect![[r#"
        exit code: 2
        --- stderr
        error: the argument '--watch' cannot be used with '--eval <CODE>'

        Usage: lunarium run --watch [PATH] [ARGUMENTS]...

        For more information, try '--help'.
    "#]]
    .assert_eq(&run(&folder, &["run", "--watch", "-e", "print(1)"]));
}
