//! Runs the guest's `init` once and stores the memory it leaves in the component. Owns the world that `init` sees:
//! clocks that stand still and chance that isn't, so that the same component gives the same bytes everywhere. Every
//! other import traps: nothing of the building machine can get into the snapshot.

use std::io::Write;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceType, Val};
use wasmtime::{Collector, Config, Engine, Store};
use wasmtime_wizer::Wizer;

use crate::state::State;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("wasmtime doesn't start: {0:#}")]
    Engine(wasmtime::Error),
    #[error("the guest's `init` can't be run: {0:?}")]
    Init(wasmtime::Error),
    #[error("the guest's `init` waits for something, and nothing will come")]
    Waits,
}

const INIT: &str = "init";

/// What stands for a WASI output stream: the tool's own standard error.
struct Stderr;

/// Initialises a component and returns it as it is after `init`, which it still exports.
///
/// Errors: `Engine`, `Init` (it traps, or the component is none), `Waits`.
pub fn take(component: &[u8]) -> Result<Vec<u8>, Error> {
    let engine = Engine::new(&config()).map_err(Error::Engine)?;
    let mut run = pin!(initialise(&engine, component));
    // Nothing here can be pending: no host function waits, and no epoch or fuel yields.
    match run.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result.map_err(Error::Init),
        Poll::Pending => Err(Error::Waits),
    }
}

async fn initialise(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Vec<u8>> {
    let mut wizer = Wizer::new();
    // A second `init` must be refused by the guest, not be unknown to the product's bindings.
    wizer.init_func(INIT).keep_init_func(true);
    let (context, instrumented) = wizer.instrument_component(wasm)?;
    let component = Component::new(engine, &instrumented)?;
    let mut store = Store::new(engine, ());
    let instance = linker(engine, &component)?.instantiate_async(&mut store, &component).await?;
    instance.get_typed_func::<(), ()>(&mut store, INIT)?.call_async(&mut store, ()).await?;
    let mut state = State::new(store, instance);
    let snapshot = wizer.snapshot_component(&context, &mut state).await?;
    state.complete().map(|()| snapshot)
}

fn config() -> Config {
    let mut config = Config::new();
    // Lua's errors are wasm exceptions, which are garbage-collected objects: the collector is the product's.
    config.wasm_exceptions(true).collector(Collector::Copying);
    config
}

fn linker(engine: &Engine, component: &Component) -> wasmtime::Result<Linker<()>> {
    let mut linker = Linker::new(engine);
    for (name, import) in component.component_type().imports(engine) {
        if let ComponentItem::ComponentInstance(instance) = import.ty {
            // Several interfaces name the type, and it must be one.
            if instance.exports(engine).any(|(export, _)| export == "output-stream") {
                linker.instance(name)?.resource("output-stream", ResourceType::host::<Stderr>(), |_, _| Ok(()))?;
            }
            // The version is whatever libc was built for: `wasi:clocks/wall-clock@0.2.6`.
            let interface = name.split('@').next().unwrap_or(name);
            define(interface, &mut linker.instance(name)?)?;
        }
    }
    // What is defined above stays: only the rest is unknown.
    linker.define_unknown_imports_as_traps(component)?;
    Ok(linker)
}

/// Fixed clocks and chance, and standard error, or the reason why `init` panics would be lost.
fn define(interface: &str, linker: &mut LinkerInstance<'_, ()>) -> wasmtime::Result<()> {
    match interface {
        "wasi:clocks/wall-clock" => {
            let epoch = |field: &str, value| (field.to_owned(), value);
            let epoch = Val::Record(vec![epoch("seconds", Val::U64(0)), epoch("nanoseconds", Val::U32(0))]);
            constant(linker, "now", epoch)
        }
        "wasi:clocks/monotonic-clock" => constant(linker, "now", Val::U64(0)),
        "wasi:random/random" => {
            linker.func_new("get-random-bytes", |_, _, arguments, results| {
                let Some(Val::U64(length)) = arguments.first() else { wasmtime::bail!("no length") };
                fill(results, Val::List((0..*length).map(|_| Val::U8(0)).collect()));
                Ok(())
            })?;
            constant(linker, "get-random-u64", Val::U64(0))
        }
        "wasi:random/insecure-seed" => constant(linker, "insecure-seed", Val::Tuple(vec![Val::U64(0), Val::U64(0)])),
        "wasi:cli/stderr" => linker.func_wrap("get-stderr", |mut store, (): ()| {
            let stream = wasmtime::component::Resource::<Stderr>::new_own(0);
            Ok((stream.try_into_resource_any(&mut store)?,))
        }),
        "wasi:io/streams" => {
            linker.func_new("[method]output-stream.blocking-write-and-flush", |_, _, arguments, results| {
                if let Some(Val::List(bytes)) = arguments.get(1) {
                    let bytes: Vec<u8> =
                        bytes.iter().filter_map(|v| if let Val::U8(b) = v { Some(*b) } else { None }).collect();
                    std::io::stderr().write_all(&bytes)?;
                }
                fill(results, Val::Result(Ok(None)));
                Ok(())
            })
        }
        _ => Ok(()),
    }
}

fn constant(linker: &mut LinkerInstance<'_, ()>, name: &str, value: Val) -> wasmtime::Result<()> {
    linker.func_new(name, move |_, _, _, results| {
        fill(results, value.clone());
        Ok(())
    })
}

fn fill(results: &mut [Val], value: Val) {
    if let Some(result) = results.first_mut() {
        *result = value;
    }
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
