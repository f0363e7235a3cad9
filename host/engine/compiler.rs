//! The compiler of guests, for build scripts: the engine's, and that of the tests, which compile hostile ones.
//!
//! Owns target and CPU level: a named level, never "whatever machine builds", so that the binary runs elsewhere.

use std::env;
use std::error::Error;

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

/// What the engine loads of a component.
///
/// Errors: no component, or one that uses what the engine doesn't allow.
pub fn compile(component: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let code = engine()?.precompile_component(component);
    Ok(code.map_err(|error| format!("cannot be compiled: {error:?}"))?)
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
