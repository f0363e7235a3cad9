//! How a failure's positions are found in the application's files, whatever its texts hold.

use expect_test::{Expect, expect};
use lunarium_app::{App, Cause};
use lunarium_engine::{ErrorKind, Failure, LimitName, Value};

use crate::app;

const INDEX: &str = r#"version: "1.0"
namespace: app
entries:
  - {name: file, kind: process.lua, source: "file://a:1.lua"}
  - {name: near, kind: process.lua, source: "file://a.lua"}
  - name: block
    kind: process.lua
    source: |
      local x
      return function() end
  - {name: quoted, kind: process.lua, source: "local x\nreturn function() end"}
"#;

fn shop() -> App {
    let text = "local first\nlocal second\nreturn print\n";
    app(&[("_index.yaml", INDEX), ("a:1.lua", text), ("a.lua", text)])
}

fn failure(message: &str, stack: Option<&str>) -> Failure {
    Failure { stack: stack.map(str::to_owned), ..Failure::new(ErrorKind::Internal, message) }
}

fn check(failure: &Failure, expected: Expect) {
    expected.assert_eq(&shop().explain("it failed: ", failure, None).render(false));
}

#[test]
fn a_name_with_a_colon_is_told_from_a_line() {
    check(
        &failure("a:1.lua:2: why", Some("stack traceback:\n\ta:1.lua:2: in function <a:1.lua:1>\n\ta.lua:3: in x")),
        expect![[r#"
            error: it failed: why (Internal)
             --> shop/a:1.lua:2:1
              |
            2 | local second
              | ^^^^^^^^^^^^
            stack traceback:
                shop/a:1.lua:2: in function <shop/a:1.lua:1>
                shop/a.lua:3: in x"#]],
    );
}

#[test]
fn lines_of_a_source_in_the_index_are_its_lines_where_they_stand_there() {
    check(
        &failure("app:block:2: why", Some("stack traceback:\n\tapp:block:2: in function <app:block:1>")),
        expect![[r#"
            error: it failed: why (Internal)
              --> shop/_index.yaml:10:7
               |
            10 |       return function() end
               |       ^^^^^^^^^^^^^^^^^^^^^
            stack traceback:
                shop/_index.yaml:10: in function <shop/_index.yaml:9>"#]],
    );
    // A quoted text's lines are nowhere: its beginning is shown, and the traceback stays Lua's.
    check(
        &failure("app:quoted:2: why", Some("stack traceback:\n\tapp:quoted:2: in function <app:quoted:1>")),
        expect![[r#"
            error: it failed: why (Internal)
              --> shop/_index.yaml:11:47
               |
            11 |   - {name: quoted, kind: process.lua, source: "local x\nreturn function() end"}
               |                                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
            stack traceback:
                app:quoted:2: in function <app:quoted:1>"#]],
    );
}

#[test]
fn positions_are_found_behind_words_and_before_each_other() {
    check(
        &failure("outer: a.lua:3: a:1.lua:1: why", None),
        expect![[r#"
        error: it failed: outer: why (Internal)
         --> shop/a:1.lua:1:1
          |
        1 | local first
          | ^^^^^^^^^^^"#]],
    );
    check(
        &failure("error loading module 'x':\n\ta.lua:3: why", None),
        expect![[r#"
        error: it failed: error loading module 'x':
                   why (Internal)
         --> shop/a.lua:3:1
          |
        3 | return print
          | ^^^^^^^^^^^^"#]],
    );
    // Not a position of its own.
    check(&failure("see a.lua:3: there", None), expect!["error: it failed: see a.lua:3: there (Internal)"]);
}

#[test]
fn what_is_in_no_file_stays_as_it_is() {
    check(
        &failure("other.lua:3: why", Some("stack traceback:\n\t[C]: in ?\n\t[lunarium]:7: in x\n\tother.lua:3: in y")),
        expect![[r#"
            error: it failed: other.lua:3: why (Internal)
            stack traceback:
                other.lua:3: in y"#]],
    );
    check(&failure("a.lua:99999999999: why", None), expect!["error: it failed: a.lua:99999999999: why (Internal)"]);
    check(&failure("a.lua:400: why", Some("")), expect!["error: it failed: a.lua:400: why (Internal)"]);
    assert!(shop().explain("", &failure("why", Some("stack traceback:\n\t[C]: in ?")), None).is_bare());
}

fn table(pairs: &[(&str, Value)]) -> Vec<u8> {
    Value::Map(pairs.iter().map(|(key, value)| (Value::from(*key), value.clone())).collect()).encode()
}

#[test]
fn details_are_shown_in_order_and_cut() {
    let pairs = [("b", Value::Integer(2)), ("a", Value::Array(vec![Value::Nil, Value::Float(1.0)]))];
    let with = |details: Vec<u8>| Failure { details: Some(details.into()), ..failure("why", None) };
    check(
        &with(table(&pairs)),
        expect![[r#"
        error: it failed: why (Internal)
         |
         = note: details: {a = {nil, 1.0}, b = 2}"#]],
    );
    let long =
        shop().explain("", &with(table(&[("text", Value::from("é".repeat(1000).as_str()))])), None).render(false);
    assert!(long.ends_with("…") && long.len() < 1000, "{long}");
    check(&with(b"\xc1 no payload".to_vec()), expect!["error: it failed: why (Internal)"]);
}

#[test]
fn a_cause_is_recognised_by_kind_and_detail_and_not_told_twice() {
    let with = |kind, key, value: &str| {
        let details = Some(table(&[(key, Value::from(value))]).into());
        Failure { details, ..Failure::new(kind, "why") }
    };
    let known = [
        (with(ErrorKind::ResourceExhausted, "limit", "memory"), Cause::Limit(LimitName::Memory)),
        (with(ErrorKind::Internal, "reason", "deadlock"), Cause::Deadlock),
        (with(ErrorKind::Invalid, "reason", "nothing_to_run"), Cause::NothingToRun),
    ];
    for (failure, cause) in &known {
        assert_eq!(Cause::of(failure), Some(*cause));
        assert!(shop().explain("", failure, None).is_bare(), "{cause:?}");
    }
    let unknown = [
        with(ErrorKind::ResourceExhausted, "limit", "patience"),
        with(ErrorKind::Internal, "limit", "memory"),
        with(ErrorKind::Invalid, "reason", "deadlock"),
    ];
    for failure in &unknown {
        assert_eq!(Cause::of(failure), None);
        assert!(!shop().explain("", failure, None).is_bare(), "{failure:?}");
    }
}

#[test]
fn whatever_a_failure_holds_the_terminal_stays_unharmed() {
    let strange = "a.lua:1: \u{1b}[2J\r\u{9b}2J\u{202e}";
    let stack = "stack traceback:\n\ta.lua:1: in \u{1b}[31m\n\t\u{9b}2J";
    let told = shop().explain("\u{1b}", &failure(strange, Some(stack)), Some("\u{1b}".to_owned())).render(false);
    assert!(!told.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'), "{told:?}");
    assert!(shop().explain("", &failure("why", None), None).render(true).contains('\u{1b}'));
    for message in [":".repeat(8192), ">".repeat(8192), "a.lua:1: ".repeat(900), "a.lua:1:".repeat(900)] {
        let stack = format!("stack traceback:\n{}", message.repeat(2));
        assert!(!shop().explain("", &failure(&message, Some(&stack)), None).render(false).is_empty());
    }
}
