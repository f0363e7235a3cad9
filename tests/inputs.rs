//! Hostile inputs for parsers: samples that the dice have spoiled. Owns how many there are, how they are made, and what is
//! told of one that fails: the smallest form that was found, and the number that makes it again.
//!
//! `FUZZ_SECONDS` goes on for so long, from a number that the clock chooses; `FUZZ_SEED` says where to begin. Neither guides
//! itself by what the parser does: the samples lead into it. `bolero` doesn't either on stable Rust without a fuzzer
//! installed, and would bring an older indexmap, with which wasmtime would be built anew.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::Dice;

/// What parsers often take for special: bounds of numbers, MessagePack's markers, separators, quotes, odd text.
const PIECES: [&[u8]; 42] = [
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\xc0",
    b"\xc1",
    b"\xc4\xff",
    b"\xc7\x04\x01",
    b"\xca",
    b"\xcb",
    b"\xcf\xff",
    b"\xd3\x80",
    b"\xd6\x01\0\0\0\x01",
    b"\xd9",
    b"\xdc\xff\xff",
    b"\xdd\xff\xff\xff\xff",
    b"\xde",
    b"\xdf\0\0",
    b"\x81",
    b"\x91",
    b"/",
    b"..",
    b"./",
    b"{",
    b"}",
    b"|",
    b"0x",
    b":",
    b"- ",
    b"\n  ",
    b"&a ",
    b"*a",
    b"\"",
    b"'",
    b"99999999999999999999",
    b"-",
    b".5",
    b"e308",
    b"%",
    b"\xe2\x80\xae",
    b"(((",
    b"*",
];

/// The longest input, in bytes: what is long is tested by name.
const LONGEST: usize = 4_096;

/// Numbers, each of which makes an input: so many of them, or as long as was asked for.
pub fn numbers(count: u64) -> impl Iterator<Item = u64> {
    let number = |name| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (seconds, seed) = (number("FUZZ_SECONDS"), number("FUZZ_SEED"));
    let by_clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() << 24);
    let first = seed.unwrap_or_else(|| if seconds.is_some() { by_clock() } else { 0 });
    let (began, length) = (Instant::now(), Duration::from_secs(seconds.unwrap_or(0)));
    (0..)
        .take_while(move |done| if seconds.is_some() { began.elapsed() < length } else { *done < count })
        .map(move |done| first + done)
}

/// The input of a number.
pub fn input(number: u64, samples: &[&[u8]]) -> Vec<u8> {
    let mut dice = Dice::new(number);
    let mut bytes = match dice.below(12) {
        0 => (0..dice.below(64)).map(|_| dice.byte()).collect(),
        _ => dice.pick(samples).to_vec(),
    };
    for _ in 0..dice.below(8) {
        spoil(&mut bytes, samples, &mut dice);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn spoil(bytes: &mut Vec<u8>, samples: &[&[u8]], dice: &mut Dice) {
    let at = dice.index(bytes.len() + 1);
    let end = at + dice.index(bytes.len() - at + 1).min(dice.index(40));
    match dice.below(9) {
        0 => bytes.insert(at, dice.byte()),
        1..=2 => drop(bytes.splice(at..at, dice.pick(&PIECES).iter().copied())),
        3 => drop(bytes.drain(at..end)),
        4 => bytes.truncate(at),
        5 => {
            let again = bytes[at..end].repeat(dice.index(20));
            bytes.splice(at..at, again);
        }
        6 => {
            let other = dice.pick(samples);
            let from = dice.index(other.len() + 1);
            bytes.splice(at..end, other[from..].iter().copied());
        }
        7 => bytes[at..end].reverse(),
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << dice.below(8);
            }
        }
    }
}

/// Tries `act` on so many inputs.
///
/// Panics: when `act` does, with the smallest input for which it still does.
pub fn fuzz(count: u64, samples: &[&[u8]], act: impl Fn(&[u8])) {
    let fails = |bytes: &[u8]| catch_unwind(AssertUnwindSafe(|| act(bytes))).err();
    for number in numbers(count) {
        let bytes = input(number, samples);
        if let Some(panic) = fails(&bytes) {
            let least = smaller(bytes, |bytes| fails(bytes).is_some());
            let text = least.escape_ascii();
            eprintln!("FUZZ_SEED={number} fails, and so does b\"{text}\"");
            resume_unwind(panic);
        }
    }
}

/// Takes out what isn't needed to fail, in ever smaller pieces.
fn smaller(mut bytes: Vec<u8>, fails: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut size = bytes.len();
    while size > 0 {
        let mut at = 0;
        while at < bytes.len() {
            let mut shorter = bytes.clone();
            shorter.drain(at..(at + size).min(bytes.len()));
            if fails(&shorter) {
                bytes = shorter;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    bytes
}
