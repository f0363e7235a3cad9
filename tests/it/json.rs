//! `json`: text to values and back.

use expect_test::expect;
use lunarium_engine::Limits;
use lunarium_tests::Lab;

use crate::check::{check_main, check_main_in};

#[test]
fn values_become_text() {
    check_main(
        r#"
        print(json.encode { id = 1, price = 1.0, tags = { "a", "b" }, open = true, note = json.null, none = {} })
        print(json.encode({ list = { 1, { a = {} } } }, { indent = true }))
        print(json.encode("text"), json.encode(nil), require("json") == json)
        print(json.encode { at = time.unix(0), took = 90 * time.SECOND, err = errors.new("why") })
        "#,
        expect![[r#"
            {"id":1,"none":{},"note":null,"open":true,"price":1.0,"tags":["a","b"]}	nil
            {
              "list": [
                1,
                {
                  "a": {}
                }
              ]
            }	nil
            "text"	null	true
            {"at":"1970-01-01T00:00:00Z","err":"why","took":"1m30s"}	nil
            => nil
        "#]],
    );
}

#[test]
fn what_has_no_text_is_refused_with_its_place() {
    check_main(
        r#"
        local loop = {}
        loop.again = { loop }
        for _, value in ipairs { { handlers = { 1, print } }, loop, { 1, x = 2 }, { [3] = 3 }, { n = 0/0 }, { s = "\xff" } } do
            local text, err = json.encode(value)
            print(text, err:kind(), err)
        end
        print(kind(json.encode()))
        "#,
        expect![[r#"
            nil	Invalid	value.handlers[2] is a function
            nil	Invalid	value.again[1] contains itself
            nil	Invalid	value has both numbers and strings as keys
            nil	Invalid	value has the key [3], which is neither a string nor a place in an array
            nil	Invalid	value.n is not a number (NaN)
            nil	Invalid	value.s is not valid UTF-8
            nil	Invalid
            => nil
        "#]],
    );
}

#[test]
fn text_becomes_values() {
    check_main(
        r#"
        local v = json.decode('{"id": 1, "price": 1.0, "tags": ["a", "b"], "note": null, "big": 18446744073709551615}')
        print(math.type(v.id), math.type(v.price), #v.tags, v.note == json.null, math.type(v.big))
        print(next((json.decode("[]"))), json.decode("null"), json.decode("false"))
        "#,
        expect![[r#"
            integer	float	2	true	float
            nil	null	false	nil
            => nil
        "#]],
    );
}

#[test]
fn what_is_not_json_is_refused_with_line_and_column() {
    check_main(
        r#"
        for _, text in ipairs { "", '{"a": 1\n "b": 2}', "[1,\n2,\n]", "nul", ("["):rep(200) } do
            local value, err = json.decode(text)
            print(value, err:kind(), err)
        end
        print(kind(json.decode()))
        print(raised(json.decode, {}))
        "#,
        expect![[r#"
            nil	Invalid	EOF while parsing a value at line 1 column 0
            nil	Invalid	expected `,` or `}` at line 2 column 2
            nil	Invalid	trailing comma at line 3 column 1
            nil	Invalid	EOF while parsing a value at line 1 column 3
            nil	Invalid	nested deeper than 128 levels at line 1 column 129
            nil	Invalid
            bad argument #1 to 'json.decode' (string expected, got table)
            => nil
        "#]],
    );
}

#[test]
fn it_may_be_128_deep() {
    check_main(
        r#"
        local text = ("["):rep(127) .. "{}" .. ("]"):rep(127)
        local value = json.decode(text)
        print(json.encode(value) == text, #json.encode(value, { indent = 16 }))
        print(json.encode { value })
        print(json.decode("[" .. text .. "]"))
        "#,
        expect![[r#"
            true	258574
            nil	value is nested deeper than 128 tables
            nil	nested deeper than 128 levels at line 1 column 130
            => nil
        "#]],
    );
}

#[test]
fn null_is_the_same_in_every_process() {
    check_main(
        r#"
        process.spawn_monitored("app:tells", "app:processes", { json.null, key = json.null })
        local value = process.events():receive().result.value
        print(value[1], value[2] == json.null, value[3])
        -- entry: tells
        return { main = function(t) return { t[1] == json.null, t.key, json.encode(t.key) } end }
        "#,
        expect![[r#"
            true	true	null
            => nil
        "#]],
    );
}

#[test]
fn at_the_memory_limit_it_is_an_error_and_nothing_is_lost() {
    // Many times: what each of them lost would add up to far more than the instance may have.
    let lab = Lab::new(Limits { memory: 2 << 20, ..Limits::default() });
    check_main_in(
        &lab,
        r#"
        local many = { "some text" }
        for _ = 1, 30 do many = { many, many } end
        local text = "[" .. ("[],"):rep(30000) .. "1]"
        local long = '"\\n' .. ("x"):rep(600000) .. '"'
        local ballast = { ("y"):rep(400000), ("z"):rep(500000) }
        for _ = 1, 40 do
            assert(raised(json.encode, many) == "not enough memory")
            assert(raised(json.decode, text) == "not enough memory")
            assert(raised(json.decode, long) == "not enough memory")
        end
        ballast = nil
        print(#json.decode(long), #json.encode(("x"):rep(200000)))
        "#,
        expect![[r#"
            600001	200002
            => nil
        "#]],
    );
}
