//! Standard output and error: whole lines, no terminal escapes, a quiet end when nobody reads.

use std::process::Stdio;

use expect_test::{Expect, expect};

use crate::{Running, app, folder, lunarium, run_file};

/// Log lines begin with the time, which no test can know.
fn without_times(text: &str) -> String {
    let line = |line: &str| match line.split_once("Z ") {
        Some((time, rest)) if time.starts_with("20") => format!("<time> {rest}\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

fn check(text: &str, arguments: &[&str], expected: Expect) {
    let folder = folder(&[("file.lua", text)]);
    let mut all = vec!["run"];
    all.extend(arguments);
    all.push("file.lua");
    expected.assert_eq(&without_times(&crate::run(&folder, &all)));
}

#[test]
fn terminal_escapes_are_shown_and_not_obeyed() {
    let text = r#"return function()
        print("\27[31mred\27[0m", "bell\7", "\u{9b}31m", "tab\there", "\xff")
        logger:error("\27]0;title\7\nsecond line", { ["\27k"] = "\27v" })
        error("\27[2Jgone\rback\u{9b}2J", 0)
    end"#;
    check(text, &[], expect![[r#""#]]);
}

#[test]
fn logs_have_a_level_and_say_who_writes() {
    let text = r#"return function()
        logger:debug("hidden")
        logger:info("started", { port = 80 })
        logger:with({ user = "ann" }):warn("odd")
        logger:error("bad")
    end"#;
    check(text, &[], expect![[r#""#]]);
    check(text, &["--log-level", "error"], expect![[r#""#]]);
    check(text, &["--log-level", "debug"], expect![[r#""#]]);
}

#[test]
fn logs_can_be_read_by_programs() {
    let text = "return function() logger:info('a \"quoted\"\\nthing', { n = 1 }) logger:warn('plain') end";
    let folder = folder(&[("file.lua", text)]);
    let arguments = ["run", "--log-format", "json", "file.lua"];
    let output = lunarium(folder.path(), &arguments).output().unwrap();
    let lines: Vec<serde_json::Value> =
        String::from_utf8(output.stderr).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut shown = String::new();
    for mut line in lines {
        let time = line.as_object_mut().unwrap().remove("time").unwrap();
        time.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        shown.push_str(&format!("{line}\n"));
    }
    expect![[r#""#]].assert_eq(&shown);
}

#[test]
fn lines_of_many_processes_stay_whole() {
    let index = concat!(
        "  - {name: main, kind: process.lua, source: 'file://main.lua'}\n",
        "  - {name: writer, kind: process.lua, source: 'file://writer.lua'}\n",
    );
    let folder = app(index);
    let file = |name: &str, text: &str| std::fs::write(folder.path().join("app").join(name), text).unwrap();
    file(
        "main.lua",
        r#"return function()
            local events = process.events()
            for i = 1, 20 do process.spawn_monitored("app:writer", "app:processes", i) end
            for i = 1, 20 do events:receive() end
        end"#,
    );
    file("writer.lua", "return function(i) for n = 1, 500 do print((string.char(64 + i)):rep(100), n) end end");
    let output = lunarium(folder.path(), &["run", "app"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    let mut expected: Vec<String> = Vec::new();
    for writer in 1..=20_u8 {
        let letter = char::from(64 + writer).to_string().repeat(100);
        expected.extend((1..=500).map(|n| format!("{letter}\t{n}")));
    }
    lines.sort_unstable();
    expected.sort_unstable();
    assert_eq!(lines, expected);
}

#[test]
fn a_slow_reader_slows_the_printer_and_loses_nothing() {
    // Far more than the queue and the pipe hold together.
    let folder = folder(&[("file.lua", "return function() for n = 1, 20000 do print(n, ('x'):rep(100)) end end")]);
    let mut running = Running::start(&folder, &["run", "file.lua"]);
    for n in 1..=20_000 {
        assert_eq!(running.line(), format!("{n}\t{}", "x".repeat(100)));
    }
    assert_eq!(running.finish(), "exit code: 0\n");
}

#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let folder = folder(&[("file.lua", "return function() local n = 0 while true do n = n + 1 print(n) end end")]);
    let mut child = lunarium(folder.path(), &["run", "--limit", "cpu=1000h", "file.lua"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn output_that_can_not_be_written_is_told() {
    let folder = folder(&[("file.lua", "return function() while true do print('more') end end")]);
    let full = std::fs::File::create("/dev/full").unwrap();
    let output = lunarium(folder.path(), &["run", "--limit", "cpu=1000h", "file.lua"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    expect![[r#""#]].assert_eq(&String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_was_printed_before_a_failure_comes_out() {
    expect![[r#""#]].assert_eq(&run_file("return function() print('first') error('then', 0) end", &[]));
}
