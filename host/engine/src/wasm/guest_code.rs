//! What the instances of an engine run: the guest, compiled ahead of time.
//!
//! Owns an unsafe act of the host, loading compiled code, and the promise that it stands on. The other is in `exports.rs`.
//!
//! The guest runs where it lies in the binary: a copy of its four megabytes was a fifth of what a short program takes. That is the first
//! engine's of an operating-system process; wasmtime knows code by its address, and each by one engine, so that those that come later have copies.

use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::mm::{MprotectFlags, mprotect};
use wasmtime::component::Component;
use wasmtime::{Config, CustomCodeMemory, Engine};

/// The largest page of the architecture, to which the compiler aligns code.
const PAGE: usize = if cfg!(target_arch = "x86_64") { 4 << 10 } else { 64 << 10 };

/// What begins with a page: as pages it is made executable.
#[cfg_attr(target_arch = "x86_64", repr(C, align(0x1000)))]
#[cfg_attr(not(target_arch = "x86_64"), repr(C, align(0x10000)))]
struct Paged<B: ?Sized>(B);

/// The guest, compiled by the build script.
static GUEST: &Paged<[u8]> = &Paged(*include_bytes!(concat!(env!("OUT_DIR"), "/guest.cwasm")));

/// An engine runs the guest where it lies.
static IS_USED: AtomicBool = AtomicBool::new(false);

/// Code that `compiler.rs` has made of a component, with this very wasmtime.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct GuestCode(&'static [u8]);

impl Default for GuestCode {
    fn default() -> GuestCode {
        GuestCode(&GUEST.0)
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

    /// An engine with these settings, and this code in it.
    #[allow(unsafe_code, reason = "code that was compiled ahead of time can't be checked")]
    pub(super) fn load(self, mut config: Config) -> wasmtime::Result<(Engine, Component)> {
        let runs_where_it_lies = std::ptr::eq(self.0, &raw const GUEST.0) && !IS_USED.swap(true, Ordering::Relaxed);
        if runs_where_it_lies {
            config.with_custom_code_memory(Some(Arc::new(InTheBinary)));
        }
        let wasm = Engine::new(&config)?;
        // SAFETY: `deserialize` requires bytes made by `Engine::precompile_component` of the same wasmtime version with
        // compatible settings, unmodified. They are: `compiler.rs` made them in this very build, from the wasmtime version
        // that Cargo.toml pins with `=` for both sides and with the settings of `tunables.rs` that both sides share;
        // `include_bytes!` puts them into this binary, where nothing writes. (Of other code whoever brought it has
        // promised the same.) Version, settings and CPU features are checked by wasmtime once more, and refused with an
        // error. `deserialize_raw` requires besides that the memory stays as it is for as long as the component is used: it is
        // a static's, which no page of is ever writable.
        let component = unsafe {
            match runs_where_it_lies {
                true => Component::deserialize_raw(&wasm, NonNull::from(self.0))?,
                false => Component::deserialize(&wasm, self.0)?,
            }
        };
        Ok((wasm, component))
    }
}

/// How pages of the binary become code.
struct InTheBinary;

impl CustomCodeMemory for InTheBinary {
    fn required_alignment(&self) -> usize {
        PAGE
    }

    #[allow(unsafe_code, reason = "compiled code that lies among the binary's data is made executable")]
    fn publish_executable(&self, text: *const u8, length: usize) -> wasmtime::Result<()> {
        // SAFETY: the pages are those of a static: they stay mapped, were never writable and aren't hereafter, so that
        // nothing that Rust knows of them changes. That they can be executed is what `load` promises for what is in them.
        unsafe { mprotect(text.cast_mut().cast(), length, MprotectFlags::READ | MprotectFlags::EXEC)? };
        Ok(())
    }

    /// They stay what they are: data of the binary that nobody jumps to.
    fn unpublish_executable(&self, _text: *const u8, _length: usize) -> wasmtime::Result<()> {
        Ok(())
    }
}
