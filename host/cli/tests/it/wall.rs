//! The wall around the command: it is there before the second thread is, and what is granted works behind it.
//!
//! What it refuses is tried from Rust in `host/confine/tests/wall.rs`.

use std::collections::BTreeSet;
use std::fs;

use crate::{Running, folder, lunarium, run_file, transcript, without_times};

const WAITING: &str = "return function() print('up') process.events():receive() end";

/// Of a status file, the lines that the wall changes: `NoNewPrivs`, `Seccomp`.
fn wall(status: &str) -> Vec<String> {
    let lines = status.lines().filter(|line| line.starts_with("NoNewPrivs:") || line.starts_with("Seccomp:"));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// What holds for each thread of a run, and for how many; of the whole process the limit of a core.
fn of_threads(options: &[&str]) -> (BTreeSet<Vec<String>>, usize, String) {
    let folder = folder(&[("file.lua", WAITING)]);
    let mut running = Running::start(&folder, &[&["run"], options, &["file.lua"]].concat());
    assert_eq!(running.line(), "up");
    let process = format!("/proc/{}", running.child.id());
    let threads: Vec<_> = fs::read_dir(format!("{process}/task")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let walls = threads.iter().map(|thread| wall(&fs::read_to_string(thread.join("status")).unwrap())).collect();
    let limits = fs::read_to_string(format!("{process}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let core = core.split_whitespace().collect::<Vec<_>>().join(" ");
    running.signal("TERM");
    running.finish();
    (walls, threads.len(), core)
}

/// Whether this kernel has seccomp: then it tells of each process whether it uses it.
fn has_seccomp() -> bool {
    fs::read_to_string("/proc/self/status").unwrap().contains("\nSeccomp:")
}

#[test]
fn every_thread_of_a_run_is_behind_the_wall() {
    let (walls, threads, core) = of_threads(&[]);
    let expected = if has_seccomp() { vec!["NoNewPrivs: 1", "Seccomp: 2"] } else { vec!["NoNewPrivs: 1"] };
    assert_eq!(Vec::from_iter(walls), [expected]);
    assert!(threads > 3, "{threads}");
    assert!(["Max core file size 1 1 bytes", "Max core file size 0 0 bytes"].contains(&&*core), "{core}");
}

#[test]
fn without_the_wall_a_run_keeps_what_it_was_given() {
    let (walls, _, _) = of_threads(&["--no-confine"]);
    assert_eq!(Vec::from_iter(walls), [wall(&fs::read_to_string("/proc/self/status").unwrap())]);
}

#[test]
fn one_debug_line_tells_what_holds() {
    let told = |options: &[&str]| {
        let folder = folder(&[("file.lua", "return function() end")]);
        let output = lunarium(folder.path(), &[&["run"], options, &["file.lua"]].concat()).output().unwrap();
        let told = String::from_utf8(without_times(output).stderr).unwrap();
        // Without the lines of the process.
        told.lines().filter(|line| !line.contains("app:main#")).map(|line| format!("{line}\n")).collect::<String>()
    };
    assert_eq!(told(&[]), "");
    let line = told(&["--log-level", "debug"]);
    let parts = line.strip_prefix("<time> DEBUG confined no_new_privs=yes landlock=").unwrap();
    let (landlock, rest) = parts.split_once(" seccomp=").unwrap();
    assert!(landlock == "yes" || landlock.starts_with("\"in part: ") || landlock.starts_with("\"no: "), "{landlock}");
    let (seccomp, rest) = rest.split_once(" limits=").unwrap();
    assert_eq!(seccomp == "yes", has_seccomp(), "{seccomp}");
    assert_eq!(rest, "yes sockets=none\n");
    let line = told(&["--log-level", "debug", "--no-confine"]);
    assert_eq!(line, "<time> DEBUG not confined: `--no-confine`\n");
}

#[test]
fn every_file_operation_works_behind_the_wall() {
    let text = r#"return function()
        local function done(value, err) assert(value ~= nil and value ~= false, tostring(err)) return value end
        done(fs.mkdir("data/one"))
        done(fs.mkdir("data/two"))
        done(fs.write("data/one/a", "longer"))
        done(fs.write("data/one/a", "text"))
        done(fs.append("data/one/a", " more"))
        done(fs.rename("data/one/a", "data/two/b"))
        print(done(fs.read("data/two/b")), done(fs.stat("data/two/b")).size, #done(fs.list("data")))
        done(fs.remove("data/two/b"))
        done(fs.remove("data/two"))
        print(done(fs.read("read/only")))
    end"#;
    let folder = folder(&[("file.lua", text), ("data/old", ""), ("read/only", "given")]);
    let read = folder.path().join("read");
    let arguments = ["run", "file.lua", "--grant-fs", "data:rw", "--grant-fs", "read"];
    let output = lunarium(folder.path(), &arguments).output().unwrap();
    assert_eq!(transcript(&output), "exit code: 0\n--- stdout\ntext more\t9\t3\ngiven\n");
    assert_eq!(fs::read_dir(read).unwrap().count(), 1);
}

#[test]
fn the_pool_grows_behind_the_wall() {
    // Three segments: the first has 256 instances, the second a thousand more.
    let text = r#"return function(parent)
        if parent then
            local go = process.listen("go")
            process.send(parent, "up", process.pid())
            go:receive()
            return process.send(parent, "up", "")
        end
        local up, pids = process.listen("up"), {}
        for i = 1, 1400 do assert(process.spawn("app:main", "app:processes", process.pid())) end
        for i = 1, 1400 do pids[i] = up:receive() end
        for i = 1, 1400 do process.send(pids[i], "go") end
        for i = 1, 1400 do up:receive() end
        print("all were there")
    end"#;
    assert_eq!(run_file(text, &[]), "exit code: 0\n--- stdout\nall were there\n");
}
