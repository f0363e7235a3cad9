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
            plain	""	false	nil	string
            m	""	false	nil	string
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
