//! What belongs to one process besides its Lua state: the context, and the runtime's own types, which it tells from a script's
//! tables and userdata. Knows neither what travels nor what runs.

pub mod context;
pub mod error;
pub mod object;
pub mod random;
