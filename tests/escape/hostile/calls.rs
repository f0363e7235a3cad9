//! Calls of the host in the wrong order, after the end, while giving back, and by the thousand.

use super::{ENDLESS, Hostile, WELL};

/// Ends itself, and calls on: what follows is never reached, for the first call stops it.
macro_rules! after_its_end {
    ($call:literal) => {
        concat!(
            "(call $terminate (global.get $pid) (global.get $pid_length) (i32.const 1024)) ",
            $call,
            " (call $exit)"
        )
    };
}

/// Counts how often a call is accepted of so many.
macro_rules! accepted_of {
    ($times:literal, $call:literal) => {
        concat!(
            "(local $i i32) (local $accepted i32) (loop $more ",
            $call,
            " (if (i32.eqz (i32.load8_u (i32.const 1024)))
                (then (local.set $accepted (i32.add (local.get $accepted) (i32.const 1)))))
              (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (br_if $more (i32.lt_u (local.get $i) (i32.const ",
            $times,
            "))))
            (call $exit_number (local.get $accepted))"
        )
    };
}

pub(super) const TABLE: &[Hostile] = &[
    Hostile {
        tried: "to print after its end",
        ends: TERMINATED,
        start: after_its_end!("(drop (call $print (i32.const 160) (i32.const 7)))"),
        ..WELL
    },
    Hostile {
        tried: "to spawn after its end",
        ends: TERMINATED,
        start: after_its_end!("(call $spawn (call $request) (i32.const 1024))"),
        ..WELL
    },
    Hostile { tried: "to send after its end", ends: TERMINATED, start: after_its_end!("(call $send_self)"), ..WELL },
    Hostile {
        tried: "to take a name after its end",
        ends: TERMINATED,
        start: after_its_end!(
            "(call $register (i32.const 32) (i32.const 5) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024))"
        ),
        ..WELL
    },
    Hostile {
        tried: "to write a file after its end",
        ends: TERMINATED,
        start: after_its_end!("(call $write (i32.const 96) (i32.const 9) (i32.const 32) (i32.const 5) (i32.const 1024))"),
        ..WELL
    },
    Hostile { tried: "to upgrade after its end", ends: TERMINATED, start: after_its_end!("(call $upgrade_self)"), ..WELL },
    Hostile {
        tried: "to loop after its end",
        ends: TERMINATED,
        start: after_its_end!("(loop $on (br $on))"),
        ..WELL
    },
    Hostile {
        tried: "to ask for an upgrade and to park",
        ends: "=> nil",
        start: "(call $upgrade_self) (call $wait_for_messages (i32.const 1))",
        ..WELL
    },
    Hostile {
        tried: "to ask for an upgrade and to exit",
        ends: "=> nil",
        start: "(call $upgrade_self) (call $exit)",
        ..WELL
    },
    Hostile {
        tried: "to upgrade without end",
        ends: TERMINATED,
        start: "(call $upgrade_self) (call $status (i32.const 2))",
        ticks: Some(20),
        ..WELL
    },
    Hostile {
        tried: "to call everything while it gives back",
        ends: TERMINATED,
        start: "(call $wait_for_messages (i32.const 3))",
        resume: "(call $upgrade_self) (call $status (i32.const 2))",
        give_back: "
            (call $upgrade_self)
            (call $send_self)
            (call $spawn (call $request) (i32.const 1024))
            (call $exec (call $request) (i32.const 1024))
            (call $read (i32.const 96) (i32.const 9) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 1024))
            (call $listen (i32.const 32) (i32.const 5) (i32.const 1024))
            (call $unlisten (i32.const 32) (i32.const 5))
            (drop (call $print (i32.const 160) (i32.const 7)))
            (call $nothing)",
        ticks: Some(20),
        ..WELL
    },
    Hostile {
        tried: "to end itself while it gives back",
        ends: TERMINATED,
        start: "(call $wait_for_messages (i32.const 3))",
        resume: "(call $upgrade_self) (call $status (i32.const 2))",
        give_back: "
            (call $terminate (global.get $pid) (global.get $pid_length) (i32.const 1024))
            (call $give (call $message) (i32.const 1))",
        ..WELL
    },
    Hostile {
        tried: "a thousand and more requests: programs executed",
        ends: "=> 499",
        start: accepted_of!(
            5000,
            "(call $exec (call $request) (i32.const 1024))"
        ),
        ..WELL
    },
    Hostile {
        tried: "a thousand and more requests: files read",
        ends: FILES,
        start: accepted_of!(
            5000,
            "(call $read (i32.const 96) (i32.const 9) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 1024))"
        ),
        ..WELL
    },
    Hostile {
        tried: "five thousand children",
        ends: "=> 499",
        start: accepted_of!(5000, "(call $spawn (call $request) (i32.const 1024))"),
        ..WELL
    },
    Hostile {
        tried: "children that each start five thousand",
        ends: "Canceled: process terminated",
        start: accepted_of!(
            5000,
            "(i32.store offset=4 (call $request) (i32.const 8)) (i32.store (i32.const 4096) (i32.const 80))
             (call $spawn (i32.const 4096) (i32.const 1024))"
        ),
        ticks: Some(20),
        ..WELL
    },
    Hostile {
        tried: "to fill its own mailbox, listening to nothing",
        ends: "=> 10000",
        start: accepted_of!(20000, "(call $send_self)"),
        ..WELL
    },
    Hostile {
        // But for those that begin with `@`.
        tried: "to listen on twenty thousand topics",
        ends: "=> 19687",
        start: accepted_of!(
            20000,
            "(i32.store (i32.const 1024) (i32.const 0)) (i32.store (i32.const 32) (i32.add (i32.const 0x30303030) (i32.or (i32.and (local.get $i) (i32.const 63))
               (i32.or (i32.shl (i32.and (local.get $i) (i32.const 0xfc0)) (i32.const 2))
                 (i32.shl (i32.and (local.get $i) (i32.const 0x3f000)) (i32.const 4))))))
             (call $listen (i32.const 32) (i32.const 5) (i32.const 1024))"
        ),
        ..WELL
    },
    Hostile {
        tried: "to take the kernel's lock without end",
        start: "(loop $on (drop (call $get_options)) (br $on)) (unreachable)",
        ..ENDLESS
    },
    Hostile {
        tried: "to log without end",
        start: "
            (loop $on (call $log (i32.const 3) (i32.const 160) (i32.const 7) (i32.const 16) (i32.const 0)) (br $on))
            (unreachable)",
        ..ENDLESS
    },
    Hostile {
        tried: "to log a text as JSON",
        ends: "=> nil",
        start: "
            (i32.store (i32.const 5120) (i32.const 32)) (i32.store (i32.const 5124) (i32.const 5))
            (i32.store (i32.const 5128) (i32.const 160)) (i32.store (i32.const 5132) (i32.const 7))
            (i32.store (i32.const 5136) (i32.const 0x4d))
            (call $log (i32.const 3) (i32.const 160) (i32.const 7) (i32.const 5120) (i32.const 1))
            (call $exit)",
        ..WELL
    },
    Hostile {
        tried: "to drop lines that were never printed",
        ends: "=> nil",
        start: "(call $dropped (i32.const -1)) (call $dropped (i32.const -1)) (call $exit)",
        ..WELL
    },
    Hostile {
        tried: "a spawn with sixty thousand first messages",
        ends: "=> \"topic of 0 bytes is not 1 to 255 bytes long\"",
        start: "
            (drop (memory.grow (i32.const 20)))
            (i32.store offset=88 (call $request) (i32.const 131072))
            (i32.store offset=92 (i32.const 4096) (i32.const 60000))
            (call $spawn (i32.const 4096) (i32.const 1024))
            (call $exit_refused (i32.const 1028))",
        ..WELL
    },
    Hostile {
        tried: "attributes that lie in each other sixteen thousand times",
        ends: "=> \"attributes can't be read\"",
        start: "
            (memory.fill (i32.const 65536) (i32.const 0x91) (i32.const 16384))
            (call $can (i32.const 32) (i32.const 5) (i32.const 32) (i32.const 5) (i32.const 1) (i32.const 65536)
              (i32.const 16384) (i32.const 1024))
            (call $exit_refused (i32.const 1028))",
        ..WELL
    },
    Hostile {
        tried: "attributes that claim four thousand million entries",
        ends: "=> \"attributes can't be read\"",
        start: "
            (i64.store (i32.const 65536) (i64.const 0xffffffffdf))
            (call $can (i32.const 32) (i32.const 5) (i32.const 32) (i32.const 5) (i32.const 1) (i32.const 65536)
              (i32.const 64) (i32.const 1024))
            (call $exit_refused (i32.const 1028))",
        ..WELL
    },
    Hostile {
        tried: "a destination of a hundred kilobytes",
        ends: "=> \"name of 100000 bytes is not 1 to 255 bytes long\"",
        start: "
            (memory.fill (i32.const 8192) (i32.const 120) (i32.const 100000))
            (call $link (i32.const 8192) (i32.const 100000) (i32.const 1024))
            (call $exit_refused (i32.const 1028))",
        ..WELL
    },
    Hostile {
        tried: "a cancel with the longest deadline there is",
        ends: "=> 0",
        start: "
            (call $cancel (global.get $pid) (global.get $pid_length) (i32.const 1) (i64.const -1) (i32.const 1024))
            (call $exit_refused (i32.const 1028))",
        ..WELL
    },
];

const TERMINATED: &str = "Canceled: process terminated";
const FILES: &str = "=> 8";
