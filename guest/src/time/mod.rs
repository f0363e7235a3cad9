//! Time without Lua and without clocks: points in time and their texts, zones, durations. Knows nothing else of the guest.

pub mod date;
pub mod duration;
mod layout;
pub mod moment;
pub mod zone;
