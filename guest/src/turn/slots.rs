//! Where things are in the prelude's tables: the numbers of `prelude/slots.lua`, for the Rust code that works on the same
//! tables (`channel.rs`, `mod.rs`). Owns nothing else; a test holds the two lists equal. `COUNT` is how many items one has at least.

use crate::lua::Items;

pub type Task = Items<{ task::COUNT }>;
pub type Channel = Items<{ channel::COUNT }>;
pub type State = Items<{ state::COUNT }>;

/// A node in a channel's queue: a task that waits, or a case of a select.
pub mod node {
    pub const COUNT: usize = 6;
    pub const CHANNEL: i64 = 1;
    pub const SENDS: i64 = 2;
    pub const TASK: i64 = 4;
    pub const PREVIOUS: i64 = 5;
    pub const NEXT: i64 = 6;
}

/// A task: a node too.
pub mod task {
    pub const COUNT: usize = 14;
    pub const COROUTINE: i64 = 7;
    pub const GOT: i64 = 8;
    pub const TOPIC: i64 = 9;
    pub const SENDER: i64 = 10;
    pub const OK: i64 = 11;
    pub const ARRIVED: i64 = 14;
}

/// A channel.
pub mod channel {
    pub const COUNT: usize = 12;
    pub const HEAD: i64 = 2;
    pub const TAIL: i64 = 3;
    pub const CLOSED: i64 = 5;
    pub const KIND: i64 = 6;
    pub const SOURCE: i64 = 7;
    pub const FIRST_RECEIVER: i64 = 8;
    pub const LAST_RECEIVER: i64 = 9;
    pub const FIRST_SENDER: i64 = 10;
}

/// What a channel of the mailbox holds.
pub mod kind {
    pub const PAYLOADS: i64 = 1;
    pub const MESSAGES: i64 = 2;
}

/// The scheduler's state.
pub mod state {
    pub const COUNT: usize = 28;
    pub const CURRENT: i64 = 1;
    pub const LIVE: i64 = 2;
    pub const QUEUE: i64 = 3;
    pub const LAST: i64 = 4;
    pub const DEPTH: i64 = 5;
    pub const STACK: i64 = 6;
    pub const FIRST: i64 = 7;
    pub const TIMERS: i64 = 8;
    pub const POLLING: i64 = 9;
    pub const MAIN: i64 = 10;
    pub const SPAWNED: i64 = 11;
    pub const FAILED: i64 = 12;
    pub const FAILED_MEMORY: i64 = 13;
    pub const STARTING: i64 = 14;
    pub const PID: i64 = 15;
    pub const FRAME: i64 = 16;
    pub const CONTEXT: i64 = 17;
    pub const MOST_TIMERS: i64 = 18;
    pub const MOST_COROUTINES: i64 = 19;
    pub const MOST_LISTENERS: i64 = 20;
    pub const FUNCTIONS: i64 = 26;
    pub const OWN: i64 = 27;
}
