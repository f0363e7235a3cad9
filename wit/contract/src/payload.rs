//! Numbers inside payloads: see `types.wit` for what a payload is.

/// How deep tables may be nested. At the limit: `INVALID`. The number: enough for any document by hand, little enough for
/// the stack that decoding needs.
pub const DEPTH: usize = 100;

/// Unix seconds of the first and the last Time, 0000-01-02T02:00:00Z and 9999-12-30T21:59:59Z: in whatever zone, the year has four
/// digits.
pub const FIRST_SECOND: i64 = -62_167_125_600;
/// The last one.
pub const LAST_SECOND: i64 = 253_402_207_199;

/// Extension types of MessagePack.
pub mod extension {
    /// A table that appeared before: its index in order of appearance, u32 big-endian.
    pub const SEEN: u8 = 1;
    /// An error object: a MessagePack array of kind, message, retryable, details, stack.
    pub const ERROR: u8 = 2;
    /// A Time: a MessagePack array of unix seconds, nanoseconds, zone.
    pub const TIME: u8 = 3;
    /// A Duration: i64 nanoseconds, big-endian.
    pub const DURATION: u8 = 4;
    /// `json.null`: no bytes.
    pub const NULL: u8 = 5;
}
