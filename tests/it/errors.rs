//! Error objects: making, wrapping, asking, and how they survive what happens to them.

use expect_test::expect;

use crate::check::check_main;

#[test]
fn the_kinds_have_these_values() {
    check_main(
        r#"
        local kinds = {}
        for name, value in pairs(errors) do
            if type(value) == "string" then kinds[#kinds + 1] = ("%s = %q"):format(name, value) end
        end
        table.sort(kinds)
        for _, kind in ipairs(kinds) do print(kind) end
        "#,
        expect![[r#"
            ALREADY_EXISTS = "AlreadyExists"
            CANCELED = "Canceled"
            CONFLICT = "Conflict"
            INTERNAL = "Internal"
            INVALID = "Invalid"
            NOT_FOUND = "NotFound"
            PERMISSION_DENIED = "PermissionDenied"
            RATE_LIMITED = "RateLimited"
            RESOURCE_EXHAUSTED = "ResourceExhausted"
            TIMEOUT = "Timeout"
            UNAVAILABLE = "Unavailable"
            UNKNOWN = ""
            => nil
        "#]],
    );
}

#[test]
fn new_takes_a_message_or_named_fields() {
    check_main(
        r#"
        local function show(err)
            local details = err:details()
            print(err:message(), ("%q"):format(err:kind()), err:retryable(), details and details.n, type(err:stack()))
        end
        show(errors.new("plain"))
        show(errors.new { message = "m" })
        show(errors.new { message = "m", kind = errors.CONFLICT, retryable = true, details = { n = 1 } })
        show(errors.new { message = "", kind = errors.UNKNOWN, retryable = false, details = {} })
        print(kind(errors.new()))
        print(kind(errors.new {}))
        "#,
        expect![[r#"
            plain	""	nil	nil	string
            m	""	nil	nil	string
            m	"Conflict"	true	1	string
            	""	false	nil	string
            nil	Invalid
            nil	Invalid
            => nil
        "#]],
    );
}

#[test]
fn errors_print_and_concatenate() {
    check_main(
        r#"
        local err = errors.new("wrong")
        print(err, tostring(err))
        print("a " .. err, err .. " b", err .. err, 1 .. err, err .. 2, "a " .. err .. " b")
        print(raised(function() return err .. {} end):match("attempt to concatenate a table value"))
        print(raised(function() return nil .. err end):match("attempt to concatenate a nil value"))
        print(raised(function() return err() end):match("attempt to call"))
        print(err == errors.new("wrong"), err == err)
        "#,
        expect![[r#"
            wrong	wrong
            a wrong	wrong b	wrongwrong	1wrong	wrong2	a wrong b
            attempt to concatenate a table value
            attempt to concatenate a nil value
            attempt to call
            false	true
            => nil
        "#]],
    );
}

#[test]
fn is_asks_for_the_kind() {
    check_main(
        r#"
        local err = errors.new { message = "m", kind = errors.TIMEOUT }
        print(errors.is(err, errors.TIMEOUT), errors.is(err, "Timeout"), errors.is(err, errors.CONFLICT))
        print(errors.is(errors.new("m"), errors.UNKNOWN), errors.is(err, errors.UNKNOWN))
        local _, refused = process.send("nobody", "t")
        print(errors.is(refused, errors.NOT_FOUND))
        print(errors.is(nil, errors.NOT_FOUND), errors.is("text", errors.UNKNOWN), errors.is({}, errors.UNKNOWN))
        "#,
        expect![[r#"
            true	true	false
            true	false
            true
            false	false	false
            => nil
        "#]],
    );
}

#[test]
fn wrap_adds_words_and_keeps_the_rest() {
    check_main(
        r#"
        local inner = errors.new { message = "m", kind = errors.TIMEOUT, retryable = true, details = { n = 1 } }
        local outer = errors.wrap(inner, "while reading")
        print(outer, outer:kind(), outer:retryable(), outer:details().n, inner)
        print(errors.wrap(outer, "at start"))
        print(errors.is(outer, errors.TIMEOUT))
        "#,
        expect![[r#"
            while reading: m	Timeout	true	1	m
            at start: while reading: m
            true
            => nil
        "#]],
    );
}

#[test]
fn errors_survive_pcall_sending_and_exits() {
    check_main(
        r#"
        local err = errors.new { message = "m", kind = errors.CONFLICT, retryable = true, details = { n = { 1 } } }
        local function show(copy)
            print(copy, copy:kind(), copy:retryable(), copy:details().n[1], copy:stack() == err:stack())
        end
        local ok, caught = pcall(error, err)
        print(ok, rawequal(caught, err))
        show(select(2, pcall(coroutine.wrap(function() time.sleep(1) error(err) end))))
        show(select(2, xpcall(error, function(e) return e end, err)))
        process.send(process.pid(), "t", err)
        show(process.listen("t"):receive())
        process.send(process.pid(), "t", { err })
        show(process.listen("t"):receive()[1])
        show(exit_of("gives", err).result.value)
        show(exit_of("gives", false, err).error)
        show(exit_of("raises", err).error)
-- entry: raises
return { main = function(err) error(err) end }
        "#,
        expect![[r#"
            false	true
            m	Conflict	true	1	true
            m	Conflict	true	1	true
            m	Conflict	true	1	true
            m	Conflict	true	1	true
            m	Conflict	true	1	true
            m	Conflict	true	1	true
            m	Conflict	true	1	true
            => nil
        "#]],
    );
}

#[test]
fn a_script_cannot_change_what_errors_are() {
    check_main(
        r#"
        local err = errors.new("m")
        print(getmetatable(err), raised(setmetatable, err, {}))
        print(raised(function() err.kind() end):match("^bad argument"))
        print(raised(function() err.message({}) end):match("^bad argument"))
        print(err)
        "#,
        expect![[r#"
            false	cannot change a protected metatable
            bad argument
            bad argument
            m
            => nil
        "#]],
    );
}

#[test]
fn the_stack_tells_where_it_was_made() {
    check_main(
        r#"
        local function make() local err = errors.new("m") return err end
        local err = make()
        print(err:stack():find("main.lua:2", 1, true) ~= nil, err:stack():find("main.lua:3", 1, true) ~= nil)
        "#,
        expect![[r#"
            true	true
            => nil
        "#]],
    );
}

/// Every way an error object can go.
const WAYS: &str = include_str!("errors/ways.lua");

/// Who takes part in them.
const PLAYERS: &str = r#"
-- entry: echoes
return function()
    local message = process.inbox():receive()
    process.send(message:from(), message:topic(), message:payload())
end
-- entry: raises
return function(err) error(err) end
-- entry: raises_beside
return function(err)
    coroutine.spawn(function() time.sleep(0) error(err) end)
    time.sleep("1h")
end
-- entry: raises_below
return function(err)
    return (("x"):gsub("x", function() coroutine.spawn(error, err) end))
end
-- entry: execs
return function(entry, ...)
    local result, err = process.exec(entry, "app:processes", ...)
    if err then return nil, err end
    return result
end
-- entry: upgrades
return function(entry, ...) process.upgrade(entry, ...) end
-- entry: leaves
return function(err)
    process.send(process.pid(), "t", err)
    process.upgrade("app:waits")
end
-- entry: leaves_events
return function(err)
    local child = process.spawn_monitored("app:raises", "app:processes", err)
    while process.send(child, "t") do time.sleep("1ms") end
    process.upgrade("app:reads_events")
end
-- entry: reads_events
return function() return process.events():receive().error end
-- entry: reads_context
return function() return (ctx.get("err")) end
"#;

#[test]
fn an_error_keeps_all_it_has_wherever_it_goes() {
    let body = format!(
        r#"
        process.set_options {{ trap_links = true }}
        local function down_of(name, ...)
            assert(process.spawn_linked("app:" .. name, "app:processes", ...))
            return (process.events():receive())
        end
        {WAYS}
        -- Whether both are the same, errors and types of numbers too.
        local same
        local function same_error(a, b)
            return a:kind() == b:kind() and a:message() == b:message() and a:retryable() == b:retryable()
                and same(a:details(), b:details())
        end
        function same(a, b)
            if type(a) ~= type(b) or math.type(a) ~= math.type(b) then return false end
            if type(a) ~= "table" then return a == b end
            if a.kind ~= nil then return b.kind ~= nil and same_error(a, b) end
            for key, value in next, a do if not same(value, b[key]) then return false end end
            for key in next, b do if a[key] == nil then return false end end
            return true
        end
        local _, refusal = process.send("nobody", "t")
        local _, ended = process.exec("app:hoards", "app:processes")
        local samples = {{
            full = errors.new {{ message = "wrong", kind = errors.CONFLICT, retryable = true, details = {{
                code = 7, ratio = 7.0, bytes = "\0\xff", list = {{ 1, {{ 2 }} }}, [2.5] = false, [true] = "yes",
                cause = errors.new {{ message = "cause", kind = errors.TIMEOUT, details = {{ deep = true }} }},
            }} }},
            plain = errors.new("plain"), empty = errors.new {{ message = "", details = {{}} }},
            refusal = refusal, ended = ended,
        }}
        for name, kind in pairs(errors) do
            if type(kind) == "string" then samples[name] = errors.new {{ message = name, kind = kind, retryable = true }} end
        end
        local count = 0
        for name, err in pairs(samples) do
            for _, way in ipairs(ways) do
                local title, go = way[1], way[2]
                local copy, stack = go(err)
                if type(copy) ~= "table" or copy.kind == nil then error(title .. ": " .. name .. " became " .. tostring(copy)) end
                if not same(copy, err) then print(title .. ": " .. name .. " arrived changed: " .. tostring(copy)) end
                stack = stack or copy:stack()
                -- One that has no stack gets one where it ends a process.
                if err:stack() and stack ~= err:stack() then print(title .. ": " .. name .. " has another stack") end
                count = count + 1
            end
        end
        print(count == #ways * 17, refusal:stack(), ended:details().limit)
-- entry: hoards
return function() return #("x"):rep(1 << 28) end
{PLAYERS}"#
    );
    check_main(
        &body,
        expect![[r#"
            true	nil	memory
            => nil
        "#]],
    );
}
