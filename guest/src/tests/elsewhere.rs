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
        expect![],
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
        expect![],
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
        expect![],
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
        print(msg:payload():data().data, msg:payload().data, msg.payload:data())
        local p = msg:payload()
        print(pcall(function() return p:missing() end))
        "#,
    )
    .message(None, "t", b"\x07")
    .message(None, "t", b"\xc0")
    .message(None, "t", b"\xa1x")
    .message(None, "t", b"\xc2")
    .message(None, "t", b"\x81\xa4data\x01")
    .check(expect![]);
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
        expect![],
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
        expect![],
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
        expect![],
    );
}

#[test]
fn a_table_beside_false_is_a_failure() {
    check("return false, { message = 'no stock', item = 7 }", expect![]);
    check("return false, { code = 7 }", expect![]);
    check("return false, { print }", expect![]);
    check("return nil, { code = 7 }", expect![]);
}

#[test]
fn what_was_probably_meant_is_told_at_the_end() {
    check("pirnt(1)", expect![]);
    check("local x = proces.pid()", expect![]);
    check("process.spwan('a', 'b')", expect![]);
    check("channel.new():recieve()", expect![]);
    check("time.now():ad('1s')", expect![]);
    check("local t = {} t:data()", expect![]);
    check("nothing_like_it()", expect![]);
    // A script that catches it gets Lua's own words.
    check("print(pcall(function() pirnt() end))", expect![]);
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
        expect![],
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
        expect![],
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
        expect![],
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
        expect![],
    );
}

#[test]
fn granted_variables_are_had_at_once() {
    Case::body("local all = env.get_all() print(all.HOME, all.LANG, all.OTHER)")
        .with(|program| program.modules.env = true)
        .check(expect![]);
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
        expect![],
    );
}
