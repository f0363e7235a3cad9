//! One digest over everything the snapshot is made of, so that a stale one is noticed without building it. Owns the
//! list of sources. The toolchain's version isn't in it: whoever rebuilds with another gets other bytes and the same digest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Files and folders, relative to the guest's own.
const SOURCES: [&str; 10] = [
    "../wit",
    "Cargo.lock",
    "Cargo.toml",
    "build",
    "lua.patch",
    "prelude",
    "src",
    "tool/Cargo.lock",
    "tool/Cargo.toml",
    "tool/src",
];

#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct Error {
    path: PathBuf,
    source: io::Error,
}

/// The SHA-256 of what `sha256sum` prints for the source files, sorted by path, in lower-case hex.
///
/// Errors: a file that is there and can't be read. A missing source is left out, and that changes the digest.
pub fn of_sources(guest: &Path) -> Result<String, Error> {
    let mut files = Vec::new();
    for source in SOURCES {
        collect(guest, source.to_owned(), &mut files)?;
    }
    files.sort();
    let mut all = Sha256::new();
    for name in files {
        let path = guest.join(&name);
        let bytes = fs::read(&path).map_err(|source| Error { path, source })?;
        all.update(format!("{}  {name}\n", hex(&Sha256::digest(bytes))));
    }
    Ok(hex(&all.finalize()))
}

fn collect(guest: &Path, name: String, files: &mut Vec<String>) -> Result<(), Error> {
    let path = guest.join(&name);
    let fail = |source| Error { path: path.clone(), source };
    match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(fail(error)),
        Ok(kind) if kind.is_file() => files.push(name),
        Ok(_) => {
            for entry in fs::read_dir(&path).map_err(fail)? {
                let entry = entry.map_err(fail)?;
                collect(guest, format!("{name}/{}", entry.file_name().to_string_lossy()), files)?;
            }
        }
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;
