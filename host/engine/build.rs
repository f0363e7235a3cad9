//! Compiles the committed guest to machine code, so that the product starts without a compiler.
//!
//! Owns target and CPU level: a named level, never "whatever machine builds", so that the binary runs elsewhere.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use wasmtime::{Config, Engine, OptLevel};

#[path = "src/wasm/tunables.rs"]
mod tunables;

/// x86-64-v3 (2013's Haswell and later): what Cranelift knows of it.
const X86_64_V3: [&str; 10] = [
    "has_sse3",
    "has_ssse3",
    "has_sse41",
    "has_sse42",
    "has_popcnt",
    "has_avx",
    "has_avx2",
    "has_fma",
    "has_bmi1",
    "has_bmi2",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=src/wasm/tunables.rs");
    println!("cargo::rerun-if-changed=build.rs");
    let manifest = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    compile(&manifest.join("../../guest/dist/lunarium-guest.wasm"), "guest.cwasm")
}

fn compile(wasm: &Path, name: &str) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", wasm.display());
    let bytes = fs::read(wasm).map_err(|error| format!("cannot read {}: {error}", wasm.display()))?;
    let code = engine()?
        .precompile_component(&bytes)
        .map_err(|error| format!("cannot compile {}: {error:?}", wasm.display()))?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join(name), code)?;
    Ok(())
}

fn engine() -> Result<Engine, Box<dyn Error>> {
    let mut config = Config::new();
    tunables::tune(&mut config);
    config.cranelift_opt_level(OptLevel::Speed);
    let target = env::var("TARGET")?;
    config.target(&target)?;
    if target.starts_with("x86_64") {
        for flag in X86_64_V3 {
            // SAFETY: names of CPU features only; the product checks each against the CPU when it loads the code.
            #[allow(unsafe_code, reason = "the only way to name a CPU level")]
            unsafe {
                config.cranelift_flag_enable(flag);
            }
        }
    }
    Ok(Engine::new(&config)?)
}
