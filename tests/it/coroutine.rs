//! Coroutines: spawned ones, plain ones, and waits inside of both.

use expect_test::expect;

use crate::check::check_main;

#[test]
fn a_spawned_coroutine_runs_at_once_up_to_its_first_wait() {
    check_main(
        r#"
        print("one")
        coroutine.spawn(function(a, b)
            print("two", a, b)
            time.sleep("2ms")
            print("five")
        end, "a", "b")
        print("three")
        coroutine.spawn(function() print("four") end)
        time.sleep("20ms")
        print("six")
        "#,
        expect![[r#"
            one
            two	a	b
            three
            four
            five
            six
            => nil
        "#]],
    );
}

#[test]
fn spawned_coroutines_nest() {
    check_main(
        r#"
        local function nest(n)
            if n == 0 then return print("innermost") end
            coroutine.spawn(nest, n - 1)
            time.sleep(0)
            if n % 100 == 0 then print("back in", n) end
        end
        nest(300)
        time.sleep("20ms")
        "#,
        expect![[r#"
            innermost
            back in	100
            back in	200
            back in	300
            => nil
        "#]],
    );
}

#[test]
fn spawn_takes_a_function() {
    check_main(
        r#"
        print(raised(function() coroutine.spawn() end):match("^bad argument #1 to 'spawn'"))
        print(raised(function() coroutine.spawn("print") end))
        "#,
        expect![[r#"
            bad argument #1 to 'spawn'
            bad argument #1 to 'spawn' (function expected, got string)
            => nil
        "#]],
    );
}

#[test]
fn plain_coroutines_work_as_in_lua() {
    check_main(
        r#"
        local co = coroutine.create(function(a, b)
            print("started", a, b)
            local c = coroutine.yield(a + b)
            print("resumed", c, coroutine.status(coroutine.running()), coroutine.isyieldable())
            local d, e = coroutine.yield()
            return d, e
        end)
        print(coroutine.status(co), coroutine.resume(co, 1, 2))
        print(coroutine.status(co), coroutine.resume(co, "c"))
        print(coroutine.resume(co, "d", "e"))
        print(coroutine.status(co), coroutine.resume(co))
        local failing = coroutine.create(function() error("boom", 0) end)
        print(coroutine.resume(failing))
        print(coroutine.close(failing))
        local wrapped = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)
        print(wrapped(), wrapped(), wrapped(), wrapped())
        print(raised(wrapped))
        local open = coroutine.create(function()
            local c <close> = setmetatable({}, { __close = function() print("closed") end })
            coroutine.yield()
        end)
        coroutine.resume(open)
        print(coroutine.close(open), coroutine.status(open))
        "#,
        expect![[r#"
            started	1	2
            suspended	true	3
            resumed	c	running	true
            suspended	true
            true	d	e
            dead	false	cannot resume dead coroutine
            false	boom
            false	boom
            1	2	3
            cannot resume dead coroutine
            closed
            true	dead
            => nil
        "#]],
    );
}

#[test]
fn a_wait_in_a_plain_coroutine_suspends_all_around_it() {
    check_main(
        r#"
        local done = channel.new()
        coroutine.spawn(function()
            local co = coroutine.wrap(function(a)
                time.sleep("2ms")
                print("inner", a)
                local b = coroutine.yield("yielded")
                print("inner", b, process.inbox():receive():payload())
                return "returned"
            end)
            print("outer", co("a"))
            print("outer", co("b"))
            done:send(true)
        end)
        print("beside")
        time.sleep("20ms")
        process.send(process.pid(), "t", "message")
        done:receive()
        "#,
        expect![[r#"
            beside
            inner	a
            outer	yielded
            inner	b	message
            outer	returned
            => nil
        "#]],
    );
}

#[test]
fn a_plain_coroutine_that_waits_is_normal_to_others() {
    check_main(
        r#"
        local co
        coroutine.spawn(function()
            co = coroutine.create(function() print("woken", process.listen("t"):receive()) return "end" end)
            print("resume", coroutine.resume(co))
        end)
        print(coroutine.status(co))
        print(coroutine.resume(co))
        print(raised(coroutine.close, co))
        process.send(process.pid(), "t", "by a message")
        time.sleep("5ms")
        print(coroutine.status(co))
        "#,
        expect![[r#"
            normal
            false	cannot resume non-suspended coroutine
            cannot close a normal coroutine
            woken	by a message	true
            resume	true	end
            dead
            => nil
        "#]],
    );
}

#[test]
fn waits_and_yields_mix_at_any_depth() {
    check_main(
        r#"
        local function generator(depth)
            return coroutine.wrap(function()
                if depth == 0 then
                    for i = 1, 3 do time.sleep(0) coroutine.yield(i) time.sleep(0) end
                    return
                end
                for v in generator(depth - 1) do time.sleep(0) coroutine.yield(v * 2) end
            end)
        end
        local sums = channel.new(10)
        for _ = 1, 4 do
            coroutine.spawn(function()
                local sum = 0
                for v in generator(10) do sum = sum + v end
                sums:send(sum)
            end)
        end
        for _ = 1, 4 do print(sums:receive()) end
        "#,
        expect![[r#"
            6144	true
            6144	true
            6144	true
            6144	true
            => nil
        "#]],
    );
}

#[test]
fn a_yield_outside_a_plain_coroutine_raises() {
    check_main(
        r#"
        print(raised(coroutine.yield, 1))
        coroutine.spawn(function()
            print(raised(coroutine.yield))
            time.sleep("1ms")
            print(raised(coroutine.yield))
        end)
        time.sleep("20ms")
        coroutine.yield()
        "#,
        expect![[r#"
            attempt to yield from outside a coroutine
            attempt to yield from outside a coroutine
            attempt to yield from outside a coroutine
            failed Internal: attempt to yield from outside a coroutine
        "#]],
    );
}

#[test]
fn an_error_after_a_wait_is_caught_where_lua_catches_it() {
    check_main(
        r#"
        print(pcall(function() time.sleep(1) error("in pcall", 0) end))
        local co = coroutine.create(function() time.sleep(1) error("in a coroutine", 0) end)
        print(coroutine.resume(co))
        print(coroutine.status(co))
        print(xpcall(function() time.sleep(1) error("in xpcall", 0) end, function(e) return "handled " .. e end))
        "#,
        expect![[r#"
            false	in pcall
            false	in a coroutine
            dead
            false	handled in xpcall
            => nil
        "#]],
    );
}

#[test]
fn many_coroutines_share_one_process() {
    check_main(
        r#"
        local done, sum = channel.new(), 0
        for i = 1, 5000 do
            coroutine.spawn(function() time.sleep(i % 7) done:send(i) end)
        end
        for _ = 1, 5000 do sum = sum + done:receive() end
        return sum
        "#,
        expect![[r#"
            => 12502500
        "#]],
    );
}

#[test]
fn a_plain_coroutine_may_change_hands() {
    check_main(
        r#"
        local shared = coroutine.wrap(function()
            time.sleep("1ms")
            coroutine.yield("to the first")
            time.sleep("1ms")
            return "to the second"
        end)
        local done = channel.new()
        coroutine.spawn(function() done:send(shared()) end)
        print(done:receive())
        coroutine.spawn(function() done:send(shared()) end)
        print(done:receive())
        "#,
        expect![[r#"
            to the first	true
            to the second	true
            => nil
        "#]],
    );
}

#[test]
fn only_a_plain_coroutine_is_yieldable() {
    check_main(
        r#"
        print(coroutine.isyieldable())
        coroutine.spawn(function() print(coroutine.isyieldable()) end)
        print(coroutine.wrap(coroutine.isyieldable)())
        "#,
        expect![[r#"
            false
            false
            true
            => nil
        "#]],
    );
}
