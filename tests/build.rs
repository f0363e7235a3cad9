//! Makes components of the hostile guests of `escape/hostile`, compiled as the engine compiles its own guest. Owns how the
//! table's pieces become modules.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

#[path = "../host/engine/compiler.rs"]
mod compiler;
#[allow(dead_code, reason = "what its cases must end with is the corpus's")]
#[path = "escape/hostile/mod.rs"]
mod hostile;

// As the guest's tool makes the guest: one without a shim, for which the pool has room.
#[allow(dead_code, reason = "these guests import nothing of WASI that goes")]
#[path = "../guest/tool/src/prune.rs"]
mod prune;
#[path = "../guest/tool/src/shim.rs"]
mod shim;

use hostile::Hostile;

fn main() -> Result<(), Box<dyn Error>> {
    let tests = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    for path in [
        "build.rs",
        "escape/hostile",
        "../wit",
        "../host/engine/compiler.rs",
        "../host/engine/src/wasm/tunables.rs",
        "../guest/tool/src/prune.rs",
        "../guest/tool/src/shim.rs",
    ] {
        println!("cargo::rerun-if-changed={path}");
    }
    let base = fs::read_to_string(tests.join("escape/hostile/base.wat"))?;
    let common = hostile::common();
    let mut modules = vec![("the common one", module(&base, &common, 0, ("", "")))];
    for hostile in hostile::apart() {
        // Behind the quiet one, as which it would begin otherwise.
        let both = [common.first().copied().ok_or("an empty table")?, hostile];
        modules.push((hostile.tried, module(&base, &both, 1, (hostile.apart.unwrap_or_default(), hostile.imports))));
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut list = String::from("&[\n");
    for (number, (tried, text)) in modules.iter().enumerate() {
        let code = component(&tests.join("../wit"), text).and_then(|component| compiler::compile(&component));
        let path = out.join(format!("hostile-{number}.cwasm"));
        fs::write(&path, code.map_err(|error| format!("{tried}: {error:?}"))?)?;
        writeln!(list, "    include_bytes!({path:?}),")?;
    }
    list.push(']');
    Ok(fs::write(out.join("hostile.rs"), list)?)
}

/// The functions that a guest may have of its own, in the order in which the table of functions has them.
const HOOKS: [&str; 7] = ["start", "resume", "give_back", "compile", "check", "stack_pointer", "realloc"];

fn body(hostile: &Hostile, hook: &str) -> &'static str {
    match hook {
        "start" => hostile.start,
        "resume" => hostile.resume,
        "give_back" => hostile.give_back,
        "compile" => hostile.compile,
        "check" => hostile.check,
        "stack_pointer" => hostile.stack_pointer,
        _ => hostile.realloc,
    }
}

/// A module's text: the base with these guests, which begins as one of them.
fn module(base: &str, guests: &[&Hostile], begins: usize, (items, imports): (&str, &str)) -> String {
    let (mut functions, mut elements) = (String::new(), String::new());
    for hook in HOOKS {
        let parameters = if hook == "realloc" { "(param $align i32) (param $size i32)" } else { "" };
        for (number, hostile) in guests.iter().enumerate() {
            let body = body(hostile, hook);
            if body.is_empty() {
                elements.push_str(&format!("${hook} "));
            } else {
                functions.push_str(&format!("(func ${hook}_{number} {parameters} (result i32) {body})\n"));
                elements.push_str(&format!("${hook}_{number} "));
            }
        }
    }
    let count = HOOKS.len() * guests.len();
    let text = base
        .replace("{functions}", &functions)
        .replace("{items}", items)
        .replace("{imports}", imports)
        .replace("{elements}", &elements);
    let text = text.replace("{elements-count}", &count.to_string()).replace("{case}", &begins.to_string());
    let text = text.replace("{guests}", &guests.len().to_string());
    let begin_of = |text: String, (place, hook): (usize, &str)| {
        text.replace(&format!("{{{hook}}}"), &(place * guests.len()).to_string())
    };
    HOOKS.into_iter().enumerate().fold(text, begin_of)
}

/// What a hostile guest may be made for: the guest's world, and something that no host of ours has.
const WORLD: &str =
    "package hostile:guest; world guest { include lunarium:process/lua-process@0.1.0; import wasi:io/poll@0.2.0; }";
const WASI: &str = "package wasi:io@0.2.0; interface poll { sleep: func(seconds: u64); }";

fn component(wit: &Path, text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut wasm = wat::parse_str(text)?;
    let mut resolve = Resolve::default();
    resolve.push_path(wit)?;
    resolve.push_str("wasi.wit", WASI)?;
    let package = resolve.push_str("hostile.wit", WORLD)?;
    let world = resolve.select_world(&[package], None)?;
    wit_component::embed_component_metadata(&mut wasm, &resolve, world, StringEncoding::UTF8, false)?;
    Ok(shim::remove(&ComponentEncoder::default().module(&wasm)?.validate(true).encode()?)?)
}
