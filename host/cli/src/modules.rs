//! The modules that the command's node has, for entries and hosts that are granted them.
//!
//! Owns which there are. What they do is `lunarium-modules`'s.

use lunarium_engine::Module;
use lunarium_modules::http::Http;

/// All of them, made anew: what a module counts and keeps, it counts and keeps for one node.
pub fn all() -> Vec<Module> {
    vec![Http::new().module()]
}
