//! Modules for scripts, made of nothing but what every embedder has: `lunarium::Module`.
//!
//! | feature | module | what scripts get |
//! |---|---|---|
//! | `http` | [`http`] | requests to the servers that a grant names |
//! | `kv` | [`kv`] | a store of keys and values that outlives processes |
//!
//! Both are off by default. A module belongs to the node that it is added to: what it counts and keeps, it counts and keeps for
//! that node, so each node gets one of its own. Without a grant scripts have nothing of it.
//!
//! Owns what these modules do. Refuses to know who embeds them: no YAML, no command line, no file but those that it is told to
//! read, or that say how the machine resolves names.

#[cfg(any(feature = "http", feature = "kv"))]
mod settings;

#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "kv")]
pub mod kv;
