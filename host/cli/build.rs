//! Finds the editor's descriptions of the modules in `docs/library`, so that the command has them.
//!
//! Owns nothing but the list: a file that is added there is embedded by the next build.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("library");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut paths = Vec::new();
    if folder.exists() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "lua") {
                paths.push(path.canonicalize()?);
            }
        }
    }
    paths.sort();
    let mut list = String::from("&[\n");
    for path in &paths {
        let name = path.file_name().and_then(|name| name.to_str()).ok_or("a name that is not UTF-8")?;
        writeln!(list, "    ({name:?}, include_str!({path:?})),")?;
    }
    list.push_str("]\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("library.rs"), list)?;
    Ok(())
}
