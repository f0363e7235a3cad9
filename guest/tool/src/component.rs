//! From the linker's core module to a component. Owns nothing but that step: what the component means is `wit/`'s.

use wit_component::ComponentEncoder;

use crate::{prune, shim};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("not a wasm file: {bytes} bytes without the magic number and version")]
    NotWasm { bytes: usize },
    #[error(transparent)]
    Prune(#[from] prune::Error),
    #[error(transparent)]
    Shim(#[from] shim::Error),
    #[error("no component can be made of this core module: {reason}")]
    Encode { reason: String },
}

const CORE: &[u8] = b"\0asm\x01\0\0\0";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// Makes a component of a core module that carries its component types in a custom section. wasi-sdk's linker makes one
/// by itself: that passes unchanged.
///
/// Errors: `NotWasm`, `Encode`.
pub fn from_core(wasm: Vec<u8>) -> Result<Vec<u8>, Error> {
    if wasm.starts_with(COMPONENT) {
        return Ok(wasm);
    }
    if !wasm.starts_with(CORE) {
        return Err(Error::NotWasm { bytes: wasm.len() });
    }
    let pruned = prune::wasi(&wasm)?;
    let component = ComponentEncoder::default()
        .module(&pruned)
        .and_then(|encoder| encoder.validate(true).encode())
        .map_err(|error| Error::Encode { reason: format!("{error:#}") })?;
    Ok(shim::remove(&component)?)
}

#[cfg(test)]
#[path = "component_tests.rs"]
mod tests;
