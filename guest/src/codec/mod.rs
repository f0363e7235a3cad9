//! Payloads: Lua values as MessagePack, the mapping of `wit/types.wit`. Owns the format and its limits; where a payload
//! goes is its callers' business.

mod decode;
mod encode;
mod size;

pub use decode::{as_text, decode, decode_spread, is_list, is_scalar, try_decode, try_spread};
pub use encode::{Shape, Unfit, encode, failure_payload, step};
