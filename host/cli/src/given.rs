//! What a run and a prompt are given alike: limits, grants, modules with their store, and what of the machine the node has.
//!
//! Owns that all of it is looked at, and opened, before the wall is built. Starts no node before that.

use std::sync::Arc;
use std::time::Duration;

use lunarium_app::{Draft, parse_cores};
use lunarium_engine::{Directory, Grants, Level, LimitsOverride, Module, Node, NodeConfig};

use crate::arguments::Given;
use crate::grant::grants;
use crate::modules::{Data, Modules};
use crate::terminal::Screen;
use crate::{Refused, limits, size, start_node};

/// What was asked for, as far as it can be known without a node.
pub struct Prepared {
    pub limits: LimitsOverride,
    pub grants: Grants,
    pub draft: Draft,
    /// What the node may hold.
    memory: Option<u64>,
    /// CPU time that it may have in a second.
    cpu_max: Option<Duration>,
    max_processes: Option<u32>,
    /// What the node will have for those who are granted it.
    modules: Modules,
    data: Option<Data>,
}

impl Prepared {
    /// Looks at everything that these options name; `read` reads what is run.
    ///
    /// Errors: something of it is wrong, or isn't there.
    pub fn new(given: &Given, read: impl FnOnce(&[Module]) -> Result<Draft, Refused>) -> Result<Self, Refused> {
        let limits = limits(&given.limits)?;
        let grants =
            grants(&given.grant_env, &given.grant_fs).map_err(|error| Refused::usage(error.to_string(), None))?;
        let memory = size("--node-memory", given.node_memory.as_deref())?;
        let cpu_max = given.node_cpu_max.as_deref().map(|text| parse_cores("--node-cpu-max", text)).transpose();
        let cpu_max = cpu_max.map_err(|message| Refused::usage(message, None))?;
        let modules = Modules::new();
        let draft = read(&modules.all)?;
        let data = Data::open(given, &draft)?;
        Ok(Self { limits, grants, draft, memory, cpu_max, max_processes: given.node_processes, modules, data })
    }

    /// The directories that are granted to somebody.
    pub fn directories(&self) -> impl Iterator<Item = &Directory> {
        self.draft.directories().chain(&self.grants.fs)
    }

    /// Starts the node with the modules, as large as what is wanted of it; `more` processes come besides. What is left is what
    /// runs on it.
    ///
    /// Errors: the machine refuses, or the store is damaged.
    pub fn start(self, screen: &Arc<Screen>, more: u32) -> Result<Started, Refused> {
        let mut config = NodeConfig::new(Arc::<Screen>::clone(screen));
        config.memory = self.memory;
        config.debug = screen.shows(Level::Debug);
        config.cpu_max = self.cpu_max;
        config.max_processes = self.max_processes.unwrap_or(config.max_processes);
        self.modules.start(self.data, screen)?;
        let wanted = self.draft.max_processes().map(|wanted| wanted.saturating_add(more));
        let node = start_node(config, wanted, self.modules.all)?;
        Ok(Started { node, limits: self.limits, grants: self.grants, draft: self.draft })
    }
}

/// The node, and what is to run on it.
pub struct Started {
    pub node: Node,
    pub limits: LimitsOverride,
    pub grants: Grants,
    pub draft: Draft,
}
