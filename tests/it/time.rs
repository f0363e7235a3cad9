//! Time: sleeping, timers, tickers, points in time and spans of it. What is asserted about the clock is only what holds
//! however slow the machine is.

use expect_test::expect;

use crate::check::check_main;

#[test]
fn sleep_lasts_at_least_as_long_as_it_says() {
    check_main(
        r#"
        local before = time.now()
        print(time.sleep("20ms"))
        print(time.now():sub(before):milliseconds() >= 19)
        before = time.now()
        print(time.sleep(20))
        print(time.now():sub(before):milliseconds() >= 19)
        "#,
        expect![[r#"
            true	nil
            true
            true	nil
            true
            => nil
        "#]],
    );
}

#[test]
fn sleepers_wake_in_the_order_of_their_deadlines() {
    check_main(
        r#"
        local done = channel.new(10)
        for _, d in ipairs { "40ms", "10ms", "30ms", "20ms", "0s" } do
            coroutine.spawn(function() time.sleep(d) done:send(d) end)
        end
        for _ = 1, 5 do print((done:receive())) end
        "#,
        expect![[r#"
            0s
            10ms
            20ms
            30ms
            40ms
            => nil
        "#]],
    );
}

#[test]
fn after_gives_one_time_and_is_closed() {
    check_main(
        r#"
        local before = time.now()
        local ch = time.after("5ms")
        local at, ok = ch:receive()
        print(at:after(before), at:sub(before):milliseconds() >= 4, ok)
        print(ch:receive())
        ch = time.after(0)
        time.sleep("5ms")
        print(channel.select { ch:case_receive(), default = true }.value:unix() >= before:unix())
        print(channel.select { ch:case_receive(), default = true }.ok)
        "#,
        expect![[r#"
            true	true	true
            nil	false
            true
            false
            => nil
        "#]],
    );
}

#[test]
fn a_timer_fires_once() {
    check_main(
        r#"
        local timer = time.timer("2ms")
        print(timer:channel() == timer:channel(), timer:channel() == timer:response())
        print(timer:channel():receive():unix() > 0)
        print(timer:stop())
        print(channel.select { timer:channel():case_receive(), time.after("20ms"):case_receive() }.channel
            == timer:channel())
        "#,
        expect![[r#"
            true	true
            true
            false
            false
            => nil
        "#]],
    );
}

#[test]
fn a_stopped_timer_does_not_fire_until_it_is_reset() {
    check_main(
        r#"
        local timer = time.timer("5ms")
        print(timer:stop(), timer:stop())
        local function fires(within)
            return channel.select { timer:channel():case_receive(), time.after(within):case_receive() }.channel
                == timer:channel()
        end
        print(fires("20ms"))
        timer:reset("1ms")
        print(fires("1h"))
        timer:reset("1h")
        timer:reset("1ms")
        print(fires("1h"))
        timer:reset("1h")
        print(fires("20ms"), timer:stop())
        "#,
        expect![[r#"
            true	false
            false
            true
            true
            false	true
            => nil
        "#]],
    );
}

#[test]
fn a_time_that_came_before_stop_or_reset_is_gone() {
    check_main(
        r#"
        for _, make in ipairs { time.timer, time.ticker } do
            local timer = make("1ms")
            local function lies_there() return channel.select { timer:channel():case_receive(), default = true }.channel ~= nil end
            time.sleep("5ms")
            timer:reset("1h")
            print(lies_there(), timer:stop())
        end
        local timer = time.timer("1ms")
        time.sleep("5ms")
        print(timer:stop(), channel.select { timer:channel():case_receive(), default = true }.default)
        "#,
        expect![[r#"
            false	true
            false	true
            false	true
            => nil
        "#]],
    );
}

#[test]
fn a_ticker_ticks_until_it_is_stopped() {
    check_main(
        r#"
        local before = time.now()
        local ticker = time.ticker("5ms")
        print(ticker:channel() == ticker:response())
        local last = before
        for _ = 1, 5 do
            local at, ok = ticker:channel():receive()
            assert(ok and at:after(last), "ticks go forward")
            last = at
        end
        print(last:sub(before):milliseconds() >= 24)
        print(ticker:stop())
        print(ticker:channel():receive())
        print(ticker:stop())
        "#,
        expect![[r#"
            true
            true
            true
            nil	false
            false
            => nil
        "#]],
    );
}

#[test]
fn late_ticks_are_dropped() {
    check_main(
        r#"
        local ticker = time.ticker("10ms")
        local start = time.now()
        while time.now():sub(start):milliseconds() < 100 do end
        -- Ten are late by now. One at most may lie there; the others come when they are due.
        local before = time.now()
        for _ = 1, 6 do ticker:channel():receive() end
        return time.now():sub(before):milliseconds() >= 39
        "#,
        expect![[r#"
            => true
        "#]],
    );
}

#[test]
fn a_ticker_can_be_given_another_period() {
    check_main(
        r#"
        local ticker = time.ticker("1h")
        ticker:reset("1ms")
        print(ticker:channel():receive() ~= nil, ticker:channel():receive() ~= nil)
        "#,
        expect![[r#"
            true	true
            => nil
        "#]],
    );
}

#[test]
fn a_timer_or_ticker_of_nothing_is_refused() {
    check_main(
        r#"
        print(kind(time.ticker(0)))
        print(kind(time.ticker("-1s")))
        "#,
        expect![[r#"
            nil	Invalid
            nil	Invalid
            => nil
        "#]],
    );
}

#[test]
fn a_busy_neighbour_in_the_same_process_does_not_stop_the_clock() {
    check_main(
        r#"
        local ping, pong = channel.new(), channel.new()
        coroutine.spawn(function() for v in function() return (ping:receive()) end do pong:send(v) end end)
        local after = time.after("5ms")
        repeat
            ping:send(true)
            pong:receive()
        until channel.select { after:case_receive(), default = true }.ok
        return true
        "#,
        expect![[r#"
            => true
        "#]],
    );
}

#[test]
fn durations_have_units_and_arithmetic() {
    check_main(
        r#"
        local d = 1500 * time.MILLISECOND
        print(d:nanoseconds(), d:microseconds(), d:milliseconds(), d:seconds(), d:minutes(), d:hours())
        print(time.NANOSECOND, time.MICROSECOND, time.MILLISECOND, time.SECOND, time.MINUTE, time.HOUR)
        print(5 * time.SECOND == time.SECOND * 5, 60 * time.SECOND == time.MINUTE, 0.5 * time.HOUR == 30 * time.MINUTE)
        print(time.HOUR:minutes(), (90 * time.MINUTE):hours(), time.MICROSECOND:nanoseconds())
        print("for " .. 90 * time.SECOND, tostring(1500 * time.MICROSECOND))
        print(time.parse_duration("1h30m"), time.parse_duration("1h30m") == 90 * time.MINUTE)
        print(kind(time.parse_duration("soon")))
        "#,
        expect![[r#"
            1500000000	1500000	1500	1.5	0.025	0.00041666666666667
            1ns	1µs	1ms	1s	1m0s	1h0m0s
            true	true	true
            60.0	1.5	1000
            for 1m30s	1.5ms
            1h30m0s	true
            nil	Invalid
            => nil
        "#]],
    );
}

#[test]
fn a_time_has_parts_and_compares() {
    check_main(
        r#"
        local t = time.unix(951827696, 123456789) -- 2000-02-29T12:34:56
        print(t:unix(), t:unix_nano(), t:nanosecond())
        print(t:year(), t:month(), t:day(), t:hour(), t:minute(), t:second(), t:weekday(), t:year_day())
        print(t:format(), tostring(t) == t:format(), "at " .. t)
        local later = t:add("1h")
        print(later:after(t), later:before(t), t:before(later), t:equal(t), t == later:add(-time.HOUR), t:equal(later))
        print(later:sub(t), later:sub(t) == time.HOUR, t:sub(later):seconds())
        print(t:utc():equal(t), time.unix(-1):format())
        print(time.now():unix() - os.time() <= 1, time.now():year() >= 2024)
        "#,
        expect![[r#"
            951827696	951827696123456789	123456789
            2000	2	29	12	34	56	2	60
            2000-02-29T12:34:56.123456789Z	true	at 2000-02-29T12:34:56.123456789Z
            true	false	true	true	true	false
            1h0m0s	true	-3600.0
            true	1969-12-31T23:59:59Z
            true	true
            => nil
        "#]],
    );
}

#[test]
fn a_date_is_made_of_parts_in_a_zone() {
    check_main(
        r#"
        print(time.date(2024, 7, 3, 9, 6, 40, 5), time.date(2024, 7, 3))
        local t = time.date(2024, 7, 3, 9, 6, 40, 0, "Europe/Berlin")
        print(t, t:unix(), t:hour(), t:utc(), t:utc():hour(), t:utc() == t)
        local tokyo = t:in_location("Asia/Tokyo")
        print(tokyo, tokyo:day(), tokyo:weekday(), tokyo:year_day(), t:in_location("-03:30"), tokyo:sub(t))
        print(time.date(2024, 13, 1))
        print(time.date(2023, 2, 29))
        print(kind(t:in_location("Mars/Base")))
        print(kind(time.date(2024, 7)))
        "#,
        expect![[r#"
            2024-07-03T09:06:40.000000005Z	2024-07-03T00:00:00Z	nil
            2024-07-03T09:06:40+02:00	1719990400	9	2024-07-03T07:06:40Z	7	true
            2024-07-03T16:06:40+09:00	3	3	185	2024-07-03T03:36:40-03:30	0s
            nil	month 13 is not from 1 to 12
            nil	day 29 is not from 1 to 28, the days of 2023-02
            nil	Invalid
            nil	Invalid
            => nil
        "#]],
    );
}

#[test]
fn clocks_that_are_put_forward_and_back() {
    check_main(
        r#"
        -- Half past two isn't there in the one night, and is there twice in the other: then the first.
        print(time.date(2024, 3, 31, 2, 30, 0, 0, "Europe/Berlin"))
        print(time.date(2024, 10, 27, 2, 30, 0, 0, "Europe/Berlin"))
        print(time.date(2024, 10, 27, 2, 30, 0, 0, "Europe/Berlin") + time.HOUR)
        "#,
        expect![[r#"
            2024-03-31T03:30:00+02:00	nil
            2024-10-27T02:30:00+02:00	nil
            2024-10-27T02:30:00+01:00
            => nil
        "#]],
    );
}

#[test]
fn times_round_to_multiples_of_a_duration() {
    check_main(
        r#"
        local t = time.date(2024, 7, 3, 9, 46, 40, 500000000)
        for _, d in ipairs { "1s", "15m", "24h", 100 } do print(t:truncate(d), t:round(d)) end
        print(kind(t:round(0)))
        print(kind(t:truncate("-1s")))
        "#,
        expect![[r#"
            2024-07-03T09:46:40Z	2024-07-03T09:46:41Z
            2024-07-03T09:45:00Z	2024-07-03T09:45:00Z
            2024-07-03T00:00:00Z	2024-07-03T00:00:00Z
            2024-07-03T09:46:40.5Z	2024-07-03T09:46:40.5Z
            nil	Invalid
            nil	Invalid
            => nil
        "#]],
    );
}

#[test]
fn format_and_parse_take_rfc_3339_or_a_pattern() {
    check_main(
        r#"
        local t = time.parse("2024-07-03T09:06:40.25+02:00")
        print(t, t:format(), t:format("%A, %d %B %Y, %H:%M %:z"), t:nanosecond())
        print(time.parse("3 Jul 2024", "%d %b %Y"), time.parse("2024-07-03 09:06 Europe/Berlin", "%F %H:%M %Q"))
        print(time.parse("2024-07-03"), time.parse(t:format("%s"), "%s") == t:truncate("1s"))
        print(time.parse("tomorrow"))
        print(kind(time.parse("2024-07-03", "%!")))
        print(kind(t:format("%!")))
        "#,
        expect![[r#"
            2024-07-03T09:06:40.25+02:00	2024-07-03T09:06:40.25+02:00	Wednesday, 03 July 2024, 09:06 +02:00	250000000
            2024-07-03T00:00:00Z	2024-07-03T09:06:00+02:00	nil
            2024-07-03T00:00:00Z	true
            nil	`tomorrow` is not a time: failed to parse four digit integer as year: invalid digit, expected 0-9 but got t
            nil	Invalid
            nil	Invalid
            => nil
        "#]],
    );
}

#[test]
fn a_time_keeps_its_zone_on_the_way_to_another_process() {
    check_main(
        r#"
        local t = time.date(2024, 7, 3, 9, 6, 40, 5, "America/New_York")
        local back = exit_of("gives", t).result.value
        print(back, back == t, back:format("%Q %Z"))
        "#,
        expect![[r#"
            2024-07-03T09:06:40.000000005-04:00	true	America/New_York EDT	nil
            => nil
        "#]],
    );
}
