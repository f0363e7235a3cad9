//! The hostile components, compiled, and the engines that run them. Owns the promise that an engine's code stands on.

use lunarium_engine::EngineConfig;

/// The common one, then those apart, in the order of the table.
const COMPILED: &[&[u8]] = include!(concat!(env!("OUT_DIR"), "/hostile.rs"));

/// The place of the one that has all but those apart.
pub const COMMON: usize = 0;

/// The place of the first of those.
pub const APART: usize = 1;

/// An engine's configuration with a component in place of the guest.
#[allow(unsafe_code, reason = "compiled code can't be checked")]
pub fn config(component: usize, max_processes: u32) -> EngineConfig {
    // SAFETY: `build.rs` has compiled it by `host/engine/compiler.rs`, in this very build.
    unsafe { EngineConfig::new(max_processes).with_guest(COMPILED[component]) }
}

/// The source that makes the common component behave as the one at this place: two digits of base 90 (`base.wat` reads them).
pub fn source(place: usize) -> String {
    let digit = |digit: usize| char::from(u8::try_from(digit + 33).expect("a digit"));
    assert!(place < 90 * 90, "more guests than there are sources to choose by");
    [digit(place / 90), digit(place % 90)].iter().collect()
}
