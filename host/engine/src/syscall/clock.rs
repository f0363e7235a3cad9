//! The two clocks a guest may read, under their WASI names. All other WASI imports trap.
//!
//! Linked one by one: the interface of the monotonic clock also has functions that make pollables, with which a hostile
//! guest could sleep inside a host call, where no epoch fires.

use wasmtime::StoreContextMut;
use wasmtime::component::{Component, ComponentType, Lift, Linker, Lower};

use crate::node::Caller;

const NANOS: u64 = 1_000_000_000;

/// WASI's `datetime`.
#[derive(Clone, Copy, ComponentType, Lift, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

/// Links the clocks under the version of WASI that this guest was built for: any 0.2 has the same two functions.
pub(super) fn add_to_linker(linker: &mut Linker<Caller>, component: &Component) -> wasmtime::Result<()> {
    let wasm = linker.engine().clone();
    for (name, _) in component.component_type().imports(&wasm) {
        match name.rsplit_once("@0.2.").map(|(interface, _)| interface) {
            Some("wasi:clocks/monotonic-clock") => linker.instance(name)?.func_wrap("now", monotonic)?,
            Some("wasi:clocks/wall-clock") => linker.instance(name)?.func_wrap("now", read_wall)?,
            _ => {}
        }
    }
    Ok(())
}

fn monotonic(store: StoreContextMut<'_, Caller>, (): ()) -> wasmtime::Result<(u64,)> {
    Ok((store.data().monotonic(),))
}

fn read_wall(store: StoreContextMut<'_, Caller>, (): ()) -> wasmtime::Result<(Datetime,)> {
    let now = u64::try_from(store.data().wall().as_nanos()).unwrap_or_default();
    let nanoseconds = u32::try_from(now % NANOS).unwrap_or_default();
    Ok((Datetime { seconds: now / NANOS, nanoseconds },))
}
