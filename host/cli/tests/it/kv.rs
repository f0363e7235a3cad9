//! What outlives a run: `--data`, killed commands, a full disk, files that can't be used.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use expect_test::expect;
use tempfile::TempDir;

use crate::{Running, app, folder, lunarium, run, transcript, without_times};

const STORE: &str = "    grants: {kv: [{prefix: '', write: true}]}\n";

/// An application with these scripts, each an entry that may do everything with the store.
fn scripts(scripts: &[(&str, &str)]) -> TempDir {
    let entry = |(name, _): &(&str, &str)| {
        format!("  - name: {name}\n    kind: process.lua\n    source: file://{name}.lua\n{STORE}")
    };
    let entries: String = scripts.iter().map(entry).collect();
    let app = app(&format!("{entries}  - name: processes\n    kind: process.host\n"));
    for (name, text) in scripts {
        fs::write(app.path().join(format!("app/{name}.lua")), text).unwrap();
    }
    app
}

fn entry(app: &TempDir, name: &str) -> String {
    run(app, &["run", "--data", "data", "-x", &format!("app:{name}"), "app"])
}

const COUNT: &str = "return function() print((require('kv').increment('runs'))) end";

#[test]
fn what_is_set_is_there_in_the_next_run() {
    let app = scripts(&[("count", COUNT)]);
    for expected in 1..4 {
        assert_eq!(entry(&app, "count"), format!("exit code: 0\n--- stdout\n{expected}\n"));
    }
    let names: Vec<_> = fs::read_dir(app.path().join("data")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names, ["kv.redb"]);
}

/// Four writers, each of which tells what was acknowledged.
const WRITE: &str = "
local kv = require('kv')
local function write(name)
    local found = kv.get('n/' .. name)
    local n = found and found.n or 0
    while true do
        n = n + 1
        assert(kv.set('n/' .. name, { n = n, text = (name .. n):rep(1 + n % 7 * 300) }))
        assert(kv.increment('sum'))
        print(name, n)
    end
end
return function()
    for i = 1, 4 do coroutine.spawn(function() write('w' .. i) end) end
    process.events():receive()
end";

const DUMP: &str = "
return function()
    local kv = require('kv')
    for _, item in ipairs((kv.list('n/'))) do
        local name, n = item.key:sub(3), item.value.n
        assert(item.value.text == (name .. n):rep(1 + n % 7 * 300), 'half-written')
        print(name, n)
    end
    print('sum', (kv.get('sum')) or 0)
end";

/// The largest number that each name was told with.
fn numbers(text: &str) -> BTreeMap<String, u64> {
    let mut numbers = BTreeMap::new();
    // A last line without its end was cut off.
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        if let Some((name, number)) = line.split_once('\t') {
            numbers.insert(name.to_owned(), number.parse().unwrap());
        }
    }
    numbers
}

#[test]
fn a_command_that_is_killed_while_it_writes_has_lost_nothing_acknowledged() {
    let app = scripts(&[("write", WRITE), ("dump", DUMP)]);
    let mut lines = 0x2545_f491_u32;
    let mut before = BTreeMap::new();
    for round in 0..8 {
        let mut running = Running::start(&app, &["run", "--data", "data", "-x", "app:write", "app"]);
        lines = lines.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let mut told = String::new();
        for _ in 0..=(lines >> 16) % 60 {
            told.push_str(&running.line());
            told.push('\n');
        }
        running.child.kill().unwrap();
        running.child.wait().unwrap();
        running.lines.read_to_string(&mut told).unwrap();
        let mut acknowledged = before.clone();
        acknowledged.extend(numbers(&told));

        let dump = entry(&app, "dump");
        let found =
            numbers(dump.strip_prefix("exit code: 0\n--- stdout\n").unwrap_or_else(|| panic!("round {round}: {dump}")));
        for (name, number) in &acknowledged {
            let there = found.get(name).copied().unwrap_or_default();
            // One write of each can be there without having been told.
            assert!(
                (*number..=number + 1).contains(&there) || name == "sum",
                "round {round}: {name} {number}, there is {there}"
            );
        }
        // Each line was told after a count that was acknowledged as well.
        let lines = told.bytes().filter(|byte| *byte == b'\n').count() as u64;
        let sum = before.get("sum").copied().unwrap_or_default();
        assert!(
            (sum + lines..=sum + lines + 4).contains(&found["sum"]),
            "round {round}: {lines} lines, {before:?} {found:?}"
        );
        before = found;
        let files: Vec<_> = fs::read_dir(app.path().join("data")).unwrap().collect();
        assert_eq!(files.len(), 1);
    }
}

const FILL: &str = "
return function()
    local kv = require('kv')
    assert(kv.set('first', 'here'))
    local n, err = 0, nil
    repeat
        n = n + 1
        local version
        version, err = kv.set('fill/' .. n, ('x'):rep(100000))
    until not version
    print(n > 5, err:kind(), err:message(), err:details().limit, err:retryable())
    for i = 1, n - 1 do assert(#kv.get('fill/' .. i) == 100000) end
    for i = 1, n - 1 do assert(kv.delete('fill/' .. i)) end
    assert(kv.set('again', ('x'):rep(100000)))
    print((kv.get('first')))
end";

#[test]
fn a_full_disk_is_told_and_the_store_goes_on() {
    let app = scripts(&[("fill", FILL), ("count", COUNT)]);
    fs::create_dir(app.path().join("data")).unwrap();
    let within = |act: &str| {
        let mut shell = Command::new("unshare");
        let mounted = format!("mount -t tmpfs -o size=4m none data && {act}");
        shell.args(["--mount", "sh", "-c", &mounted, "sh"]).current_dir(app.path());
        shell
    };
    if !within("true").output().is_ok_and(|output| output.status.success()) {
        return println!("not tried, as this program can't mount anything");
    }
    let output = within("\"$@\" -x app:fill app && \"$@\" -x app:count app")
        .args([env!("CARGO_BIN_EXE_lunarium"), "run", "--data", "data"])
        .output();
    expect![[r#"
        exit code: 0
        --- stdout
        true	ResourceExhausted	the disk is full	disk	true
        here
        1
        --- stderr
        <time> WARN  the store can't be written: the disk is full
        <time> WARN  the store can be written again
    "#]]
    .assert_eq(&transcript(&without_times(output.unwrap())));
}

#[test]
fn a_grant_without_a_directory_is_told_at_the_start() {
    let app = scripts(&[("count", COUNT)]);
    expect![[r#"
        exit code: 2
        --- stderr
        error: the application grants `kv`, and there is no directory for its store
        help: `--data DIR` names one; it is made if it isn't there
    "#]]
    .assert_eq(&run(&app, &["run", "app"]));
    // A check needs none.
    assert!(run(&app, &["check", "app"]).starts_with("exit code: 0\n"));
    assert!(!app.path().join("data").exists());
}

#[test]
fn grants_are_checked_with_their_places() {
    let app =
        app("  - name: main\n    kind: process.lua\n    source: file://main.lua\n    grants: {kv: [{prefix: 5}]}\n");
    fs::write(app.path().join("app/main.lua"), "return function() end").unwrap();
    expect![[r#"
        exit code: 2
        --- stderr
        error: `prefix` must be text, not a number
         --> app/_index.yaml:7:28
          |
        7 |     grants: {kv: [{prefix: 5}]}
          |                            ^

        error: 1 mistake
    "#]]
    .assert_eq(&run(&app, &["check", "app"]));
}

#[test]
fn a_directory_that_another_run_has_is_refused() {
    let app = scripts(&[("wait", "return function() print('up') process.events():receive() end"), ("count", COUNT)]);
    let mut running = Running::start(&app, &["run", "--data", "data", "-x", "app:wait", "app"]);
    assert_eq!(running.line(), "up");
    expect![[r#"
        exit code: 1
        --- stderr
        error: `--data`: `data/kv.redb` is in use by another node: each needs a directory of its own
    "#]]
    .assert_eq(&entry(&app, "count"));
    running.signal("TERM");
    running.finish();
    assert_eq!(entry(&app, "count"), "exit code: 0\n--- stdout\n1\n");
}

#[test]
fn a_file_that_is_no_store_is_told_by_its_name() {
    let app = scripts(&[("count", COUNT)]);
    fs::create_dir(app.path().join("data")).unwrap();
    fs::write(app.path().join("data/kv.redb"), "something else\n".repeat(1000)).unwrap();
    expect![[r#"
        exit code: 1
        --- stderr
        error: `--data`: `data/kv.redb` is no store, or is damaged (it is no database): put a backup in its place, or move it away to begin with an empty one
    "#]]
    .assert_eq(&entry(&app, "count"));

    let app = scripts(&[("count", COUNT)]);
    fs::write(app.path().join("data"), "").unwrap();
    expect![[r#"
        exit code: 1
        --- stderr
        error: `--data`: `data` can't be opened: File exists (os error 17)
    "#]]
    .assert_eq(&entry(&app, "count"));
}

#[test]
fn a_size_goes_with_a_directory() {
    let app =
        scripts(&[("set", "return function() local _, err = require('kv').set('a', ('x'):rep(5000)) print(err) end")]);
    let run = |options: &[&str]| run(&app, &[&["run"], options, &["-x", "app:set", "app"]].concat());
    expect![[r#"
        exit code: 0
        --- stdout
        the store is full: 972 bytes more than its 4096
    "#]]
    .assert_eq(&run(&["--data", "data", "--data-max", "4KiB"]));
    expect![[r#"
        exit code: 2
        --- stderr
        error: `--data-max`: `much` is not a size
        help: write it like `16MiB`, `500kB` or `4096` (bytes)
    "#]]
    .assert_eq(&run(&["--data", "data", "--data-max", "much"]));
    assert!(run(&["--data-max", "4KiB"]).contains("--data <DIR>"));
}

#[test]
fn the_directory_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let app = scripts(&[("count", COUNT)]);
    entry(&app, "count");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let data = app.path().join("data");
    assert_eq!((mode(&data), mode(&data.join("kv.redb"))), (0o700, 0o600));
}

#[test]
fn nothing_else_can_be_opened_in_the_directory() {
    // The store's file is open before the wall is built: no path leads to it from behind.
    let folder = folder(&[("file.lua", "return function() print(fs) end")]);
    let output =
        lunarium(folder.path(), &["run", "--data", "data", "--log-level", "debug", "file.lua"]).output().unwrap();
    let text = transcript(&without_times(output));
    assert!(text.starts_with("exit code: 0\n--- stdout\nnil\n"), "{text}");
}
