//! What the system refuses, and signals at bad moments.

use expect_test::expect;

use crate::{Running, app, folder, limited, transcript};

#[test]
fn a_file_beyond_what_the_system_allows_is_refused_and_ends_nobody() {
    let script = "return function()
        local ok, err
        for _ = 1, 20 do ok, err = fs.append('data/large', ('x'):rep(1000000)) if err then break end end
        print(ok, err:kind(), err)
        print(fs.write('data/small', 'x'))
    end";
    let folder = folder(&[("file.lua", script), ("data/there", "")]);
    // In blocks of 512 or 1,024 bytes: more than the image of an instance, which is a file in memory.
    let mut shell = limited(&folder, "-f 16384", &["run", "--grant-fs", "data:rw", "file.lua"]);
    expect![[r#"
        exit code: 0
        --- stdout
        nil	ResourceExhausted	fs.write on `data/large` failed: file too large
        true	nil
    "#]]
    .assert_eq(&transcript(&shell.output().unwrap()));
}

/// A service that says that it begins, and computes for ever before it waits.
fn slow() -> tempfile::TempDir {
    let folder = app(concat!(
        "  - {name: slow, kind: process.lua, source: 'file://slow.lua'}\n",
        "  - {name: the_slow, kind: process.service, process: slow, host: 'app:processes', ",
        "lifecycle: {start_timeout: 1h, stop_timeout: 1h}}\n",
    ));
    let script = "return function() print('begins') while true do end end";
    std::fs::write(folder.path().join("app/slow.lua"), script).unwrap();
    folder
}

#[test]
fn a_signal_in_the_middle_of_a_start_stops_it_and_a_second_one_does_not_wait() {
    let folder = slow();
    let mut running = Running::start(&folder, &["run", "app"]);
    assert_eq!(running.line(), "begins");
    running.signal("TERM");
    running.wait_for_error("stopping; a second interrupt stops at once");
    // In the middle of the stop.
    running.signal("TERM");
    expect![[r#"
        exit code: 143
    "#]]
    .assert_eq(&running.finish());
}
