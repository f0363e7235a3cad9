//! `lunarium test`: what a case can do, how it fails, and how that is told.

mod ends;
mod forms;

use expect_test::{Expect, expect};
use tempfile::TempDir;

use crate::{folder, run};

/// A case with this body, in a file of its own beside a worker.
fn case(body: &str) -> TempDir {
    let file = format!("local test = require(\"test\")\ntest.case(\"it\", function()\n{body}\nend)\n");
    folder(&[("worker.lua", WORKER), ("it_test.lua", &file)])
}

const WORKER: &str = r#"
local worker = {}
function worker.double(n) return 2 * n end
function worker.slow() time.sleep("2h") end
function worker.main(count, ...)
  if count == "fail" then error(errors.new { message = "no", kind = errors.CONFLICT, details = { a = 1 } }) end
  local ticks = time.ticker("1s")
  for i = 1, count do
    ticks:channel():receive()
    print("tick " .. i)
    logger:info("ticked", { i = i })
  end
  return select('#', ...)
end
return worker
"#;

fn check(body: &str, expected: Expect) {
    expected.assert_eq(&run(&case(body), &["test", "--seed", "1"]));
}

/// The output of a case that passes.
const PASSED: &str = "exit code: 0\n--- stdout\nit_test.lua\n  ok      it\n\n1 passed, 0 failed; --seed 1\n";

fn passes(body: &str) {
    assert_eq!(run(&case(body), &["test", "--seed", "1"]), PASSED, "{body}");
}

#[test]
fn what_holds_passes() {
    passes("test.eq(1, 1.0) test.ne(1, 2) test.eq('a', 'a', 'a note')");
    passes("test.same({ 1, { a = { true } } }, { 1, { a = { true } } })");
    passes("local a, b = {}, {} a.self, b.self = a, b test.same(a, b)");
    passes("test.eq(select('#', test.ok(1, nil, 3)), 3)");
    passes(
        "local err = test.fails(errors.NOT_FOUND, process.send('nobody', 'x')) test.eq(err:kind(), errors.NOT_FOUND)",
    );
    passes("test.fails(nil, nil, 'text') test.fails(nil, false, 'text')");
    passes("test.contains(test.raises(function(x) error('no ' .. x) end, 'no way', 'way'), 'no way')");
    passes("test.contains('abc', 'b') test.contains({ 1, { 2 } }, { 2 })");
    passes("test.eq(require('worker').double(4), 8)");
}

#[test]
fn time_goes_on_when_it_is_told_to_and_when_all_wait() {
    passes(
        "local worker = test.spawn('app:worker', 3, nil, nil)
         test.settle()
         test.same(worker:output(), {})
         test.advance('1999ms')
         test.same(worker:output(), { 'tick 1' })
         test.advance('1ms')
         test.same(worker:output(), { 'tick 1', 'tick 2' })
         test.eq(worker:is_alive(), true)
         test.eq(worker:wait(), 2)
         test.eq(worker:is_alive(), false)
         test.eq(#test.output(), 3)
         test.same(worker:logs()[2], { pid = worker.pid, level = 'info', message = 'ticked', fields = { i = 2 } })",
    );
    // The clock of everybody: the wall's, the process's own, and deadlines.
    passes(
        "local before = time.now()
         test.eq(before:format('%Y-%m-%d') ~= nil, true)
         test.advance('36h')
         test.eq((time.now() - before):hours(), 36)
         local worker = test.spawn('app:worker', 5000)
         test.fails(errors.TIMEOUT, process.with_timeout('30m'):call(worker.pid, 'slow'))
         worker:terminate()",
    );
    // In the order of their deadlines, whoever set them.
    passes(
        "local order = {}
         for _, after in ipairs { 30, 10, 20 } do
           coroutine.spawn(function() time.sleep(after * 60000) order[#order + 1] = after end)
         end
         test.advance('25m')
         test.same(order, { 10, 20 })
         test.advance('5m')
         test.same(order, { 10, 20, 30 })",
    );
}

#[test]
fn processes_are_spawned_watched_and_ended() {
    passes(
        "local _, err = test.spawn('app:worker', 'fail'):wait()
         test.eq(err:kind(), errors.CONFLICT)
         test.eq(err:details().a, 1)
         local worker = test.spawn('app:worker', 9)
         test.eq(worker:call('double', 4), 8)
         test.ok(worker:send('anything', 1))
         test.ok(worker:terminate())
         test.fails(errors.CANCELED, worker:wait())
         test.fails(errors.NOT_FOUND, worker:send('anything', 1))
         test.fails(errors.NOT_FOUND, worker:cancel('1s'))",
    );
    for (wrong, meant) in [("worker", "app:worker"), ("app:wroker", "app:worker")] {
        let told = run(&case(&format!("test.spawn('{wrong}')")), &["test"]);
        assert!(told.contains(&format!("entry `{wrong}` not found: did you mean `{meant}`? (NotFound)")), "{told}");
    }
    check(
        "test.spawn('app:nobody')",
        expect![[r#"
        exit code: 1
        --- stdout
        it_test.lua
          FAILED  it

        it_test.lua: it
          error: can't be spawned: entry `app:nobody` not found (NotFound)
           --> it_test.lua:3:1
            |
          3 | test.spawn('app:nobody')
            | ^^^^^^^^^^^^^^^^^^^^^^^^
          stack traceback:
              it_test.lua:3: in local 'case'

        0 passed, 1 failed; --seed 1
    "#]],
    );
    check(
        "test.spawn_on('app:nowhere', 'app:worker')",
        expect![[r#"
        exit code: 1
        --- stdout
        it_test.lua
          FAILED  it

        it_test.lua: it
          error: can't be spawned: host `app:nowhere` not found (NotFound)
           --> it_test.lua:3:1
            |
          3 | test.spawn_on('app:nowhere', 'app:worker')
            | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          stack traceback:
              it_test.lua:3: in local 'case'

        0 passed, 1 failed; --seed 1
    "#]],
    );
}

#[test]
fn a_failure_has_its_line_and_what_differs() {
    check(
        "  test.eq('one', 'two', 'the word')",
        expect![[r#"
        exit code: 1
        --- stdout
        it_test.lua
          FAILED  it

        it_test.lua: it
          error: the word: not equal
           --> it_test.lua:3:3
            |
          3 |   test.eq('one', 'two', 'the word')
            |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          stack traceback:
              it_test.lua:3: in local 'case'
          - wanted  + got
          - "two"
          + "one"

        0 passed, 1 failed; --seed 1
    "#]],
    );
    check(
        "  test.same({ a = 1, list = { 1, 2, 3 } }, { a = 1, list = { 1, 3 }, ['b c'] = {} })",
        expect![[r#"
        exit code: 1
        --- stdout
        it_test.lua
          FAILED  it

        it_test.lua: it
          error: not the same
           --> it_test.lua:3:3
            |
          3 |   test.same({ a = 1, list = { 1, 2, 3 } }, { a = 1, list = { 1, 3 }, ['b c'] = {} })
            |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          stack traceback:
              it_test.lua:3: in local 'case'
          - wanted  + got
            {
              a = 1,
          -   ["b c"] = {},
              list = {
                1,
          +     2,
                3,
              },
            }

        0 passed, 1 failed; --seed 1
    "#]],
    );
    check(
        "  test.eq('one\\ntwo\\nthree', 'one\\n2\\nthree')",
        expect![[r#"
        exit code: 1
        --- stdout
        it_test.lua
          FAILED  it

        it_test.lua: it
          error: not equal
           --> it_test.lua:3:3
            |
          3 |   test.eq('one\ntwo\nthree', 'one\n2\nthree')
            |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          stack traceback:
              it_test.lua:3: in local 'case'
          - wanted  + got
            one
          - 2
          + two
            three

        0 passed, 1 failed; --seed 1
    "#]],
    );
    check(
        "  test.fails(errors.TIMEOUT, process.send('nobody', 'x'))",
        expect![[r#"
        exit code: 1
        --- stdout
        it_test.lua
          FAILED  it

        it_test.lua: it
          error: expected a failure of kind Timeout, got NotFound: name `nobody` not found
           --> it_test.lua:3:3
            |
          3 |   test.fails(errors.TIMEOUT, process.send('nobody', 'x'))
            |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          stack traceback:
              it_test.lua:3: in local 'case'

        0 passed, 1 failed; --seed 1
    "#]],
    );
    check(
        "  test.raises(function() end)",
        expect![[r#"
        exit code: 1
        --- stdout
        it_test.lua
          FAILED  it

        it_test.lua: it
          error: expected an error, and none was raised
           --> it_test.lua:3:3
            |
          3 |   test.raises(function() end)
            |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^
          stack traceback:
              it_test.lua:3: in local 'case'

        0 passed, 1 failed; --seed 1
    "#]],
    );
    check(
        "  test.ok(nil, 'why')",
        expect![[r#"
        exit code: 1
        --- stdout
        it_test.lua
          FAILED  it

        it_test.lua: it
          error: failed: why
           --> it_test.lua:3:3
            |
          3 |   test.ok(nil, 'why')
            |   ^^^^^^^^^^^^^^^^^^^
          stack traceback:
              it_test.lua:3: in local 'case'

        0 passed, 1 failed; --seed 1
    "#]],
    );
    check(
        "  test.fail('because')",
        expect![[r#"
        exit code: 1
        --- stdout
        it_test.lua
          FAILED  it

        it_test.lua: it
          error: because
           --> it_test.lua:3:3
            |
          3 |   test.fail('because')
            |   ^^^^^^^^^^^^^^^^^^^^
          stack traceback:
              it_test.lua:3: in local 'case'

        0 passed, 1 failed; --seed 1
    "#]],
    );
}

#[test]
fn a_failure_shows_what_was_printed_and_logged() {
    check(
        "  print('one\\27[2J') logger:warn('two', { a = 'x' }) error('three')",
        expect![[r#"
        exit code: 1
        --- stdout
        it_test.lua
          FAILED  it

        it_test.lua: it
          error: three (Internal)
           --> it_test.lua:3:3
            |
          3 |   print('one\27[2J') logger:warn('two', { a = 'x' }) error('three')
            |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          stack traceback:
              it_test.lua:3: in local 'case'
          printed and logged:
            one\x1b[2J
            WARN two a=x

        0 passed, 1 failed; --seed 1
    "#]],
    );
}

#[test]
fn modules_are_mocked() {
    let index = r#"version: "1.0"
namespace: app
entries:
  - {name: main, kind: process.lua, source: "file://main.lua", imports: {prices: prices}, grants: {http: [{url: "http://shop/*"}]}}
  - {name: prices, kind: library.lua, source: "file://prices.lua"}
"#;
    let prices = r#"
local http = require("http")
return { of = function(item)
  local answer, err = http.get("http://shop/" .. item)
  return answer and answer.body, err
end }
"#;
    let tests = r#"
local test = require("test")
local asked = {}
local function get(url)
  asked[#asked + 1] = url
  if url:find("gold") then return nil, errors.new { message = "down", kind = errors.UNAVAILABLE } end
  time.sleep("2s")
  return { status = 200, body = "12" }
end
test.case("in a process of the application", function()
  test.module("http", { get = get })
  local main = test.spawn("app:main", "tea")
  test.advance("1s")
  test.eq(main:is_alive(), true)
  test.eq(main:wait(), "12")
  test.same(asked, { "http://shop/tea" })
end)
test.case("in a library that the test requires", function()
  test.module("http", { get = get })
  local prices = require("prices")
  test.eq(prices.of("tea"), "12")
  test.fails(errors.UNAVAILABLE, prices.of("gold"))
end)
test.case("one that isn't there", function()
  local main = test.spawn("app:main", "tea")
  local _, err = main:wait()
  test.contains(tostring(err), "http")
end)
test.case("one that raises", function()
  test.module("http", { get = function() error("the mock is wrong") end })
  local _, err = test.spawn("app:main", "tea"):wait()
  test.eq(err, nil)
end)
test.case("wrong arguments", function()
  test.raises(function() test.module("http") end, "table of functions expected")
  test.raises(function() test.module("http", { get = 1 }) end, "`get` is no function")
  test.raises(function() test.module("process", {}) end, "is taken")
end)
"#;
    let main = "local prices = require('prices') return { main = function(item) return prices.of(item) end }";
    let folder = folder(&[
        ("app/_index.yaml", index),
        ("app/main.lua", main),
        ("app/prices.lua", prices),
        ("app/prices_test.lua", tests),
    ]);
    expect![[r#"
        exit code: 1
        --- stdout
        prices_test.lua
          ok      in a process of the application
          ok      in a library that the test requires
          ok      one that isn't there
          FAILED  one that raises
          ok      wrong arguments

        prices_test.lua: one that raises
          error: not equal
            --> app/prices_test.lua:32:3
             |
          32 |   test.eq(err, nil)
             |   ^^^^^^^^^^^^^^^^^
          stack traceback:
              app/prices_test.lua:32: in local 'case'
          - wanted  + got
          - nil
          + prices_test.lua:30: the mock is wrong
          error: app:main {app:processes|0x00002} failed: the mock is wrong (Internal)
            --> app/prices_test.lua:30:3
             |
          30 |   test.module("http", { get = function() error("the mock is wrong") end })
             |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          stack traceback:
              app/prices_test.lua:30: in function <app/prices_test.lua:30>

        4 passed, 1 failed; --seed 1
    "#]]
    .assert_eq(&run(&folder, &["test", "app", "--seed", "1"]));
    // One file of it belongs to the same application.
    let one = run(&folder, &["test", "app/prices_test.lua", "--filter", "library", "--seed", "1"]);
    assert!(one.contains("1 passed, 0 failed, 4 left out"), "{one}");
}

#[test]
fn in_a_strict_application_a_test_may_do_everything_and_others_may_not() {
    let index = "version: \"1.0\"\nnamespace: app\nsecurity: {strict: true}\nentries:\n  - {name: main, kind: process.lua, source: 'return function(pid) return process.send(pid, \"x\") end'}\n";
    let tests = "local test = require('test')
test.case('it', function()
  test.ok(process.send(process.pid(), 'x'))
  test.fails(errors.PERMISSION_DENIED, test.spawn('app:main', process.pid()):wait())
end)";
    let folder = folder(&[("_index.yaml", index), ("it_test.lua", tests)]);
    assert_eq!(run(&folder, &["test", "--seed", "1"]), PASSED);
}

#[test]
fn a_seed_repeats_a_run() {
    let body = "print(math.random(1 << 40)) print(uuid.v4()) print(time.now():unix()) error('shown', 0)";
    let folder = case(&body.replace("uuid", "require('uuid')"));
    let first = run(&folder, &["test", "--seed", "7"]);
    assert_eq!(first, run(&folder, &["test", "--seed", "7"]));
    assert_ne!(first, run(&folder, &["test", "--seed", "8"]).replace("--seed 8", "--seed 7"));
}

#[test]
fn a_process_that_failed_is_told_with_the_case_that_did() {
    let folder = folder(&[
        ("worker.lua", "return { main = function(n) if n then error('no ' .. n) end time.sleep('1h') end }"),
        (
            "it_test.lua",
            "local test = require('test')
test.case('waits for an answer', function()
  local answers = process.listen('answer')
  test.spawn('app:worker', 7)
  test.spawn('app:worker'):terminate()
  channel.select { answers:case_receive(), time.after('1s'):case_receive() }
  test.fail('no answer')
end)
test.case('wants it so', function() test.fails(errors.INTERNAL, test.spawn('app:worker', 8):wait()) end)
",
        ),
    ]);
    expect![[r#"
        exit code: 1
        --- stdout
        it_test.lua
          FAILED  waits for an answer
          ok      wants it so

        it_test.lua: waits for an answer
          error: no answer
           --> it_test.lua:7:3
            |
          7 |   test.fail('no answer')
            |   ^^^^^^^^^^^^^^^^^^^^^^
          stack traceback:
              it_test.lua:7: in local 'case'
          error: app:worker {app:processes|0x00002} failed: no 7 (Internal)
           --> worker.lua:1:1
            |
          1 | return { main = function(n) if n then error('no ' .. n) end time.sleep('1h') end }
            | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          stack traceback:
              worker.lua:1: in function <worker.lua:1>

        1 passed, 1 failed; --seed 1
    "#]]
    .assert_eq(&run(&folder, &["test", "--seed", "1"]));
}
