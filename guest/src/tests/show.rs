//! Payloads and outcomes as text, read independently of the codec under test.

use crate::host::{Cancel, Ended, Event, Message, Outcome};

/// A payload in a JSON-like notation.
pub fn payload(bytes: &[u8]) -> String {
    let mut rest = bytes;
    let text = value(&mut rest);
    if rest.is_empty() { text } else { format!("{text} and {} bytes", rest.len()) }
}

/// An event as it is given back.
pub fn event(event: &Event) -> String {
    let told = |word: &str, ended: &Ended| format!("{word} {} {} {}", ended.sender, ended.at, outcome(&ended.outcome));
    match event {
        Event::Message(Message { sender, topic, payload: bytes }) => {
            format!("message {} {topic} {}", sender.as_deref().unwrap_or("nobody"), payload(bytes))
        }
        Event::Exit(ended) => told("exit", ended),
        Event::LinkDown(ended) => told("link-down", ended),
        Event::Cancel(Cancel { sender, at, deadline }) => {
            format!("cancel {} {at} {deadline:?}", sender.as_deref().unwrap_or("nobody"))
        }
        Event::Call(_) | Event::Reply(_) | Event::OutputReady => "nothing to give back".to_owned(),
    }
}

pub fn outcome(outcome: &Outcome) -> String {
    let text = full_outcome(outcome);
    // An address differs from run to run.
    let Some(start) = text.find(": 0x") else { return text };
    let (before, rest) = text.split_at(start + 4);
    format!("{before}{}", rest.trim_start_matches(|c: char| c.is_ascii_hexdigit()))
}

fn full_outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Completed(result) => format!("=> {}", payload(result)),
        Outcome::Failed(failure) => {
            let mut text = format!("!! {:?}: {}", failure.kind, failure.message);
            if failure.retryable == Some(true) {
                text += " (retryable)";
            }
            if let Some(details) = &failure.details {
                text += &format!(" {}", payload(details));
            }
            for line in failure.stack.iter().flat_map(|stack| stack.lines()).skip(1) {
                text += &format!("\n   {}", line.trim_start());
            }
            text
        }
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, left) = rest.split_at(count);
    *rest = left;
    taken
}

fn number(rest: &mut &[u8], width: usize) -> u64 {
    take(rest, width).iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn list(rest: &mut &[u8], count: u64) -> String {
    let items: Vec<String> = (0..count).map(|_| value(rest)).collect();
    format!("[{}]", items.join(", "))
}

/// Sorted, because Lua gives the keys in any order.
fn map(rest: &mut &[u8], count: u64) -> String {
    let mut items: Vec<String> = (0..count).map(|_| format!("{}: {}", value(rest), value(rest))).collect();
    items.sort();
    format!("{{{}}}", items.join(", "))
}

fn text(rest: &mut &[u8], length: u64) -> String {
    format!("{:?}", String::from_utf8_lossy(take(rest, length as usize)))
}

fn extension(rest: &mut &[u8], length: u64) -> String {
    let kind = number(rest, 1);
    let mut body = take(rest, length as usize);
    match kind {
        1 => format!("table#{}", number(&mut body, 4)),
        2 => format!("error{}", value(&mut body)),
        3 => format!("time{}", value(&mut body)),
        5 => "null".to_owned(),
        4 => format!("{}ns", number(&mut body, 8) as i64),
        _ => format!("extension {kind}"),
    }
}

fn value(rest: &mut &[u8]) -> String {
    let marker = number(rest, 1) as u8;
    match marker {
        0x00..=0x7f => marker.to_string(),
        0x80..=0x8f => map(rest, (marker & 15).into()),
        0x90..=0x9f => list(rest, (marker & 15).into()),
        0xa0..=0xbf => text(rest, (marker & 31).into()),
        0xc0 => "nil".to_owned(),
        0xc2 => "false".to_owned(),
        0xc3 => "true".to_owned(),
        0xc4..=0xc6 => {
            let length = number(rest, 1 << (marker - 0xc4));
            format!("bin{}", text(rest, length))
        }
        0xc7..=0xc9 => {
            let length = number(rest, 1 << (marker - 0xc7));
            extension(rest, length)
        }
        0xcb => format!("{:?}", f64::from_bits(number(rest, 8))),
        0xd0 => (number(rest, 1) as i8).to_string(),
        0xd1 => (number(rest, 2) as i16).to_string(),
        0xd2 => (number(rest, 4) as i32).to_string(),
        0xd3 => (number(rest, 8) as i64).to_string(),
        0xd4..=0xd8 => extension(rest, 1 << (marker - 0xd4)),
        0xd9..=0xdb => {
            let length = number(rest, 1 << (marker - 0xd9));
            text(rest, length)
        }
        0xdc..=0xdd => {
            let count = number(rest, 2 << (marker - 0xdc));
            list(rest, count)
        }
        0xde..=0xdf => {
            let count = number(rest, 2 << (marker - 0xde));
            map(rest, count)
        }
        0xe0..=0xff => (marker as i8).to_string(),
        _ => format!("marker {marker:#x}"),
    }
}
