//! Lets Wizer read an instance's memories and globals, through the functions that it exports for that. Owns only the
//! calls. Wizer has the same behind its feature `wasmtime`, but that switches on so much of wasmtime that Cranelift would
//! be built a second time beside the engine's build script.

use wasmtime::component::{Instance, Lift, TypedFunc, WasmList};
use wasmtime::error::Context as _;
use wasmtime::{Result, Store};
use wasmtime_wizer::ComponentInstanceState;

/// An instance whose `init` has run. Wizer's trait has no failures: the first one is kept here for `complete`.
pub struct State {
    store: Store<()>,
    instance: Instance,
    failure: Option<wasmtime::Error>,
}

impl State {
    pub fn new(store: Store<()>, instance: Instance) -> Self {
        Self { store, instance, failure: None }
    }

    /// Errors: something couldn't be read, so that the snapshot isn't one.
    pub fn complete(self) -> Result<()> {
        self.failure.map_or(Ok(()), Err)
    }

    async fn call<R: Lift + Send + Sync + 'static>(&mut self, interface: &str, function: &str) -> Option<R> {
        let result = match self.function(interface, function) {
            Ok(function) => function.call_async(&mut self.store, ()).await,
            Err(error) => Err(error),
        };
        match result {
            Ok((value,)) => Some(value),
            Err(error) => {
                self.failure.get_or_insert(error.context(format!("{interface}#{function}")));
                None
            }
        }
    }

    fn function<R: Lift + 'static>(&mut self, interface: &str, function: &str) -> Result<TypedFunc<(), (R,)>> {
        let (_, interface) = self.instance.get_export(&mut self.store, None, interface).context("no such interface")?;
        let function = self.instance.get_export(&mut self.store, Some(&interface), function);
        let (_, function) = function.context("no such function")?;
        self.instance.get_typed_func(&mut self.store, function)
    }
}

impl ComponentInstanceState for State {
    async fn call_func_ret_list_u8(&mut self, interface: &str, function: &str, read: impl FnOnce(&[u8]) + Send) {
        let bytes: Option<WasmList<u8>> = self.call(interface, function).await;
        read(bytes.as_ref().map(|bytes| bytes.as_le_slice(&self.store)).unwrap_or_default());
    }

    async fn call_func_ret_s32(&mut self, interface: &str, function: &str) -> i32 {
        self.call(interface, function).await.unwrap_or_default()
    }

    async fn call_func_ret_s64(&mut self, interface: &str, function: &str) -> i64 {
        self.call(interface, function).await.unwrap_or_default()
    }

    async fn call_func_ret_f32(&mut self, interface: &str, function: &str) -> u32 {
        self.call(interface, function).await.map(f32::to_bits).unwrap_or_default()
    }

    async fn call_func_ret_f64(&mut self, interface: &str, function: &str) -> u64 {
        self.call(interface, function).await.map(f64::to_bits).unwrap_or_default()
    }
}
