//! The modules that the command's node has, for entries and hosts that are granted them.
//!
//! Owns which there are. What they do is `lunarium-modules`'s.

use lunarium_engine::Module;

/// All of them, made anew: what a module counts and keeps, it counts and keeps for one node.
pub fn all() -> Vec<Module> {
    Vec::new()
}
