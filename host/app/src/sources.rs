//! The Lua files below a folder, for who changes them: a formatter.
//!
//! Owns nothing: how files are searched and read is the application's own way, with its limits and its words.

use std::path::Path;

use cap_std::fs::Dir;

use crate::source::Files;

/// A folder's Lua files.
pub struct Sources<'d>(Files<'d>);

impl<'d> Sources<'d> {
    /// `shown` is what messages put before the paths of files: the path as the user gave it.
    pub fn new(dir: &'d Dir, shown: &'d Path) -> Self {
        Self(Files::new(dir, shown))
    }

    /// The paths of all files that end with `.lua`, in their order. Hidden folders and links to folders aren't searched. Second: which folders
    /// couldn't be, and why.
    pub fn find(&self) -> (Vec<String>, Vec<String>) {
        let (found, unsearched) = self.0.find(|name| name.ends_with(".lua"));
        let found = found.into_iter().map(|(folder, name)| crate::source::join(&folder, &name)).collect();
        (found, unsearched.iter().map(ToString::to_string).collect())
    }

    /// The text of a file.
    ///
    /// Errors: what is to be said: it can't be read, is larger than [`MAX_FILE`](crate::MAX_FILE), or no UTF-8.
    pub fn read(&self, path: &str) -> Result<String, String> {
        self.0.read_text(path).map_err(|error| error.to_string())
    }

    /// A path as people see it.
    pub fn shown(&self, path: &str) -> String {
        self.0.shown(path)
    }
}
