//! All that a node knows, as a value: what it is replaced by at once.
//!
//! Owns nothing but the form. What becomes of what was known before is the catalogue's.

use lunarium_kernel::{EntryId, HostId, Policy};

use super::{Definition, HostDefinition};

/// All that a node knows: see [`Node::replace`](crate::Node::replace). The default is nothing.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct World {
    /// What can be spawned.
    pub definitions: Vec<Definition>,
    /// Where it can run.
    pub hosts: Vec<HostDefinition>,
    /// Those of them that take no processes.
    pub closed: Vec<HostId>,
    /// Policies, each with the groups it is in.
    pub policies: Vec<(Policy, Vec<EntryId>)>,
    /// A process with neither actor nor scope may do nothing to others.
    pub strict: bool,
    /// Places to keep, one for each service: see [`Node::keep_place`](crate::Node::keep_place).
    pub places: Vec<HostId>,
}

impl World {
    /// Nothing.
    pub fn new() -> World {
        World::default()
    }
}
