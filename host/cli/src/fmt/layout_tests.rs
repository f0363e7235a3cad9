//! Layouts of whole sources; that laying out again changes nothing; and sources that are meant to break it.

use expect_test::{Expect, expect};

use super::{DEEPEST, LayoutError, laid_out};

/// How a source is laid out, which is how that is laid out.
#[track_caller]
fn check(source: &str, expect: Expect) {
    let text = laid_out(source).unwrap();
    expect.assert_eq(&text);
    assert_eq!(laid_out(&text).as_ref(), Ok(&text), "laid out again");
}

#[test]
fn blocks_stand_in() {
    check(
        "
local function f(a,b,...)
if a==b then
return a
elseif   b then
for i=1,10 do print(i) end
for k,v in pairs(b)
do
print(k,v)
end
else
while true do
break
end
repeat
local x = 1
until x>2
end
do
f ( )
end
end


return   {main=f}",
        expect![[r#"
            local function f(a, b, ...)
              if a == b then
                return a
              elseif b then
                for i = 1, 10 do print(i) end
                for k, v in pairs(b)
                do
                  print(k, v)
                end
              else
                while true do
                  break
                end
                repeat
                  local x = 1
                until x > 2
              end
              do
                f()
              end
            end

            return { main = f }
        "#]],
    );
}

#[test]
fn what_goes_on_stands_in_one_step_more() {
    check(
        "local x = a
and b
or c
local long,
other =
1, 2
if a
and (b
or c) then
f()
end
local text = 'a' ..
'b'
return setmetatable({
a = 1,
b = 2
+ 3,
}, {
__index = function(t, k)
return k
end,
})
, x.y
.z:w(function()
return 1
end)",
        expect![[r#"
            local x = a
              and b
              or c
            local long,
              other =
              1, 2
            if a
              and (b
                or c) then
              f()
            end
            local text = 'a' ..
              'b'
            return setmetatable({
              a = 1,
              b = 2
                + 3,
            }, {
              __index = function(t, k)
                return k
              end,
            })
              , x.y
              .z:w(function()
                return 1
              end)
        "#]],
    );
}

#[test]
fn blanks_are_the_houses() {
    check(
        "local a<const>,b <close> =1,- -x+-y..not  z,#t,~x~y,2^-3//1
f{1,2} g'x' g[[y]] t [ 1 ] = t[ [[z]] ][1]   h( ) ( 2 )
local  t={[1]=2,['x']=3,{},{ {} };a=function ( ... ) return ... end}
a . b : c ( 1 , 2 )
x=a<b and b>c or a<=b  if(a)then return(a)end
::again::  goto again
local n=1 ..'x'..2 .. .5
x = 1<<2>>3&4|5 return -x,-(-x),not-x, -#x",
        expect![[r#"
            local a <const>, b <close> = 1, - -x + -y .. not z, #t, ~x ~ y, 2 ^ -3 // 1
            f { 1, 2 } g 'x' g [[y]] t[1] = t[ [[z]] ][1] h()(2)
            local t = { [1] = 2, ['x'] = 3, {}, { {} }; a = function(...) return ... end }
            a.b:c(1, 2)
            x = a < b and b > c or a <= b if (a) then return (a) end
            ::again:: goto again
            local n = 1 .. 'x' .. 2 .. .5
            x = 1 << 2 >> 3 & 4 | 5 return -x, -(-x), not -x, -#x
        "#]],
    );
}

#[test]
fn comments_stay_where_they_are() {
    check(
        "#!/usr/bin/env lunarium
-- head   \r

-- second



local a = 1     -- lined up
local bcd = 2   -- lined up
if a then-- begins
-- the first

-- the second
f() --[[ inside ]] g(--[[ x ]]1)
-- at the end
else
-- else
end
local t = {
-- of a field
a = 1, -- one
-- of none
}
--[[ long
   as it is
]] local b
--[==[ ]] ]==]
f(a -- why
, b)
x = y
-- why
and z
-- the last",
        expect![[r#"
            #!/usr/bin/env lunarium
            -- head

            -- second

            local a = 1     -- lined up
            local bcd = 2   -- lined up
            if a then -- begins
              -- the first

              -- the second
              f() --[[ inside ]] g( --[[ x ]] 1)
              -- at the end
            else
              -- else
            end
            local t = {
              -- of a field
              a = 1, -- one
              -- of none
            }
            --[[ long
               as it is
            ]] local b
            --[==[ ]] ]==]
            f(a -- why
              , b)
            x = y
              -- why
              and z
            -- the last
        "#]],
    );
}

#[test]
fn the_step_is_the_sources_own() {
    check("if a then\n    f()\nend\n", expect![["if a then\n    f()\nend\n"]]);
    check("if a then\n\tif b then\n  f()\nend\nend", expect![["if a then\n\tif b then\n\t\tf()\n\tend\nend\n"]]);
    check("if a then\n   f()\n      g()\nend", expect![["if a then\n   f()\n   g()\nend\n"]]);
    check("  x = 1\nif a then\n f()\nend", expect![["x = 1\nif a then\n  f()\nend\n"]]);
    check(
        "f(function() local x =\n        1\nend)\nf(\n1)",
        expect![[r#"
        f(function() local x =
                1
        end)
        f(
            1)
    "#]],
    );
}

#[test]
fn blank_lines_are_one_and_not_at_the_edges() {
    check(
        "\n\n\nlocal a\n\n\n\nlocal b\nif a then\n\n\nf()\n\nend\nlocal function g(\n\na\n\n)\n\nreturn {\n\n1,\n\n2\n\n}\nend\n\n\n",
        expect![[r#"
            local a

            local b
            if a then
              f()
            end
            local function g(
              a
            )
              return {
                1,

                2
              }
            end
        "#]],
    );
    for (source, text) in
        [("", ""), ("\n\n", ""), (" ", ""), ("x=1", "x = 1\n"), ("-- x", "-- x\n"), ("x()\r\ny()\r\n", "x()\ny()\n")]
    {
        assert_eq!(laid_out(source).as_deref(), Ok(text), "{source:?}");
    }
}

/// As Lua counts them.
#[test]
fn lines_end_by_either_sign_or_both() {
    for (source, text) in [
        ("x()\ry()\r\rz()", "x()\ny()\n\nz()\n"),
        ("x()\n\ry()\r\nz()", "x()\ny()\nz()\n"),
        ("#!lua\r-- about x\rx() -- x\r  y()", "#!lua\n-- about x\nx() -- x\ny()\n"),
        ("if x then\r\ty()\rend", "if x then\n\ty()\nend\n"),
        ("x = [[\r]]", "x = [[\r]]\n"),
    ] {
        assert_eq!(laid_out(source).as_deref(), Ok(text), "{source:?}");
    }
    assert_eq!(laid_out("x = 1\ry = 'a"), Err(LayoutError::Unreadable(2)));
}

#[test]
fn the_mark_that_a_file_begins_with_stays() {
    assert_eq!(laid_out("\u{feff}#!lua\nx=1").as_deref(), Ok("\u{feff}#!lua\nx = 1\n"));
    assert_eq!(laid_out("\u{feff}").as_deref(), Ok("\u{feff}"));
}

#[test]
fn annotations_of_types_keep_what_only_they_have() {
    check(
        "local x:number,y : {string}?=1,{}
local function f<T>(a:T,b: Channel<T>):(number,string?)return a::any,b! end
type A = {x:number}|nil
obj:method(a):other{1}",
        expect![[r#"
            local x: number, y: { string }? = 1, {}
            local function f<T>(a: T, b: Channel<T>): (number, string?) return a::any, b! end
            type A = { x: number } | nil
            obj:method(a):other { 1 }
        "#]],
    );
}

#[test]
fn long_strings_are_left_alone() {
    let text =
        "local s = [[\n  a\n\tb  \r\n]]\nlocal t = \"x\\\n  y\"\nlocal function f()\n  return [==[\nx\n]==]\nend\n";
    assert_eq!(laid_out(text).as_deref(), Ok(text));
}

#[test]
fn what_is_no_lua_is_told() {
    assert_eq!(laid_out("x = 1\ny = 'a"), Err(LayoutError::Unreadable(2)));
    assert_eq!(laid_out("\n\n--[[ a"), Err(LayoutError::Unreadable(3)));
    assert_eq!(laid_out("x = é"), Err(LayoutError::Unreadable(1)));
    // Whatever it is, nothing is lost.
    check(
        "end end ) ] } x then do until else (",
        expect![[r#"
        end end)] } x then do until else (
    "#]],
    );
}

#[test]
fn no_source_is_too_deep_or_takes_for_ever() {
    let many = 60_000;
    let nested = [
        ("(".repeat(many), ")".repeat(many)),
        ("{".repeat(many), "}".repeat(many)),
        ("t[".repeat(many), "]".repeat(many)),
        ("function() ".repeat(many), " end".repeat(many)),
        ("do ".repeat(many), " end".repeat(many)),
        ("if x then ".repeat(many / 2), " end".repeat(many / 2)),
        ("1 + ".repeat(many), "1".to_owned()),
        ("'a' .. ".repeat(many), "'b'".to_owned()),
        ("not ".repeat(many), "x".to_owned()),
        ("- ".repeat(many), "x".to_owned()),
        (String::new(), ".x".repeat(many)),
        (String::new(), "()".repeat(many)),
        (String::new(), ":f()".repeat(many)),
        (String::new(), "-- a\n".repeat(many)),
        (String::new(), "\n".repeat(many)),
        (String::new(), ";".repeat(many)),
        ("elseif x then ".repeat(many / 4), String::new()),
    ];
    for (open, close) in nested {
        let source = format!("x = {open}{close}");
        let text = laid_out(&source).unwrap();
        assert_eq!(laid_out(&text).unwrap(), text);
    }
    // Each line would stand in further than the one before.
    assert_eq!(laid_out(&"(\n".repeat(many)), Err(LayoutError::TooLong));
    let deep = "(\n".repeat(DEEPEST + 5) + "x";
    let text = laid_out(&deep).unwrap();
    let most = text.lines().map(|line| line.len() - line.trim_start().len()).max();
    assert_eq!(most, Some(2 * DEEPEST));
}

#[test]
fn whatever_comes_stays_the_same_and_is_laid_out_once() {
    const WORDS: [&str; 44] = [
        "x",
        "y",
        "1",
        "2.5",
        "'s'",
        "[[l]]",
        "-- c\n",
        "--[[ c ]]",
        "\n",
        "\n\n\n",
        "  ",
        "\t",
        "if",
        "then",
        "else",
        "elseif",
        "end",
        "do",
        "while",
        "for",
        "in",
        "repeat",
        "until",
        "function",
        "local",
        "return",
        "not",
        "and",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        ",",
        ";",
        ".",
        ":",
        "::",
        "..",
        "-",
        "<",
        ">",
        "=",
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for round in 0..3_000 {
        let mut source = String::new();
        for _ in 0..(round % 60) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let word = usize::try_from(state % 44).unwrap();
            source.push_str(WORDS[word]);
            if !state.is_multiple_of(3) {
                source.push(' ');
            }
        }
        // Where words have grown together to something without an end, there is nothing to lay out.
        let Ok(text) = laid_out(&source) else { continue };
        assert_eq!(laid_out(&text).as_ref(), Ok(&text), "{source:?}");
    }
}
