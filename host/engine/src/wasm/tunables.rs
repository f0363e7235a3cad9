//! What the compiler of the guest and its runner must agree on.
//!
//! Owns every `Config` setting that is baked into the precompiled guest; `build.rs` includes this very file. Refuses
//! what concerns one side only: target and CPU level (build script), pool (product).

use wasmtime::{Collector, Config, WasmFeatures};

/// Linear memory is reserved whole, so that no access needs a bounds check: about twice as fast as with checks.
const MEMORY_RESERVATION: u64 = 4 << 30;

/// The GC heap holds exceptions, and Lua errors are exceptions. It gets its one page at the start: growing it at the
/// first error could fail just when memory is at its limit.
const GC_HEAP_INITIAL: u64 = 64 << 10;

/// Settings common to both sides.
pub(crate) fn tune(config: &mut Config) {
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        .wasm_exceptions(true)
        .collector(Collector::Copying)
        .gc_heap_initial_size(GC_HEAP_INITIAL)
        .epoch_interruption(true)
        .memory_reservation(MEMORY_RESERVATION)
        .memory_may_move(false)
        .memory_init_cow(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_features(WasmFeatures::THREADS, false);
}
