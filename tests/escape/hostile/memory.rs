//! Memory of every kind that a module has: linear, table, garbage-collected heap, stack. And instances that never come to be.

use super::{ENDLESS, Hostile, WELL};

pub(super) const TABLE: &[Hostile] = &[
    Hostile {
        tried: "memory without end",
        ends: "ResourceExhausted memory",
        start: "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (unreachable)",
        ..WELL
    },
    Hostile {
        tried: "four gigabytes at once, and to go on without them",
        ends: "=> 4294967295",
        start: "(call $exit_number (memory.grow (i32.const 65000)))",
        ..WELL
    },
    Hostile {
        // As whoever ends for want of memory does, and gets some to tell of it.
        tried: "memory that isn't there, a little that is, and a trap",
        ends: "ResourceExhausted memory",
        start: "(drop (memory.grow (i32.const 65000))) (drop (memory.grow (i32.const 1))) (unreachable)",
        ..WELL
    },
    Hostile {
        // The pool has less of them than the process may hold.
        tried: "a table without end",
        ends: TRAPPED,
        start: "
            (loop $more (br_if $more (i32.ne (table.grow $hooks (ref.null func) (i32.const 1000)) (i32.const -1))))
            (unreachable)",
        ..WELL
    },
    Hostile {
        tried: "a table of two thousand million elements at once",
        ends: "=> 4294967295",
        start: "(call $exit_number (table.grow $hooks (ref.null func) (i32.const 0x7fffffff)))",
        ..WELL
    },
    Hostile {
        tried: "a list of objects without end",
        ends: "ResourceExhausted memory",
        start: "
            (local $list (ref null $cell))
            (loop $more
              (local.set $list (struct.new $cell (local.get $list) (i64.const 0x0102030405060708)))
              (br $more))
            (unreachable)",
        ..WELL
    },
    Hostile {
        tried: "objects that are dropped at once, without end",
        start: "(loop $more (drop (struct.new $cell (ref.null $cell) (i64.const 1))) (br $more)) (unreachable)",
        ..ENDLESS
    },
    Hostile {
        tried: "an array of a gigabyte",
        ends: "ResourceExhausted memory",
        start: "(drop (array.new_default $bytes (i32.const 0x40000000))) (call $exit)",
        ..WELL
    },
    Hostile {
        tried: "calls inside each other without end",
        ends: TRAPPED,
        start: "(i32.add (i32.const 1) (call_indirect (type $answer) (i32.add (global.get $case) (i32.const {start}))))",
        ..WELL
    },
    Hostile { tried: "an exception that nobody catches", ends: TRAPPED, start: "(throw $raised)", ..WELL },
    Hostile {
        tried: "exceptions that are caught, without end",
        start: "(loop $on (block $caught (try_table (catch $raised $caught) (throw $raised))) (br $on)) (unreachable)",
        ..ENDLESS
    },
    Hostile {
        tried: "a chain of exceptions, each with the last one in it",
        ends: "ResourceExhausted memory",
        start: "
            (local $last exnref)
            (loop $on
              (block $caught (result exnref)
                (try_table (catch_all_ref $caught) (throw $carrying (local.get $last)))
                (unreachable))
              (local.set $last)
              (br $on))
            (unreachable)",
        ..WELL
    },
    Hostile {
        tried: "secrets, looked for and left",
        ends: "=> 0",
        start: "
            (local $at i32) (local $found i32) (local $array (ref null $bytes))
            (drop (memory.grow (i32.const 20)))
            (local.set $at (i32.const 65536))
            (loop $look
              (if (i64.ne (i64.load (local.get $at)) (i64.const 0))
                (then (local.set $found (i32.add (local.get $found) (i32.const 1)))))
              (i64.store (local.get $at) (i64.const 0x5ec7e75ec7e75ec7))
              (local.set $at (i32.add (local.get $at) (i32.const 8)))
              (br_if $look (i32.lt_u (local.get $at) (i32.shl (memory.size) (i32.const 16)))))
            (local.set $array (array.new_default $bytes (i32.const 40000)))
            (local.set $at (i32.const 0))
            (loop $look
              (if (array.get_u $bytes (local.get $array) (local.get $at))
                (then (local.set $found (i32.add (local.get $found) (i32.const 1)))))
              (array.set $bytes (local.get $array) (local.get $at) (i32.const 0x5e))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (br_if $look (i32.lt_u (local.get $at) (i32.const 40000))))
            (call $exit_number (local.get $found))",
        ..WELL
    },
    Hostile { tried: "an instance of ten memories more", ends: "no engine", apart: Some(TEN_MEMORIES), ..WELL },
    Hostile {
        tried: "to sleep inside of the host, by an import that it doesn't have",
        ends: TRAPPED,
        start: "(call $sleep (i64.const 31536000)) (call $exit)",
        imports: r#"(import "wasi:io/poll@0.2.0" "sleep" (func $sleep (param i64)))"#,
        apart: Some(""),
        ..WELL
    },
    Hostile {
        tried: "a start function that never returns",
        apart: Some("(func $begin (loop $on (br $on))) (start $begin)"),
        ..ENDLESS
    },
    Hostile {
        tried: "a start function that traps",
        ends: "Unavailable: cannot make an instance",
        apart: Some("(func $begin (unreachable)) (start $begin)"),
        ..WELL
    },
    Hostile {
        tried: "a start function that takes memory without end",
        ends: "Unavailable: cannot make an instance",
        apart: Some(
            "(func $begin (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (unreachable))
             (start $begin)",
        ),
        ..WELL
    },
];

const TEN_MEMORIES: &str =
    "(memory 1) (memory 1) (memory 1) (memory 1) (memory 1) (memory 1) (memory 1) (memory 1) (memory 1) (memory 1)";

const TRAPPED: &str = "Internal: the instance trapped";
