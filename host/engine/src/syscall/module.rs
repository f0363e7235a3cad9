//! `module.find` and `module.call`: what the embedding program gives to scripts.

use std::sync::Arc;

use lunarium_kernel::{ErrorKind, LimitName, Refusal, action};

use crate::module::Module;
use crate::node::{Called, Caller, Who};
use crate::value::{Value, failure_payload};
use crate::wasm::CallError;
use crate::wasm::imports::module::{Answer, Host};

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
        let pair = |name: &str, waits| (Value::from(name), Value::Boolean(waits));
        let pairs = match function {
            Some(name) => vec![pair(&name, module.function_named(&name)?.waits)],
            None => module.signatures().map(|(name, function)| pair(name, function.waits)).collect(),
        };
        Ok(Value::Map(pairs).encode())
    }

    fn call(&mut self, module: String, function: String, arguments: Vec<u8>) -> Result<Answer, CallError> {
        self.noting(action::MODULE_CALL, &module, self.call_function(&module, &function, arguments))
    }
}

impl Caller {
    fn call_function(&self, module: &str, function: &str, arguments: Vec<u8>) -> Result<Answer, CallError> {
        let who = self.living()?;
        let module = self.module(who, module)?;
        let found = module.function_named(function)?;
        if who.is_restricted() {
            who.authorize(action::MODULE_CALL, &format!("{}.{function}", module.name()))?;
        }
        let (size, limit) = (arguments.len(), who.limits().message);
        if u32::try_from(size).map_or(true, |size| size > limit) {
            return Err(TooLarge { size, limit }.into());
        }
        Ok(match self.node.call(who, &module, function, found, arguments)? {
            Called::Results(payload) => Answer::Results(payload),
            Called::Failed(failure) => Answer::Failed(failure_payload(&failure)),
            Called::BadArgument(text) => Answer::BadArgument(text),
            Called::Later(request) => Answer::Later(request),
        })
    }
}
