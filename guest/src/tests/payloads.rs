//! What travels, how it looks on the way, and that it comes back the same.

use expect_test::{Expect, expect};

use super::*;

/// Sends one value to the outside and shows the bytes' meaning.
fn travels(value: &str, expect: Expect) {
    let case = Case::body(&format!("print(process.send(process.pid(), 't', {value}))"));
    case.host.log_sends.set(true);
    case.check(expect);
}

#[test]
fn every_kind_of_value_has_its_form() {
    travels(
        "{ true, false, 0, -1, 127, 128, -32, -33, 255, 65536, 2^31 | 0, math.mininteger, math.maxinteger, 1.0, 0.1, -0.0, 1/0,
        '', 'text', ('x'):rep(31) == 'x', 'ü', '\\xff\\x00' }",
        expect![[r#"
            -- send t [true, false, 0, -1, 127, 128, -32, -33, 255, 65536, 2147483648, -9223372036854775808, 9223372036854775807, 1.0, 0.1, -0.0, inf, "", "text", false, "ü", bin"�\0"] (unread 0, 0)
            true	nil
            => nil
        "#]],
    );
    travels(
        "{ ('x'):rep(40), ('y'):rep(300) }",
        expect![[r#"
        -- send t ["xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"] (unread 0, 0)
        true	nil
        => nil
    "#]],
    );
    travels(
        "{}",
        expect![[r#"
        -- send t [] (unread 0, 0)
        true	nil
        => nil
    "#]],
    );
    travels(
        "{ 1, 2, nil, 4 }",
        expect![[r#"
        -- send t {1: 1, 2: 2, 4: 4} (unread 0, 0)
        true	nil
        => nil
    "#]],
    );
    travels(
        "{ [1] = 'a', [2] = 'b', x = 1 }",
        expect![[r#"
        -- send t {"x": 1, 1: "a", 2: "b"} (unread 0, 0)
        true	nil
        => nil
    "#]],
    );
    travels(
        "{ [2] = 'a', [1] = 'b' }",
        expect![[r#"
        -- send t ["b", "a"] (unread 0, 0)
        true	nil
        => nil
    "#]],
    );
    travels(
        "{ [true] = 1, [false] = 2, [1.5] = 3, [-1] = 4, k = { n = 1 } }",
        expect![[r#"
        -- send t {"k": {"n": 1}, -1: 4, 1.5: 3, false: 2, true: 1} (unread 0, 0)
        true	nil
        => nil
    "#]],
    );
    travels(
        "{ 90 * time.SECOND, time.unix(1, 2), errors.new{ message = 'm', kind = errors.TIMEOUT } }",
        expect![[r#"
        -- send t [90000000000ns, time[1, 2, "UTC"], error["Timeout", "m", nil, nil, "stack traceback:\n\tmain.lua:1: in function <main.lua:1>"]] (unread 0, 0)
        true	nil
        => nil
    "#]],
    );
    travels(
        "setmetatable({ 1 }, { __index = print, __pairs = print, __len = print })",
        expect![[r#"
        -- send t [1] (unread 0, 0)
        true	nil
        => nil
    "#]],
    );
}

#[test]
fn what_cannot_travel_is_named() {
    check(
        "local function try(...) print(select(2, process.send(process.pid(), 't', ...))) end
        try(print) try({ handlers = { 1, print } }) try({ ['odd key'] = { [true] = { [1.5] = print } } }) try(1, { f = print })
        try({ [{}] = 1 }) try({ a = { [print] = 1 } }) try(coroutine.create(print)) try({ channel.new() }) try(channel.new():case_receive())
        try(time.timer('1s')) try(errors.new{ message = 'm', details = { f = print } })
        print(select(2, process.spawn('app:x', 'app:processes', 1, { print })))
        print(select(2, process.send(process.pid(), 't', print)):kind())",
        expect![[r#"
            payload is a function
            payload.handlers[2] is a function
            payload["odd key"][true][1.5] is a function
            payload[2].f is a function
            payload has a key that is a table
            payload.a has a key that is a function
            payload is a coroutine
            payload[1] is a channel
            payload is a case
            payload[1] is a timer
            payload.details.f is a function
            arguments[2][1] is a function
            Invalid
            => nil
        "#]],
    );
}

#[test]
fn depth_is_bounded_both_ways() {
    check(
        "local function nest(n) local t = { 'end' } for i = 2, n do t = { t } end return t end
        print(process.send(process.pid(), 't', nest(101)))
        print(process.send(process.pid(), 't', nest(100)))
        local t, depth = process.listen('t'):receive(), 0
        while type(t) == 'table' do t, depth = t[1], depth + 1 end
        print(t, depth)
        local e = errors.new{ message = 'm', details = { 1 } }
        e:details().self = e
        print(process.send(process.pid(), 't', e))",
        expect![[r#"
            nil	payload is nested deeper than 100 tables
            true	nil
            end	100
            nil	payload is nested deeper than 100 tables
            => nil
        "#]],
    );
}

#[test]
fn sharing_and_cycles_are_kept() {
    check(
        "local shared, many = { 'shared' }, {}
        local t = { a = shared, b = shared, list = { shared, { x = shared } } }
        t.self = t
        for i = 1, 30 do many[i] = { i } many[i + 30] = many[i] end
        t.many = many
        process.send(process.pid(), 't', t) process.send(process.pid(), 't', shared, shared)
        local got = process.listen('t'):receive()
        print(got.a == got.b, got.a == got.list[1], got.a == got.list[2].x, got.self == got, got.a[1])
        local good = true
        for i = 1, 30 do good = good and got.many[i] == got.many[i + 30] and got.many[i][1] == i end
        print(good)
        local several = process.listen('t'):receive() print(several[1] == several[2], several.n)",
        expect![[r#"
            true	true	true	true	shared
            true
            true	2
            => nil
        "#]],
    );
    // [[1], [1] again]: a list of arguments counts as the first table.
    let case = Case::body("local a, b = ... print(a == b, a[1])").arguments(b"\x92\x91\x01\xd6\x01\x00\x00\x00\x01");
    case.check(expect![[r#"
        true	1
        => nil
    "#]]);
}

#[test]
fn values_come_back_the_same() {
    check(
        "local ch = process.listen('t')
        local function back(v) process.send(process.pid(), 't', v) return (ch:receive()) end
        for _, n in ipairs{ 0, -1, 127, 128, 255, 256, -128, -129, 32767, -32769, 65535, 1 << 31, 1 << 32, math.mininteger,
          math.maxinteger, 0.0, 1.5, 1e300, 1/0, -1/0 } do
          local got = back(n)
          if got ~= n or math.type(got) ~= math.type(n) then print('lost', n, got) end
        end
        local nan = back(0/0) print(nan ~= nan, 1 / back(-0.0))
        for _, length in ipairs{ 0, 1, 31, 32, 255, 256, 65535, 65536 } do
          local text, bytes = ('x'):rep(length), ('\\xff'):rep(length)
          if back(text) ~= text or back(bytes) ~= bytes then print('lost', length) end
        end
        for _, count in ipairs{ 0, 15, 16, 65535, 65536 } do
          local list, map = {}, {}
          for i = 1, count do list[i] = i map['k' .. i] = i end
          local a, b = back(list), back(map)
          local n = 0 for k, v in pairs(b) do n = n + 1 if map[k] ~= v then print('lost', k) end end
          if #a ~= count or n ~= count or a[count] ~= list[count] then print('lost', count) end
        end
        local d, t, e = table.unpack(back({ 90 * time.SECOND, time.unix(7, 5), errors.new{ message = 'm', kind = errors.TIMEOUT,
          retryable = true, details = { a = { 1 } } } }))
        print(d, d == 90 * time.SECOND, t:unix(), t:nanosecond(), e, e:kind(), e:retryable(), e:details().a[1], e:stack() ~= nil)",
        expect![[r#"
            true	-inf
            1m30s	true	7	5	m	Timeout	true	1	true
            => nil
        "#]],
    );
}

#[test]
fn a_message_over_the_limit_is_refused_before_it_is_built() {
    Case::body(
        "local me = process.pid()
        print(process.send(me, 't', ('x'):rep(1000))) print(process.send(me, 't', ('x'):rep(990)))
        local list = {} for i = 1, 2000 do list[i] = i end
        print(process.send(me, 't', list))
        local t = { 'x' } for i = 1, 60 do t = { t, { t } } end
        print((process.send(me, 't', t)))
        return ('x'):rep(2000)",
    )
    .with(|program| program.limits.message = 1000)
    .check(expect![[r#"
        nil	payload exceeds the message limit of 1000 bytes
        true	nil
        nil	payload exceeds the message limit of 1000 bytes
        true
        !! ErrorKind::Invalid: result exceeds the message limit of 1000 bytes
    "#]]);
}

#[test]
fn corrupt_payloads_raise_and_take_no_memory() {
    let corrupt: [&[u8]; 10] = [
        b"",
        b"\xc1",
        b"\x92\x01",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff\x01",
        b"\xa5ab",
        b"\xd6\x01\0\0\0\x09",
        b"\x81\xc0\x01",
        b"\x01\x02",
        // An error whose kind is a number.
        b"\xc7\x06\x02\x95\x30\xa0\xc2\xc0\xc0",
    ];
    let run = |payload: &[u8]| {
        let case = Case::body("print(pcall(function() return process.listen('t'):receive() end))");
        case.message(None, "t", payload).run()
    };
    let ends: Vec<String> = corrupt.into_iter().map(run).collect();
    expect![[r#"
        false	corrupt payload
        => nil
        false	corrupt payload
        => nil
        false	corrupt payload
        => nil
        false	corrupt payload
        => nil
        false	corrupt payload
        => nil
        false	corrupt payload
        => nil
        false	corrupt payload
        => nil
        false	corrupt payload
        => nil
        false	corrupt payload
        => nil
        false	corrupt payload
        => nil
    "#]]
    .assert_eq(&ends.concat());
    let mut deep = vec![0x91; 5000];
    deep.push(1);
    expect![[r#"
        false	corrupt payload
        => nil
    "#]]
    .assert_eq(&run(&deep));
}
