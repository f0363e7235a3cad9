//! A text file of an application, as it was read.
//!
//! Owns the text with the name that people know it by. Reads nothing.

use std::fmt;
use std::sync::Arc;

use super::lines::Lines;

/// A text file of an application, as it was read.
pub struct SourceFile {
    /// Where it is, as people see it: the path the user gave, joined with the path inside the application.
    pub shown: String,
    /// Its text.
    pub text: Arc<str>,
    pub(crate) lines: Lines,
}

impl SourceFile {
    pub(crate) fn new(shown: String, text: Arc<str>) -> Self {
        Self { shown, text, lines: Lines::default() }
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SourceFile").field(&self.shown).finish()
    }
}
