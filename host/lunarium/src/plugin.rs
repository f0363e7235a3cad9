//! A plugin: a script that a program runs, and what the program holds of it.

use std::fmt;
use std::time::Duration;

use futures_lite::future::block_on;
use lunarium_engine::{
    Chunk, Definition, Directory, EntryId, ErrorKind, Grants, Handle, HostId, LimitName, LimitsOverride, Module,
    Outcome, Pid, Raw, SecuritySpec, SpawnRequest, Value, WeakNode, from_payload, from_results, nearest, to_arguments,
    to_payload,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::node::HOST;

/// How a plugin is made; [`Node::plugin`](crate::Node::plugin) begins it. Without anything said it has the default limits and
/// no grants.
#[must_use]
pub struct PluginBuilder {
    node: lunarium_engine::Node,
    definition: Definition,
    grants: Grants,
    limits: LimitsOverride,
    arguments: Result<Vec<Value>, Error>,
    security: Option<SecuritySpec>,
}

/// A script that runs, or has run. Cheap to clone. It doesn't keep the node, and dropping it ends nothing.
#[derive(Clone)]
pub struct Plugin {
    node: WeakNode,
    handle: Handle,
}

impl PluginBuilder {
    pub(crate) fn new(node: &lunarium_engine::Node, name: &str, source: &str) -> PluginBuilder {
        let chunk = Chunk::new(format!("@{name}"), source);
        PluginBuilder {
            node: node.clone(),
            definition: Definition::new(EntryId::new(format!("{HOST}:{name}")), chunk),
            grants: Grants::new(),
            limits: LimitsOverride::default(),
            arguments: Ok(Vec::new()),
            security: None,
        }
    }

    /// Bytes that its Lua may hold; 16 MiB by default. At the limit: a Lua error; uncaught, it ends, `ResourceExhausted`.
    pub fn memory(mut self, bytes: u64) -> PluginBuilder {
        self.limits.memory = Some(bytes);
        self
    }

    /// CPU time without a wait; 10 s by default. At the limit it ends, `ResourceExhausted`.
    pub fn cpu(mut self, time: Duration) -> PluginBuilder {
        self.limits.cpu = Some(time);
        self
    }

    /// Any limit by its name, in bytes, nanoseconds or a count.
    ///
    /// Errors, told at the start: a value that is too large for it.
    pub fn limit(mut self, name: LimitName, value: u64) -> PluginBuilder {
        if let Err(error) = self.limits.set(name, value) {
            self.arguments = Err(Error::new(ErrorKind::Invalid, error.to_string()));
        }
        self
    }

    /// A module of the node, which the script gets by `require`.
    pub fn grant(mut self, module: &str) -> PluginBuilder {
        self.grants = self.grants.with_module(module);
        self
    }

    /// A directory, which the script finds under its name in `fs`.
    pub fn grant_directory(mut self, directory: Directory) -> PluginBuilder {
        self.grants = self.grants.with_directory(directory);
        self
    }

    /// A variable with this value, which the script finds in `env`.
    pub fn grant_variable(mut self, name: &str, value: &str) -> PluginBuilder {
        self.grants = self.grants.with_variable(name, Some(value.to_owned()));
        self
    }

    /// What its function gets: a tuple is several arguments, anything else one.
    ///
    /// Errors, told at the start: a value that can't travel.
    pub fn arguments(mut self, arguments: impl Serialize) -> PluginBuilder {
        if self.arguments.is_ok() {
            self.arguments = values_of(&arguments);
        }
        self
    }

    /// The function of the script's table that runs; `main` by default.
    pub fn method(mut self, name: &str) -> PluginBuilder {
        self.definition = self.definition.with_method(name);
        self
    }

    /// In whose name it acts, and which policies decide.
    pub fn security(self, security: SecuritySpec) -> PluginBuilder {
        PluginBuilder { security: Some(security), ..self }
    }

    /// Starts it, and returns at once.
    ///
    /// Errors: a granted module that the node doesn't have; arguments that can't travel; a node that is full.
    pub fn spawn(self) -> Result<Plugin, Error> {
        let PluginBuilder { node, definition, grants, limits, arguments, security } = self;
        if let Some(unknown) = grants.modules.iter().find(|name| !node.has_module(name)) {
            return Err(unknown_module(&node, unknown));
        }
        let entry = definition.entry.clone();
        node.define(definition.with_grants(grants));
        let request = SpawnRequest::new(entry, HostId::new(HOST)).with_arguments(arguments?).with_limits(limits);
        let request = match security {
            Some(security) => request.with_security(security),
            None => request,
        };
        let handle = node.spawn(request)?;
        Ok(Plugin { node: node.downgrade(), handle })
    }

    /// Starts it, and waits until it waits for the first time, or has ended well.
    ///
    /// Errors: as [`PluginBuilder::spawn`]; it has failed before: a source that doesn't compile, an error of Lua's. Then
    /// [`Error::failure`] has the traceback.
    ///
    /// Cancel safety: what was started runs on.
    pub async fn start(self) -> Result<Plugin, Error> {
        let plugin = self.spawn()?;
        match (plugin.handle.started().await, plugin.handle.outcome()) {
            (false, Some(Outcome::Failed(failure))) => Err((**failure).clone().into()),
            _ => Ok(plugin),
        }
    }

    /// The same, blocking the thread. Not for a thread that runs async tasks.
    ///
    /// Errors: as [`PluginBuilder::start`].
    pub fn start_blocking(self) -> Result<Plugin, Error> {
        block_on(self.start())
    }
}

fn unknown_module(node: &lunarium_engine::Node, name: &str) -> Error {
    let modules = node.modules();
    let hint = nearest(name, modules.iter().map(Module::name));
    let hint = hint.map(|hint| format!("; did you mean `{hint}`?")).unwrap_or_default();
    Error::new(ErrorKind::NotFound, format!("the node has no module `{name}`{hint}"))
}

/// A Rust value as one of Lua's.
pub(crate) fn value_of(value: &(impl Serialize + ?Sized)) -> Result<Value, Error> {
    Value::decode(&to_payload(value)?).map_err(undecodable)
}

fn values_of(arguments: &impl Serialize) -> Result<Vec<Value>, Error> {
    match Value::decode(&to_arguments(arguments)?).map_err(undecodable)? {
        Value::Array(values) => Ok(values),
        value => Ok(vec![value]),
    }
}

fn undecodable(error: lunarium_engine::DecodeError) -> Error {
    Error::new(ErrorKind::Invalid, error.to_string())
}

impl Plugin {
    /// Its process.
    pub fn pid(&self) -> &Pid {
        self.handle.pid()
    }

    /// The engine's handle of it.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// How it ended; none while it runs.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.handle.outcome()
    }

    /// Waits for its end. Any number may wait.
    ///
    /// Cancel safety: nothing is lost.
    pub async fn wait(&self) -> Outcome {
        self.handle.wait().await
    }

    /// Waits for its end, and gives what its function returned.
    ///
    /// Errors: it failed, and how; the result isn't of the type.
    ///
    /// Cancel safety: nothing is lost.
    pub async fn result<T: DeserializeOwned>(&self) -> Result<T, Error> {
        match self.wait().await {
            Outcome::Completed(payload) => Ok(from_payload(&payload)?),
            Outcome::Failed(failure) => Err((*failure).clone().into()),
        }
    }

    /// The same, blocking the thread. Not for a thread that runs async tasks.
    ///
    /// Errors: as [`Plugin::result`].
    pub fn result_blocking<T: DeserializeOwned>(&self) -> Result<T, Error> {
        block_on(self.result())
    }

    /// Calls a function of the table that its source returned, and waits for what that returns: nothing or nil as `()` or `None`, one
    /// value as itself, several as a tuple. The function runs in the plugin's sandbox, in a coroutine of its own, and may wait; a
    /// source without `main` serves calls until it is ended. Arguments: a tuple is several, anything else one.
    ///
    /// Errors: what the function raised; `NotFound` for a function that isn't there, or a plugin that has ended; `Canceled` when it
    /// ends meanwhile; `RateLimited`, retryable, when too much waits for it; values that can't travel or aren't of the type.
    ///
    /// Cancel safety: the function runs on, and nobody gets its results. So a timeout of the caller's runtime is fine.
    pub async fn call<T: DeserializeOwned>(&self, function: &str, arguments: impl Serialize) -> Result<T, Error> {
        let arguments = Raw(to_arguments(&arguments)?.into());
        let Raw(results) = self.handle.call_raw(function, arguments).await?;
        Ok(from_results(&results)?)
    }

    /// The same, blocking the thread. Not for a thread that runs async tasks.
    ///
    /// Errors: as [`Plugin::call`].
    pub fn call_blocking<T: DeserializeOwned>(&self, function: &str, arguments: impl Serialize) -> Result<T, Error> {
        block_on(self.call(function, arguments))
    }

    /// Sends it a message without a sender.
    ///
    /// Errors: it has ended; its mailbox is full; a bad topic; a value that can't travel or is too large.
    pub fn send(&self, topic: &str, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        let value = value_of(value)?;
        Ok(self.node()?.send(self.pid().as_str(), topic, &value)?)
    }

    /// Asks it to end: a CANCEL event. With a deadline it is ended by force when it is still there then.
    ///
    /// Errors: it has ended.
    pub fn cancel(&self, deadline: Option<Duration>) -> Result<(), Error> {
        Ok(self.node()?.cancel(self.pid(), deadline)?)
    }

    /// Ends it by force.
    ///
    /// Errors: it has ended.
    pub fn terminate(&self) -> Result<(), Error> {
        Ok(self.node()?.terminate(self.pid())?)
    }

    fn node(&self) -> Result<lunarium_engine::Node, Error> {
        self.node.upgrade().ok_or_else(|| Error::new(ErrorKind::NotFound, "the node has ended"))
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Plugin").field(self.pid()).finish()
    }
}
