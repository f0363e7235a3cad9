//! Payloads: Lua values as MessagePack, the mapping of `wit/types.wit`. Owns the format and its limits; where a payload
//! goes is its callers' business.

mod decode;
mod encode;
mod size;

use crate::lua::Kind;

/// An error object's fields, in order: kind, message, retryable, details, stack. Each may be nil instead.
const ERROR_FIELDS: [Kind; 5] = [Kind::String, Kind::String, Kind::Boolean, Kind::Table, Kind::String];

pub use decode::{
    STAND_IN, as_text, decode, decode_spread, is_list, is_scalar, no_room, stand_in, try_decode, try_spread,
};
pub use encode::{Shape, Unfit, encode, failure_payload, step};
