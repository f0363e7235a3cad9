//! Cases that don't come to their end by themselves, and what they leave behind.

use expect_test::expect;

use super::{case, check};
use crate::run;

#[test]
fn a_case_that_never_ends_is_given_up() {
    let endless = |body: &str, options: &[&str]| run(&case(body), &[&["test", "--seed", "1"], options].concat());
    expect![[r#"
        exit code: 1
        --- stdout
        it_test.lua
          FAILED  it

        it_test.lua: it
          error: cpu limit of 50ms reached without waiting (ResourceExhausted)

        0 passed, 1 failed; --seed 1
    "#]]
    .assert_eq(&endless("while true do end", &["--limit", "cpu=50ms"]));
    expect![[r#"
        exit code: 1
        --- stdout
        it_test.lua
          FAILED  it

        it_test.lua: it
          error: cpu_total limit of 50ms reached (ResourceExhausted)

        0 passed, 1 failed; --seed 1
    "#]]
    .assert_eq(&endless("while true do test.settle() end", &["--limit", "cpu_total=50ms"]));
    expect![[r#"
        exit code: 1
        --- stdout
        it_test.lua
          FAILED  it

        it_test.lua: it
          error: it waits for something that can't come: all processes wait, and none for a time
           --> it_test.lua:3:1
            |
          3 | channel.new():receive()
            | ^^^^^^^^^^^^^^^^^^^^^^^
            |
            = help: a message to who wasn't there yet is refused, `nil, err`: `test.settle()` lets all begin
          stack traceback:
              it_test.lua:3: in local 'case'

        0 passed, 1 failed; --seed 1
    "#]]
    .assert_eq(&endless("channel.new():receive()", &[]));
    expect![[r#"
        exit code: 1
        --- stdout
        it_test.lua
          FAILED  it

        it_test.lua: it
          error: it still waits after 3600s of its clock: timers go on, and nothing comes of them
           --> it_test.lua:3:1
            |
          3 | for _ = 1, 100 do time.sleep('1m') end
            | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
            |
            = help: `test.advance` lets more time go by
          stack traceback:
              it_test.lua:3: in local 'case'

        0 passed, 1 failed; --seed 1
    "#]]
    .assert_eq(&endless("for _ = 1, 100 do time.sleep('1m') end", &[]));
    // Two that go on for ever, and the case waits: only the machine's clock ends that.
    let body =
        "coroutine.spawn(function() while true do process.send(process.pid(), 'x') process.inbox():receive() end end)
        channel.new():receive()";
    let text = endless(body, &["--timeout", "300ms", "--limit", "cpu_total=1h"]);
    assert!(text.contains("error: it took longer than `--timeout` lets it"), "{text}");
}

#[test]
fn processes_that_are_left_behind_are_told() {
    check(
        "test.spawn('app:worker', 5) test.spawn('app:worker', 5)",
        expect![[r#"
        exit code: 0
        --- stdout
        it_test.lua
          ok      it
                  note: left 2 processes behind: app:worker {app:processes|0x00002}, app:worker {app:processes|0x00003}

        1 passed, 0 failed; --seed 1
    "#]],
    );
}
