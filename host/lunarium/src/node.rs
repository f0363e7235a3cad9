//! A node, made with defaults for everything.
//!
//! Owns the defaults: an engine that all nodes of the program share, a process host for plugins, standard streams.

use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_lite::future::block_on;
use lunarium_engine::{Caller, Engine, EngineConfig, HostDefinition, HostId, Module, NodeConfig, Output, SecuritySpec};
#[cfg(feature = "app")]
use lunarium_engine::{Chunk, CompileError, Globals};
use serde::Serialize;

use crate::output::{self, Flush};
use crate::{Error, PluginBuilder};

/// Processes of the engine that nodes share when none is given. The number: what Linux's usual limits have room for.
const PROCESSES: u32 = 8_000;

/// The process host of plugins.
pub(crate) const HOST: &str = "plugins";

/// A running node: scripts, what they are granted, and what they may use together. Cheap to clone. When the last clone is
/// dropped, everything on it ends.
///
/// It is also the engine's node, by `Deref`: everything that one can do, it can.
#[derive(Clone)]
pub struct Node {
    inner: lunarium_engine::Node,
    /// Of the standard streams, when they are the output: what was printed is seen before the program ends.
    _flush: Option<Arc<Flush>>,
}

/// How a node is made. Every setting has a default.
#[must_use]
pub struct NodeBuilder {
    engine: Option<Engine>,
    output: Option<Arc<dyn Output>>,
    modules: Vec<Module>,
    max_processes: Option<u32>,
    memory: Option<u64>,
    cpu_weight: Option<u32>,
    strict: bool,
    debug: bool,
    seed: Option<u64>,
    security: Option<SecuritySpec>,
}

impl Node {
    /// A node with the defaults, to be changed: room for 8,000 processes, half of the machine's memory, standard streams, no
    /// modules.
    pub fn builder() -> NodeBuilder {
        NodeBuilder {
            engine: None,
            output: None,
            modules: Vec::new(),
            max_processes: None,
            memory: None,
            cpu_weight: None,
            strict: false,
            debug: false,
            seed: None,
            security: None,
        }
    }

    /// The node that the caller of a function is on. None: it is ending.
    pub fn of(caller: &Caller) -> Option<Node> {
        Some(Node { inner: caller.node()?, _flush: None })
    }

    /// A script to run: `name` is what messages show (`greet.lua:3: …`), `source` is Lua 5.4 that returns a function, or a table
    /// with the function `main`. A later plugin of the same name replaces the source for those that start from then on.
    pub fn plugin(&self, name: &str, source: &str) -> PluginBuilder {
        PluginBuilder::new(&self.inner, name, source)
    }

    /// Sends a message without a sender; `destination` is a pid's text or a registered name.
    ///
    /// Errors: as a script's `process.send` has them; a value that can't travel.
    pub fn send_value(&self, destination: &str, topic: &str, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        let value = crate::plugin::value_of(value)?;
        Ok(self.inner.send(destination, topic, &value)?)
    }

    /// Asks every process to end, ends those by force that are there when the deadline is over, and waits until all are gone. Zero: by
    /// force at once. Nothing starts any more.
    ///
    /// Cancel safety: what has begun goes on; call it again to wait on.
    pub async fn shutdown(self, deadline: Duration) {
        self.inner.clone().shutdown(deadline).await;
    }

    /// The same, blocking the thread. Not for a thread that runs async tasks.
    pub fn shutdown_blocking(self, deadline: Duration) {
        block_on(self.shutdown(deadline));
    }
}

impl Deref for Node {
    type Target = lunarium_engine::Node;

    fn deref(&self) -> &lunarium_engine::Node {
        &self.inner
    }
}

#[cfg(feature = "app")]
impl lunarium_app::Compiler for Node {
    fn check(&self, chunk: &Chunk) -> impl Future<Output = Result<Globals, CompileError>> + Send {
        self.inner.check(chunk)
    }

    fn modules(&self) -> Vec<Module> {
        self.inner.modules()
    }
}

impl From<lunarium_engine::Node> for Node {
    fn from(inner: lunarium_engine::Node) -> Node {
        Node { inner, _flush: None }
    }
}

impl NodeBuilder {
    /// A module for those plugins that are granted it.
    pub fn module(mut self, module: Module) -> NodeBuilder {
        self.modules.push(module);
        self
    }

    /// Where scripts print and log: something of [`output`], or a type of your own.
    pub fn output(self, output: impl Output + 'static) -> NodeBuilder {
        NodeBuilder { output: Some(Arc::new(output)), ..self }
    }

    /// The most processes alive at once.
    pub fn max_processes(self, max_processes: u32) -> NodeBuilder {
        NodeBuilder { max_processes: Some(max_processes), ..self }
    }

    /// Bytes that all processes may hold together.
    pub fn memory(self, memory: u64) -> NodeBuilder {
        NodeBuilder { memory: Some(memory), ..self }
    }

    /// Its part of the workers beside other nodes; 100 is usual.
    pub fn cpu_weight(self, cpu_weight: u32) -> NodeBuilder {
        NodeBuilder { cpu_weight: Some(cpu_weight), ..self }
    }

    /// Who has neither actor nor scope may do nothing to others.
    pub fn strict(self) -> NodeBuilder {
        NodeBuilder { strict: true, ..self }
    }

    /// Each start and each end of a process is a line of the log, at debug level.
    pub fn debug(self) -> NodeBuilder {
        NodeBuilder { debug: true, ..self }
    }

    /// Makes all chance of scripts follow from this number and their pids (`math.random`, `random.bytes`, UUIDs), so that a test
    /// can run again what it ran. Else nobody can guess it.
    pub fn seed(self, seed: u64) -> NodeBuilder {
        NodeBuilder { seed: Some(seed), ..self }
    }

    /// In whose name plugins act, and which policies decide, where a plugin says nothing else.
    pub fn security(self, security: SecuritySpec) -> NodeBuilder {
        NodeBuilder { security: Some(security), ..self }
    }

    /// Another engine than the one that nodes of this program share.
    pub fn engine(self, engine: &Engine) -> NodeBuilder {
        NodeBuilder { engine: Some(engine.clone()), ..self }
    }

    /// Starts it. Called inside of a tokio runtime, futures of modules run there.
    ///
    /// Errors: the machine has no room for an engine; a module's name can't be one or is taken.
    pub fn start(self) -> Result<Node, Error> {
        let engine = match self.engine {
            Some(engine) => engine,
            None => shared_engine()?,
        };
        let (output, flush) = match self.output {
            Some(output) => (output, None),
            None => {
                let (streams, flush) = output::standard_with_flush()?;
                let output: Arc<dyn Output> = Arc::new(streams);
                (output, Some(Arc::new(flush)))
            }
        };
        let mut config = NodeConfig::new(output).with_strict(self.strict).with_debug(self.debug);
        config.max_processes = self.max_processes.unwrap_or(config.max_processes);
        config.memory = self.memory;
        config.seed = self.seed;
        config.cpu_weight = self.cpu_weight.unwrap_or(config.cpu_weight);
        let inner = lunarium_engine::Node::start_on(&engine, config)?;
        let host = HostDefinition::new(HostId::new(HOST));
        inner.add_host(match self.security {
            Some(security) => host.with_security(security),
            None => host,
        })?;
        for module in self.modules {
            inner.add_module(module)?;
        }
        Ok(Node { inner, _flush: flush })
    }
}

/// The engine of all nodes that name none. It stays to the end of the program.
fn shared_engine() -> Result<Engine, Error> {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    static MAKING: Mutex<()> = Mutex::new(());
    // One at a time: an engine that isn't kept would hold address space that the next one needs.
    let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(engine) = ENGINE.get() {
        return Ok(engine.clone());
    }
    let engine = Engine::new(EngineConfig::new(PROCESSES))?;
    Ok(ENGINE.get_or_init(|| engine).clone())
}
