//! What parses hostile bytes in the guest, fed with spoiled samples: payloads, JSON, durations, zones, points in time.
//! Nothing panics, nothing is left on the heap, and what was accepted travels on and comes back the same.

use jiff::Timestamp;

use super::{Case, PID};
use crate::time::date;
use crate::time::duration::Duration;
use crate::time::moment::Time;
use crate::time::zone::{Zone, Zones};

#[path = "../../../tests/dice.rs"]
#[allow(dead_code, reason = "what the host's tests throw isn't all thrown here")]
mod dice;
#[path = "../../../tests/inputs.rs"]
#[allow(clippy::indexing_slicing, clippy::print_stderr, reason = "shared with the host's tests")]
mod inputs;

use dice::Dice;
use inputs::{fuzz, input, numbers};

/// Inputs that one process takes.
const BATCH: usize = 50;

/// What a script does with each of them stands between these.
const BEFORE: &str = "
    local ch, back = process.listen('t'), process.listen('back')
    local function same(a, b, seen)
        if a == b or (a ~= a and b ~= b) then return true end
        if type(a) ~= 'table' or type(b) ~= 'table' then return tostring(a) == tostring(b) end
        if seen[a] then return seen[a] == b end
        seen[a] = b
        for k, v in next, a do if not same(v, b[k], seen) then return false end end
        for k in next, b do if a[k] == nil then return false end end
        return true
    end
    for i = 1, 50 do
        local ok, value = pcall(ch.receive, ch)
";
const AFTER: &str = "
        if not good then print('input', i, why) end
    end";

/// Runs a script for each batch of inputs, each of which `payload` makes a message of.
fn batches(count: u64, samples: &[&[u8]], script: &str, payload: impl Fn(Vec<u8>) -> Vec<u8>) {
    let numbers: Vec<u64> = numbers(count * BATCH as u64).step_by(BATCH).collect();
    for first in numbers {
        let mut case = Case::body(&format!("{BEFORE}{script}{AFTER}"));
        for number in first..first + BATCH as u64 {
            case = case.message(Some(PID), "t", &payload(input(number, samples)));
        }
        assert_eq!(case.run(), "=> nil\n", "from FUZZ_SEED={first} on");
    }
}

#[test]
fn payloads() {
    let samples: [&[u8]; 8] = [
        b"\x84\xa4role\xa5clerk\xa5teams\x93\xd2\xff\xfe\xee\x90\xcb\x3f\xe0\0\0\0\0\0\0\xc3\xa4long\xd9\x21xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\xa1i\x81\xa1a\x01",
        b"\x92\x91\x01\xd6\x01\0\0\0\x01",
        b"\xc7\x08\x02\x95\xa1k\xa1m\xc2\xc0\xc0",
        b"\xc7\x07\x03\x93\x01\x02\xa3UTC",
        b"\xd7\x04\0\0\0\0\0\0\0\x07",
        b"\x96\x90\x90\x90\x90\x90\xd4\x05\0",
        b"\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\xc0",
        b"\xdf\0\0\0\x02\xcc\xff\x01\xcd\xff\xff\xca\x3f\x80\0\0",
    ];
    let script = "
        local good, why = true
        if ok then
            good, why = process.send(process.pid(), 'back', value)
            if good then good = same(value, (back:receive()), {}) end
        else
            good, why = tostring(value) == 'corrupt payload' or value:kind() == 'ResourceExhausted', value
        end";
    batches(60, &samples, script, |bytes| bytes);
}

#[test]
fn json() {
    let samples: [&[u8]; 6] = [
        br#"{"name":"ada","tags":["a","b"],"n":-1.5e3,"deep":{"x":[[],{}]},"nil":null,"t":true}"#,
        br#""\ud83d\ude00 \u0000 \n \" \\""#,
        b"[1, 2.0, 9007199254740993, 1e400, -0.0]",
        b"[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]",
        b"  {\"a\" : 1 , \"a\" : 2}  ",
        "\"größe\u{202e}\"".as_bytes(),
    ];
    let script = "
        local decoded, err = json.decode(value)
        local good, why = true
        if err == nil then
            local text, refused = json.encode(decoded)
            good, why = text ~= nil, refused
            if text then good = same(decoded, (json.decode(text)), {}) end
        end";
    batches(60, &samples, script, |bytes| {
        let length = u32::try_from(bytes.len()).unwrap_or_default();
        [&[0xc6], &length.to_be_bytes()[..], &bytes[..]].concat()
    });
}

#[test]
fn durations() {
    let samples: [&[u8]; 7] =
        [b"1h30m", b"-2ms", b"1.5h", b"0", b"+300us", "5µs".as_bytes(), b"2562047h47m16.854775807s"];
    fuzz(40_000, &samples, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(duration) = Duration::parse(&text) {
            assert_eq!(Duration::parse(&duration.to_string()), Ok(duration), "{text}");
        }
    });
}

#[test]
fn zones() {
    let samples: [&[u8]; 6] = [b"Europe/Berlin", b"UTC", b"+02:00", b"-23:59:59", b"america/new_york", b"Etc/GMT+5"];
    let known = Zones::default();
    fuzz(20_000, &samples, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let Some(zone) = Zone::find(&text) else { return };
        let named = zone.to_string();
        assert_eq!(Zone::find(&named).map(|zone| zone.to_string()), Some(named));
        let _ = known.offset(zone, Timestamp::MIN).seconds() + known.offset(zone, Timestamp::MAX).seconds();
    });
}

#[test]
fn moments() {
    let samples: [&[u8]; 10] = [
        b"2026-01-31T12:30:00Z",
        b"2026-03-29T02:30:00+01:00[Europe/Berlin]",
        b"0000-01-02T00:00:00Z",
        b"9999-12-30T23:59:59.999999999Z",
        b"2026-01-31\n%Y-%m-%d",
        b"31 Jan 2026 12:30 +0200\n%d %b %Y %H:%M %z",
        b"1700000000\n%s",
        b"x\n%A %B %-d %3f %Q %:z %+",
        b"2026-01-31 12:30 Europe/Berlin\n%F %R %Q",
        b"2016-12-31T23:59:60Z",
    ];
    let known = Zones::default();
    fuzz(20_000, &samples, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let (text, pattern) = text.split_once('\n').map_or((&*text, None), |(text, pattern)| (text, Some(pattern)));
        if let Ok(time) = date::read(&known, text, pattern) {
            let again = date::read(&known, &date::rfc3339(time, &known), None).map(Time::total);
            assert_eq!(again, Ok(time.total()), "{text}");
            let year = time.civil(&known).year();
            assert!((0..=9999).contains(&year), "{text}: {year}");
        }
        let mut numbers = bytes.iter().map(|byte| i64::from(*byte) * 97 - 400);
        let parts = std::array::from_fn(|_| numbers.next().unwrap_or_default());
        let zone = Zone::find(text).unwrap_or(Zone::Utc);
        if let Ok(time) = date::of_parts(&known, parts, zone) {
            let shown = date::format_by(time, &known, pattern.unwrap_or("%c"));
            assert!(shown.is_ok() || pattern.is_some());
        }
    });
}
