//! `env` and `fs`: there by grants only, their arguments, and who waits for whom. What files do is the host's.

use expect_test::{Expect, expect};

use super::*;

/// Runs the body of a `main` that has both modules.
fn check_granted(body: &str, expect: Expect) {
    Case::body(body).with(|program| program.modules = Modules { env: true, fs: true }).check(expect);
}

#[test]
fn a_process_has_them_by_grants_only() {
    check(
        "print(env, fs) print(pcall(require, 'env')) print(pcall(require, 'fs'))",
        expect![[r#"
            nil	nil
            false	module 'env' not found: it needs a grant
            false	module 'fs' not found: it needs a grant
            => nil
        "#]],
    );
    check_granted(
        "print(require('env') == env, require('fs') == fs)",
        expect![[r#"
        true	true
        => nil
    "#]],
    );
    let one = |env| {
        Case::body("print(env ~= nil, fs ~= nil)").with(|program| program.modules = Modules { env, fs: !env }).run()
    };
    assert_eq!((&*one(true), &*one(false)), ("true\tfalse\n=> nil\n", "false\ttrue\n=> nil\n"));
}

#[test]
fn a_variable_is_read_by_its_name() {
    check_granted(
        "print(env.get('HOME')) print(env.get('PATH')) print(env.get()) print(env.get('')) print(env.get(('x'):rep(256)))
        print(env.get('\\xff')) print(env.get(5)) print(pcall(env.get, {}))
        print(select(2, env.get('PATH')):kind())",
        expect![[r#"
            /home/ada	nil
            nil	variable `PATH` not found
            nil	variable is missing
            nil	variable has 0 bytes, not 1 to 255
            nil	variable has 256 bytes, not 1 to 255
            nil	variable is not valid UTF-8
            nil	variable `5` not found
            false	bad argument #1 to 'env.get' (string expected, got table)
            NotFound
            => nil
        "#]],
    );
}

#[test]
fn each_function_waits_for_its_answer() {
    check_granted(
        "print(fs.write('a', 'text')) print(fs.read('a')) print(fs.read('b')) print(fs.append('a', 12)) print(fs.list('.'))
        print(fs.stat(5)) print(fs.remove('a')) print(fs.mkdir('d')) print(fs.rename('a', 'b'))
        print(fs.read('a', {})) print(fs.read('a', { offset = 5, length = 7.0 })) print(fs.read('a', { length = 1 << 40 }))
        local _, err = fs.read('none') print(err:kind(), err:message(), err:retryable())",
        expect![[r#"
            -- write a (beside 0)
            done	nil
            -- read a 0 None (beside 0)
            text	nil
            -- read b 0 None (beside 0)
            nil	no `b`
            -- append a 2 (beside 0)
            done	nil
            -- list . (beside 0)
            done	nil
            -- stat 5 (beside 0)
            done	nil
            nil	fs.write on `a` is not granted
            -- mkdir d (beside 0)
            done	nil
            -- rename a b (beside 0)
            done	nil
            -- read a 0 None (beside 0)
            text	nil
            -- read a 5 Some(7) (beside 0)
            text	nil
            nil	fs.read on `a` failed: 1099511627776 bytes exceed the message limit of 1048576
            -- read none 0 None (beside 0)
            NotFound	no `none`	false
            => nil
        "#]],
    );
}

#[test]
fn wrong_arguments_start_nothing() {
    check_granted(
        "for _, name in ipairs { 'read', 'write', 'append', 'list', 'stat', 'remove', 'mkdir', 'rename' } do
          local _, missing = fs[name]()
          local _, second = fs[name]('a')
          print(name, missing, missing:kind(), (pcall(fs[name], {})), select(2, pcall(fs[name], {})))
          if name == 'write' or name == 'append' or name == 'rename' then print(second, second:kind()) end
        end
        print(pcall(fs.write, 'a', {}))
        print(pcall(fs.read, 'a', 'b'))
        for _, options in ipairs { { size = 1 }, { offset = -1 }, { offset = 1.5 }, { length = 'x' }, { length = -1 }, { 1 } } do
          print(fs.read('a', options))
        end
        print(fs.read('\\xff')) print(fs.read(('x'):rep(4096))) print(fs.rename('a', ('x'):rep(4096)))
        print(fs.write('a', ('x'):rep((1 << 20) + 1)))",
        expect![[r#"
            -- read a 0 None (beside 0)
            read	path is missing	Invalid	false	bad argument #1 to 'read' (string expected, got table)
            write	path is missing	Invalid	false	bad argument #1 to 'write' (string expected, got table)
            contents are missing	Invalid
            append	path is missing	Invalid	false	bad argument #1 to 'append' (string expected, got table)
            contents are missing	Invalid
            -- list a (beside 0)
            list	path is missing	Invalid	false	bad argument #1 to 'list' (string expected, got table)
            -- stat a (beside 0)
            stat	path is missing	Invalid	false	bad argument #1 to 'stat' (string expected, got table)
            remove	path is missing	Invalid	false	bad argument #1 to 'remove' (string expected, got table)
            -- mkdir a (beside 0)
            mkdir	path is missing	Invalid	false	bad argument #1 to 'mkdir' (string expected, got table)
            rename	path is missing	Invalid	false	bad argument #1 to 'rename' (string expected, got table)
            new path is missing	Invalid
            false	bad argument #2 to 'write' (string expected, got table)
            false	bad argument #2 to 'read' (table expected, got string)
            nil	unknown option `size`
            nil	offset is not a whole number of bytes
            nil	offset is not a whole number of bytes
            nil	length is a string, not a number
            nil	length is not a whole number of bytes
            nil	unknown option `1`
            nil	path is not valid UTF-8
            nil	path has 4096 bytes, above the limit of 4095
            nil	path has 4096 bytes, above the limit of 4095
            nil	contents of 1048577 bytes exceed the message limit of 1048576
            => nil
        "#]],
    );
}

#[test]
fn coroutines_beyond_the_hosts_limit_wait_their_turn() {
    check_granted(
        "fs.write('a', 'x')
        local done = channel.new(20)
        for i = 1, 20 do coroutine.spawn(function() local value, err = fs.read('a', { offset = i }) done:send(i .. (value or err)) end) end
        local all = {}
        for i = 1, 20 do all[i] = done:receive() end
        print(table.concat(all, ' ')) print(fs.read('a'))",
        expect![[r#"
            -- write a (beside 0)
            -- read a 1 None (beside 0)
            -- read a 2 None (beside 1)
            -- read a 3 None (beside 2)
            -- read a 4 None (beside 3)
            -- read a 5 None (beside 4)
            -- read a 6 None (beside 5)
            -- read a 7 None (beside 6)
            -- read a 8 None (beside 7)
            -- read a 9 None (beside 0)
            -- read a 10 None (beside 1)
            -- read a 11 None (beside 2)
            -- read a 12 None (beside 3)
            -- read a 13 None (beside 4)
            -- read a 14 None (beside 5)
            -- read a 15 None (beside 6)
            -- read a 16 None (beside 7)
            -- read a 17 None (beside 0)
            -- read a 18 None (beside 1)
            -- read a 19 None (beside 2)
            -- read a 20 None (beside 3)
            1x 2x 3x 4x 5x 6x 7x 8x 9x 10x 11x 12x 13x 14x 15x 16x 17x 18x 19x 20x
            -- read a 0 None (beside 0)
            x	nil
            => nil
        "#]],
    );
}

#[test]
fn a_refusal_gives_the_place_back() {
    check_granted(
        "fs.write('a', 'x')
        for _ = 1, 20 do assert(not fs.remove('a')) end
        for _ = 1, 20 do coroutine.spawn(function() fs.remove('a') end) end
        print(fs.read('a'))",
        expect![[r#"
            -- write a (beside 0)
            -- read a 0 None (beside 0)
            x	nil
            => nil
        "#]],
    );
}

#[test]
fn where_one_cannot_wait_nothing_is_started() {
    check_granted(
        "print(pcall(table.sort, { 1, 2 }, function() fs.write('a', 'x') return true end))
        print(('x'):gsub('x', function() return (select(2, pcall(fs.read, 'a'))) end))
        print(pcall(function() for value in coroutine.wrap(function() coroutine.yield((fs.write('a', 'x'))) end) do print(value) end end))
        print(fs.read('a'))",
        expect![[r#"
            false	attempt to yield across a C-call boundary
            attempt to yield across a C-call boundary	1
            -- write a (beside 0)
            done
            true
            -- read a 0 None (beside 0)
            x	nil
            => nil
        "#]],
    );
}
