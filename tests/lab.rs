//! A node to try scripts on, with the real guest.
//!
//! Owns the notation of test scripts and of what comes out. All nodes of a test program share one engine, as the nodes
//! of any program should.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that can't go on says so"
)]

mod dice;
pub mod inputs;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::Waker;

pub use dice::Dice;
use lunarium_engine::{
    Chunk, Definition, Engine, EngineConfig, EntryId, Grants, Handle, HostDefinition, HostId, Level, Limits, LogField,
    Node, NodeConfig, Outcome, Output, ProcessLabel, SpawnRequest, Value,
};

/// The process host of every lab.
pub const HOST: &str = "app:processes";

/// Processes of the engine that all labs share.
pub const PROCESSES: u32 = 4_000;

/// The engine of this test program.
pub fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::new(EngineConfig::new(PROCESSES)).expect("an engine"))
}

/// Bytes that a node's processes hold, and what its hosts keep free.
pub fn node_memory(node: &Node) -> u64 {
    node.usage().of("node.memory").expect("the node's budget").used
}

/// The same of an engine's nodes.
pub fn engine_memory(engine: &Engine) -> u64 {
    engine.usage().of("engine.memory").expect("the engine's budget").used
}

/// A node with one host, whose output is kept.
pub struct Lab {
    /// The node.
    pub node: Node,
    /// What the entries that it defines may reach outside.
    pub grants: Arc<Grants>,
    output: Arc<Kept>,
}

#[derive(Default)]
struct Kept {
    lines: Mutex<Vec<String>>,
    logged: Mutex<Vec<String>>,
}

impl Output for Kept {
    fn print(&self, _: &ProcessLabel, line: &str) -> bool {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
        true
    }

    fn on_ready(&self, waker: Waker) {
        waker.wake();
    }

    fn log(&self, process: &ProcessLabel, level: Level, message: &str, fields: &[LogField]) {
        let line = format!("{level:?} {} {message} {fields:?}", process.frame);
        self.logged.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

impl Default for Lab {
    fn default() -> Lab {
        Lab::new(Limits::default())
    }
}

impl Lab {
    /// A lab whose processes have these limits.
    pub fn new(limits: Limits) -> Lab {
        Lab::sized(limits, PROCESSES)
    }

    /// A lab with room for this many processes.
    pub fn sized(limits: Limits, max_processes: u32) -> Lab {
        Lab::made(limits, max_processes, |config| config)
    }

    /// A lab of this weight beside other labs.
    pub fn weighing(cpu_weight: u32) -> Lab {
        Lab::made(Limits::default(), PROCESSES, |config| config.with_cpu_weight(cpu_weight))
    }

    /// A lab on a node with room for this many links, and as many monitors.
    pub fn related(most: u32) -> Lab {
        Lab::made(Limits::default(), PROCESSES, |config| config.with_max_relations(most))
    }

    /// A lab with room for this many processes, on a node that is `set` otherwise.
    pub fn made(limits: Limits, max_processes: u32, set: impl FnOnce(NodeConfig) -> NodeConfig) -> Lab {
        Lab::on(engine(), limits, max_processes, set)
    }

    /// The same on an engine of its own.
    pub fn on(engine: &Engine, limits: Limits, max_processes: u32, set: impl FnOnce(NodeConfig) -> NodeConfig) -> Lab {
        let output = Arc::new(Kept::default());
        let config = set(NodeConfig::new(Arc::<Kept>::clone(&output)).with_max_processes(PROCESSES));
        let node = Node::start_on(engine, config).expect("a node");
        let host = HostDefinition::new(HostId::new(HOST)).with_max_processes(max_processes).with_limits(limits);
        node.add_host(host).expect("a fresh node has no host");
        Lab { node, grants: Arc::default(), output }
    }

    /// A lab whose entries have these grants.
    pub fn granting(grants: Grants) -> Lab {
        let mut lab = Lab::default();
        lab.grants = Arc::new(grants);
        lab
    }

    /// Defines entries. A line `-- entry: name` begins the entry `app:name`; what stands before the first is `app:main`.
    pub fn define(&self, script: &str) {
        let mut name = "main".to_owned();
        let mut source = String::new();
        for line in script.lines() {
            match line.trim().strip_prefix("-- entry: ") {
                Some(next) => {
                    self.define_one(&name, &source);
                    name = next.to_owned();
                    source.clear();
                }
                None => {
                    source.push_str(line);
                    source.push('\n');
                }
            }
        }
        self.define_one(&name, &source);
    }

    fn define_one(&self, name: &str, source: &str) {
        if source.trim().is_empty() {
            return;
        }
        let chunk = Chunk::new(format!("@{name}.lua"), source);
        let definition = Definition::new(EntryId::new(format!("app:{name}")), chunk);
        self.node.define(definition.with_grants(Arc::clone(&self.grants)));
    }

    /// Starts `app:name`.
    pub fn spawn(&self, name: &str, arguments: Vec<Value>) -> Handle {
        let request = SpawnRequest::new(EntryId::new(format!("app:{name}")), HostId::new(HOST));
        self.node.spawn(request.with_arguments(arguments)).expect("a process")
    }

    /// Defines a script, runs `app:main` and waits for its end.
    pub fn run(&self, script: &str) -> Outcome {
        self.define(script);
        self.spawn("main", Vec::new()).wait_blocking()
    }

    /// The lines printed so far, which are forgotten then.
    pub fn printed(&self) -> Vec<String> {
        std::mem::take(&mut self.output.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same, and they are kept.
    pub fn lines(&self) -> Vec<String> {
        self.output.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many lines have been printed and not been taken.
    pub fn print_count(&self) -> usize {
        self.output.lines.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The lines logged so far, which are forgotten then.
    pub fn logged(&self) -> Vec<String> {
        std::mem::take(&mut self.output.logged.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until nothing is alive, and tells whether all was given back.
    pub fn settle(&self) {
        while self.node.instance_count() > 0 || self.node.process_count() > 0 {
            std::thread::yield_now();
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for pid in self.node.pids() {
            // It may have ended in between.
            let _ = self.node.terminate(&pid);
        }
    }
}

/// What a script printed, and how it ended: `=> value` or `failed Kind: message`.
pub fn transcript(script: &str) -> String {
    transcript_in(&Lab::default(), script)
}

/// The same in a lab with its own limits.
pub fn transcript_in(lab: &Lab, script: &str) -> String {
    let outcome = lab.run(script);
    let mut text = String::new();
    for line in lab.printed() {
        text.push_str(&line);
        text.push('\n');
    }
    text.push_str(&show_outcome(&outcome));
    text.push('\n');
    text
}

/// How a process ended, in one line.
pub fn show_outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Completed(result) => {
            let value = Value::decode(result).expect("a guest's result");
            format!("=> {}", show(&value))
        }
        Outcome::Failed(failure) => {
            let details = failure.details.as_deref().map(|details| Value::decode(details).expect("a guest's details"));
            let details = details.map(|details| format!(" {}", show(&details))).unwrap_or_default();
            format!("failed {}: {}{details}", failure.kind, failure.message)
        }
    }
}

/// A value in Lua's notation; the pairs of a map in the order of their text.
pub fn show(value: &Value) -> String {
    match value {
        Value::Nil => "nil".into(),
        Value::Boolean(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Float(value) => format!("{value:?}"),
        Value::String(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
        Value::Array(values) => format!("{{{}}}", values.iter().map(show).collect::<Vec<_>>().join(", ")),
        Value::Map(pairs) => {
            let mut pairs: Vec<_> =
                pairs.iter().map(|(key, value)| format!("{} = {}", show(key), show(value))).collect();
            pairs.sort();
            format!("{{{}}}", pairs.join(", "))
        }
        Value::Extension(kind, bytes) => {
            let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("extension {kind}: {}", hex.concat())
        }
    }
}
