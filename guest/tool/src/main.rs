//! The last steps of building the guest: from the compiled core module to the committed snapshot, or another one aside.
//! Owns what is written to `guest/dist`. Compiles nothing itself (`build/core` does) and knows nothing of the product's engine settings: the
//! snapshot is plain wasm.

mod component;
mod digest;
mod prune;
mod shim;
mod snapshot;
mod state;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

const USAGE: &str = "usage: lunarium-guest-tool build <core module> [--to <file>] | digest [--check]";
const SNAPSHOT: &str = "dist/lunarium-guest.wasm";
const DIGEST: &str = "dist/DIGEST";

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{USAGE}")]
    Usage,
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Component(#[from] component::Error),
    #[error(transparent)]
    Snapshot(#[from] snapshot::Error),
    #[error(transparent)]
    Digest(#[from] digest::Error),
    #[error(
        "guest/{DIGEST} is `{committed}`, the sources' digest is `{actual}`: run `just guest` and commit guest/dist"
    )]
    Stale { committed: String, actual: String },
}

#[allow(clippy::print_stdout, clippy::print_stderr, reason = "a command's terminal is its interface")]
fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&guest_dir(), &arguments) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("lunarium-guest-tool: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The guest's folder: beside the tool that `cargo run` runs now, else beside where the tool was built. Cargo keeps one
/// binary for a target directory that two checkouts share, so the latter alone may be another checkout's.
fn guest_dir() -> PathBuf {
    let built = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let tool = env::var_os("CARGO_MANIFEST_DIR").map_or(built, PathBuf::from);
    tool.parent().map(Path::to_owned).unwrap_or(tool)
}

fn run(guest: &Path, arguments: &[&str]) -> Result<String, Error> {
    match arguments {
        ["build", core] => build(guest, Path::new(core)),
        ["build", core, "--to", file] => build_aside(Path::new(core), Path::new(file)),
        ["digest"] => Ok(digest::of_sources(guest)?),
        ["digest", "--check"] => check(guest),
        _ => Err(Error::Usage),
    }
}

fn build(guest: &Path, core: &Path) -> Result<String, Error> {
    // Taken first: were a source edited while this runs, the digest would be stale and say so.
    let digest = digest::of_sources(guest)?;
    let component = component::from_core(read(core)?)?;
    let snapshot = snapshot::take(&component)?;
    write(&guest.join(SNAPSHOT), &snapshot)?;
    write(&guest.join(DIGEST), format!("{digest}\n").as_bytes())?;
    Ok(format!("guest/{SNAPSHOT}: {} bytes, sources {digest}", snapshot.len()))
}

/// A snapshot that isn't the committed one: with the names of its functions, for a profile.
fn build_aside(core: &Path, file: &Path) -> Result<String, Error> {
    let snapshot = snapshot::take(&component::from_core(read(core)?)?)?;
    write(file, &snapshot)?;
    Ok(format!("{}: {} bytes", file.display(), snapshot.len()))
}

fn check(guest: &Path) -> Result<String, Error> {
    let actual = digest::of_sources(guest)?;
    let committed = String::from_utf8_lossy(&read(&guest.join(DIGEST))?).trim().to_owned();
    if committed == actual {
        Ok(format!("guest/{DIGEST} is up to date"))
    } else {
        Err(Error::Stale { committed, actual })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::File { path: path.to_owned(), source })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let result = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, bytes));
    result.map_err(|source| Error::File { path: path.to_owned(), source })
}
