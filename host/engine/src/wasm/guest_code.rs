//! What the instances of an engine run: the guest, compiled ahead of time.
//!
//! Owns an unsafe act of the host, loading compiled code, and the promise that it stands on. The other is in `exports.rs`.

use std::fmt;

use wasmtime::component::Component;

/// The guest, compiled by the build script.
const GUEST: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest.cwasm"));

/// Code that `compiler.rs` has made of a component, with this very wasmtime.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct GuestCode(&'static [u8]);

impl Default for GuestCode {
    fn default() -> GuestCode {
        GuestCode(GUEST)
    }
}

impl fmt::Debug for GuestCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "GuestCode({} bytes)", self.0.len())
    }
}

impl GuestCode {
    /// Another component in the guest's place.
    ///
    /// # Safety
    ///
    /// `code` is what `compiler.rs` has made, in this very build.
    #[cfg(feature = "other-guests")]
    #[allow(unsafe_code, reason = "what `load` stands on is the caller's promise")]
    pub(crate) const unsafe fn other(code: &'static [u8]) -> GuestCode {
        GuestCode(code)
    }

    #[allow(unsafe_code, reason = "code that was compiled ahead of time can't be checked")]
    pub(super) fn load(self, wasm: &wasmtime::Engine) -> wasmtime::Result<Component> {
        // SAFETY: `deserialize` requires bytes made by `Engine::precompile_component` of the same wasmtime version with
        // compatible settings, unmodified. They are: `compiler.rs` made them in this very build, from the wasmtime version
        // that Cargo.toml pins with `=` for both sides and with the settings of `tunables.rs` that both sides share;
        // `include_bytes!` puts them into this binary, where nothing writes. (Of other code whoever brought it has
        // promised the same.) Version, settings and CPU features are checked by wasmtime once more, and refused with an
        // error.
        unsafe { Component::deserialize(wasm, self.0) }
    }
}
