//! A plugin: a script that a program runs, and what the program holds of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_lite::future::block_on;
use lunarium_engine::{
    Chunk, Definition, Directory, EntryId, ErrorKind, Grants, Handle, HostId, LimitName, LimitsOverride, Module,
    Outcome, Pid, ProcessDetails, Raw, SecuritySpec, SettingsError, SpawnRequest, Usage, Value, did_you_mean,
    from_results, to_arguments, to_payload,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::node::HOST;
use crate::{Error, OutcomeExt as _};

/// How a plugin is made; [`Node::plugin`](crate::Node::plugin) begins it. Without anything said it has the default limits and
/// no grants.
#[must_use]
pub struct PluginBuilder {
    node: lunarium_engine::Node,
    definition: Definition,
    grants: Grants,
    /// Modules with what their settings are.
    settings: Vec<(String, Value)>,
    limits: LimitsOverride,
    arguments: Result<Vec<Value>, Error>,
    security: Option<SecuritySpec>,
    context: BTreeMap<String, Value>,
    name: Option<String>,
    messages: Vec<(String, Value)>,
}

/// A script that runs, or has run. Cheap to clone. It doesn't keep the node, and dropping it ends nothing.
#[derive(Clone)]
pub struct Plugin {
    handle: Handle,
}

impl PluginBuilder {
    pub(crate) fn new(node: &lunarium_engine::Node, name: &str, source: &str) -> PluginBuilder {
        let chunk = Chunk::new(format!("@{name}"), source);
        PluginBuilder {
            node: node.clone(),
            definition: Definition::new(EntryId::new(format!("{HOST}:{name}")), chunk),
            grants: Grants::new(),
            settings: Vec::new(),
            limits: LimitsOverride::default(),
            arguments: Ok(Vec::new()),
            security: None,
            context: BTreeMap::new(),
            name: None,
            messages: Vec::new(),
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

    /// A module of the node whose grants have settings, with these; several of one module add up.
    ///
    /// Errors, told at the start: settings that the module refuses, or that can't travel.
    pub fn grant_with(mut self, module: &str, settings: impl Serialize) -> PluginBuilder {
        match value_of(&settings) {
            Ok(settings) => self.settings.push((module.to_owned(), settings)),
            Err(error) => self.arguments = Err(error),
        }
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

    /// A value that it and those that it starts find by this key: `ctx.get("tenant")`.
    ///
    /// Errors, told at the start: a value that can't travel.
    pub fn context(mut self, key: &str, value: impl Serialize) -> PluginBuilder {
        match value_of(&value) {
            Ok(value) => drop(self.context.insert(key.to_owned(), value)),
            Err(error) => self.arguments = Err(error),
        }
        self
    }

    /// The name by which others find it, from its start on.
    ///
    /// Errors, told at the start: no name, or one that somebody has.
    pub fn name(self, name: &str) -> PluginBuilder {
        PluginBuilder { name: Some(name.to_owned()), ..self }
    }

    /// A message that it finds in its mailbox, before all others.
    ///
    /// Errors, told at the start: a bad topic; a value that can't travel.
    pub fn message(mut self, topic: &str, value: impl Serialize) -> PluginBuilder {
        match value_of(&value) {
            Ok(value) => self.messages.push((topic.to_owned(), value)),
            Err(error) => self.arguments = Err(error),
        }
        self
    }

    /// Starts it, and returns at once.
    ///
    /// Errors: a granted module that the node doesn't have; settings that it refuses, or needs; arguments that can't travel; a node that is full.
    pub fn spawn(self) -> Result<Plugin, Error> {
        let PluginBuilder {
            node,
            definition,
            mut grants,
            settings,
            limits,
            arguments,
            security,
            context,
            name,
            messages,
        } = self;
        let arguments = arguments?;
        for name in &grants.modules {
            if find_module(&node, name)?.takes_settings() {
                let text = format!("module `{name}` is granted with settings: `.grant_with(\"{name}\", …)`");
                return Err(Error::new(ErrorKind::Invalid, text));
            }
        }
        for (name, settings) in &settings {
            let module = find_module(&node, name)?;
            if !module.takes_settings() {
                let text = format!("module `{name}` takes no settings: `.grant(\"{name}\")`");
                return Err(Error::new(ErrorKind::Invalid, text));
            }
            let settings = module.grant(settings).map_err(|error| unfit_settings(name, &error))?;
            grants = grants.with_settings(settings);
        }
        let entry = definition.entry.clone();
        // Also for what scripts start of it: else a plugin would shed its limits by starting itself.
        node.define(definition.with_grants(grants).with_limits(limits.clone()));
        let mut request = SpawnRequest::new(entry, HostId::new(HOST)).with_arguments(arguments).with_limits(limits);
        (request.security, request.name) = (security, name);
        (request.context, request.messages) = (context, messages);
        Ok(Plugin { handle: node.spawn(request)? })
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

fn find_module(node: &lunarium_engine::Node, name: &str) -> Result<Arc<Module>, Error> {
    node.module(name).ok_or_else(|| unknown_module(node, name))
}

fn unfit_settings(module: &str, error: &SettingsError) -> Error {
    Error::new(ErrorKind::Invalid, format!("settings of module `{module}`: {error}"))
}

fn unknown_module(node: &lunarium_engine::Node, name: &str) -> Error {
    let modules = node.modules();
    let hint = did_you_mean(name, modules.iter().map(Module::name));
    let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
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

    /// The same, blocking the thread. Not for a thread that runs async tasks.
    pub fn wait_blocking(&self) -> Outcome {
        self.handle.wait_blocking()
    }

    /// Waits for its end, and gives what its function returned.
    ///
    /// Errors: it failed, and how; the result isn't of the type.
    ///
    /// Cancel safety: nothing is lost.
    pub async fn result<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.wait().await.value()
    }

    /// The same, blocking the thread. Not for a thread that runs async tasks.
    ///
    /// Errors: as [`Plugin::result`].
    pub fn result_blocking<T: DeserializeOwned>(&self) -> Result<T, Error> {
        block_on(self.result())
    }

    /// Calls a function of the table that its source returned, and waits for what that returns: nothing or nil as `()` or `None`, one
    /// value as itself, several as a tuple; one value is also what has only nils after it. The function runs in the plugin's sandbox, in a coroutine of its own, and may wait; a
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
        Ok(self.handle.send(topic, value)?)
    }

    /// Asks it to end: a CANCEL event. With a deadline it is ended by force when it is still there then.
    ///
    /// Errors: it has ended.
    pub fn cancel(&self, deadline: Option<Duration>) -> Result<(), Error> {
        Ok(self.handle.cancel(deadline)?)
    }

    /// Ends it by force.
    ///
    /// Errors: it has ended.
    pub fn terminate(&self) -> Result<(), Error> {
        Ok(self.handle.terminate()?)
    }

    /// What it has used and holds, by the names of its limits. None: it has ended.
    pub fn usage(&self) -> Option<Usage> {
        self.handle.usage()
    }

    /// All that can be seen of it. None: it has ended.
    pub fn inspect(&self) -> Option<ProcessDetails> {
        self.handle.inspect()
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Plugin").field(self.pid()).finish()
    }
}
