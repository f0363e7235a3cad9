//! `time`: sleeping, timers, durations, points in time.

use expect_test::expect;

use super::*;

#[test]
fn sleep_takes_a_duration_of_any_form() {
    check(
        "local start = time.now()
        local function at() return time.now() - start end
        print(time.sleep('1.5s'), at()) print(time.sleep(500), at()) print(time.sleep(2 * time.SECOND), at()) print(time.sleep(0), at())
        print(time.sleep()) print(time.sleep('x')) print(time.sleep(-1)) print(time.sleep('-1s')) print(time.sleep(0.5))
        print(time.sleep('10')) print(time.sleep(math.maxinteger)) print(pcall(time.sleep, {}))
        print(pcall(function() time.sleep(true) end)) print(select(2, time.sleep()):kind())",
        expect![[r#"
            true	1.5s
            true	2s
            true	4s
            true	4s
            nil	duration is missing
            nil	`x` is not a duration
            nil	duration -1ms is negative
            nil	duration -1s is negative
            nil	duration is not an integral number of milliseconds
            nil	`10` is not a duration
            nil	duration of 9223372036854775807 ms is longer than 292 years
            false	bad argument #1 to 'sleep' (duration expected, got table)
            false	main.lua:6: bad argument #1 to 'sleep' (duration expected, got boolean)
            Invalid
            => nil
        "#]],
    );
}

#[test]
fn timers_fire_in_order() {
    check(
        "local done = channel.new(10)
        for i, d in ipairs{ 30, 10, 20, 10, 5 } do coroutine.spawn(function() time.sleep(d) done:send(i .. ':' .. d) end) end
        for i = 1, 5 do print((done:receive())) end",
        expect![[r#"
            5:5
            2:10
            4:10
            3:20
            1:30
            => nil
        "#]],
    );
}

#[test]
fn after_gives_one_time_then_is_closed() {
    check(
        "local ch = time.after('1s') print(ch:receive()) print(ch:receive()) print(time.after('x'))",
        expect![[r#"
        2026-01-02T03:04:06Z	true
        nil	false
        nil	`x` is not a duration
        => nil
    "#]],
    );
}

#[test]
fn a_timer_stops_and_starts_again() {
    check(
        "local t = time.timer('1s')
        print(t:channel() == t:response(), t:stop(), t:stop(), t:reset('2s'), t:reset('3s'))
        print(t:channel():receive()) print(t:stop(), t:reset('1s')) print(t:channel():receive())
        t:reset(1) time.sleep(5) print(t:stop(), channel.select{ t:channel():case_receive(), default = true }.default)
        print(time.timer(0)) print(time.timer()) print(t:reset('x')) print(pcall(t.stop, 1)) print(pcall(function() t:reset({}) end)) print(t.other)",
        expect![[r#"
            true	true	false	false	true
            2026-01-02T03:04:08Z	true
            false	false
            2026-01-02T03:04:09Z	true
            false	true
            nil	duration is zero
            nil	duration is missing
            nil	`x` is not a duration
            false	bad argument #1 to 'stop' (timer expected, got number)
            false	main.lua:5: bad argument #2 to 'reset' (duration expected, got table)
            nil
            => nil
        "#]],
    );
}

#[test]
fn a_ticker_drops_late_ticks() {
    check(
        "local t = time.ticker('1s')
        print(t:channel():receive()) print(t:channel():receive())
        time.sleep('3500ms') print(t:channel():receive()) print(t:channel():receive())
        t:reset('10s') print(t:channel():receive())
        print(t:stop(), t:stop()) print(t:channel():receive()) print(t:reset('1s')) print(time.ticker(0))",
        expect![[r#"
            2026-01-02T03:04:06Z	true
            2026-01-02T03:04:07Z	true
            2026-01-02T03:04:08Z	true
            2026-01-02T03:04:11Z	true
            2026-01-02T03:04:21Z	true
            true	false
            nil	false
            nil	ticker is stopped
            nil	duration is zero
            => nil
        "#]],
    );
}

#[test]
fn many_timers_stop_in_any_order() {
    check(
        "local timers, fired = {}, 0
        for i = 1, 500 do timers[i] = time.timer((i * 7919) % 1000 + 1) end
        for i = 1, 500, 3 do timers[i]:stop() end
        local last = 0
        for i = 1, 500 do
          local t = timers[i]
          coroutine.spawn(function() if (i - 1) % 3 ~= 0 then t:channel():receive() fired = fired + 1
            local due = (i * 7919) % 1000 + 1 if due < last then print('out of order') end last = due end end)
        end
        time.sleep('2s') print(fired)",
        expect![[r#"
            333
            => nil
        "#]],
    );
}

#[test]
fn busy_coroutines_do_not_stop_the_clock() {
    check(
        "local a, stop = channel.new(), false
        coroutine.spawn(function() while not stop do a:receive() end end)
        coroutine.spawn(function() time.sleep(0) stop = true a:close() end)
        print(pcall(function() while true do a:send(1) end end))",
        expect![[r#"
            false	main.lua:4: send on closed channel
            => nil
        "#]],
    );
}

#[test]
fn durations_parse_and_print_as_in_go() {
    check(
        "for _, text in ipairs{ '0', '0s', '1ns', '1us', '1µs', '1μs', '1.5ms', '300ms', '1h30m', '1h', '61m1.5s', '-5s', '+2m', '.5s', '2.s',
          '1000000h', '2562047h47m16.854775807s' } do print(text, time.parse_duration(text)) end
        for _, text in ipairs{ '', '-', '1', 's', '1x', '1h 2m', '1.2.3s', '.s', '9999999h', '99999999999999999999s', '1e3s', 'abc', '\\xff' } do
          print(time.parse_duration(text))
        end
        print(time.parse_duration()) print(pcall(time.parse_duration, {}))",
        expect![[r#"
            0	0s	nil
            0s	0s	nil
            1ns	1ns	nil
            1us	1µs	nil
            1µs	1µs	nil
            1μs	1µs	nil
            1.5ms	1.5ms	nil
            300ms	300ms	nil
            1h30m	1h30m0s	nil
            1h	1h0m0s	nil
            61m1.5s	1h1m1.5s	nil
            -5s	-5s	nil
            +2m	2m0s	nil
            .5s	500ms	nil
            2.s	2s	nil
            1000000h	1000000h0m0s	nil
            2562047h47m16.854775807s	2562047h47m16.854775807s	nil
            nil	`` is not a duration
            nil	`-` is not a duration
            nil	`1` is not a duration
            nil	`s` is not a duration
            nil	`1x` is not a duration
            nil	`1h 2m` is not a duration
            nil	`1.2.3s` is not a duration
            nil	`.s` is not a duration
            nil	duration `9999999h` is longer than 292 years
            nil	`99999999999999999999s` is not a duration
            nil	`1e3s` is not a duration
            nil	`abc` is not a duration
            nil	duration is not valid UTF-8
            nil	duration is missing
            false	bad argument #1 to 'time.parse_duration' (string expected, got table)
            => nil
        "#]],
    );
}

#[test]
fn durations_calculate() {
    check(
        "local s = time.SECOND
        print(5 * s, s * 5, s * 1.5, s / 4, s / time.MILLISECOND, s + time.MINUTE, s - time.HOUR, -s, 2 * time.NANOSECOND)
        print(s == 1000 * time.MILLISECOND, s < time.MINUTE, s <= s, s > time.HOUR, s == 1)
        local d = 90 * time.MINUTE + 1500 * time.MICROSECOND
        print(d, d:hours(), d:minutes(), d:seconds(), d:milliseconds(), d:microseconds(), d:nanoseconds(), d.other)
        print('took ' .. s, s .. ' later', type(s), getmetatable(s))
        print(pcall(function() return s * s end)) print(pcall(function() return s + 1 end)) print(pcall(function() return s / 0 end))
        print(pcall(function() return s * math.maxinteger end)) print(pcall(function() return s * (0/0) end)) print(pcall(s.hours, 5))",
        expect![[r#"
            5s	5s	1.5s	250ms	1000.0	1m1s	-59m59s	-1s	2ns
            true	true	true	false	false
            1h30m0.0015s	1.5000004166667	90.000025	5400.0015	5400001	5400001500	5400001500000	nil
            took 1s	1s later	userdata	false
            false	main.lua:7: bad argument #2 to 'mul' (number expected, got duration)
            false	main.lua:7: bad argument #2 to 'add' (duration expected, got number)
            false	main.lua:7: duration is out of range
            false	main.lua:8: duration is out of range
            false	main.lua:8: duration is out of range
            false	bad argument #1 to '?' (duration expected, got number)
            => nil
        "#]],
    );
}

#[test]
fn points_in_time() {
    check(
        "local t = time.now()
        print(t, t:unix(), t:unix_nano(), t:format(), t:year(), t:month(), t:day(), t:hour(), t:minute(), t:second(), t:nanosecond())
        print(t:weekday(), t:year_day(), t:utc() == t, t:add('1h'), t:add(-time.HOUR), t + time.SECOND, time.SECOND + t, t - time.SECOND)
        local u = t:add(1500)
        print(u:sub(t), u - t, u:after(t), u:before(t), u:equal(t), u > t, u >= t, u == t, u == t:add('1.5s'))
        print(time.unix(0), time.unix(-1, 5), time.unix(951782400), time.unix(1, 2000000000), time.unix(253402300800))
        print(time.unix(math.maxinteger)) print(time.unix(math.mininteger))
        print(time.unix()) print(pcall(time.unix, 'x')) print(pcall(t.sub, t, 5)) print(t:add('x')) print(pcall(t.add, t, {}))
        print('at ' .. time.unix(0), t.other)
        for _, s in ipairs{ 68169600, 68255999, 1709164800, 4107542400 } do local d = time.unix(s) print(d, d:year_day()) end",
        expect![[r#"
            2026-01-02T03:04:05Z	1767323045	1767323045000000000	2026-01-02T03:04:05Z	2026	1	2	3	4	5	0
            5	2	true	2026-01-02T04:04:05Z	2026-01-02T02:04:05Z	2026-01-02T03:04:06Z	2026-01-02T03:04:06Z	2026-01-02T03:04:04Z
            1.5s	1.5s	true	false	false	true	true	false	true
            1970-01-01T00:00:00Z	1969-12-31T23:59:59.000000005Z	2000-02-29T00:00:00Z	1970-01-01T00:00:03Z	nil	time is not from 0000-01-02 to 9999-12-30
            nil	time is not from 0000-01-02 to 9999-12-30
            nil	time is not from 0000-01-02 to 9999-12-30
            nil	seconds are missing
            false	bad argument #1 to 'time.unix' (number expected, got string)
            false	bad argument #2 to '?' (time expected, got number)
            nil	`x` is not a duration
            false	bad argument #2 to '?' (duration expected, got table)
            at 1970-01-01T00:00:00Z	nil
            1972-02-29T00:00:00Z	60
            1972-02-29T23:59:59Z	60
            2024-02-29T00:00:00Z	60
            2100-03-01T00:00:00Z	60
            => nil
        "#]],
    );
}

#[test]
fn os_time_is_there() {
    check(
        "print(type(os.time()), os.time{ year = 2026, month = 1, day = 2, hour = 12 } - os.time{ year = 2026, month = 1, day = 1, hour = 12 })
        local before = os.clock() time.sleep('1h') print(before, os.clock() - before)
        print(os.difftime(5, 3), math.type(os.clock()), os.clock() >= 0) print(#os.date(), os.date('!%Y', 0))",
        expect![[r#"
            number	86400
            0.0	0.0
            2.0	float	true
            24	1970
            => nil
        "#]],
    );
}
