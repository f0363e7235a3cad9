//! The text of an application: its files, their lines, places in them, and YAML as a tree.
//!
//! Owns how text is found and read, and where something stands in it. Knows no key of the format, and refuses to say what is
//! wrong with anything but the text itself.

mod file;
mod files;
mod lines;
mod place;
mod yaml;

pub use file::SourceFile;
pub use files::MAX_FILE;
pub(crate) use files::{Files, Found, INDEX, ReadError, join, resolve};
pub(crate) use lines::Lines;
pub(crate) use place::{At, Place};
pub(crate) use yaml::{Key, Node, Shape, parse};
