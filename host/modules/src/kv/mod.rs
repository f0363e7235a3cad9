//! A store of keys and values that outlives processes: the module `kv`.
//!
//! ```no_run
//! use lunarium::Node;
//! use lunarium_modules::kv;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = kv::Opened::in_directory("/var/lib/shop".as_ref())?.start(kv::QUOTA, |line| eprintln!("{line}"))?;
//! let node = Node::builder().module(kv::module(store)).start()?;
//! let source = "return function() return require('kv').increment('orders/count') end";
//! let plugin = node.plugin("count.lua", source).grant_with("kv", kv::rules([("orders/", true)])).start_blocking()?;
//! println!("{}", plugin.result_blocking::<i64>()?);
//! # Ok(())
//! # }
//! ```
//!
//! A node has one store, in a file of its own: the tenants of a program each have a node, and a directory. What a process may do in it
//! is its grant's: prefixes of keys, each to read or to write as well. A value is kept as the script encoded it.
//!
//! Owns what scripts see: names, options, grants, the words and kinds of errors. What is kept, and how, is [`Store`]'s.

mod disk;
mod fault;
mod functions;
mod grant;
mod number;
mod queue;
mod store;
mod table;
#[cfg(test)]
mod tests;
mod ttl;
mod writer;

pub use fault::{Fault, OpenError, WriteError};
pub use functions::{Slot, module};
pub use grant::rules;
pub use store::{FILE, Opened, QUOTA, Store};
pub use table::{Act, Found, Page, Range, Refused, Sums, Write, Written};

/// The name of the module.
pub const NAME: &str = "kv";
