//! Payloads: which values travel, what is kept of them, and what is said about the others.

use expect_test::expect;
use lunarium_engine::{EntryId, HostId, SpawnRequest, Value};
use lunarium_tests::{HOST, Lab};

use crate::check::check_main;

/// Sends each value of `values` through the mailbox and prints what arrives.
fn echo(values: &str, show: &str, expect: expect_test::Expect) {
    check_main(
        &format!(
            r#"
        local me, ch = process.pid(), process.listen("t")
        local function show(v) {show} end
        for _, value in ipairs {{ {values} }} do
            assert(process.send(me, "t", value))
            print(show((ch:receive())))
        end
        "#
        ),
        expect,
    );
}

#[test]
fn integers_and_floats_stay_apart() {
    echo(
        "0, 1, 1.0, -1, 127, 128, -32, -33, 1 << 31, -1 << 31, 1 << 32, math.maxinteger, math.mininteger, 0.1, -0.0, \
         1e308, 1/0, -1/0, 2^53, 0/0",
        "local text = string.format(math.type(v) == 'integer' and '%d' or '%.17g', v) \
         return math.type(v), (text:gsub('^-nan$', 'nan'))",
        expect![[r#"
            integer	0
            integer	1
            float	1
            integer	-1
            integer	127
            integer	128
            integer	-32
            integer	-33
            integer	2147483648
            integer	-2147483648
            integer	4294967296
            integer	9223372036854775807
            integer	-9223372036854775808
            float	0.10000000000000001
            float	-0
            float	1e+308
            float	inf
            float	-inf
            float	9007199254740992
            float	nan
            => nil
        "#]],
    );
}

#[test]
fn strings_keep_any_bytes() {
    echo(
        r#""", "a\0b", "\xff\xfe", "\u{65e5}\u{672c}", ("x"):rep(31), ("x"):rep(32), ("x"):rep(255), ("\xff"):rep(256), ("x"):rep(70000)"#,
        "if #v < 8 then return type(v), #v, v:byte(1, -1) end return type(v), #v",
        expect![[r#"
            string	0
            string	3	97	0	98
            string	2	255	254
            string	6	230	151	165	230	156	172
            string	31
            string	32
            string	255
            string	256
            string	70000
            => nil
        "#]],
    );
}

#[test]
fn tables_keep_their_keys() {
    check_main(
        r#"
        local me, ch = process.pid(), process.listen("t")
        local function same(a, b)
            if type(a) ~= "table" or type(b) ~= "table" then return rawequal(a, b) and math.type(a) == math.type(b) end
            for k, v in pairs(a) do if not same(v, b[k]) then return false end end
            for k in pairs(b) do if a[k] == nil then return false end end
            return true
        end
        local holes = { 1, nil, 3, [7] = 7 }
        local long = {}
        for i = 1, 70000 do long[i] = i end
        for i, value in ipairs {
            {}, { 1, 2, 3 }, holes, { a = 1, b = { c = { d = "e" } } }, { 1, 2, x = "mixed" }, long,
            { [true] = 1, [false] = 2 }, { [1.5] = "half", [-1] = "minus", [0] = "zero", [2^60] = "big" },
            { [""] = "empty", ["\0\xff"] = "bytes", ["n"] = 1 }, { { { {} } }, {} },
            { [math.mininteger] = 1, [math.maxinteger] = 2 }, { false, false }, { n = 3, "a" },
        } do
            assert(process.send(me, "t", value))
            local copy = ch:receive()
            print(i, same(value, copy), copy ~= value)
        end
        "#,
        expect![[r#"
            1	true	true
            2	true	true
            3	true	true
            4	true	true
            5	true	true
            6	true	true
            7	true	true
            8	true	true
            9	true	true
            10	true	true
            11	true	true
            12	true	true
            13	true	true
            => nil
        "#]],
    );
}

#[test]
fn values_are_copied_when_they_are_sent() {
    check_main(
        r#"
        local t, ch = { "before", { "inner" } }, process.listen("t")
        process.send(process.pid(), "t", t)
        t[1], t[2][1] = "after", "changed"
        local copy = ch:receive()
        print(copy[1], copy[2][1])
        local child = process.spawn_monitored("app:gives", "app:processes", t)
        t[1] = "later"
        return process.events():receive().result.value
        "#,
        expect![[r#"
            before	inner
            => {"after", {"changed"}}
        "#]],
    );
}

#[test]
fn a_table_used_twice_arrives_as_one_table() {
    check_main(
        r#"
        local me, ch, t = process.pid(), process.listen("t"), { "shared" }
        process.send(me, "t", { t, { t }, key = t })
        local v = ch:receive()
        print(v[1] == v[2][1], v[1] == v.key, v[1][1])
        process.send(me, "t", t, t)
        v = ch:receive()
        print(v[1] == v[2], v[1][1])
        local e = {}
        process.send(me, "t", { e, e, {} })
        v = ch:receive()
        print(v[1] == v[2], v[1] == v[3])
        local many = {}
        for i = 1, 50 do many[i], many[i + 50] = { i }, false end
        for i = 1, 50 do many[i + 50] = many[i] end
        process.send(me, "t", many)
        v = ch:receive()
        local right = 0
        for i = 1, 50 do if v[i] == v[i + 50] and v[i][1] == i then right = right + 1 end end
        print(right)
        local child = process.spawn_monitored("app:compare", "app:processes", t, t, { t })
        print(process.events():receive().result)
        v = exit_of("twice").result.value
        return v[1] == v[2]
-- entry: compare
return { main = function(a, b, c) return a == b and a == c[1] end }
-- entry: twice
return { main = function() local t = {} return { t, t } end }
        "#,
        expect![[r#"
            true	true	shared
            true	shared
            true	false
            50
            true
            => true
        "#]],
    );
}

#[test]
fn a_cycle_is_kept() {
    check_main(
        r#"
        local me, ch = process.pid(), process.listen("t")
        local t = { name = "t" }
        t.self, t.list = t, { t, { t } }
        process.send(me, "t", t)
        local v = ch:receive()
        print(v == v.self, v == v.list[1], v == v.list[2][1], v.name, v ~= t)
        local list = {}
        list[1] = list
        process.send(me, "t", list)
        v = ch:receive()
        print(v[1] == v, #v)
        local a, b = {}, {}
        a.other, b.other = b, a
        process.send(me, "t", a, b)
        v = ch:receive()
        return v[1].other == v[2] and v[2].other == v[1]
        "#,
        expect![[r#"
            true	true	true	t	true
            true	1
            => true
        "#]],
    );
}

#[test]
fn tables_may_be_nested_100_deep() {
    check_main(
        r#"
        local me, ch = process.pid(), process.listen("t")
        local function nested(depth, key)
            local t = { [key] = "bottom" }
            for _ = 2, depth do t = { [key] = t } end
            return t
        end
        for _, key in ipairs { 1, "x" } do
            print(process.send(me, "t", nested(100, key)))
            local v, depth = ch:receive(), 0
            while type(v) == "table" do v, depth = v[key], depth + 1 end
            print(depth, v)
            print(kind(process.send(me, "t", nested(101, key))))
            print(kind(process.send(me, "t", nested(50000, key))))
        end
        "#,
        expect![[r#"
            true	nil
            100	bottom
            nil	Invalid
            nil	Invalid
            true	nil
            100	bottom
            nil	Invalid
            nil	Invalid
            => nil
        "#]],
    );
}

#[test]
fn error_objects_time_and_duration_travel() {
    check_main(
        r#"
        local me, ch = process.pid(), process.listen("t")
        local err = errors.new { message = "gone", kind = errors.NOT_FOUND, retryable = true, details = { id = 7 } }
        process.send(me, "t", { err = err, at = time.unix(1, 500), took = 90 * time.SECOND })
        local v = ch:receive()
        print(v.err, v.err:kind(), v.err:message(), v.err:retryable(), v.err:details().id, v.err:stack() == err:stack())
        print(v.at:unix(), v.at:nanosecond(), v.at == time.unix(1, 500), v.took:seconds(), v.took)
        process.send(me, "t", err)
        print("alone: " .. ch:receive())
        process.send(me, "t", time.unix(0), time.SECOND)
        v = ch:receive()
        print(v[1]:unix(), v[2]:seconds())
        "#,
        expect![[r#"
            gone	NotFound	gone	true	7	true
            1	500	true	90.0	1m30s
            alone: gone
            0	1.0
            => nil
        "#]],
    );
}

#[test]
fn what_cannot_travel_is_refused_and_the_message_says_where() {
    check_main(
        r#"
        local me = process.pid()
        local function refused(...)
            local ok, err = process.send(me, "t", ...)
            print(ok, err:kind(), err)
        end
        refused({ handlers = { 1, print } })
        refused(print)
        refused({ a = { b = { c = function() end } } })
        refused({ 1, 2, coroutine.create(print) })
        refused({ ch = channel.new() })
        refused({ inbox = process.inbox() })
        refused("fine", { process.send })
        for _, value in ipairs { channel.new():case_receive(), time.timer("1h"), { [{}] = 1 }, { [print] = 1 },
            { [channel.new()] = 1 }, { [errors.new("x")] = 1 }, { [time.SECOND] = 1 }, process.with_context {} } do
            assert(select(2, kind(process.send(me, "t", value))) == errors.INVALID)
        end
        return channel.select { process.inbox():case_receive(), default = true }
        "#,
        expect![[r#"
            nil	Invalid	payload.handlers[2] is a function
            nil	Invalid	payload is a function
            nil	Invalid	payload.a.b.c is a function
            nil	Invalid	payload[3] is a coroutine
            nil	Invalid	payload.ch is a channel
            nil	Invalid	payload.inbox is a channel
            nil	Invalid	payload[2][1] is a function
            => {"default" = true, "ok" = true}
        "#]],
    );
}

#[test]
fn metatables_do_not_travel_and_metamethods_do_not_run() {
    check_main(
        r#"
        local function never() error("a metamethod ran") end
        local t = setmetatable({ 1, 2 }, { __index = never, __len = never, __pairs = never, __newindex = never,
            __name = "mine", __metatable = "locked", __tostring = never, __call = never, __gc = never })
        print(process.send(process.pid(), "t", t))
        local copy = process.listen("t"):receive()
        print(getmetatable(copy), copy[3], #copy)
        "#,
        expect![[r#"
            true	nil
            nil	nil	2
            => nil
        "#]],
    );
}

#[test]
fn a_huge_message_of_small_values_arrives_whole() {
    check_main(
        r#"
        local t = {}
        for i = 1, 20000 do t["key " .. i] = { i, tostring(i) } end
        assert(process.send(process.pid(), "t", t))
        local copy, right = process.listen("t"):receive(), 0
        for i = 1, 20000 do
            local v = copy["key " .. i]
            if v[1] == i and v[2] == tostring(i) then right = right + 1 end
        end
        return right
        "#,
        expect![[r#"
            => 20000
        "#]],
    );
}

/// Values that Rust made obey the rules of Lua's: refused, with the path to what can't travel.
#[test]
fn a_rust_value_that_cannot_travel_is_refused_with_its_path() {
    let lab = Lab::default();
    lab.define("return function() process.inbox():receive() end");
    let table = |key, value| Value::Map(vec![(key, value)]);
    let nan = table(Value::from("list"), Value::Array(vec![table(Value::Float(f64::NAN), Value::Nil)]));
    let request = SpawnRequest::new(EntryId::new("app:main"), HostId::new(HOST));
    let refused = lab.node.spawn(request.with_arguments(vec![Value::Nil, nan])).err().expect("a refusal");
    assert_eq!(refused.to_string(), "arguments[2].list[1] has NaN as a key");
    let process = lab.spawn("main", Vec::new());
    let deep = (0..101).fold(Value::Nil, |inner, _| Value::Array(vec![inner]));
    let refusal = |value: &Value| lab.node.send(process.pid().as_str(), "t", value).expect_err("a refusal").to_string();
    assert!(refusal(&deep).ends_with("[1] is nested deeper than 100 levels"));
    assert_eq!(refusal(&table(Value::Nil, Value::Nil)), "payload has nil as a key");
    assert_eq!(refusal(&Value::Extension(77, Vec::new())), "payload is of the unknown extension type 77");
    assert!(lab.node.process_count() == 1);
}
