//! Putting an application onto a node.
//!
//! Owns what the node has to know before anything starts. Starts nothing.

use lunarium_engine::{Node, World};
use lunarium_kernel::{HostError, HostId};

use super::app::App;

impl App {
    /// All that a node has to know of it, which [`Node::replace`] puts in the place of what it knew before. Strict when the application
    /// is, or `strict` forces it.
    pub fn world(&self, strict: bool) -> World {
        let mut world = World::new();
        world.definitions.clone_from(&self.definitions);
        world.hosts = self.hosts.iter().map(|host| host.definition.clone()).collect();
        let closed = self.hosts.iter().filter(|host| !host.started);
        world.closed = closed.map(|host| host.definition.id.clone()).collect();
        world.policies = self.policies().map(|(policy, groups)| (policy.clone(), groups.to_vec())).collect();
        world.strict = self.strict || strict;
        world.places = self.services.iter().map(|service| service.host.clone()).collect();
        world
    }

    /// Puts the policies, the definitions and the hosts onto a node, and makes it strict when the application is.
    /// Each service has a place that is kept for it, so that it comes back however full the node is. Hosts that don't start
    /// with the application refuse processes, but for the one that is `wanted`.
    ///
    /// Errors: a host's id is taken on this node, or the node's memory has no room for its reserve.
    pub fn install(&self, node: &Node, wanted: Option<&HostId>) -> Result<(), HostError> {
        if self.strict {
            node.set_strict(true);
        }
        for (policy, groups) in self.policies() {
            node.define_policy(policy.clone(), groups);
        }
        for definition in &self.definitions {
            node.define(definition.clone());
        }
        for host in &self.hosts {
            node.add_host(host.definition.clone())?;
            if !host.started && wanted != Some(&host.definition.id) {
                node.stop_host(&host.definition.id)?;
            }
        }
        for service in &self.services {
            node.keep_place(&service.host)?;
        }
        Ok(())
    }
}
