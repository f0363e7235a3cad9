//! `json`.

use expect_test::expect;

use super::*;

#[test]
fn encode_keeps_what_kind_of_number_it_is() {
    check(
        "for _, v in ipairs{ 1, 1.0, -0.0, 0.1, 1e100, 1e15, 123456789012345680.0, math.maxinteger, math.mininteger, 5e-324, 2^53 } do print(json.encode(v)) end
        for _, v in ipairs{ true, 'text', '', json.null } do print(json.encode(v)) end print(json.encode(false)) print(json.encode(nil)) print(json.encode())
        print(json.encode(0/0)) print(json.encode{ a = { 1, 1/0 } })",
        expect![[r#"
            1	nil
            1.0	nil
            -0.0	nil
            0.1	nil
            1e+100	nil
            1000000000000000.0	nil
            1.2345678901234568e+17	nil
            9223372036854775807	nil
            -9223372036854775808	nil
            5e-324	nil
            9007199254740992.0	nil
            true	nil
            "text"	nil
            ""	nil
            null	nil
            false	nil
            null	nil
            nil	value is missing
            nil	value is not a number (NaN)
            nil	value.a[2] is infinite
            => nil
        "#]],
    );
}

#[test]
fn tables_are_arrays_or_objects() {
    check(
        "local function try(v) print(json.encode(v)) end
        try{} try{ {} } try{ 1, 2, { 3 } } try{ b = 1, a = { y = {}, x = 'z' }, ['odd key'] = json.null, [''] = 0 }
        local shared = { 1 } try{ shared, shared } try(setmetatable({ 1 }, { __index = print, __len = print, __pairs = print }))
        try{ t = time.unix(0), d = 90 * time.SECOND, e = errors.new('why') } try(time.unix(1, 5):in_location('+02:00'))",
        expect![[r#"
            {}	nil
            [{}]	nil
            [1,2,[3]]	nil
            {"":0,"a":{"x":"z","y":{}},"b":1,"odd key":null}	nil
            [[1],[1]]	nil
            [1]	nil
            {"d":"1m30s","e":"why","t":"1970-01-01T00:00:00Z"}	nil
            "1970-01-01T02:00:01.000000005+02:00"	nil
            => nil
        "#]],
    );
}

#[test]
fn strings_are_escaped() {
    check(
        r#"print(json.encode('"\\/\b\f\n\r\t\0\27\127 é €😀')) print(json.encode{ ['k"\n'] = 1 })"#,
        expect![[r#"
            "\"\\/\b\f\n\r\t\u0000\u001b é €😀"	nil
            {"k\"\n":1}	nil
            => nil
        "#]],
    );
}

#[test]
fn what_has_no_form_is_named_with_its_place() {
    check(
        "local function try(v) print(select(2, json.encode(v))) end
        try(print) try{ handlers = { 1, print } } try{ ['odd key'] = { f = coroutine.create(print) } } try{ channel.new() }
        try{ a = { 1, nil, 3 } } try{ a = { 1, x = 2 } } try{ [0] = 1 } try{ [1.5] = 1 } try{ [true] = 1 } try{ [{}] = 1 } try{ [print] = 1 } try{ [2] = 1 }
        try{ s = 'a\\xff' } try{ ['\\xff'] = 1 } local cycle = { 1 } cycle[2] = { next = cycle } try(cycle) try(time.timer(1)) try{ x = 0/0 }
        local deep = {} for i = 1, 127 do deep = { deep } end print(#json.encode(deep)) try{ deep }
        print(select(2, json.encode(print)):kind())",
        expect![[r#"
            value is a function
            value.handlers[2] is a function
            value["odd key"].f is a coroutine
            value[1] is a channel
            value.a is an array with holes
            value.a has both numbers and strings as keys
            value has the key [0], which is neither a string nor a place in an array
            value has the key [1.5], which is neither a string nor a place in an array
            value has the key [true], which is neither a string nor a place in an array
            value has a key that is a table
            value has a key that is a function
            value has the key [2], which is neither a string nor a place in an array
            value.s is not valid UTF-8
            value has a key that is not valid UTF-8
            value[2].next contains itself
            value is a timer
            value.x is not a number (NaN)
            256
            value is nested deeper than 128 tables
            Invalid
            => nil
        "#]],
    );
}

#[test]
fn indent_spreads_it_over_lines() {
    check(
        "local v = { list = { 1, { a = 'b' } }, empty = {} }
        print(json.encode(v, { indent = true })) print(json.encode({ 1 }, { indent = 4 })) print(json.encode(v, { indent = false })) print(json.encode(v, {}))
        print(json.encode(v, { indent = 0 })) print(json.encode(v, { indent = 17 })) print(json.encode(v, { indent = 1.5 })) print(json.encode(v, { indent = '  ' }))
        print(pcall(json.encode, v, 2))",
        expect![[r#"
            {
              "empty": {},
              "list": [
                1,
                {
                  "a": "b"
                }
              ]
            }	nil
            [
                1
            ]	nil
            {"empty":{},"list":[1,{"a":"b"}]}	nil
            {"empty":{},"list":[1,{"a":"b"}]}	nil
            nil	indent is not true, false or a number of spaces from 1 to 16
            nil	indent is not true, false or a number of spaces from 1 to 16
            nil	indent is not true, false or a number of spaces from 1 to 16
            nil	indent is not true, false or a number of spaces from 1 to 16
            false	bad argument #2 to 'json.encode' (table expected, got number)
            => nil
        "#]],
    );
}

#[test]
fn decode_reads_every_value() {
    check(
        "for _, text in ipairs{ '1', '1.0', '-0', '1e2', '9223372036854775807', '-9223372036854775808', '9223372036854775808', '18446744073709551616', '0.1',
          'true', 'false', '\"x\"', '\"\\\\u00e9\\\\ud83d\\\\ude00\\\\n\"', ' 1 ' } do local v, err = json.decode(text) print(text, v, math.type(v), err) end
        print(json.decode('null') == json.null, json.null, 'is ' .. json.null, type(json.null), json.null.x)
        local t = json.decode('{\"list\": [1, [2.5, null], {}], \"a\": {\"b\": \"c\"}, \"twice\": 1, \"twice\": 2}')
        print(#t.list, t.list[1], t.list[2][1], t.list[2][2] == json.null, next(t.list[3]), t.a.b, t.twice) print(#json.decode('[]'), json.decode(5))",
        expect![[r#"
            1	1	integer	nil
            1.0	1.0	float	nil
            -0	-0.0	float	nil
            1e2	100.0	float	nil
            9223372036854775807	9223372036854775807	integer	nil
            -9223372036854775808	-9223372036854775808	integer	nil
            9223372036854775808	9.2233720368548e+18	float	nil
            18446744073709551616	1.844674407371e+19	float	nil
            0.1	0.1	float	nil
            true	true	nil	nil
            false	false	nil	nil
            "x"	x	nil	nil
            "\u00e9\ud83d\ude00\n"	é😀
            	nil	nil
             1 	1	integer	nil
            true	null	is null	userdata	nil
            3	1	2.5	true	nil	c	2
            0	5	nil
            => nil
        "#]],
    );
}

#[test]
fn what_is_not_json_is_refused_with_line_and_column() {
    check(
        r#"for _, text in ipairs{ '', ' ', '{', '[1,]', '{"a":1,}', "{'a':1}", '{a:1}', '01', '1.', '+1', 'nul', 'NaN', '"\1"', '"\xff"', '"\\x"', '"\\ud800"', '1 2', '1e999',
          '{"a"\n:\n  1 2}', '[1\n,2\n,}', '// x\n1', '\0', '{1:2}' } do print((select(2, json.decode(text)))) end
        print(json.decode(('['):rep(128) .. (']'):rep(128)) ~= nil) print(json.decode(('['):rep(129) .. (']'):rep(129))) print(json.decode(('{"a":'):rep(100000)))
        print(json.decode()) print(pcall(json.decode, {})) print(select(2, json.decode('x')):kind())"#,
        expect![[r#"
            EOF while parsing a value at line 1 column 0
            EOF while parsing a value at line 1 column 1
            EOF while parsing an object at line 1 column 1
            trailing comma at line 1 column 4
            trailing comma at line 1 column 8
            key must be a string at line 1 column 2
            key must be a string at line 1 column 2
            invalid number at line 1 column 2
            EOF while parsing a value at line 1 column 2
            expected value at line 1 column 1
            EOF while parsing a value at line 1 column 3
            expected value at line 1 column 1
            control character (\u0000-\u001F) found while parsing a string at line 1 column 2
            invalid unicode code point at line 1 column 2
            invalid escape at line 1 column 3
            unexpected end of hex escape at line 1 column 8
            trailing characters at line 1 column 3
            number out of range at line 1 column 5
            expected `,` or `}` at line 3 column 5
            expected value at line 3 column 2
            expected value at line 1 column 1
            expected value at line 1 column 1
            key must be a string at line 1 column 2
            true
            nil	nested deeper than 128 levels at line 1 column 130
            nil	nested deeper than 128 levels at line 1 column 641
            nil	text is missing
            false	bad argument #1 to 'json.decode' (string expected, got table)
            Invalid
            => nil
        "#]],
    );
}

#[test]
fn what_is_encoded_comes_back() {
    check(
        "local v = { n = { 1, 1.5, -0.25, math.maxinteger, 0.1 + 0.2, 1e300, 5e-324 }, s = 'é\\n\"', b = { true, false }, z = json.null, o = { o = { o = { 1 } } } }
        local text = json.encode(v) local back = json.decode(text) print(text, json.encode(back) == text)
        for i, n in ipairs(v.n) do if n ~= back.n[i] or math.type(n) ~= math.type(back.n[i]) then print('differs', n, back.n[i]) end end
        local many = {} for i = 1, 20000 do many[i] = { id = i, name = 'item ' .. i } end local large = json.encode(many)
        print(#large, json.encode(json.decode(large)) == large, json.decode(large)[20000].name)",
        expect![[r#"
            {"b":[true,false],"n":[1,1.5,-0.25,9223372036854775807,0.30000000000000004,1e+300,5e-324],"o":{"o":{"o":[1]}},"s":"é\n\"","z":null}	true
            637789	true	item 20000
            => nil
        "#]],
    );
}

#[test]
fn null_and_its_kin_travel() {
    check(
        "local ch = process.listen('t', { message = true })
        process.send(process.pid(), 't', { json.null, a = json.null }) local msg = ch:receive() local v = msg:payload()
        print(v[1] == json.null, v.a == json.null, json.encode(v.a)) print(json.encode(msg.topic), json.encode{ msg.payload.a })
        return json.null",
        expect![[r#"
            true	true	null	nil
            "t"	[null]	nil
            => null
        "#]],
    );
}

#[test]
fn the_memory_limit_is_an_error_that_can_be_caught() {
    // 2^30 copies of one small table.
    let script = "local t = { 'some text' } for i = 1, 30 do t = { t, t } end
        for i = 1, 6 do local ok, err = pcall(json.encode, t) if ok or err ~= 'not enough memory' then print(ok, err) end end
        local text = '[' .. ('[],'):rep(100000) .. '1]'
        for i = 1, 6 do local ok, err = pcall(json.decode, text) if ok or err ~= 'not enough memory' then print(ok, err) end end
        text = '\"\\\\n' .. ('x'):rep(1000000) .. '\"' for i = 1, 6 do local ok, v = pcall(json.decode, text) if not ok then print(v) end end
        print(#json.encode(('x'):rep(200000)))";
    Case::body(script).with(|program| program.limits.memory = 4 << 20).check(expect![[r#"
        200002
        => nil
    "#]]);
}

#[test]
fn a_finalizer_may_empty_the_table_that_is_being_encoded() {
    check(
        r#"
        local t, keys = {}, {}
        for i = 1, 3000 do
            keys[i] = ("a key that is collected alone: %040d"):format(i)
            t[keys[i]] = ("x"):rep(100)
        end
        local expected = table.concat(keys, " ")
        keys = nil
        local cleared = false
        setmetatable({}, { __gc = function()
            for key in next, t do t[key] = nil end
            cleared = true
        end })
        local read = {}
        for key in json.encode(t):gmatch('"(a key[^"]*)":') do read[#read + 1] = key end
        print(cleared, table.concat(read, " ") == expected)
        "#,
        expect![[r#"
            true	true
            => nil
        "#]],
    );
}
