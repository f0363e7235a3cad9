//! Who is connected, of whatever server: whether anybody would miss a connection, how many are whose, how long one may take to read, and who
//! was turned away.
//!
//! Owns what the server of requests from outside and the admin interface have in common. Reads no HTTP, accepts nobody.

mod activity;
mod addresses;
mod away;
mod watched;

pub(crate) use activity::{Activity, Busy};
pub(crate) use addresses::{Addresses, Key};
pub use away::Away;
pub(crate) use watched::{Reader, Watched};
