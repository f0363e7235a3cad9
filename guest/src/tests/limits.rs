//! The limits the guest itself holds: memory, counts, stacks, output.

use expect_test::expect;

use super::*;

#[test]
fn the_memory_limit_is_a_lua_error() {
    check(
        "print(pcall(string.rep, 'x', 1 << 30)) print(pcall(function() local t = {} for i = 1, 1e9 do t[i] = i end end))
        print(pcall(function() local s = 'x' while true do s = s .. s end end))
        local n = 0 print(pcall(function() local t = {} while true do n = n + 1 t[n] = {} end end)) print(n > 10000)
        collectgarbage() print('goes on')",
        expect![[r#"
            false	not enough memory
            false	not enough memory
            false	not enough memory
            false	not enough memory
            true
            goes on
            => nil
        "#]],
    );
}

#[test]
fn uncaught_it_ends_the_process() {
    check(
        "local function fill() local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end end fill()",
        expect![[r#"
        !! ErrorKind::ResourceExhausted: not enough memory {"limit": "memory"}
           main.lua:1: in local 'fill'
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "coroutine.spawn(function() local t = {} while true do t[#t + 1] = { t } end end)",
        expect![[r#"
        !! ErrorKind::ResourceExhausted: not enough memory {"limit": "memory"}
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "coroutine.wrap(function() local t = {} while true do t[#t + 1] = { t } end end)()",
        expect![[r#"
        !! ErrorKind::ResourceExhausted: not enough memory {"limit": "memory"}
           [C]: in ?
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "local ok, err = pcall(string.rep, 'x', 1 << 30) error(err, 0)",
        expect![[r#"
        !! ErrorKind::ResourceExhausted: not enough memory {"limit": "memory"}
           [C]: in function 'error'
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    Case::new("local t = {} while true do t[#t + 1] = { t } end").check(expect![[r#"
        !! ErrorKind::ResourceExhausted: not enough memory {"limit": "memory"}
           main.lua:1: in main chunk
    "#]]);
}

#[test]
fn a_small_process_lives_in_a_small_limit() {
    let case = Case::body("print('hello')").with(|program| program.limits.memory = 64 << 10);
    case.check(expect![[r#"
        hello
        => nil
    "#]]);
}

/// An array of so many empty arrays: 52 bytes of Lua's memory for each.
fn many_tables(count: u16) -> Vec<u8> {
    let mut payload = vec![0xdc];
    payload.extend_from_slice(&count.to_be_bytes());
    payload.resize(3 + usize::from(count), 0x90);
    payload
}

#[test]
fn what_arrives_may_be_too_much_and_is_catchable() {
    // More than the process may have, which its size tells; and more than is left of that, which shows while it is built.
    for (count, memory) in [(60_000, 1 << 20), (40_000, 3 << 20)] {
        let case = Case::body(
            "local ch, keep = process.listen('t'), ('x'):rep(1 << 18)
            for _, receive in ipairs { ch.receive, function(ch) return channel.select { ch:case_receive() } end } do
                local ok, err = pcall(receive, ch)
                print(ok, errors.is(err, errors.RESOURCE_EXHAUSTED), err:retryable(), err:details().limit,
                    err:details().needed > 52 * 40000)
                print(table.unpack((ch:receive())))
            end",
        );
        case.with(|program| program.limits.memory = memory)
            .message(None, "t", &many_tables(count))
            .message(None, "t", &[0x91, 1])
            .message(None, "t", &many_tables(count))
            .message(None, "t", &[0x91, 2])
            .check(expect![[r#"
                false	true	false	memory	true
                1
                false	true	false	memory	true
                2
                => nil
            "#]]);
    }
}

#[test]
fn uncaught_it_ends_the_process_like_any_memory_limit() {
    Case::body("process.listen('t'):receive()")
        .with(|program| program.limits.memory = 1 << 20)
        .message(None, "t", &many_tables(60_000))
        .check(expect![[r#"
            !! ErrorKind::ResourceExhausted: payload needs at least 3120036 bytes of memory: too little is left of the process's 1048576 {"limit": "memory", "needed": 3120036}
               [C]: in method 'receive'
               main.lua:1: in function <main.lua:1>
        "#]]);
}

#[test]
fn a_large_message_that_fits_is_received_beside_garbage() {
    // Its strings are one and the same: what is counted in advance is less than what each would take.
    let mut payload = vec![0xdc, 0x27, 0x10];
    for _ in 0..10_000 {
        payload.extend_from_slice(b"\x81\xa4name\xa5value");
    }
    let case = Case::body(
        "local ch = process.listen('t')
        for i = 1, 3 do
            local garbage = {} for i = 1, 1e4 do garbage[i] = { i } end garbage = nil
            local list = ch:receive()
            print(#list, list[10000].name)
        end",
    )
    .with(|program| program.limits.memory = 3 << 20);
    (0..3).fold(case, |case, _| case.message(None, "t", &payload)).check(expect![[r#"
        10000	value
        10000	value
        10000	value
        => nil
    "#]]);
}

#[test]
fn recursion_ends_in_an_error() {
    check(
        "local function run(name, f) local ok, err = pcall(f) print(name, ok, (tostring(err):gsub('^.-(%a* ?stack overflow).*', '%1'))) end
        local function deep() return 1 + deep() end run('lua', deep)
        local function gsub() return (string.gsub('x', 'x', gsub)) end run('gsub', gsub)
        local function sort() table.sort({ 1, 2 }, function() sort() end) end run('sort', sort)
        local function call() return pcall(call) end run('pcall', call)
        local t = setmetatable({}, {}) getmetatable(t).__index = function(_, k) return t[k + 1] end run('index', function() return t[1] end)
        getmetatable(t).__tostring = function() return tostring(t) end run('tostring', function() return tostring(t) end)
        getmetatable(t).__concat = function() return t .. 'x' end run('concat', function() return t .. 'x' end)
        getmetatable(t).__eq = function(a, b) return a == setmetatable({}, getmetatable(t)) end run('eq', function() return t == setmetatable({}, getmetatable(t)) end)
        local function wrap() return coroutine.wrap(wrap)() end run('wrap', wrap)
        local chain = {} for i = 1, 300 do chain = setmetatable({}, { __index = chain }) end run('chain', function() return chain.x end)
        local loop = {} setmetatable(loop, { __index = loop }) run('loop', function() return loop.x end)",
        expect![[r#"
            lua	false	 stack overflow
            gsub	false	C stack overflow
            sort	false	C stack overflow
            pcall	true	true
            index	false	C stack overflow
            tostring	false	C stack overflow
            concat	false	C stack overflow
            eq	false	C stack overflow
            wrap	false	C stack overflow
            chain	true	nil
            loop	false	main.lua:12: '__index' chain too long; possible loop
            => nil
        "#]],
    );
}

#[test]
fn the_parser_is_bounded() {
    check(
        "local function try(s) local f, err = load(s) print(f == nil and (tostring(err):gsub('^.*:%d+: ', ''):sub(1, 60)) or 'compiled') end
        try('return ' .. ('('):rep(10000) .. '1' .. (')'):rep(10000)) try('return ' .. ('{'):rep(10000) .. ('}'):rep(10000))
        try(('do '):rep(10000) .. ('end '):rep(10000)) try('return ' .. ('not '):rep(10000) .. '1') try('x = ' .. ('-'):rep(3) .. '1')
        try(('a.'):rep(100000) .. 'b = 1') try('return ' .. ('function() return '):rep(1000) .. '1' .. (' end'):rep(1000))
        try('local ' .. ('a,'):rep(250) .. 'a') try('return ' .. ('1 .. '):rep(10000) .. '1') try(('x=1 '):rep(100000))",
        expect![[r#"
            C stack overflow
            C stack overflow
            C stack overflow
            C stack overflow
            unexpected symbol near <eof>
            compiled
            C stack overflow
            too many local variables (limit is 200) in main function nea
            C stack overflow
            compiled
            => nil
        "#]],
    );
}

#[test]
fn patterns_are_bounded_in_depth() {
    check(
        "print(pcall(string.find, ('a'):rep(300000), ('a?'):rep(300000) .. 'b')) print(pcall(string.rep, 'x', -1))
        print(pcall(string.find, ('('):rep(300000), ('('):rep(300000)))
        print(#string.match(('x'):rep(1000000), '.-b?$'))
        print(pcall(string.format, '%99999d', 1)) print(pcall(table.unpack, {}, 1, 1e7)) print(pcall(table.concat, {}, 'x', 1, 1e9))
        print(pcall(table.unpack, {}, math.mininteger, math.maxinteger)) print(pcall(string.byte, ('x'):rep(1 << 20), 1, -1))",
        expect![[r#"
            false	pattern too complex
            true	
            false	too many captures
            1000000
            false	invalid conversion specification: '%99999d'
            false	too many results to unpack
            false	invalid value (nil) at index 1 in table for 'concat'
            false	too many results to unpack
            false	stack overflow (string slice too long)
            => nil
        "#]],
    );
}

#[test]
fn counts_have_limits() {
    Case::body(
        "for i = 1, 3 do coroutine.spawn(function() process.listen('never'):receive() end) end
        local ok, err = pcall(coroutine.spawn, print) print(ok, err, err:kind())
        for i = 1, 2 do process.listen('t' .. i) end
        print(process.listen('t3')) print(select(2, process.listen('t3')):kind())
        process.unlisten(process.listen('t1')) print(process.listen('t3') ~= nil)
        local a, b, c = time.timer('1h'), time.after('1h'), time.ticker('1h')
        print(time.timer('1h')) print(time.after('1h')) print(time.ticker('1h')) print(time.sleep('1h')) print(select(2, time.sleep(1)):kind())
        a:stop() print(time.sleep(1)) print(a:reset('1s')) time.sleep('10ms')",
    )
    .with(|program| {
        program.limits.coroutines = 3;
        program.limits.listeners = 3;
        program.limits.timers = 3;
    })
    .check(expect![[r#"
        false	process has 3 coroutines, the limit is 3	ResourceExhausted
        nil	process has 3 listeners, the limit is 3
        ResourceExhausted
        true
        nil	process has 3 timers pending, the limit is 3
        nil	process has 3 timers pending, the limit is 3
        nil	process has 3 timers pending, the limit is 3
        nil	process has 3 timers pending, the limit is 3
        ResourceExhausted
        true	nil
        false
        => nil
    "#]]);
}

#[test]
fn a_finished_coroutine_counts_no_more() {
    let case =
        Case::body("for i = 1, 1000 do coroutine.spawn(function() time.sleep(1) end) time.sleep(2) end print('done')");
    case.with(|program| program.limits.coroutines = 1).check(expect![[r#"
        done
        => nil
    "#]]);
}

#[test]
fn a_full_output_makes_printers_wait_in_order() {
    let case = Case::body(
        "coroutine.spawn(function() for i = 1, 3 do print('b', i) end end)
        for i = 1, 3 do print('a', i) end
        table.sort({ 1, 2 }, function() for i = 1, 4 do print('callback', i) end end)
        print(setmetatable({}, { __tostring = function() print('inside') return 'outside' end }))",
    );
    case.host.output.set(1);
    case.check(expect![[r#"
        b	1
        -- full
        b	2
        b	3
        -- full
        a	1
        a	2
        -- full
        a	3
        callback	1
        -- full
        -- dropped 1
        callback	3
        callback	4
        -- full
        -- dropped 1
        outside
        => nil
    "#]]);
}

#[test]
fn a_long_line_is_cut() {
    let case = Case::body("print(('x'):rep(100)) print(('y'):rep(5), ('z'):rep(100))");
    case.with(|program| program.limits.message = 10).check(expect![[r#"
        xxxxxxxxxx
        yyyyy	zzzz
        => nil
    "#]]);
}

#[test]
fn listening_is_refused_at_a_budget_and_changes_nothing() {
    let case = Case::body(
        r#"local ch, err = process.listen("t")
        print(ch, err, err:kind(), err:details().limit, process.limits().listeners.used)
        process.send(process.pid(), "t", 1)
        print(process.inbox():receive():topic())"#,
    );
    case.host.full.set(true);
    case.check(expect![[r#"
        nil	the host is full	ResourceExhausted	host.memory	0
        t
        => nil
    "#]]);
}
