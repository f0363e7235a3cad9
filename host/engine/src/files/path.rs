//! Paths as scripts write them. Owns their normal form, by which grants and policies are compared. Looks at no file: it
//! works on text, so `..` takes away the part before it whatever lies there.

use lunarium_contract::length;

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// Nothing to name. A directory names itself `.`.
    #[error("path is empty")]
    Empty,
    /// Longer than any path can be.
    #[error("path has {0} bytes, above the limit of {most}", most = length::PATH)]
    TooLong(usize),
    /// No file system has such names.
    #[error("path contains a NUL")]
    Nul,
    /// More `..` than there are folders.
    #[error("path `{0}` leads out of where it begins")]
    Leaves(String),
}

/// The path without `.`, `..` and empty parts: `a/b`, `/a/b`, `/`, and empty for `.`.
pub(crate) fn normalise(path: &str) -> Result<String, PathError> {
    if path.is_empty() {
        return Err(PathError::Empty);
    }
    if path.len() > length::PATH {
        return Err(PathError::TooLong(path.len()));
    }
    if path.contains('\0') {
        return Err(PathError::Nul);
    }
    let absolute = path.starts_with('/');
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            // As in a shell, `/..` is `/`.
            ".." if parts.is_empty() && absolute => {}
            ".." => {
                parts.pop().ok_or_else(|| PathError::Leaves(path.to_owned()))?;
            }
            name => parts.push(name),
        }
    }
    let joined = parts.join("/");
    Ok(if absolute { format!("/{joined}") } else { joined })
}

/// A normalised path as people see it.
pub(crate) fn shown(path: &str) -> &str {
    if path.is_empty() { "." } else { path }
}
