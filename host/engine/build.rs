//! Compiles the committed guest to machine code, so that the product starts without a compiler.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

mod compiler;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=src/wasm/tunables.rs");
    println!("cargo::rerun-if-changed=compiler.rs");
    println!("cargo::rerun-if-changed=build.rs");
    let manifest = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let committed = manifest.join("guest/lunarium-guest.wasm");
    println!("cargo::rerun-if-env-changed=LUNARIUM_GUEST");
    let named = env::var_os("CARGO_FEATURE_PROFILE").and_then(|_| env::var_os("LUNARIUM_GUEST"));
    let guest = named.map_or(committed, PathBuf::from);
    println!("cargo::rerun-if-changed={}", guest.display());
    let wasm = fs::read(&guest).map_err(|error| format!("cannot read {}: {error}", guest.display()))?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("guest.cwasm"), compiler::compile(&wasm)?)?;
    Ok(())
}
