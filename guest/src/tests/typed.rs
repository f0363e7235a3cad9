//! Typed Lua: what compiles without its annotations, with every line and column where it was.

use expect_test::expect;

use super::Case;

fn check(source: &str, expect: expect_test::Expect) {
    Case::new(source).check(expect);
}

#[test]
fn annotations_are_skipped_wherever_they_stand() {
    check(
        r#"
        type User = {name: string, age: number @min(0) @max(150)}
        export type Result<T> = {ok: true, value: T} | {ok: false, error: string}
        local count: number, name <const>, rest: {[string]: any}? = 1, "Ada", nil
        local function add<T: User>(a: T, b: number?, ...: any): (number, string?)
            return a.age + (b or 0), ...
        end
        local double: (number) -> number = function(x: number): number return x * 2 end
        function string.ok(val: any?, msg: string?): asserts val is string
            return val
        end
        local M = {}
        function M.eq(actual: any, expected: any): boolean, error
            return actual == expected
        end
        function M:method(x: "a" | "b" | -1, y: typeof(M)): M.Thing<User>?
            return self, x
        end
        for i: integer = 1, 2 do count = count + i end
        for k: string, v: any in pairs({ a = 1 }) do name_of = k end
        local user = ({ name = "x", age = 3 } as User) :: any
        local sure = (user!).name
        ::again::
        if count < 5 then count = count + 1 goto again end
        return function()
            local m, x = M:method("a")
            print(count, name, add({ age = 2 }, 3), double(4), ("v"):ok(), M.eq(1, 1), m == M, x, name_of, sure)
        end
        "#,
        expect![[r#"
            5	Ada	5	8	v	true	true	a	a	x
            => nil
        "#]],
    );
}

#[test]
fn lines_and_columns_stay() {
    check(
        "type A = {\n  x: number\n}\nlocal n: number = nil\nlocal function f(x: number): number\n  return x.y.z\nend\nreturn function() f({}) end",
        expect![[r#"
            !! ErrorKind::Internal: main.lua:6: attempt to index a nil value (field 'y')
               main.lua:6: in upvalue 'f'
               main.lua:8: in function <main.lua:8>
        "#]],
    );
}

#[test]
fn what_is_no_annotation_is_what_lua_says() {
    check(
        "local x: = 1",
        expect![[r#"
        !! ErrorKind::Invalid: main.lua:1: unexpected symbol near ':'
    "#]],
    );
    check(
        "return function( print(1) end",
        expect![[r#"
        !! ErrorKind::Invalid: main.lua:1: ')' expected near '('
    "#]],
    );
    check(
        "local s = 'x\nreturn s: number",
        expect![[r#"
        !! ErrorKind::Invalid: main.lua:1: unfinished string near ''x'
    "#]],
    );
    check(
        "local type, as = type, 1\nlocal x = as\nreturn function() print(type(x), as) end",
        expect![[r#"
        number	1
        => nil
    "#]],
    );
    check(
        "local x = a:b{1}:c()\n::l:: x = = 1",
        expect![[r#"
        !! ErrorKind::Invalid: main.lua:2: unexpected symbol near '='
    "#]],
    );
}
