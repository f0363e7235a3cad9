//! Standard output and error: whole lines, no terminal escapes, a quiet end when nobody reads.

use std::process::Stdio;

use expect_test::expect;

use crate::{Running, app, folder, lunarium, run_file, transcript, without_times};

#[test]
fn terminal_escapes_are_shown_and_not_obeyed() {
    let text = r#"return function()
        print("\27[31mred\27[0m", "bell\7", "\u{9b}31m", "tab\there", "\xff")
        error("\27[2Jgone\rback\u{9b}2J", 0)
    end"#;
    expect![[r#"
        exit code: 1
        --- stdout
        \x1b[31mred\x1b[0m	bell\x07	\x9b31m	tab	here	�
        --- stderr
        error: app:main {app:processes|0x00001} failed: ␛[2Jgone␍back\x9b2J (Internal)
         --> file.lua:3:9
          |
        3 |         error("\27[2Jgone\rback\u{9b}2J", 0)
          |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        stack traceback:
            file.lua:3: in function <file.lua:1>
    "#]]
    .assert_eq(&run_file(text, &[]));
}

/// `first` ends well; when `second` has seen that, it fails, and fails again. All of it is logged.
const SERVICES: &str = concat!(
    "  - {name: ends, kind: process.lua, source: 'file://ends.lua'}\n",
    "  - {name: fails, kind: process.lua, source: 'file://fails.lua'}\n",
    "  - {name: first, kind: process.service, process: ends, host: 'app:processes'}\n",
    "  - {name: second, kind: process.service, process: fails, host: 'app:processes', ",
    "lifecycle: {depends_on: [first], restart: {initial_delay: 0, max_attempts: 1}}}\n",
);
const ENDS: &str = "return function() process.registry.register('first') process.listen('stop'):receive() end";
const FAILS: &str = r#"return function()
    if not process.monitor("first") then error("alone", 0) end
    process.send("first", "stop")
    process.events():receive()
    error("\27[1mfailed\u{9b}\n\"twice\"", 0)
end"#;

/// What is logged of both services. Whose end is seen first isn't said: sorted by level.
fn log_of(options: &[&str]) -> Vec<String> {
    let folder = app(SERVICES);
    std::fs::write(folder.path().join("app/ends.lua"), ENDS).unwrap();
    std::fs::write(folder.path().join("app/fails.lua"), FAILS).unwrap();
    let mut arguments = vec!["run"];
    arguments.extend(options);
    arguments.push("app");
    let transcript = Running::start(&folder, &arguments).finish();
    let (code, log) = transcript.split_once("--- stderr\n").unwrap();
    assert_eq!(code, "exit code: 1\n");
    // What explains a failure is further in.
    let is_log = |line: &&str| !line.starts_with("  ");
    let mut lines: Vec<String> = log.lines().filter(is_log).map(str::to_owned).collect();
    let last = lines.pop().unwrap();
    assert!(last.contains("error: service app:second was given up after 1 restart: alone (Internal)"), "{last}");
    lines.sort_unstable();
    lines
}

#[test]
fn a_log_line_stays_on_its_line() {
    expect![[r#"
        <time> ERROR service app:second has failed and is given up after 1 restart, delayed by 0s pid={app:processes|0x00003} error=alone kind=Internal
        <time> INFO  service app:first has ended pid={app:processes|0x00001}
        <time> INFO  service app:first has started pid={app:processes|0x00001}
        <time> INFO  service app:second has started pid={app:processes|0x00002}
        <time> WARN  service app:second has failed and restarts in 0s, attempt 1 of 1 pid={app:processes|0x00002} error="\x1b[1mfailed\x9b\n\"twice\"" kind=Internal"#]].assert_eq(&log_of(&[]).join("\n"));
}

#[test]
fn log_lines_below_the_level_are_left_out() {
    expect!["<time> ERROR service app:second has failed and is given up after 1 restart, delayed by 0s pid={app:processes|0x00003} error=alone kind=Internal"].assert_eq(&log_of(&["--log-level", "error"]).join("\n"));
}

#[test]
fn logs_can_be_read_by_programs() {
    let mut shown = Vec::new();
    for line in log_of(&["--log-format", "json"]) {
        assert!(!line.contains(char::is_control), "{line:?}");
        let mut line: serde_json::Value = serde_json::from_str(&line).unwrap();
        let time = line.as_object_mut().unwrap().remove("time").unwrap();
        time.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        shown.push(line.to_string().replace('\u{9b}', "<C1>"));
    }
    shown.sort_unstable();
    expect![[r#"
        {"fields":{"error":"\u001b[1mfailed<C1>\n\"twice\"","kind":"Internal","pid":"{app:processes|0x00002}","stack":"stack traceback:\n\t[C]: in function 'error'\n\tfails.lua:5: in function <fails.lua:1>"},"level":"warn","message":"service app:second has failed and restarts in 0s, attempt 1 of 1"}
        {"fields":{"error":"alone","kind":"Internal","pid":"{app:processes|0x00003}","stack":"stack traceback:\n\t[C]: in function 'error'\n\tfails.lua:2: in function <fails.lua:1>"},"level":"error","message":"service app:second has failed and is given up after 1 restart, delayed by 0s"}
        {"fields":{"pid":"{app:processes|0x00001}"},"level":"info","message":"service app:first has ended"}
        {"fields":{"pid":"{app:processes|0x00001}"},"level":"info","message":"service app:first has started"}
        {"fields":{"pid":"{app:processes|0x00002}"},"level":"info","message":"service app:second has started"}"#]].assert_eq(&shown.join("\n"));
}

/// A script that logs at every level.
const LOGGER: &str = r#"return function()
    logger:debug("hidden by default")
    logger:info("started", { count = 2, name = "two words", list = { 1, { a = "b" } }, empty = "" })
    logger:with({ module = "main" }):warn("\27[31mred\nnext line", { quote = 'say "x"' })
    logger:error(errors.new("failed"))
end"#;

/// Standard error of the script above.
fn script_log(options: &[&str]) -> String {
    let folder = folder(&[("file.lua", LOGGER)]);
    let output = lunarium(folder.path(), &[&["run"], options, &["file.lua"]].concat()).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(without_times(output).stderr).unwrap()
}

#[test]
fn a_script_logs_lines_with_level_frame_and_fields() {
    expect![[r#"
        <time> INFO  app:main#00001 {app:processes|0x00001} started count=2 empty="" list="[1,{\"a\":\"b\"}]" name="two words"
        <time> WARN  app:main#00001 {app:processes|0x00001} \x1b[31mred\nnext line module=main quote="say \"x\""
        <time> ERROR app:main#00001 {app:processes|0x00001} failed
    "#]].assert_eq(&script_log(&[]));
}

#[test]
fn a_script_s_lines_below_the_level_are_left_out() {
    expect![[r#"
        <time> DEBUG not confined: `--no-confine`
        <time> DEBUG app:main#00001 {app:processes|0x00001} started
        <time> DEBUG app:main#00001 {app:processes|0x00001} hidden by default
        <time> INFO  app:main#00001 {app:processes|0x00001} started count=2 empty="" list="[1,{\"a\":\"b\"}]" name="two words"
        <time> WARN  app:main#00001 {app:processes|0x00001} \x1b[31mred\nnext line module=main quote="say \"x\""
        <time> ERROR app:main#00001 {app:processes|0x00001} failed
        <time> DEBUG app:main#00001 {app:processes|0x00001} ended
    "#]].assert_eq(&script_log(&["--log-level", "debug", "--no-confine"]));
    expect![[r#"
        <time> ERROR app:main#00001 {app:processes|0x00001} failed
    "#]]
    .assert_eq(&script_log(&["--log-level", "error"]));
}

#[test]
fn a_script_s_log_can_be_read_by_programs() {
    let mut shown = String::new();
    for line in script_log(&["--log-format", "json"]).lines() {
        assert!(!line.contains(char::is_control), "{line:?}");
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        let time = line.as_object_mut().unwrap().remove("time").unwrap();
        time.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        shown.push_str(&format!("{line}\n"));
    }
    expect![[r#"
        {"fields":{"count":2,"empty":"","list":[1,{"a":"b"}],"name":"two words"},"frame":"app:main#00001","level":"info","message":"started","pid":"{app:processes|0x00001}"}
        {"fields":{"module":"main","quote":"say \"x\""},"frame":"app:main#00001","level":"warn","message":"\\x1b[31mred\nnext line","pid":"{app:processes|0x00001}"}
        {"frame":"app:main#00001","level":"error","message":"failed","pid":"{app:processes|0x00001}"}
    "#]].assert_eq(&shown);
}

#[test]
fn what_deceives_the_eye_is_shown_and_not_obeyed() {
    let text = r#"return function()
        local text = "a\u{202e}b\u{2028}c\u{200b}d\u{e0041}e\u{301}"
        print(text)
        logger:info(text, { [text] = text })
        error(text, 0)
    end"#;
    let folder = folder(&[("file.lua", text)]);
    let run = |options: &[&str]| {
        let output = lunarium(folder.path(), &[&["run"], options, &["file.lua"]].concat()).output().unwrap();
        transcript(&without_times(output))
    };
    expect![[r#"
        exit code: 1
        --- stdout
        a\u{202e}b\u{2028}c\u{200b}d\u{e0041}é
        --- stderr
        <time> INFO  app:main#00001 {app:processes|0x00001} a\u{202e}b\u{2028}c\u{200b}d\u{e0041}é a\u{202e}b\u{2028}c\u{200b}d\u{e0041}é=a\u{202e}b\u{2028}c\u{200b}d\u{e0041}é
        error: app:main {app:processes|0x00001} failed: a\u{202e}b\u{2028}c\u{200b}d\u{e0041}é (Internal)
         --> file.lua:5:9
          |
        5 |         error(text, 0)
          |         ^^^^^^^^^^^^^^
        stack traceback:
            file.lua:5: in function <file.lua:1>
    "#]].assert_eq(&run(&[]));
    let json = run(&["--log-format", "json"]);
    let line = json.lines().find(|line| line.contains("\"info\"")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["message"], "a\\u{202e}b\\u{2028}c\\u{200b}d\\u{e0041}e\u{301}");
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
    expect![[r#"
        error: standard output can't be written: no storage space
    "#]]
    .assert_eq(&String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_last_words_of_a_run_are_not_lost_in_silence() {
    let folder = folder(&[]);
    let last = |arguments: &[&str], stdout: Stdio| {
        transcript(&lunarium(folder.path(), arguments).stdout(stdout).output().unwrap())
    };
    let full = || Stdio::from(std::fs::File::create("/dev/full").unwrap());
    let told = "exit code: 1\n--- stderr\nerror: standard output can't be written: no storage space\n";
    assert_eq!(last(&["run", "-e", "print(1)"], full()), told);
    let json = last(&["run", "--log-format", "json", "-e", "print(1)"], full());
    assert!(json.starts_with("exit code: 1\n--- stderr\n{\"") && json.contains("can't be written"), "{json}");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(last(&["run", "-e", "print(1)"], writer.into()), "exit code: 141\n");
    // Who says nothing misses nothing; who has failed has said so.
    assert_eq!(last(&["run", "-e", "x = 1"], full()), "exit code: 0\n");
    // Whichever comes first: the loss of what it printed, which ends a run, or its own end.
    let both = last(&["run", "-e", "print(1) error('why', 0)"], full());
    let has_failed = both.starts_with("exit code: 1\n") && both.contains(" failed: why (Internal)");
    assert!(has_failed || both == told, "{both}");
}

#[test]
fn what_was_printed_before_a_failure_comes_out() {
    expect![[r#"
        exit code: 1
        --- stdout
        first
        --- stderr
        error: app:main {app:processes|0x00001} failed: then (Internal)
         --> file.lua:1:1
          |
        1 | return function() print('first') error('then', 0) end
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        stack traceback:
            file.lua:1: in function <file.lua:1>
    "#]]
    .assert_eq(&run_file("return function() print('first') error('then', 0) end", &[]));
}

#[test]
fn for_programs_every_line_on_standard_error_is_an_object() {
    let files = [("broken.lua", "local x = = 1"), ("fails.lua", "logger:warn('w') error('no\\u{202e}', 0)")];
    let folder = folder(&files);
    let mut told = String::new();
    for arguments in [
        &["--log-format", "json", "fails.lua"][..],
        &["--log-format=json", "broken.lua"],
        &["--log-format=json", "nowhere.lua"],
        &["--log-format=json", "fails.lua", "-x", "app:other"],
        &["--log-format", "json", "--limit", "memory=much", "fails.lua"],
        &["--log-format", "json", "--no-such-option"],
        &["--log-format", "json", "-e", "return 300"],
        &["--log-format", "json", "-e", "return function() return 300 end"],
    ] {
        let output = lunarium(folder.path(), &[&["run"], arguments].concat()).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!text.is_empty(), "{arguments:?}");
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {text}"));
            assert!(line["time"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{text}");
            let message = line["message"].as_str().unwrap().lines().next().unwrap();
            told.push_str(&format!("{} {message}\n", line["level"].as_str().unwrap()));
        }
    }
    expect![[r#"
        warn w
        error error: app:main {app:processes|0x00001} failed: no\u{202e} (Internal)
        error error: Lua does not compile: unexpected symbol near '='
        error error: there is no file or folder `nowhere.lua`
        error error: there is no entry `app:other` to run
        error error: limit `memory`: `much` is not a size
        error error: unexpected argument '--no-such-option' found
        error error: app:main {app:processes|0x00001} failed: the chunk returned number, not a function or a table of functions (Invalid)
        error error: app:main {app:processes|0x00001} returned 300, which is no exit code (0 to 255)
    "#]].assert_eq(&told);
}
