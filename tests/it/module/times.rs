//! Times and durations between scripts and functions of modules: std's own types in Rust, the runtime's in Lua.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use expect_test::expect;
use lunarium_engine::{Module, Value};
use serde_derive::{Deserialize, Serialize};

use super::{Given, check};

#[derive(Debug, Deserialize, Serialize)]
struct Booking {
    from: SystemTime,
    nights: Vec<SystemTime>,
    pause: Option<Duration>,
}

/// A type of the program's own that happens to be called as one of std's.
mod own {
    use serde_derive::{Deserialize, Serialize};

    #[derive(Debug, Deserialize, Serialize)]
    pub struct Duration {
        pub hours: u32,
        pub minutes: u32,
    }
}

fn inn() -> Module {
    let at = |seconds: i64| match u64::try_from(seconds) {
        Ok(seconds) => UNIX_EPOCH + Duration::from_secs(seconds),
        Err(_) => UNIX_EPOCH - Duration::from_secs(seconds.unsigned_abs()),
    };
    Module::new("inn")
        .immediate("later", |_, (from, pause): (SystemTime, Duration)| -> Given<(SystemTime, Duration)> {
            Ok((from + pause, pause * 2))
        })
        .immediate("book", |_, (booking,): (Booking,)| -> Given<Booking> { Ok(booking) })
        .immediate("hours", |_, (own,): (own::Duration,)| -> Given<own::Duration> { Ok(own) })
        .immediate("at", move |_, (seconds,): (i64,)| -> Given<SystemTime> { Ok(at(seconds)) })
        .immediate("seconds", |_, (seconds,): (u64,)| -> Given<Duration> { Ok(Duration::from_secs(seconds)) })
        .immediate("value", |_, (value,): (Value,)| -> Given<String> {
            Ok(format!("{:?} {:?}", value.as_time().map(|time| time.duration_since(UNIX_EPOCH)), value.as_duration()))
        })
        .immediate("values", |_, (): ()| -> Given<Vec<Value>> {
            Ok(vec![
                Value::try_from(UNIX_EPOCH - Duration::from_millis(1500))?,
                Value::try_from(Duration::from_micros(7))?,
            ])
        })
}

#[test]
fn they_are_times_on_both_sides() {
    check(
        inn(),
        r#"
        local inn = require("inn")
        local from = time.date(2026, 11, 27, 9, 30, 0, 123456789, "Europe/Berlin")
        local till, twice = inn.later(from, time.parse_duration("1h30m"))
        print(till, twice, till:sub(from), from:after(till), getmetatable(till) == getmetatable(from))
        local back = inn.book { from = from, nights = { from, from }, pause = 2 * time.SECOND }
        print(back.from == from, #back.nights, back.nights[2] == from, back.pause, back.pause / 4)
        print(inn.book({ from = from, nights = {} }).pause)
        print(inn.value(time.unix(-2, 5e8)), inn.value(time.MILLISECOND), inn.value(-time.SECOND), inn.value(1))
        print(table.unpack(inn.values()))
        local own = inn.hours { hours = 1, minutes = 30 }
        print(own.hours, own.minutes)
        print((inn.at(0))) print(inn.at(253402207199), inn.seconds(9223372036))
        "#,
        expect![[r#"
            2026-11-27T10:00:00.123456789Z	3h0m0s	1h30m0s	false	true
            true	2	true	2s	500ms
            nil
            Some(Err(SystemTimeError(1.5s))) None	None Some(1ms)	None None	None None
            1969-12-31T23:59:58.5Z	7µs
            1	30
            1970-01-01T00:00:00Z
            9999-12-30T21:59:59Z	2562047h47m16s
            => nil
        "#]],
    );
}

#[test]
fn what_is_none_is_told() {
    check(
        inn(),
        r#"
        local inn = require("inn")
        local function wrong(f, ...) print(select(2, pcall(f, ...))) end
        local now = time.now()
        wrong(inn.later, "2026-01-01", time.SECOND)
        wrong(inn.later, now, 5)
        wrong(inn.later, now)
        wrong(inn.later, time.SECOND, now)
        wrong(inn.later, now, { 1, 2 })
        wrong(inn.later, now, -time.SECOND)
        wrong(inn.later, time.unix(-1), time.SECOND)
        wrong(inn.book, { from = now, nights = { now, 7 } })
        wrong(inn.hours, time.SECOND)
        print(inn.at(253402207200))
        print(inn.at(-1))
        print(inn.seconds(9223372037))
        "#,
        expect![[r#"
            bad argument #1 to 'later' (time expected, got string)
            bad argument #2 to 'later' (duration expected, got number)
            bad argument #2 to 'later' (duration expected, got no value)
            bad argument #1 to 'later' (time expected, got duration)
            bad argument #2 to 'later' (duration expected, got table)
            bad argument #2 to 'later' (duration is less than zero)
            bad argument #1 to 'later' (time is before 1970)
            bad argument #1 to 'book' (nights[2]: time expected, got number)
            bad argument #1 to 'hours' (table expected, got duration)
            nil	result of `inn.at` is a time that isn't from 0000-01-02 to 9999-12-30
            nil	result of `inn.at` SystemTime must be later than UNIX_EPOCH
            nil	result of `inn.seconds` is a duration of more than 292 years
            => nil
        "#]],
    );
}
