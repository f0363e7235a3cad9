//! Error objects and the module `errors`.

use expect_test::expect;

use super::*;

#[test]
fn new_takes_text_or_fields() {
    check(
        "local function show(e) print(e, e:kind(), e:message(), e:retryable(), e:details() and e:details().id) end
        show(errors.new('plain')) show(errors.new(5))
        show(errors.new{ message = 'm', kind = errors.CONFLICT, retryable = true, details = { id = 1 } })
        show(errors.new{ message = 'm' })
        print(errors.new('x'):kind() == errors.UNKNOWN, type(errors.new('x')), getmetatable(errors.new('x')))",
        expect![[r#"
            plain		plain	nil	nil
            5		5	nil	nil
            m	Conflict	m	true	1
            m		m	nil	nil
            true	table	false
            => nil
        "#]],
    );
}

#[test]
fn unusable_fields_are_refused() {
    check(
        "print(errors.new()) print(errors.new{}) print(errors.new{ message = {} })
        print(pcall(errors.new, { message = 'm', kind = 'Odd' })) print(errors.new{ message = 'm', retryable = 1 })
        print(errors.new{ message = 'm', details = 'd' })
        print(select(2, errors.new()):kind())
        print(pcall(errors.new, true))
        print(pcall(function() errors.new(print) end))",
        expect![[r#"
            nil	message is missing
            nil	message is missing
            nil	message is a table, not a string
            false	kind is `Odd`, which is none of errors' kinds
            nil	retryable is a number, not a boolean
            nil	details is a string, not a table
            Invalid
            false	bad argument #1 to 'new' (string or table expected, got boolean)
            false	main.lua:6: bad argument #1 to 'new' (string or table expected, got function)
            => nil
        "#]],
    );
}

#[test]
fn new_takes_a_kind_and_a_message() {
    check(
        "local function show(e) print(e, e:kind(), e:message(), e:retryable(), e:details()) end
        show(errors.new('TIMEOUT', 'took too long')) show(errors.new(errors.TIMEOUT, 'took too long'))
        show(errors.new(errors.UNKNOWN, 5)) show(errors.new('CONFLICT', errors.new('busy'))) show(errors.new('TIMEOUT', nil))
        print(errors.new('TIMEOUT', 'm'):stack():match('main.lua:%d+'))
        print(pcall(errors.new, 'TIMOUT', 'm'))
        print(pcall(function() errors.new('it failed', 'm') end))
        print(pcall(function() errors.new(7, 'm') end))
        print(pcall(function() errors.new(errors.TIMOUT, 'm') end))
        print(pcall(function() errors.new({ message = 'm' }, 'm') end))
        print(pcall(function() errors.new('TIMEOUT', {}) end))
        print(pcall(function() errors.new('TIMEOUT', false) end))",
        expect![[r#"
            took too long	Timeout	took too long	nil	nil
            took too long	Timeout	took too long	nil	nil
            5		5	nil	nil
            busy	Conflict	busy	nil	nil
            TIMEOUT		TIMEOUT	nil	nil
            main.lua:4
            false	kind is `TIMOUT`, which is none of errors' kinds: did you mean `errors.TIMEOUT`?
            false	main.lua:6: kind is `it failed`, which is none of errors' kinds
            false	main.lua:7: kind is a number, which is none of errors' kinds
            false	main.lua:8: bad argument #1 to 'new' (kind of error expected, got no value)
            false	main.lua:9: bad argument #2 to 'new' (nothing after fields expected, got string)
            false	main.lua:10: bad argument #2 to 'new' (string expected, got table)
            false	main.lua:11: bad argument #2 to 'new' (string expected, got boolean)
            => nil
        "#]],
    );
}

#[test]
fn they_print_and_concatenate_on_either_side() {
    check(
        "local e = errors.new('oops')
        print(e) print('a: ' .. e) print(e .. ' b') print(e .. e) print(1 .. e) print(tostring(e))
        print(string.format('%s', e))
        print(pcall(function() return e .. nil end)) print(pcall(function() return {} .. e end))",
        expect![[r#"
            oops
            a: oops
            oops b
            oopsoops
            1oops
            oops
            oops
            false	main.lua:4: attempt to concatenate a nil value
            false	main.lua:4: attempt to concatenate a table value
            => nil
        "#]],
    );
}

#[test]
fn wrap_adds_words_and_keeps_the_rest() {
    check(
        "local e = errors.new{ message = 'inner', kind = errors.TIMEOUT, retryable = true, details = { 1 } }
        local w = errors.wrap(e, 'outer')
        print(w, w:kind(), w:retryable(), w:details()[1], w:stack() == e:stack(), e)
        print(errors.wrap('text', 'outer'), errors.wrap('text', 'outer'):kind() == '')
        print(errors.wrap(nil, 'outer')) print(errors.wrap(e)) print(pcall(errors.wrap, e, {}))
        print(errors.is(w, errors.TIMEOUT), errors.is(w, errors.INVALID), errors.is('x', ''), errors.is(nil, errors.TIMEOUT))
        -- The message is what it was; the words are before the text, also elsewhere.
        print(w:message(), errors.wrap(w, 'outermost'):message(), errors.wrap(w, 'outermost'), errors.wrap('text', 'outer'):message())
        print(w:find('outer', 1, true), #w, w .. '!', errors.wrap(errors.new('m'), 'w'):retryable())
        process.listen('t') process.send(process.pid(), 't', w)
        local copy = process.listen('t'):receive() print(copy, copy:message())
        rawset(w, 6, {}) print(w:message())",
        expect![[r#"
            outer: inner	Timeout	true	1	true	inner
            outer: text	true
            nil	error is missing
            nil	text is missing
            false	bad argument #2 to 'wrap' (string expected, got table)
            true	false	false	false
            inner	outer: inner	outermost: outer: inner	text
            1	12	outer: inner!	nil
            outer: inner	outer: inner
            outer: inner
            => nil
        "#]],
    );
}

#[test]
fn the_stack_is_where_it_was_made() {
    check(
        "local function inner()
          local e = errors.new('x')
          return e
        end
        print((inner():stack()))
        print(select(2, process.send('nobody', 't')):stack())",
        expect![[r#"
            stack traceback:
            	main.lua:2: in local 'inner'
            	main.lua:5: in function <main.lua:1>
            nil
            => nil
        "#]],
    );
}

#[test]
fn all_kinds_are_there() {
    check(
        "local names = {}
        for k, v in pairs(errors) do if type(v) == 'string' then names[#names + 1] = k .. '=' .. v end end
        table.sort(names) print(table.concat(names, '\\n'))",
        expect![[r#"
            ALREADY_EXISTS=AlreadyExists
            CANCELED=Canceled
            CONFLICT=Conflict
            INTERNAL=Internal
            INVALID=Invalid
            NOT_FOUND=NotFound
            PERMISSION_DENIED=PermissionDenied
            RATE_LIMITED=RateLimited
            RESOURCE_EXHAUSTED=ResourceExhausted
            TIMEOUT=Timeout
            UNAVAILABLE=Unavailable
            UNKNOWN=
            => nil
        "#]],
    );
}

#[test]
fn methods_want_an_error() {
    check(
        "local e = errors.new('x')
        for _, m in ipairs{ 'kind', 'message', 'retryable', 'details', 'stack' } do print(pcall(e[m], 'x')) end
        print(pcall(function() e.kind() end)) print(e.other)",
        expect![[r#"
            false	bad argument #1 to 'kind' (error expected, got string)
            false	bad argument #1 to 'message' (error expected, got string)
            false	bad argument #1 to 'retryable' (error expected, got string)
            false	bad argument #1 to 'details' (error expected, got string)
            false	bad argument #1 to 'stack' (error expected, got string)
            false	main.lua:3: bad argument #1 to 'kind' (error expected, got no value)
            nil
            => nil
        "#]],
    );
}

#[test]
fn a_tampered_error_harms_nobody() {
    check(
        "local e = errors.new('x')
        rawset(e, 1, {}) rawset(e, 2, 5) rawset(e, 3, 'x') rawset(e, 4, print) rawset(e, 5, {})
        print(e, e .. 'a', pcall(process.send, process.pid(), 't', e))
        print(process.listen('t'):receive())
        error(e)",
        expect![[r#"
            	a	true	true	nil
            	true
            !! ErrorKind::Unknown: 
               [C]: in function 'error'
               main.lua:5: in function <main.lua:1>
        "#]],
    );
}
