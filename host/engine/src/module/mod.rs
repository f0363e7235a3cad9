//! Modules: functions that the embedding program gives to scripts.
//!
//! Owns their names, how a Rust function becomes one of a script's, and the only table of them. Refuses to know who may
//! call what, how many calls there may be and where they run: that is `node`'s and `syscall`'s.

mod arguments;
mod caller;
mod error;
mod function;
mod nearest;
mod runtime;
mod table;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lunarium_contract::{form, length, module};
use lunarium_kernel::{ErrorKind, Refusal, SHOWN, cut};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use arguments::read_arguments;
pub use arguments::{Arguments, Raw};
pub use caller::Caller;
pub(crate) use caller::Calling;
pub use error::FunctionError;
pub(crate) use function::{Answer, Function, Later, Started, Unanswered};
pub use nearest::did_you_mean;
use nearest::nearest;
pub(crate) use runtime::Runtime;
pub(crate) use table::{Found, Modules};

use crate::catalogue::{Settings, SettingsError, SettingsReader};
use crate::value::{Value, from_payload};

/// Functions under a name, which scripts get by `require`. Made by [`Module::new`].
///
/// A function takes a [`Caller`] and its arguments: `()`, a tuple of up to eight values, a `Vec` of any number of one type, or
/// [`Raw`]. A value is whatever serde can deserialize; an `Option` may be nil or not be there. Arguments of another type are
/// Lua's error "bad argument", and those beyond are ignored, as for Lua's own functions.
///
/// It gives a `Result`. `Ok` is what serde can serialize: a tuple is several results, `()` none, anything else one. `Err` is what
/// becomes a [`FunctionError`], as every `std::error::Error` does: the script gets `nil, err`. A panic is that call's error
/// and a line of the node's log, and nothing else.
///
/// Cloned, it is the same module, for another node.
#[derive(Clone)]
#[must_use]
pub struct Module {
    name: Arc<str>,
    functions: BTreeMap<Arc<str>, Function>,
    /// For grants that say more than its name.
    settings: Option<SettingsReader>,
    stub: Option<Arc<str>>,
    /// What is wrong with it, told when it is added.
    fault: Option<ModuleError>,
}

/// Why a node can't have a module.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleError {
    /// Scripts couldn't write it.
    #[error(
        "`{0}` can't be the name of a module or a function: 1 to {most} letters, digits and `_`, no digit first, none of Lua's words",
        most = length::WORD
    )]
    Name(String),
    /// It is one of the runtime's modules, or of Lua's.
    #[error("module name `{0}` is taken: the runtime or Lua has a module of that name")]
    Taken(String),
    /// The node has a module of that name.
    #[error("module name `{0}` is taken: the node has a module of that name")]
    Exists(String),
    /// Two functions have one name.
    #[error("module `{module}` has two functions `{function}`")]
    Twice {
        /// Which module.
        module: String,
        /// Which function.
        function: String,
    },
    /// There is nothing that a timeout could be for.
    #[error("module `{0}` has a timeout before its first function, or for one that answers at once")]
    Timeout(String),
}

impl Refusal for ModuleError {
    fn kind(&self) -> ErrorKind {
        match self {
            ModuleError::Name(_) | ModuleError::Twice { .. } | ModuleError::Timeout(_) => ErrorKind::Invalid,
            ModuleError::Taken(_) | ModuleError::Exists(_) => ErrorKind::AlreadyExists,
        }
    }
}

impl Module {
    /// A module without functions. A name that can't be one is told when it is added to a node.
    pub fn new(name: impl Into<Arc<str>>) -> Module {
        let name = name.into();
        let fault = if !form::is_lua_name(&name) {
            Some(ModuleError::Name(cut(&name, SHOWN)))
        } else if module::is_taken(&name) {
            Some(ModuleError::Taken(name.to_string()))
        } else {
            None
        };
        Module { name, functions: BTreeMap::new(), settings: None, stub: None, fault }
    }

    /// The same with an asynchronous function. Its future runs on the tokio runtime in which the node was started, else on one
    /// of ours; only its first steps, up to its first wait, run where the script does, so that an answer that is there
    /// costs no turn. A process that ends drops its futures.
    pub fn function<A, R, E, F, T>(self, name: impl Into<Arc<str>>, function: F) -> Module
    where
        A: Arguments,
        R: Serialize,
        E: Into<FunctionError>,
        F: Fn(Caller, A) -> T + Send + Sync + 'static,
        T: Future<Output = Result<R, E>> + Send + 'static,
    {
        self.with(name.into(), Function::asynchronous(function))
    }

    /// The same with a function that answers at once. It runs on a worker, on the process's CPU time, and must not block:
    /// nothing else runs there meanwhile. Scripts can call it also where they can't wait.
    pub fn immediate<A, R, E, F>(self, name: impl Into<Arc<str>>, function: F) -> Module
    where
        A: Arguments,
        R: Serialize,
        E: Into<FunctionError>,
        F: Fn(Caller, A) -> Result<R, E> + Send + Sync + 'static,
    {
        self.with(name.into(), Function::immediate(function))
    }

    /// The same with a function that blocks; it runs on a thread for such work, of which a node has 64 at once: further calls
    /// wait. What has begun there goes on to its end, whatever becomes of the process.
    pub fn blocking<A, R, E, F>(self, name: impl Into<Arc<str>>, function: F) -> Module
    where
        A: Arguments + Send + 'static,
        R: Serialize,
        E: Into<FunctionError>,
        F: Fn(Caller, A) -> Result<R, E> + Send + Sync + 'static,
    {
        self.with(name.into(), Function::blocking(function))
    }

    /// The same, with a bound for the function added last: its future is dropped after this time, and the script gets an
    /// error of kind `Timeout`. Without one it may run as long as its process lives. Not for one that answers at once.
    pub fn timeout(mut self, timeout: Duration) -> Module {
        let fault = ModuleError::Timeout(self.name.to_string());
        let last = self.functions.values_mut().max_by_key(|function| function.number);
        match last.filter(|function| function.waits) {
            Some(function) => function.timeout = Some(timeout),
            None => self.fault = self.fault.take().or(Some(fault)),
        }
        self
    }

    /// The same, for grants with settings: `read` makes of what was written what its functions find by [`Caller::grants`]. It is
    /// called once where a grant is made, and says what is wrong, as text or with the place. Without settings such a module
    /// isn't granted.
    pub fn settings<S, E>(mut self, read: impl Fn(&Value) -> Result<S, E> + Send + Sync + 'static) -> Module
    where
        S: Send + Sync + 'static,
        E: Into<SettingsError>,
    {
        self.settings = Some(SettingsReader::new(read));
        self
    }

    /// The same with a comparison of settings, for who gives others a part of what he has: `within` says whether the last one asks for
    /// no more than the first ones allow together, or what is beyond, with its place. Without it they must be written alike.
    pub fn bounded<S: Send + Sync + 'static>(
        mut self,
        within: impl Fn(&[&S], &S) -> Result<(), SettingsError> + Send + Sync + 'static,
    ) -> Module {
        self.settings = self.settings.map(|settings| settings.with_bound(within));
        self
    }

    /// The same by serde.
    pub fn settings_as<S: DeserializeOwned + Send + Sync + 'static>(self) -> Module {
        self.settings(|written| from_payload::<S>(&written.encode()))
    }

    /// Settings of a grant of this module, read.
    ///
    /// Errors: what its reader says; it takes none.
    pub fn grant(&self, written: &Value) -> Result<Settings, SettingsError> {
        match &self.settings {
            Some(settings) => settings.read(&self.name, written),
            None => Err(SettingsError::new(format!("module `{}` takes no settings", self.name))),
        }
    }

    /// Whether its grants have settings.
    pub fn takes_settings(&self) -> bool {
        self.settings.is_some()
    }

    /// The same with documentation for people and editors: a stub for the Lua language server (LuaLS), which begins with
    /// `---@meta NAME` and declares each function with its types. It is only shown: what a function takes is decided by its own type.
    pub fn documented(mut self, stub: impl Into<Arc<str>>) -> Module {
        self.stub = Some(stub.into());
        self
    }

    /// A stub for the Lua language server: [what it was given](Module::documented), else one that declares its functions without
    /// their types. Written into a folder of the editor's `workspace.library`, it completes and explains the module's functions.
    pub fn stub(&self) -> String {
        if let Some(stub) = &self.stub {
            return stub.to_string();
        }
        let name = &self.name;
        let declared = self
            .functions
            .keys()
            .map(|function| format!("---@return any ...\nfunction {name}.{function}(...) end\n\n"));
        let declared: String = declared.collect();
        format!("---@meta {name}\n\n---@class {name}\nlocal {name} = {{}}\n\n{declared}return {name}\n")
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of its functions, sorted.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.functions.keys().map(|name| &**name)
    }

    fn with(mut self, name: Arc<str>, function: Function) -> Module {
        let fault = if !form::is_lua_name(&name) {
            Some(ModuleError::Name(cut(&name, SHOWN)))
        } else if self.functions.contains_key(&name) {
            Some(ModuleError::Twice { module: self.name.to_string(), function: name.to_string() })
        } else {
            None
        };
        self.fault = self.fault.take().or(fault);
        let number = self.functions.len();
        self.functions.insert(name, function.numbered(number));
        self
    }

    pub(crate) fn function_named(&self, name: &str) -> Result<&Function, UnknownFunction> {
        self.functions.get(name).ok_or_else(|| UnknownFunction {
            module: self.name.to_string(),
            function: cut(name, SHOWN),
            nearest: nearest(name, self.functions()).map(str::to_owned),
        })
    }

    pub(crate) fn signatures(&self) -> impl Iterator<Item = (&str, &Function)> {
        self.functions.iter().map(|(name, function)| (&**name, function))
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module")
            .field("name", &self.name)
            .field("functions", &self.functions.keys())
            .finish_non_exhaustive()
    }
}

/// A module without a function of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("module '{module}' has no function '{function}'{}", or(nearest.as_deref()))]
pub(crate) struct UnknownFunction {
    module: String,
    function: String,
    nearest: Option<String>,
}

fn or(name: Option<&str>) -> String {
    name.map(|name| format!("; did you mean '{name}'?")).unwrap_or_default()
}

impl Refusal for UnknownFunction {
    fn kind(&self) -> ErrorKind {
        ErrorKind::NotFound
    }
}

/// A module that isn't there, or not for who asks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnknownModule {
    #[error("module '{0}' not found")]
    Absent(String),
    #[error("module '{0}' not found: it needs a grant, `modules: [{0}]`")]
    NotGranted(String),
    #[error("module '{0}' not found: it needs a grant with settings, `{0}: …`")]
    NotGrantedWithSettings(String),
}

impl Refusal for UnknownModule {
    fn kind(&self) -> ErrorKind {
        match self {
            UnknownModule::Absent(_) => ErrorKind::NotFound,
            UnknownModule::NotGranted(_) | UnknownModule::NotGrantedWithSettings(_) => ErrorKind::PermissionDenied,
        }
    }
}

#[cfg(test)]
mod tests;
