//! Answers that lie: results out of range, parking with wrong numbers, giving back what was never handed over.

use super::{ENDLESS, Hostile, WELL};

/// Receives ten messages, and asks for an upgrade.
const UPGRADES: Hostile = Hostile {
    start: "(call $wait_for_messages (i32.const 10))",
    resume: "(call $upgrade_self) (call $status (i32.const 2))",
    ..WELL
};

pub(super) const TABLE: &[Hostile] = &[
    Hostile { tried: "a status behind its memory", ends: TRAPPED, start: "(i32.const -8)", ..WELL },
    Hostile { tried: "a status that isn't aligned", ends: TRAPPED, start: "(i32.const 2049)", ..WELL },
    Hostile {
        tried: "a status of a kind that isn't one",
        ends: TRAPPED,
        start: "(call $status (i32.const 9))",
        ..WELL
    },
    Hostile {
        tried: "an outcome of a kind that isn't one",
        ends: TRAPPED,
        start: "(drop (call $status (i32.const 1))) (i32.store8 offset=8 (i32.const 2048) (i32.const 7)) (i32.const 2048)",
        ..WELL
    },
    Hostile {
        tried: "a failure of a kind that isn't one",
        ends: TRAPPED,
        start: "
            (drop (call $status (i32.const 1)))
            (i32.store8 offset=8 (i32.const 2048) (i32.const 1))
            (i32.store8 offset=12 (i32.const 2048) (i32.const 99))
            (i32.const 2048)",
        ..WELL
    },
    Hostile {
        tried: "a failure whose message is no UTF-8",
        ends: TRAPPED,
        start: "
            (drop (call $status (i32.const 1)))
            (i32.store8 offset=8 (i32.const 2048) (i32.const 1))
            (i32.store offset=16 (i32.const 2048) (i32.const 112))
            (i32.store offset=20 (i32.const 2048) (i32.const 11))
            (i32.const 2048)",
        ..WELL
    },
    Hostile {
        tried: "a failure whose message is of a megabyte",
        ends: "NotFound",
        start: "
            (drop (memory.grow (i32.const 20)))
            (memory.fill (i32.const 131072) (i32.const 120) (i32.const 1000000))
            (drop (call $status (i32.const 1)))
            (i32.store8 offset=8 (i32.const 2048) (i32.const 1))
            (i32.store offset=16 (i32.const 2048) (i32.const 131072))
            (i32.store offset=20 (i32.const 2048) (i32.const 1000000))
            (i32.const 2048)",
        ..WELL
    },
    Hostile {
        tried: "a result of wild length",
        ends: TRAPPED,
        start: "(call $exit_with (i32.const 16) (i32.const -1))",
        ..WELL
    },
    Hostile {
        tried: "a result larger than a message may be",
        ends: "Invalid: result of 1048577 bytes exceeds the message limit of 1048576",
        start: "(drop (memory.grow (i32.const 20))) (call $exit_with (i32.const 16) (i32.const 1048577))",
        ..WELL
    },
    Hostile {
        tried: "a result that is no payload",
        ends: "=> what is no payload",
        start: "(call $exit_with (i32.const 18) (i32.const 1))",
        ..WELL
    },
    Hostile {
        tried: "to claim more unread than there can be",
        ends: "Canceled: process terminated",
        start: "
            (drop (call $wait_for_messages (i32.const 10)))
            (i64.store offset=24 (i32.const 2048) (i64.const -1))
            (i32.const 2048)",
        resume: "(i64.store offset=24 (call $status (i32.const 0)) (i64.const -1)) (i32.const 2048)",
        ticks: Some(3),
        ..WELL
    },
    Hostile {
        tried: "to have received messages that were never sent",
        ends: "Canceled: process terminated",
        start: "(call $wait_for_messages (i32.const 100))",
        resume: "
            (drop (call $status (i32.const 0)))
            (i64.store offset=24 (i32.const 2048) (i64.const 0x0000000100000001))
            (memory.fill (i32.const 65536) (i32.const 255) (i32.const 65536))
            (i32.store offset=32 (i32.const 2048) (i32.const 65536))
            (i32.store offset=36 (i32.const 2048) (i32.const 8192))
            (i32.const 2048)",
        ticks: Some(3),
        ..WELL
    },
    Hostile {
        tried: "to have received a wild number of messages",
        ends: TRAPPED,
        start: "
            (drop (call $status (i32.const 0)))
            (i32.store offset=32 (i32.const 2048) (i32.const 65536))
            (i32.store offset=36 (i32.const 2048) (i32.const 0x1fffffff))
            (i32.const 2048)",
        ..WELL
    },
    Hostile {
        tried: "to have received nine hundred thousand, again and again",
        ends: "Canceled: process terminated",
        start: "(drop (memory.grow (i32.const 120))) (call $wait_for_messages (i32.const 100))",
        resume: "
            (drop (call $park (i64.const 0)))
            (i64.store offset=24 (i32.const 2048) (i64.const 0x0000000100000001))
            (i32.store offset=32 (i32.const 2048) (i32.const 131072))
            (i32.store offset=36 (i32.const 2048) (i32.const 900000))
            (i32.const 2048)",
        ticks: Some(20),
        ..WELL
    },
    Hostile {
        tried: "to be woken at once, without end",
        ends: "Canceled: process terminated",
        start: "(call $park (i64.const 0))",
        resume: "(call $park (i64.const 0))",
        ticks: Some(20),
        ..WELL
    },
    Hostile {
        tried: "to be woken at the end of time",
        ends: "Canceled: process terminated",
        start: "(call $park (i64.const -2))",
        ticks: Some(3),
        ..WELL
    },
    Hostile {
        tried: "to go on as something else, without having asked",
        ends: "Internal: the guest stopped without asking for an upgrade",
        start: "(call $status (i32.const 2))",
        ..WELL
    },
    Hostile {
        tried: "to give back messages without end",
        ends: NOT_HELD,
        give_back: "(call $give (call $message) (i32.const 1))",
        ..UPGRADES
    },
    Hostile {
        tried: "to give back larger messages than it got",
        ends: NOT_HELD,
        give_back: "
            (local $at i32)
            (local.set $at (call $message))
            (i32.store offset=32 (local.get $at) (i32.const 100000))
            (call $give (local.get $at) (i32.const 1))",
        ..UPGRADES
    },
    Hostile {
        tried: "to give back ends of others without end, each in a short call",
        ends: "ResourceExhausted mailbox_bytes or ResourceExhausted cpu",
        give_back: "(global.set $free (i32.const 8192)) (call $give (call $ended) (i32.const 1))",
        ..UPGRADES
    },
    Hostile {
        tried: "to give back an end at a time that is no number",
        ends: "Canceled: process terminated",
        start: "(call $upgrade_self) (call $status (i32.const 2))",
        give_back: "
            (local $at i32)
            (local.set $at (call $ended))
            (f64.store offset=16 (local.get $at) (f64.const nan))
            (if (result i32) (global.get $count)
              (then (call $nothing))
              (else (global.set $count (i32.const 1)) (call $give (local.get $at) (i32.const 1))))",
        ticks: Some(5),
        ..WELL
    },
    Hostile {
        tried: "to give back a message of nobody's",
        ends: NOT_HELD,
        give_back: "
            (local $at i32)
            (local.set $at (call $message))
            (i32.store offset=12 (local.get $at) (i32.const 48))
            (i32.store offset=16 (local.get $at) (i32.const 8))
            (call $give (local.get $at) (i32.const 1))",
        ..UPGRADES
    },
    Hostile {
        tried: "to give back a reply",
        ends: NOT_HELD,
        give_back: "(call $give (call $event (i32.const 5)) (i32.const 1))",
        ..UPGRADES
    },
    Hostile {
        tried: "to give back an event of a kind that isn't one",
        ends: TRAPPED,
        give_back: "(call $give (call $event (i32.const 9)) (i32.const 1))",
        ..UPGRADES
    },
    Hostile {
        tried: "to give back a list of wild length",
        ends: TRAPPED,
        give_back: "(call $give (i32.const 8192) (i32.const 0x1fffffff))",
        ..UPGRADES
    },
    Hostile {
        tried: "never to be done with giving back",
        ends: "ResourceExhausted cpu",
        give_back: "(loop $on (br $on)) (unreachable)",
        cpu: 300,
        ..UPGRADES
    },
    Hostile {
        tried: "to compile without end",
        ends: "=> nil",
        compile: "(loop $on (br $on)) (unreachable)",
        twice: true,
        ..ENDLESS
    },
    Hostile { tried: "to trap when it is to compile", compile: "(unreachable)", twice: true, ..WELL },
    Hostile { tried: "to compile to what lies behind its memory", compile: "(i32.const -4)", twice: true, ..WELL },
    Hostile {
        tried: "to compile to a wild length",
        compile: "
            (i32.store (i32.const 2048) (i32.const 0))
            (i32.store offset=4 (i32.const 2048) (i32.const 0))
            (i32.store offset=8 (i32.const 2048) (i32.const -1))
            (i32.const 2048)",
        twice: true,
        ..WELL
    },
    Hostile {
        tried: "to compile to something else",
        ends: TRAPPED,
        compile: "
            (i32.store (i32.const 2048) (i32.const 0))
            (i32.store offset=4 (i32.const 2048) (i32.const 112))
            (i32.store offset=8 (i32.const 2048) (i32.const 8))
            (i32.const 2048)",
        twice: true,
        ..WELL
    },
    // What `checks …` and `to loop …` of the embedder's cases meet.
    Hostile { tried: "to trap when it is to check", check: "(unreachable)", ..WELL },
    Hostile { tried: "to lie when it is to check", check: "(i32.const -4)", ..WELL },
    Hostile {
        tried: "to call the host when it is to check",
        check: "(drop (call $print (i32.const 160) (i32.const 7))) (call $check)",
        ..WELL
    },
    Hostile {
        tried: "to loop when it is looked at",
        ends: "Canceled: process terminated",
        start: "(call $park (i64.const -1))",
        stack_pointer: "(loop $on (br $on)) (unreachable)",
        ticks: Some(2),
        ..WELL
    },
];

const TRAPPED: &str = "Internal: the instance trapped";
const NOT_HELD: &str = "Internal: the guest gave back more messages than it held";
