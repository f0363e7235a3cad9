//! The two clocks a guest may read, under their WASI names. All other WASI imports trap.
//!
//! Linked one by one: the interface of the monotonic clock also has functions that make pollables, with which a hostile
//! guest could sleep inside a host call, where no epoch fires.

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, Linker, Lower};

use crate::store::StoreData;
use crate::wall;

const NANOS: u64 = 1_000_000_000;

/// WASI's `datetime`.
#[derive(Clone, Copy, ComponentType, Lift, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

pub(super) fn add_to_linker(linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
    linker
        .instance("wasi:clocks/monotonic-clock@0.2.6")?
        .func_wrap("now", |store: StoreContextMut<'_, StoreData>, (): ()| {
            Ok((store.data().node.engine().clock().now(),))
        })?;
    linker.instance("wasi:clocks/wall-clock@0.2.6")?.func_wrap("now", |_: StoreContextMut<'_, StoreData>, (): ()| {
        let now = u64::try_from(wall::now().as_nanos()).unwrap_or_default();
        let nanoseconds = u32::try_from(now % NANOS).unwrap_or_default();
        Ok((Datetime { seconds: now / NANOS, nanoseconds },))
    })
}
