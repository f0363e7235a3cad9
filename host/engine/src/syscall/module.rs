//! `module.find` and `module.call`: what the embedding program gives to scripts.

use std::sync::Arc;

use lunarium_contract::short;
use lunarium_kernel::{ErrorKind, LimitName, Refusal, action};

use crate::module::{Found, Function, Module, UnknownModule};
use crate::node::{Called, Caller, Who};
use crate::value::{Value, failure_payload};
use crate::wasm::CallError;
use crate::wasm::imports::module::{Answer, Host, Short};

/// Arguments that are larger than a message.
#[derive(Debug, thiserror::Error)]
#[error("arguments of {size} bytes exceed the message limit of {limit}")]
struct TooLarge {
    size: usize,
    limit: u32,
}

impl Refusal for TooLarge {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    fn limit(&self) -> Option<&'static str> {
        Some(LimitName::Message.as_str())
    }
}

impl Caller {
    /// The module, for a process that is granted it.
    fn module(&self, who: &Who, name: &str) -> Result<Arc<Module>, CallError> {
        let granted = who.incarnation.program.grants.modules.contains(name);
        Ok(self.node.modules.find(name, granted)?)
    }
}

impl Host for Caller {
    fn find(&mut self, module: String, function: Option<String>) -> Result<Vec<u8>, CallError> {
        let who = self.living()?;
        let module = self.module(who, &module)?;
        let pair = |name: &str, function: &Function| {
            let told = vec![Value::Integer(function.id.into()), Value::Boolean(function.waits)];
            (Value::from(name), Value::Array(told))
        };
        let pairs = match function {
            Some(name) => vec![pair(&name, module.function_named(&name)?)],
            None => module.signatures().map(|(name, function)| pair(name, function)).collect(),
        };
        Ok(Value::Map(pairs).encode())
    }

    fn call(&mut self, function: u32, arguments: Vec<u8>) -> Result<Answer, CallError> {
        let who = self.living()?;
        match self.node.modules.function(function) {
            Some(found) => {
                let called = self.call_function(who, &found, arguments);
                self.noting(action::MODULE_CALL, found.module.name(), called)
            }
            None => {
                let (module, name) = self.node.modules.named(function).unwrap_or_default();
                self.noting(action::MODULE_CALL, &module, Err(self.gone(who, &module, &name)))
            }
        }
    }
}

impl Caller {
    fn call_function(&self, who: &Who, found: &Arc<Found>, arguments: Vec<u8>) -> Result<Answer, CallError> {
        let grants = &who.incarnation.program.grants;
        if !grants.modules.contains(found.module.name()) {
            return Err(self.gone(who, found.module.name(), &found.name));
        }
        if who.is_restricted() {
            who.authorize(action::MODULE_CALL, &found.to_string())?;
        }
        let (size, limit) = (arguments.len(), who.limits().message);
        if u32::try_from(size).map_or(true, |size| size > limit) {
            return Err(TooLarge { size, limit }.into());
        }
        Ok(match self.node.call(who, found, arguments)? {
            Called::Results(payload) => results(payload),
            Called::Failed(failure) => Answer::Failed(failure_payload(&failure)),
            Called::BadArgument(text) => Answer::BadArgument(text),
            Called::Later(request) => Answer::Later(request),
        })
    }

    /// Why a function can't be called: its module isn't there (any more), or not for who asks, or has no such function.
    fn gone(&self, who: &Who, module: &str, name: &str) -> CallError {
        let found = self.module(who, module).and_then(|module| Ok(module.function_named(name).map(drop)?));
        found.err().unwrap_or_else(|| UnknownModule::Absent(module.to_owned()).into())
    }
}

fn results(payload: Vec<u8>) -> Answer {
    let size = u8::try_from(payload.len()).ok();
    match size.zip(short::to_words(&payload)) {
        Some((size, bytes)) => Answer::Short(Short { size, bytes }),
        None => Answer::Results(payload),
    }
}
