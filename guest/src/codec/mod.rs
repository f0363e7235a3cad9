//! Payloads: Lua values as MessagePack, the mapping of `wit/types.wit`. Owns the format and its limits; where a payload
//! goes is its callers' business.

mod decode;
mod encode;

pub use decode::{decode, decode_spread, is_scalar};
pub use encode::{Shape, Unfit, encode, failure_payload, step};

/// How deep tables may be nested in a payload. At the limit: `INVALID`. The number: enough for any document by hand,
/// little enough for the stack that decoding needs.
pub const MAX_DEPTH: usize = 100;

/// Extension types of `wit/types.wit`.
mod extension {
    pub const SEEN: u8 = 1;
    pub const ERROR: u8 = 2;
    pub const TIME: u8 = 3;
    pub const DURATION: u8 = 4;
    pub const NULL: u8 = 5;
}
