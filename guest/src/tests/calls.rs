//! Calls of the process's own functions, by itself: the host brings each back as an event, and its answer as a reply.

use expect_test::{Expect, expect};

use super::Case;

fn check(chunk: &str, expect: Expect) {
    Case::new(chunk).check(expect);
}

#[test]
fn the_chunk_does_not_wait_for_itself() {
    check(
        "print(process.call(process.pid(), 'f'))
        coroutine.spawn(function() print('later', process.call(process.pid(), 'f')) end)
        return { main = function() time.sleep(1) print(process.call(process.pid(), 'f')) end, f = function() return 'answer' end }",
        expect![[r#"
            nil	the chunk calls its own process: such a call would wait until the chunk has returned
            -- call {app:processes|0x00001} f [] None
            -- answer ["answer"]
            later	answer
            -- call {app:processes|0x00001} f [] None
            -- answer ["answer"]
            answer
            => nil
        "#]],
    );
}

#[test]
fn a_function_runs_beside_main_and_is_answered_once() {
    check(
        r#"
        local me = process.pid()
        return {
            main = function()
                print(process.call(me, "pair", 1, nil))
                print(process.call(me, "fail"))
                print(process.call(me, "waits"))
                print(process.with_timeout("2s"):call(me, "none"))
            end,
            pair = function(a, b) return b, a end,
            fail = function() error("no", 0) end,
            waits = function() local ch = channel.new(1) ch:send(1) return ch:receive() end,
        }
        "#,
        expect![[r#"
            -- call {app:processes|0x00001} pair [1, nil] None
            -- answer [nil, 1]
            nil	1
            -- call {app:processes|0x00001} fail [] None
            -- answer error["Internal", "no", nil, nil, "stack traceback:\n\t[C]: in function 'error'\n\tmain.lua:11: in function <main.lua:11>"]
            nil	no
            -- call {app:processes|0x00001} waits [] None
            -- answer [1, true]
            1	true
            -- call {app:processes|0x00001} none [] Some(2000000000)
            -- answer error["NotFound", "no function `none` to call: there are `fail`, `pair`, `waits`", false, nil, "stack traceback:"]
            nil	no function `none` to call: there are `fail`, `pair`, `waits`
            => nil
        "#]],
    );
}

#[test]
fn a_call_counts_as_a_coroutine_until_it_is_answered() {
    check(
        r#"
        local me = process.pid()
        local first = channel.new(0)
        local function used() return process.limits().coroutines.used end
        return {
            main = function()
                for i = 1, 3 do assert(process.call(me, "add", i) == i + 1) end
                print(used())
                coroutine.spawn(function() print(process.call(me, "waits")) end)
                print(process.call(me, "add", 10), process.call(me, "fail"))
                print(process.call(me, "wakes"))
                time.sleep("1ms")
                print(used(), process.call(me, "running"), process.call(me, "running"))
                print(used())
            end,
            add = function(n) return n + 1 end,
            waits = function() return first:receive() end,
            wakes = function() first:send("woken") return used() end,
            fail = function() error("no", 0) end,
            running = function(extra) return extra == nil and used() end,
        }
        "#,
        expect![[r#"
            -- call {app:processes|0x00001} add [1] None
            -- answer [2]
            -- call {app:processes|0x00001} add [2] None
            -- answer [3]
            -- call {app:processes|0x00001} add [3] None
            -- answer [4]
            0
            -- call {app:processes|0x00001} waits [] None
            -- call {app:processes|0x00001} add [10] None
            -- answer [11]
            -- call {app:processes|0x00001} fail [] None
            -- answer error["Internal", "no", nil, nil, "stack traceback:\n\t[C]: in function 'error'\n\tmain.lua:19: in function <main.lua:19>"]
            11	nil	no
            -- call {app:processes|0x00001} wakes [] None
            -- answer [3]
            -- answer ["woken", true]
            3
            woken	true
            -- call {app:processes|0x00001} running [] None
            -- answer [1]
            -- call {app:processes|0x00001} running [] None
            -- answer [1]
            0	1	1
            0
            => nil
        "#]],
    );
}

#[test]
fn a_call_that_comes_before_the_chunk_has_returned_waits() {
    check(
        r#"
        coroutine.spawn(function() print(process.call(process.pid(), "late", 1)) end)
        time.sleep("1ms")
        print("returns")
        return { main = function() time.sleep("1ms") end, late = function(n) return n + 1 end }
        "#,
        expect![[r#"
            -- call {app:processes|0x00001} late [1] None
            returns
            -- answer [2]
            2
            => nil
        "#]],
    );
}

#[test]
fn no_function_is_called_but_those_of_the_table() {
    check(
        r#"
        local me = process.pid()
        local function try(...) print((select(2, process.call(me, ...)))) end
        return setmetatable({
            main = function() try("main") try("hidden") try("text") try("print") end,
            text = "text",
            [1] = function() end,
        }, { __index = { hidden = 1 } })
        "#,
        expect![[r#"
            -- call {app:processes|0x00001} main [] None
            -- answer error["NotFound", "`main` is what the process runs, and can't be called: there is none", false, nil, "stack traceback:"]
            `main` is what the process runs, and can't be called: there is none
            -- call {app:processes|0x00001} hidden [] None
            -- answer error["NotFound", "no function `hidden` to call: there is none", false, nil, "stack traceback:"]
            no function `hidden` to call: there is none
            -- call {app:processes|0x00001} text [] None
            -- answer error["NotFound", "no function `text` to call: there is none", false, nil, "stack traceback:"]
            no function `text` to call: there is none
            -- call {app:processes|0x00001} print [] None
            -- answer error["NotFound", "no function `print` to call: there is none", false, nil, "stack traceback:"]
            no function `print` to call: there is none
            => nil
        "#]],
    );
}

#[test]
fn a_function_that_the_table_has_from_another_is_called_and_traced_as_well() {
    check(
        r#"
        local me = process.pid()
        local base = {}
        function base.pair(a, b) return b, a end
        function base.fail() error("no", 0) end
        return setmetatable({
            own = function() error(true) end,
            deep = function() return load(("("):rep(1000)) end,
            main = function()
                print(process.call(me, "pair", 1, nil))
                print(process.call(me, "fail"))
                print(process.call(me, "own"))
                print(process.call(me, "deep"))
            end,
        }, { __index = base })
        "#,
        expect![[r#"
            -- call {app:processes|0x00001} pair [1, nil] None
            -- answer [nil, 1]
            nil	1
            -- call {app:processes|0x00001} fail [] None
            -- answer error["Internal", "no", nil, nil, "stack traceback:\n\t[C]: in function 'error'\n\tmain.lua:5: in function <main.lua:5>"]
            nil	no
            -- call {app:processes|0x00001} own [] None
            -- answer error["Internal", "true", nil, nil, "stack traceback:\n\t[C]: in function 'error'\n\tmain.lua:7: in function <main.lua:7>"]
            nil	true
            -- call {app:processes|0x00001} deep [] None
            -- answer [nil, "C stack overflow"]
            nil	C stack overflow
            => nil
        "#]],
    );
}
