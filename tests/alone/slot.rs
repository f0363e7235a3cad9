//! What a process leaves behind in its slot: nothing. The whole of this program's memory is searched, not only what a
//! script could see.
//!
//! An instance has a linear memory (Lua's heap, and the stack that C and Rust address), a stack of the machine's, a heap
//! for exceptions and tables. A script's values lie in the first two. The others can't hold one in our configuration:
//! tables have functions alone, which no code of the guest changes, and an exception is two addresses
//! (`tests/it/guest_module.rs` looks for both in the built guest).

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use lunarium_engine::{Engine, EngineConfig, Handle, Limits, Value};
use lunarium_tests::Lab;

use crate::alone;

/// What is searched for. The script has it in pieces, and makes it in its own memory only.
const TEXT: [&[u8]; 2] = [b"k7Qz~mW2x~Rf9L~first", b"k7Qz~mW2x~Rf9L~other"];
/// The same, as a number: the eight bytes of `x2WmzQ7k`.
const NUMBER: &[u8] = b"x2WmzQ7k";

/// Has the text in a string, and the number in Lua's values and deep on both stacks; then it waits.
const KEEPS: &str = r#"
return { main = function(last, high, low)
    local keep = {}
    for i = 1, 50 do keep[i] = table.concat({ "k7Qz", "mW2x", "Rf9L", last }, "~") .. ("."):rep(100) .. i end
    local number = high << 32 | low
    local function deep(n)
        if n == 0 then
            for i = 1, 300 do keep[i .. ""] = ("%d"):format(number) math.ult(number, number) keep[i] = number % number | number end
            return "x"
        end
        return (("x"):gsub("x", function() number = number | 0 return deep(n - 1) .. (math.abs(number) == number and "" or "-") end))
    end
    keep.deep = deep(40)
    for i = 1, 50 do pcall(error, number) end
    process.inbox():receive()
    return #keep
end }"#;

/// A piece of this program's memory: where it begins, and its end.
type Mapping = (u64, u64);

/// Where else than in the reader's own buffer the bytes lie: the mappings.
fn found(bytes: &[u8]) -> Vec<Mapping> {
    const PAGE: usize = 4096;
    // Beside the page the beginning of the next, for what lies across.
    let mut buffer = vec![0; PAGE + 64];
    let own = buffer.as_ptr().addr() as u64;
    let own = own..own + buffer.len() as u64;
    let memory = File::open("/proc/self/mem").unwrap();
    let mut found = Vec::new();
    for line in fs::read_to_string("/proc/self/maps").unwrap().lines() {
        let (range, rest) = line.split_once(' ').unwrap();
        if !rest.starts_with("rw") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let (start, end) = (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
        for page in (start..end).step_by(PAGE) {
            // A page may have gone since the list was made.
            let Ok(size) = memory.read_at(&mut buffer, page) else { continue };
            let seen = &buffer[..size];
            let is_there = seen.iter().any(|byte| *byte != 0)
                && seen.windows(bytes.len()).zip(page..).any(|(window, at)| window == bytes && !own.contains(&at));
            if is_there && found.last() != Some(&(start, end)) {
                found.push((start, end));
            }
        }
    }
    found
}

fn keeps(lab: &Lab, last: &str) -> Handle {
    let number = |bytes: &[u8]| Value::Integer(u32::from_le_bytes(bytes.try_into().unwrap()).into());
    let arguments = vec![Value::from(last), number(&NUMBER[4..]), number(&NUMBER[..4])];
    let handle = lab.spawn("main", arguments);
    while lab.node.waiting_count() == 0 {
        assert!(handle.outcome().is_none(), "{:?}", handle.outcome());
        std::thread::yield_now();
    }
    handle
}

fn end(lab: &Lab, handle: &Handle) {
    lab.node.terminate(handle.pid()).unwrap();
    lab.settle();
}

#[test]
fn the_next_in_a_slot_finds_nothing_of_the_last() {
    alone("slot::the_next_in_a_slot_finds_nothing_of_the_last", || {
        // By one worker: who starts on another thread gets another slot.
        let engine = Engine::new(EngineConfig::new(1).with_workers(1)).unwrap();
        let lab = Lab::on(&engine, Limits::default(), 1, |config| config);
        lab.define(KEEPS);
        let first = keeps(&lab, "first");
        let (texts, numbers) = (found(TEXT[0]), found(NUMBER));
        println!("text in {texts:x?}, number in {numbers:x?}");
        // In the linear memory; the number on the machine's stack, too.
        assert!(!texts.is_empty() && numbers.len() > texts.len());
        end(&lab, &first);
        assert_eq!((found(TEXT[0]), found(NUMBER)), (vec![], vec![]));
        // The next one is in the same place, and what it has isn't the first one's.
        let other = keeps(&lab, "other");
        assert_eq!((found(TEXT[1]), found(TEXT[0])), (texts, vec![]));
        end(&lab, &other);
        assert_eq!((found(TEXT[1]), found(NUMBER)), (vec![], vec![]));
    });
}
