//! Coroutines: spawned, plain, and where one can wait.

use expect_test::expect;

use super::*;

#[test]
fn spawn_runs_at_once_up_to_its_first_wait() {
    check(
        "print('a')
        coroutine.spawn(function(...) print('b', ...) time.sleep(1) print('d') end, 1, nil, 3)
        print('c') time.sleep(2) print('e')",
        expect![[r#"
            a
            b	1	nil	3
            c
            d
            e
            => nil
        "#]],
    );
}

#[test]
fn spawns_nest_without_end() {
    check(
        "local depth = 0
        local function nest(n) depth = n if n < 5000 then coroutine.spawn(nest, n + 1) end end
        nest(1) print(depth)
        local order = {}
        coroutine.spawn(function()
          order[#order + 1] = 1
          coroutine.spawn(function() order[#order + 1] = 2 time.sleep(1) order[#order + 1] = 5 end)
          order[#order + 1] = 3
        end)
        order[#order + 1] = 4 time.sleep(2)
        print(table.concat(order, ' '))",
        expect![[r#"
            5000
            1 2 3 4 5
            => nil
        "#]],
    );
}

#[test]
fn spawn_works_where_one_cannot_wait() {
    check(
        "local ch = channel.new()
        local t = { 3, 1, 2 }
        table.sort(t, function(a, b)
          coroutine.spawn(function()
            coroutine.spawn(function() ch:receive() print('inner done') end)
            time.sleep(1) ch:close()
          end)
          return a < b
        end)
        print(table.concat(t, ' ')) time.sleep(5)",
        expect![[r#"
            1 2 3
            inner done
            inner done
            => nil
        "#]],
    );
}

#[test]
fn plain_coroutines_work_as_in_lua() {
    check(
        "local co = coroutine.create(function(a, b)
          local c = coroutine.yield(a + b) local d, e = coroutine.yield(c * 2) return d, e
        end)
        print(coroutine.resume(co, 1, 2)) print(coroutine.status(co))
        print(coroutine.resume(co, 10)) print(coroutine.resume(co, 'x', 'y'))
        print(coroutine.status(co), coroutine.resume(co))
        for v in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) do print(v) end
        print(coroutine.isyieldable(), select(2, coroutine.running()))
        coroutine.spawn(function() print(coroutine.isyieldable(), select(2, coroutine.running())) end)",
        expect![[r#"
            true	3
            suspended
            true	20
            true	x	y
            dead	false	cannot resume dead coroutine
            1
            2
            3
            false	true
            false	false
            => nil
        "#]],
    );
}

#[test]
fn a_plain_coroutine_may_wait() {
    check(
        "local co
        co = coroutine.create(function(x)
          print('in', x) time.sleep('1s') print(coroutine.status(co))
          local y = coroutine.yield('out') time.sleep(1) return y
        end)
        coroutine.spawn(function()
          time.sleep(1)
          print('meanwhile', coroutine.status(co), coroutine.resume(co))
          print(pcall(coroutine.close, co))
        end)
        print(coroutine.resume(co, 1)) print(coroutine.resume(co, 2))
        local wrapped = coroutine.wrap(function() return process.listen('t'):receive() end)
        process.send(process.pid(), 't', 'through wrap')
        print(wrapped())",
        expect![[r#"
            in	1
            meanwhile	normal	false	cannot resume non-suspended coroutine
            false	cannot close a normal coroutine
            running
            true	out
            true	2
            through wrap	true
            => nil
        "#]],
    );
}

#[test]
fn yield_outside_a_plain_coroutine_is_an_error() {
    check(
        "print(pcall(coroutine.yield, 1))",
        expect![[r#"
        false	attempt to yield from outside a coroutine
        => nil
    "#]],
    );
    check(
        "coroutine.spawn(function() print(pcall(coroutine.yield)) end)",
        expect![[r#"
        false	attempt to yield from outside a coroutine
        => nil
    "#]],
    );
    check(
        "coroutine.yield()",
        expect![[r#"
        !! ErrorKind::Internal: attempt to yield from outside a coroutine
           [C]: in function 'coroutine.yield'
           main.lua:1: in function <main.lua:1>
    "#]],
    );
}

#[test]
fn a_base_coroutine_belongs_to_the_scheduler() {
    check(
        "local main = coroutine.running()
        coroutine.spawn(function()
          print(coroutine.status(main), coroutine.resume(main)) print(pcall(coroutine.close, main))
        end)
        local other
        coroutine.spawn(function() other = coroutine.running() time.sleep(1) end)
        print(coroutine.status(other), coroutine.resume(other)) print(pcall(coroutine.close, other))
        print(pcall(coroutine.wrap(function() return coroutine.resume(main) end)))
        time.sleep(2) print(coroutine.status(other))",
        expect![[r#"
            normal	false	cannot resume non-suspended coroutine
            false	cannot close a normal coroutine
            normal	false	cannot resume non-suspended coroutine
            false	cannot close a normal coroutine
            true	false	cannot resume non-suspended coroutine
            dead
            => nil
        "#]],
    );
}

#[test]
fn one_can_wait_wherever_lua_can_yield() {
    check(
        "local ch = channel.new(10)
        local function get() time.sleep(1) return 'waited' end
        print(pcall(get))
        print(xpcall(get, print))
        print(setmetatable({}, { __index = get }).x)
        print(setmetatable({}, { __add = get }) + 1)
        print(setmetatable({}, { __concat = get }) .. 'x')
        print(setmetatable({}, { __lt = get }) < {})
        print(setmetatable({}, { __call = get })())
        for v in function(_, last) time.sleep(1) if not last then return 'iterated' end end do print(v) end
        for k in pairs(setmetatable({}, { __pairs = function() time.sleep(1) return next, { key = 1 } end })) do print(k) end
        do local x <close> = setmetatable({}, { __close = function() time.sleep(1) print('closed') end }) end
        print(pcall(function()
          local x <close> = setmetatable({}, { __close = function() time.sleep(1) print('closed by error') end })
          error('e', 0)
        end))",
        expect![[r#"
            true	waited
            true	waited
            waited
            waited
            waited
            true
            waited
            iterated
            key
            closed
            closed by error
            false	e
            => nil
        "#]],
    );
}

#[test]
fn a_callback_of_a_library_function_cannot_wait() {
    check(
        "local ch, full = channel.new(), channel.new()
        local waits = {
          sleep = function() time.sleep(1) end, receive = function() ch:receive() end,
          send = function() full:send(1) end, select = function() channel.select{ ch:case_receive() } end,
        }
        for _, name in ipairs{ 'sleep', 'receive', 'send', 'select' } do
          local f = waits[name]
          print(name, pcall(table.sort, { 1, 2 }, f))
          print(name, pcall(string.gsub, 'x', 'x', f))
          print(name, pcall(tostring, setmetatable({}, { __tostring = f })))
          print(name, load(function() f() end))
          local reason
          xpcall(error, function() reason = select(2, pcall(f)) end)
          print(name, reason)
        end
        print('sent', process.send(process.pid(), 'topic'))
        coroutine.spawn(function() ch:send('still works') end)
        print(ch:receive())",
        expect![[r#"
            sleep	false	attempt to yield across a C-call boundary
            sleep	false	attempt to yield across a C-call boundary
            sleep	false	attempt to yield across a C-call boundary
            sleep	nil	attempt to yield across a C-call boundary
            sleep	attempt to yield across a C-call boundary
            receive	false	attempt to yield across a C-call boundary
            receive	false	attempt to yield across a C-call boundary
            receive	false	attempt to yield across a C-call boundary
            receive	nil	attempt to yield across a C-call boundary
            receive	attempt to yield across a C-call boundary
            send	false	attempt to yield across a C-call boundary
            send	false	attempt to yield across a C-call boundary
            send	false	attempt to yield across a C-call boundary
            send	nil	attempt to yield across a C-call boundary
            send	attempt to yield across a C-call boundary
            select	false	attempt to yield across a C-call boundary
            select	false	attempt to yield across a C-call boundary
            select	false	attempt to yield across a C-call boundary
            select	nil	attempt to yield across a C-call boundary
            select	attempt to yield across a C-call boundary
            sent	true	nil
            still works	true
            => nil
        "#]],
    );
}

#[test]
fn an_error_in_a_spawned_coroutine_ends_the_process_at_once() {
    check(
        "print(pcall(coroutine.spawn, function() error('boom') end)) print('not reached')",
        expect![[r#"
        !! ErrorKind::Internal: main.lua:1: boom
           [C]: in function 'error'
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "coroutine.spawn(function() time.sleep(1) error('later') end) time.sleep(5) print('not reached')",
        expect![[r#"
        !! ErrorKind::Internal: main.lua:1: later
           [C]: in function 'error'
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "local ok = pcall(table.sort, { 1, 2 }, function()
          pcall(function() coroutine.spawn(function() error('inside a callback') end) end)
          print('not reached')
        end)
        print('not reached either', ok)",
        expect![[r#"
            !! ErrorKind::Internal: main.lua:2: inside a callback
               [C]: in function 'error'
               main.lua:2: in function <main.lua:2>
        "#]],
    );
}

#[test]
fn spawn_wants_a_function() {
    check(
        "print(pcall(coroutine.spawn, 1)) print(pcall(function() coroutine.spawn() end))",
        expect![[r#"
        false	bad argument #1 to 'spawn' (function expected, got number)
        false	main.lua:1: bad argument #1 to 'spawn' (function expected, got no value)
        => nil
    "#]],
    );
}

#[test]
fn other_coroutines_end_with_main() {
    check(
        "coroutine.spawn(function() time.sleep(1) print('not reached') end) return 1",
        expect![[r#"
        => 1
    "#]],
    );
}
