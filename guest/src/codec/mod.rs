//! Payloads: Lua values as MessagePack, the mapping of `wit/types.wit`. Owns the format and its limits; where a payload
//! goes is its callers' business.

mod decode;
mod encode;
mod size;

pub use decode::{as_text, decode, decode_all, decode_spread, is_scalar, try_decode};
pub use encode::{Shape, Unfit, encode, failure_payload, step};
