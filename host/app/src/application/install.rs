//! Putting an application onto a node.
//!
//! Owns what the node has to know before anything starts. Starts nothing.

use lunarium_engine::Node;
use lunarium_kernel::{HostError, HostId};

use super::app::App;

impl App {
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
