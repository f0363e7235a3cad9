//! The modules that the command's node has, for entries and hosts that are granted them.
//!
//! Owns which there are. What they do is `lunarium-modules`'s.

use lunarium_app::Draft;
use lunarium_engine::Module;
use lunarium_modules::http::{self, Http};

/// All of them, made anew: what a module counts and keeps, it counts and keeps for one node. What they need of the machine's files
/// they read now.
pub fn all() -> Vec<Module> {
    vec![Http::new().module()]
}

/// Whether somebody is granted what needs sockets.
pub fn need_sockets(draft: &Draft) -> bool {
    draft.grants_module(http::NAME)
}
