//! Wild pointers and lengths, texts that are none, numbers outside of what a type has: each stops at the border.

use super::{ENDLESS, Hostile, WELL};

/// Names itself, and what `registry.lookup` answers has to be put somewhere: by the allocator.
const LOOK_UP: &str = "
    (call $register (i32.const 32) (i32.const 5) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024))
    (call $lookup (i32.const 32) (i32.const 5) (i32.const 1024))
    (call $exit)";

pub(super) const TABLE: &[Hostile] = &[
    Hostile {
        tried: "to print from behind its memory",
        ends: TRAPPED,
        start: "(drop (call $print (i32.const -16) (i32.const 1000))) (call $exit)",
        ..WELL
    },
    Hostile {
        tried: "to print two gigabytes",
        ends: TRAPPED,
        start: "(drop (call $print (i32.const 0) (i32.const 0x7fffffff))) (call $exit)",
        ..WELL
    },
    Hostile {
        tried: "to print more than one call may carry",
        ends: TRAPPED,
        start: "
            (drop (memory.grow (i32.const 160)))
            (drop (call $print (i32.const 0) (i32.const 10000000)))
            (call $exit)",
        ..WELL
    },
    Hostile {
        tried: "to log a list of wild length",
        ends: TRAPPED,
        start: "(call $log (i32.const 0) (i32.const 32) (i32.const 5) (i32.const 16) (i32.const 0x10000000)) (call $exit)",
        ..WELL
    },
    Hostile {
        tried: "to log at a level that isn't one",
        ends: TRAPPED,
        start: "(call $log (i32.const 200) (i32.const 32) (i32.const 5) (i32.const 16) (i32.const 0)) (call $exit)",
        ..WELL
    },
    Hostile {
        tried: "an option that is neither there nor not",
        ends: TRAPPED,
        start: "
            (call $register (i32.const 32) (i32.const 5) (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 1024))
            (call $exit)",
        ..WELL
    },
    Hostile {
        tried: "a boolean of 77",
        ends: "=> 1",
        start: "(call $set_options (i32.const 77)) (call $exit_number (call $get_options))",
        ..WELL
    },
    Hostile {
        tried: "a destination that is no UTF-8",
        ends: TRAPPED,
        start: "(call $link (i32.const 112) (i32.const 11) (i32.const 1024)) (call $exit)",
        ..WELL
    },
    Hostile {
        tried: "a name that is no UTF-8",
        ends: TRAPPED,
        start: "
            (call $register (i32.const 112) (i32.const 11) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024))
            (call $exit)",
        ..WELL
    },
    Hostile {
        tried: "an answer to be written behind its memory",
        ends: TRAPPED,
        start: "(call $link (i32.const 48) (i32.const 8) (i32.const -4)) (call $exit)",
        ..WELL
    },
    Hostile {
        tried: "an answer to be written where nothing may stand",
        ends: TRAPPED,
        start: "(call $link (i32.const 48) (i32.const 8) (i32.const 1025)) (call $exit)",
        ..WELL
    },
    Hostile {
        tried: "a spawn whose request lies behind its memory",
        ends: TRAPPED,
        start: "(call $spawn (i32.const -64) (i32.const 1024)) (call $exit)",
        ..WELL
    },
    Hostile {
        tried: "an allocator that gives what isn't there",
        ends: TRAPPED,
        start: LOOK_UP,
        realloc: "(i32.const -16)",
        ..WELL
    },
    Hostile {
        tried: "an allocator that gives the same place to all",
        ends: "=> nil",
        start: LOOK_UP,
        realloc: "(i32.const 6144)",
        ..WELL
    },
    Hostile {
        tried: "an allocator that never returns",
        start: LOOK_UP,
        realloc: "(loop $on (br $on)) (unreachable)",
        ..ENDLESS
    },
    Hostile { tried: "an allocator that traps", ends: TRAPPED, start: LOOK_UP, realloc: "(unreachable)", ..WELL },
    Hostile {
        tried: "an allocator that calls the host",
        ends: TRAPPED,
        start: LOOK_UP,
        realloc: "(drop (call $print (i32.const 160) (i32.const 7))) (call $alloc (local.get $align) (local.get $size))",
        ..WELL
    },
    Hostile {
        tried: "an allocator that calls itself without end",
        ends: TRAPPED,
        start: LOOK_UP,
        realloc: "(i32.add (i32.const 1) (call_indirect (type $allocate) (local.get $align) (local.get $size)
            (i32.add (global.get $case) (i32.const {realloc}))))",
        ..WELL
    },
    Hostile {
        tried: "an allocator that never returns, when it is handed messages",
        start: "(call $wait_for_messages (i32.const 10))",
        realloc: "(loop $on (br $on)) (unreachable)",
        ..ENDLESS
    },
    Hostile {
        tried: "an allocator that never returns, before the program begins",
        realloc: "(loop $on (br $on)) (unreachable)",
        apart: Some(""),
        ..ENDLESS
    },
];

const TRAPPED: &str = "Internal: the instance trapped";
