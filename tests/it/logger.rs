//! `logger`: lines with a level, a message and fields; cut, cleaned and counted.

use lunarium_engine::Limits;
use lunarium_tests::{Lab, show_outcome};

use crate::check::program;

/// What the body of a `main` logs, and how it ends.
fn logged_in(lab: &Lab, body: &str) -> Vec<String> {
    let outcome = lab.run(&program(body));
    let mut lines = lab.logged();
    lines.push(show_outcome(&outcome));
    lines
}

fn logged(body: &str) -> Vec<String> {
    logged_in(&Lab::default(), body)
}

#[test]
fn each_line_carries_its_level_the_frame_and_sorted_fields() {
    let lines = logged(
        r#"
        logger:debug("one")
        logger:info("two", { b = 2, a = "x", list = { 1, { c = json.null } } })
        logger:warn("three", { err = errors.new("why"), at = time.unix(0), span = time.SECOND, flag = true })
        logger:error(errors.new("four"))
        return require("logger") == logger"#,
    );
    assert_eq!(
        lines,
        [
            r#"Debug app:main#00001 one []"#,
            r#"Info app:main#00001 two [("a", "x"), ("b", 2), ("list", [1,{"c":null}])]"#,
            r#"Warn app:main#00001 three [("at", "1970-01-01T00:00:00Z"), ("err", "why"), ("flag", true), ("span", "1s")]"#,
            r#"Error app:main#00001 four []"#,
            "=> true",
        ]
    );
}

#[test]
fn with_gives_a_logger_that_adds_its_fields() {
    let lines = logged(
        r#"
        local orders = logger:with { module = "orders", try = 1 }
        orders:with({ try = 2 }):info("placed", { id = 7 })
        orders:info("seen")
        logger:info("plain")"#,
    );
    assert_eq!(
        lines,
        [
            r#"Info app:main#00001 placed [("id", 7), ("module", "orders"), ("try", 2)]"#,
            r#"Info app:main#00001 seen [("module", "orders"), ("try", 1)]"#,
            "Info app:main#00001 plain []",
            "=> nil",
        ]
    );
}

#[test]
fn lines_beyond_the_limit_are_dropped_and_counted() {
    let lab = Lab::new(Limits { log_lines: 3, ..Limits::default() });
    lab.define(&program(
        "local i = 0 while true do i = i + 1 logger:info(i) if i % 100 == 0 then time.sleep(0) end end",
    ));
    let handle = lab.spawn("main", Vec::new());
    // Until the next second's first line tells what was dropped.
    let mut lines = Vec::new();
    while !lines.iter().any(|line: &String| line.contains("dropped_lines")) {
        lines.extend(lab.logged());
        std::thread::yield_now();
    }
    let _ = lab.node.terminate(handle.pid());
    let told = lines.iter().position(|line| line.contains("dropped_lines")).unwrap();
    // Three lines a second, so the lines before it are the first; it is as many later as it says.
    let number = |line: &String| line.split(' ').nth(2).unwrap().parse::<usize>().unwrap();
    let dropped: usize = lines[told].split(['(', ' ', ')']).nth_back(1).unwrap().parse().unwrap();
    assert!((3..=6).contains(&told), "{lines:?}");
    assert_eq!(lines[..told].iter().map(number).collect::<Vec<_>>(), (1..=told).collect::<Vec<_>>());
    assert_eq!(number(&lines[told]), told + dropped + 1);
}

#[test]
fn a_line_is_cut_and_cleaned() {
    let lines = logged(
        r#"
        local fields = {}
        for i = 1, 5000 do fields[("%05d"):format(i)] = "" end
        logger:info("many", fields)
        logger:info(("x"):rep(1000000), { never = "seen" })
        logger:info("\27[31mred", { ["\7key"] = "\27[0m\xff" })"#,
    );
    let lengths: Vec<_> = lines.iter().map(|line| line.matches("\", \"").count()).collect();
    // 8,192 bytes: four of the message, and six a field.
    assert_eq!(lengths, [1365, 0, 1, 0]);
    assert_eq!(lines[1].matches('x').count(), 8192);
    assert_eq!(lines[2], r#"Info app:main#00001 \x1b[31mred [("\\x07key", "\\x1b[0m�")]"#);
}

/// A field that says what it is, cut or not, in a line whose message leaves so much room.
#[test]
fn a_field_that_is_cut_is_text() {
    let lines = logged(
        r#"
        local function log(room, value) logger:info(("x"):rep(8192 - room), { a = value }) end
        log(6, 1234) log(5, 1234) log(9, { 1, 2, 3 }) log(8, { 1, 2, 3 }) log(6, true) log(5, true) log(9, "[1,2,3]")
        -- Invisible in JSON: an escape there, in a text as people read it.
        logger:info("", { json = { "a\u{202e}b" }, text = "a\u{202e}b" })"#,
    );
    let fields: Vec<_> = lines.iter().map(|line| line.split_once(" [").map_or("", |(_, fields)| fields)).collect();
    assert_eq!(
        fields,
        [
            r#"("a", 1234)]"#,
            r#"("a", "123")]"#,
            r#"("a", [1,2,3])]"#,
            r#"("a", "[1,2,3")]"#,
            r#"("a", true)]"#,
            r#"("a", "tru")]"#,
            r#"("a", "[1,2,3]")]"#,
            r#"("json", ["a\u202eb"]), ("text", "a\\u{202e}b")]"#,
            "",
        ]
    );
}

#[test]
fn what_is_no_message_is_refused() {
    let lines = logged(
        r#"
        return { select(2, logger:info()):kind(), raised(logger.info, logger, {}), raised(logger.info, {}),
            raised(logger.info, logger, "x", "y"), select(2, logger:with()):kind() }"#,
    );
    assert_eq!(
        lines,
        [concat!(
            r#"=> {"Invalid", "bad argument #2 to 'info' (string expected, got table)", "#,
            r#""bad argument #2 to 'info' (string expected, got table)", "#,
            r#""bad argument #3 to 'info' (table expected, got string)", "Invalid"}"#
        )]
    );
}
