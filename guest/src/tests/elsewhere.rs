//! What programs from elsewhere do: small functions and ways of writing that they rely on.

use expect_test::expect;

use super::{Case, check};

#[test]
fn an_error_object_stands_for_its_text() {
    check(
        r#"
        local err = errors.new("the disk is full")
        print(err:find("disk"), string.find(err, "full"), #err, err:upper(), string.rep(err, 2, "|"))
        print(table.concat({ "a", err, 1 }, ", "), string.format("%s", err), ("x"):rep(1) .. err)
        print(pcall(string.rep, { "a table" }))
        print(pcall(table.concat, { {} }))
        print(pcall(string.rep, setmetatable({ 1, 2 }, { __name = "error" })))
        print(json.decode(errors.new("[1]"))[1], err:kind() == "", err.nothing)
        "#,
        expect![[r#"
            5	13	16	THE DISK IS FULL	the disk is full|the disk is full
            a, the disk is full, 1	the disk is full	xthe disk is full
            false	bad argument #1 to 'string.rep' (string expected, got table)
            false	invalid value (table) at index 1 in table for 'concat'
            false	bad argument #1 to 'string.rep' (string expected, got error)
            1	true	nil
            => nil
        "#]],
    );
}

#[test]
fn the_stack_of_an_error_is_a_table_of_frames() {
    check(
        r#"
        local function fail() return errors.new("x") end
        local stack = errors.call_stack(fail())
        for _, frame in ipairs(stack.frames) do print(frame.source, frame.line, frame.name) end
        print(stack.thread == process.pid(), errors.call_stack("x"), errors.call_stack())
        local _, plain = process.send("nobody", "t")
        print(errors.call_stack(plain))
        "#,
        expect![[r#"
            main.lua	3	nil
            true	nil	nil
            nil
            => nil
        "#]],
    );
}

#[test]
fn kinds_are_known_by_value_and_by_name() {
    check(
        r#"
        print(errors.new({ message = "m", kind = "TIMEOUT" }):kind(), errors.new({ message = "m", kind = errors.TIMEOUT }):kind())
        print(pcall(errors.new, { message = "m", kind = "timout" }))
        print(pcall(errors.new, { message = "m", kind = 7 }))
        print(errors.new("m"):retryable(), errors.new({ message = "m", retryable = false }):retryable())
        print(errors.new({ message = "m", details = {} }):details())
        "#,
        expect![[r#"
            Timeout	Timeout
            false	kind is `timout`, which is none of errors' kinds: did you mean `errors.TIMEOUT`?
            false	kind is a number, which is none of errors' kinds
            nil	false
            nil
            => nil
        "#]],
    );
}

#[test]
fn a_payload_has_data_and_is_the_value() {
    Case::body(
        r#"
        for _ = 1, 4 do
            local msg = process.inbox():receive()
            print(msg:payload():data(), msg:payload(), type(msg:payload()))
        end
        local msg = process.inbox():receive()
        print(msg:payload():data().data, msg:payload().data)
        local p = msg:payload()
        print(pcall(function() return p:missing() end))
        "#,
    )
    .message(None, "t", b"\x07")
    .message(None, "t", b"\xc0")
    .message(None, "t", b"\xa1x")
    .message(None, "t", b"\xc2")
    .message(None, "t", b"\x81\xa4data\x01")
    .check(expect![[r#"
        7	7	number
        nil	nil	nil
        x	x	string
        false	false	boolean
        1	1
        false	main.lua:9: attempt to call a nil value (method 'missing')
        => nil
    "#]]);
}

#[test]
fn what_payload_gave_has_data_where_the_script_shows_it() {
    Case::body(
        r#"
        for _ = 1, 5 do
            local msg = process.inbox():receive()
            local topic, p = msg:topic(), msg:payload()
            local copy = p
            if topic == "t" then print(topic, p, p:data(), (p:data())) end
            print(copy:data(), (msg:payload():data()))
            print(pcall(function(value) return value:data() end, p))
        end
        local msg = process.inbox():receive()
        local p = msg:payload()
        local q = msg:payload()
        print(q.data, q:data().data, q:data() == q)
        -- Not where it isn't to be seen where a value comes from.
        local kept = { p = p }
        print(pcall(function() return p:data() end))
        print(pcall(function() return kept.p:data() end))
        print(pcall(function() local q = kept q = q.p return q:data() end))
        -- Nor for others.
        print(pcall(function() local t = { payload = function() return {} end } local q = t.payload() return q:data() end))
        print(pcall(function() local q = msg:topic() return q:data() end))
        print(pcall(function() local q = msg:payload() return q:date() end))
        print(pcall(function() local q = msg:payload() return q.date() end))
        local own = { payload = function() return { data = function() return "its own" end } end }
        local q = own:payload() print(q:data())
        "#,
    )
    .message(None, "t", b"\x07")
    .message(None, "t", b"\xc0")
    .message(None, "t", b"\xa1x")
    .message(None, "t", b"\xc2")
    .message(None, "t", b"\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00")
    .message(None, "t", b"\x81\xa4data\x01")
    .check(expect![[r#"
        t	7	7	7
        7	7
        false	main.lua:8: attempt to index a number value (local 'value')
        t	nil	nil	nil
        nil	nil
        false	main.lua:8: attempt to index a nil value (local 'value')
        t	x	x	x
        x	x
        false	main.lua:8: attempt to call a nil value (method 'data')
        t	false	false	false
        false	false
        false	main.lua:8: attempt to index a boolean value (local 'value')
        t	0.5	0.5	0.5
        0.5	0.5
        false	main.lua:8: attempt to index a number value (local 'value')
        1	1	true
        false	main.lua:16: attempt to call a number value (method 'data')
        false	main.lua:17: attempt to call a number value (method 'data')
        false	main.lua:18: attempt to call a number value (method 'data')
        false	main.lua:20: attempt to call a nil value (method 'data')
        false	main.lua:21: attempt to call a nil value (method 'data')
        false	main.lua:22: attempt to call a nil value (method 'date')
        false	main.lua:23: attempt to call a nil value (field 'date')
        its own
        => nil
    "#]]);
}

#[test]
fn lua_of_elsewhere_finds_its_functions() {
    check(
        r#"
        print(unpack({ 1, 2 }), math.pow(2, 3), #table.create(10, 2), string(nil), string(12))
        print(pcall(table.create, -1))
        print(require("string") == string, require("utf8") == utf8, require("debug") == debug, require("os") == os)
        print(pcall(require, "strng"))
        print(pcall(require, "io"))
        print(getmetatable(string))
        "#,
        expect![[r#"
            1	8.0	0	nil	12
            false	bad argument to 'create' (sizes are from 0 to 33554431)
            true	true	true	true
            false	module 'strng' not found: did you mean `string`?
            false	module 'io' not found (the entry has no `imports`)
            false
            => nil
        "#]],
    );
}

#[test]
fn loggers_have_names_and_dots() {
    check(
        r#"
        logger.warn("dot")
        logger.info("fields", { a = 1 })
        local log = logger:with({ request = 7 })
        log.error("its own fields")
        log:info("colon")
        log:named("shop"):named("orders"):info("named", { logger = "replaced" })
        log:named("shop").debug("named")
        print(logger:named(""))
        print(logger:named())
        print(logger.info())
        "#,
        expect![[r#"
            -- Level::Warn "dot"
            -- Level::Info "fields" a=1
            -- Level::Error "its own fields" request=7
            -- Level::Info "colon" request=7
            -- Level::Info "named" logger="replaced" request=7
            -- Level::Debug "named" logger="shop" request=7
            nil	name is empty
            nil	name is missing
            nil	message is missing
            => nil
        "#]],
    );
}

#[test]
fn select_takes_turns_when_it_is_fair() {
    check(
        r#"
        local a, b, c = channel.new(10), channel.new(10), channel.new(10)
        for i = 1, 4 do a:send(i) b:send(i) end
        c:send("c")
        local names = { [a] = "a", [b] = "b", [c] = "c" }
        local order = {}
        for _ = 1, 9 do
            local got = channel.select { a:case_receive(), b:case_receive(), c:case_receive(), default = true, fair = true }
            order[#order + 1] = names[got.channel]
        end
        print(table.concat(order, " "))
        local none = channel.select { a:case_receive(), default = true, fair = true }
        print(none.default, none.ok)
        -- Another coroutine has turns of its own.
        a:send(1) b:send(1)
        coroutine.spawn(function()
            print(names[channel.select { a:case_receive(), b:case_receive(), fair = true }.channel])
        end)
        -- What it waits for counts as well.
        coroutine.spawn(function() time.sleep("1ms") a:send("late") end)
        b:receive()
        print(channel.select { b:case_receive(), a:case_receive(), fair = true }.value)
        "#,
        expect![[r#"
            a b c a b a b a b
            true	true
            a
            late
            => nil
        "#]],
    );
}

#[test]
fn a_table_beside_false_is_a_failure() {
    check(
        "return false, { message = 'no stock', item = 7 }",
        expect![[r#"
        !! ErrorKind::Unknown: no stock {"item": 7, "message": "no stock"}
    "#]],
    );
    check(
        "return false, { code = 7 }",
        expect![[r#"
        !! ErrorKind::Unknown: `main` returned false and a table {"code": 7}
    "#]],
    );
    check(
        "return false, { print }",
        expect![[r#"
        !! ErrorKind::Unknown: `main` returned false and a table
    "#]],
    );
    check(
        "return nil, { code = 7 }",
        expect![[r#"
        => nil
    "#]],
    );
}

#[test]
fn what_was_probably_meant_is_told_at_the_end() {
    check(
        "pirnt(1)",
        expect![[r#"
        !! ErrorKind::Internal: main.lua:1: attempt to call a nil value (global 'pirnt'): did you mean `print`?
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "local x = proces.pid()",
        expect![[r#"
        !! ErrorKind::Internal: main.lua:1: attempt to index a nil value (global 'proces'): did you mean `process`?
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "fs.read('a')",
        expect![[r#"
        !! ErrorKind::Internal: main.lua:1: attempt to index a nil value (global 'fs'): it needs a grant
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "io.write('a')",
        expect![[r#"
        !! ErrorKind::Internal: main.lua:1: attempt to index a nil value (global 'io'): there is no `io`: `print` and `logger` write, `require("stdin")` reads, granted files are in `fs`
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "os.exit(1)",
        expect![[r#"
        !! ErrorKind::Internal: main.lua:1: attempt to call a nil value (field 'exit'): there is no `os.exit`: a process ends when its `main` returns, and that is the exit code
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "process.spwan('a', 'b')",
        expect![[r#"
        !! ErrorKind::Internal: main.lua:1: attempt to call a nil value (field 'spwan'): did you mean `process.spawn`?
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "channel.new():recieve()",
        expect![[r#"
        !! ErrorKind::Internal: main.lua:1: attempt to call a nil value (method 'recieve'): did you mean `:receive`?
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "time.now():ad('1s')",
        expect![[r#"
        !! ErrorKind::Internal: main.lua:1: attempt to call a nil value (method 'ad'): did you mean `:add`?
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "local t = {} t:data()",
        expect![[r#"
        !! ErrorKind::Internal: main.lua:1: attempt to call a nil value (method 'data'): what a message holds is the value itself, without `:data()`
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    check(
        "nothing_like_it()",
        expect![[r#"
        !! ErrorKind::Internal: main.lua:1: attempt to call a nil value (global 'nothing_like_it')
           main.lua:1: in function <main.lua:1>
    "#]],
    );
    // A script that catches it gets Lua's own words.
    check(
        "print(pcall(function() pirnt() end))",
        expect![[r#"
        false	main.lua:1: attempt to call a nil value (global 'pirnt')
        => nil
    "#]],
    );
}

#[test]
fn times_know_their_parts() {
    check(
        r#"
        local t = time.date(2024, 12, 29, 15, 4, 5)
        print(t:add_date(1, 2, 3), t:add_date(0, 0, -29), t:add_date())
        print(time.date(2024, 1, 31):add_date(0, 1), t:add_date(0, -24 * 12))
        print(t:add_date(9000, 0, 0))
        print(t:add_date(math.maxinteger, 0, 0))
        print(t:date()) print(t:clock())
        print(t:is_zero(), time.date(1, 1, 1):is_zero())
        print(t:format_rfc3339(), t:location(), t:in_location("Europe/Berlin"):location(), t:in_location("+02:00"):location())
        print(t:format("15:04:05"))
        print(t:format("Mon Jan 2 15:04:05 MST 2006"))
        print(t:format("at noon"))
        print(time.parse("2006-01-02", "2024-12-29"))
        print(time.parse("2024-12-29", "2006-01-02"))
        "#,
        expect![[r#"
            2026-03-04T15:04:05Z	2024-11-30T15:04:05Z	2024-12-29T15:04:05Z
            2024-03-02T00:00:00Z	2000-12-29T15:04:05Z
            nil	time is not from 0000-01-02 to 9999-12-30
            nil	time is not from 0000-01-02 to 9999-12-30
            2024	12	29
            15	4	5
            false	true
            2024-12-29T15:04:05Z	UTC	Europe/Berlin	+02:00
            nil	pattern `15:04:05` is a layout of Go's: strftime's pattern is `%H:%M:%S`
            nil	pattern `Mon Jan 2 15:04:05 MST 2006` is a layout of Go's: strftime's pattern is `%a %b %-d %H:%M:%S %Z %Y`
            at noon	nil
            nil	`2006-01-02` is a layout: the text comes first, `time.parse("2024-12-29", "%Y-%m-%d")`
            nil	pattern `2006-01-02` is a layout of Go's: strftime's pattern is `%Y-%m-%d`
            => nil
        "#]],
    );
}

#[test]
fn scopes_and_policies_are_evaluated_by_the_host() {
    check(
        r#"
        local ada = security.new_actor("ada", { role = "admin" })
        print(#security.new_scope():policies(), security.new_scope():evaluate(ada, "may", "r"))
        local scope = security.named_scope("app:g")
        print(scope:evaluate(ada, "may", "r", { a = 1 }))
        print(scope:policies()[2]:evaluate(nil, "not", "r"))
        print(security.policy("app:unknown"):evaluate(ada, "may", "r"))
        print(scope:evaluate(ada))
        print(pcall(scope.evaluate, scope, "ada", "may", "r"))
        print(pcall(scope.evaluate, nil, ada, "may", "r"))
        "#,
        expect![[r#"
            -- evaluate [] Some(("ada", Some("{\"role\": \"admin\"}"))) may r None
            0	undefined
            -- evaluate ["app:g_1", "app:g_2"] Some(("ada", Some("{\"role\": \"admin\"}"))) may r Some("{\"a\": 1}")
            allow
            -- evaluate ["app:g_2"] None not r None
            deny
            -- evaluate ["app:unknown"] Some(("ada", Some("{\"role\": \"admin\"}"))) may r None
            nil	policy `app:unknown` not found
            nil	action is missing
            false	main.lua:9: bad argument #1 to 'evaluate' (actor expected, got string)
            false	bad argument #1 to 'evaluate' (scope expected, got no value)
            => nil
        "#]],
    );
}

#[test]
fn a_spawner_executes_and_has_no_options() {
    check(
        r#"
        local spawner = process.with_context({ a = 1 }):with_actor(security.new_actor("ada"))
        print(spawner:with_name("n"):exec("app:child", "app:processes"))
        print(spawner:with_message("t"):exec("app:child", "app:processes"))
        print(spawner:exec("app:nobody", "app:processes"))
        print(pcall(process.with_options, { network = "x" }))
        print(pcall(process.with_options, { netwerk = "x" }))
        print(pcall(process.with_options))
        print(process.with_options({}):spawn("app:child", "app:processes"))
        coroutine.spawn(function() spawner:exec("app:child", "app:processes", 7) end)
        "#,
        expect![[r#"
            nil	a spawner with a name or first messages can't exec: the process is the caller's alone
            nil	a spawner with a name or first messages can't exec: the process is the caller's alone
            nil	entry `app:nobody` not found
            false	option `network` isn't there: a process has no network but what modules give it (`grants: {http: …}`)
            false	unknown option `netwerk`: a spawner has none
            false	options are missing
            -- spawn app:child app:processes [] false false
            {app:processes|0x00002}	nil
            -- exec app:child app:processes [7]
            -- with Some("{\"a\": \"\\u{1}\"}") as Some("ada") with None
            => nil
        "#]],
    );
}

#[test]
fn a_name_has_one_scope() {
    check(
        r#"
        local r = process.registry
        print(r.register("n", nil, r.LOCAL), r.unregister("n", r.LOCAL))
        print(r.register("n", nil, r.STRONG))
        print(r.unregister("n", r.EVENTUAL))
        print(r.register("n", nil, 7))
        print(ctx.get(""))
        "#,
        expect![[r#"
            true	true	nil
            nil	scope `STRONG` needs a cluster, which isn't there: a name is the node's, `process.registry.LOCAL`
            nil	scope `EVENTUAL` needs a cluster, which isn't there: a name is the node's, `process.registry.LOCAL`
            nil	scope is a number, none of process.registry's constants
            nil	key is empty
            => nil
        "#]],
    );
}

#[test]
fn granted_variables_are_had_at_once() {
    Case::body("local all = env.get_all() print(all.HOME, all.LANG, all.OTHER)")
        .with(|program| program.modules.env = true)
        .check(expect![[r#"
            /home/ada		nil
            => nil
        "#]]);
}

#[test]
fn values_are_held_against_a_schema() {
    check(
        r##"
        local function try(schema, value) print(json.validate(schema, value)) end
        local user = {
            type = "object",
            properties = { name = { type = "string", minLength = 2, maxLength = 4 }, age = { type = "integer", minimum = 0 } },
            required = { "name" },
            additionalProperties = false,
        }
        try(user, { name = "Ada", age = 36 })
        try(user, { age = 3 })
        try(user, { name = "A" })
        try(user, { name = "Adele" })
        try(user, { name = "Ada", age = -1 })
        try(user, { name = "Ada", age = 1.5 })
        try(user, { name = "Ada", ege = 1 })
        try(user, 7)
        try('{"type": ["array", "null"], "items": {"enum": [1, "two", [3]]}}', { 1, "two", { 3 } })
        try('{"type": ["array", "null"], "items": {"enum": [1, "two", [3]]}}', { 1, { 4 } })
        try({ type = { "array", "null" } }, json.null)
        try({ prefixItems = { { type = "string" } }, items = { type = "number" }, minItems = 2, uniqueItems = true }, { "a", 1, 1 })
        try({ anyOf = { { type = "string" }, { multipleOf = 2 } } }, 3)
        try({ oneOf = { { type = "number" }, { minimum = 2 } } }, 3)
        try({ allOf = { { maximum = 2 } }, ["not"] = { const = 1 } }, 1)
        try({ exclusiveMaximum = 2, exclusiveMinimum = 0 }, 2)
        try({ ["$defs"] = { node = { properties = { next = { ["$ref"] = "#/$defs/node" } }, required = { "id" } } }, ["$ref"] = "#/$defs/node" },
            { id = 1, next = { id = 2, next = {} } })
        -- Schemas that can't be used.
        try({ typ = "string" }, 1)
        try({ type = "strin" }, 1)
        try({ pattern = "^a" }, "a")
        try({ ["$ref"] = "http://elsewhere" }, 1)
        try({ ["$ref"] = "#" }, 1)
        try({ required = "name" }, {})
        try({ minimum = "0" }, 1)
        try("{", 1)
        try(nil, 1)
        try({}, nil)
        print(pcall(json.validate, 7, 1))
        print(json.validate_string({ type = "number" }, "[1"))
        print(json.validate_string({ type = "number" }, "7"))
        print(json.validate_string({ type = "number" }))
        "##,
        expect![[r#"
            true	nil
            false	data lacks `name`
            false	data.name has 1 characters, at least 2 are wanted
            false	data.name has 5 characters, at most 4 are wanted
            false	data.age is -1, which is not at least 0
            false	data.age is number, not integer
            false	data has the field `ege`, which isn't known
            false	data is number, not object
            true	nil
            false	data[2] is none of the 3 values that it may be
            true	nil
            false	data has the same item at 2 and 3
            false	data fits none of the 2 schemas of `anyOf` (data is number, not string)
            false	data fits 2 of the schemas of `oneOf`, not one
            false	data fits what it must not
            false	data is 2, which is not below 2
            false	data.next.next lacks `id`
            false	schema: keyword `typ` isn't there: did you mean `type`?
            false	schema: `type` is strin, which is none
            false	schema: keyword `pattern` isn't there
            false	schema: `$ref` leads to another document: only `#/…` can be followed
            false	schema.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref.$ref: schemas are nested deeper than 128
            false	schema: `required` is string, not a list
            false	schema: `minimum` is string, not a number
            false	schema: EOF while parsing an object at line 1 column 1
            false	schema is missing
            false	data is required: null is `json.null`
            false	bad argument #1 to 'validate' (table or string expected, got number)
            false	EOF while parsing a list at line 1 column 2
            true	nil
            false	text is missing
            => nil
        "#]],
    );
}
