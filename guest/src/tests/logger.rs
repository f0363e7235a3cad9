//! `logger`.

use expect_test::expect;

use super::*;

#[test]
fn a_line_has_a_level_a_message_and_fields() {
    check(
        "logger:debug('d') logger:info('i', { b = 1, a = 'x' }) logger:warn('w', {}) logger:error('e', nil) print(logger:info('nothing comes back'))
        print(select('#', logger:info(1.5)), require('logger') == logger)",
        expect![[r#"
            -- Level::Debug "d"
            -- Level::Info "i" a="x" b=1
            -- Level::Warn "w"
            -- Level::Error "e"
            -- Level::Info "nothing comes back"

            -- Level::Info "1.5"
            0	true
            => nil
        "#]],
    );
}

#[test]
fn fields_become_text_or_json() {
    check(
        "logger:info('m', { text = 'as it is', number = 1.0, flag = false, list = { 1, 'x', { y = 2 } }, empty = {}, time = time.unix(0), span = time.SECOND,
          err = errors.new('why'), null = json.null, mine = setmetatable({}, { __tostring = function() return 'mine' end }), bad = { f = print }, [1] = 'one',
          bytes = '\\xff' })
        process.listen('t') process.send(process.pid(), 't', { a = 1 }) local msg = process.listen('t', { message = true }):receive()
        logger:info(msg.topic, msg.payload) logger:info(errors.new('an error'), { payload = msg.payload }) logger:info(time.unix(0))",
        expect![[r#"
            -- Level::Info "m" 1="one" bad="(value.f is a function)" bytes="�" empty={} err="why" flag=false list=[1,"x",{"y":2}] mine="mine" null=null number=1.0 span="1s" text="as it is" time="1970-01-01T00:00:00Z"
            -- Level::Info "t" a=1
            -- Level::Info "an error" payload={"a":1}
            -- Level::Info "1970-01-01T00:00:00Z"
            => nil
        "#]],
    );
}

#[test]
fn what_json_has_no_form_for_is_text() {
    check(
        "logger:info('m', { inf = 1/0, minus = -1/0, nan = 0/0, large = 1e300, small = -0.0, int = math.mininteger })
        logger:with({ logger = true }):named('x'):info('named') logger:with({ logger = 7 }):named('x'):info('named')
        -- A logger taken apart.
        local log = logger:with({ a = 1 }) local fields = rawget(log, 1)
        fields.a, fields.b, fields.c, fields.d = {}, { 'nope' }, true, { {} } log:info('tampered')",
        expect![[r#"
            -- Level::Info "m" inf="inf" int=-9223372036854775808 large=1e+300 minus="-inf" nan="-nan" small=-0.0
            -- Level::Info "named" logger="true.x"
            -- Level::Info "named" logger="7.x"
            -- Level::Info "tampered" a= b=nope c="" d=
            => nil
        "#]],
    );
}

#[test]
fn with_adds_fields_to_each_line() {
    check(
        "local a = logger:with{ x = 1, y = 'a' } local b = a:with{ y = 'b', z = {} }
        a:info('a') b:info('b', { z = 'own' }) b:info('b') a:info('a', { n = 2 }) logger:info('root')
        local fields = { k = 'then' } local c = logger:with(fields) fields.k = 'later' c:warn('snapshot') print(type(c), getmetatable(c))",
        expect![[r#"
            -- Level::Info "a" x=1 y="a"
            -- Level::Info "b" x=1 y="b" z="own"
            -- Level::Info "b" x=1 y="b" z={}
            -- Level::Info "a" n=2 x=1 y="a"
            -- Level::Info "root"
            -- Level::Warn "snapshot" k="then"
            table	false
            => nil
        "#]],
    );
}

#[test]
fn what_is_not_a_message_or_fields_is_refused() {
    check(
        "print(logger:info()) print(logger:with())
        print(pcall(function() logger:info({}) end)) print(pcall(function() logger:info(true) end)) print(pcall(function() logger:warn('x', 'y') end))
        print(pcall(function() logger:with('y') end)) print(logger.trace)
        print(pcall(function() logger:info('x', { v = setmetatable({}, { __tostring = function() error('in tostring', 0) end }) }) end))",
        expect![[r#"
            nil	message is missing
            nil	fields are missing
            false	main.lua:2: bad argument #2 to 'info' (string expected, got table)
            false	main.lua:2: bad argument #2 to 'info' (string expected, got boolean)
            false	main.lua:2: bad argument #3 to 'warn' (table expected, got string)
            false	main.lua:3: bad argument #2 to 'with' (table expected, got string)
            nil
            false	in tostring
            => nil
        "#]],
    );
}

#[test]
fn a_line_is_cut_at_8_kib() {
    let shown = Case::body(
        "local fields = {} for i = 1, 20000 do fields[('%05d'):format(i)] = '' end logger:info(('m'):rep(8100), fields)
        logger:info('x' .. ('é'):rep(5000), { never = 'shown' }) logger:info('m', { a = ('x'):rep(100000), b = 'not shown' })",
    )
    .run();
    let lines: Vec<String> =
        shown.lines().map(|line| line.replace("mmm", "").replace("xxx", "").replace("éé", "")).collect();
    // The keys are five bytes each, and one counts for what stands between fields.
    let fields = (1..=15).map(|i| format!(" {i:05}=\"\"")).collect::<String>();
    assert_eq!(
        lines,
        [
            format!("-- Level::Info \"\"{fields} 0=\"\""),
            "-- Level::Info \"xé�\"".to_owned(),
            "-- Level::Info \"m\" a=\"xx\"".to_owned(),
            "=> nil".to_owned(),
        ]
    );
}
