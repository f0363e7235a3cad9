//! What parses hostile bytes on the host, fed with spoiled samples: nothing panics, and what was accepted is what it seems.
//!
//! Each target takes a bounded number of inputs; `just fuzz TARGET SECONDS` goes on for longer. The guest's own parsers have
//! theirs in `guest/src/tests/fuzz.rs`.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "tests")]

mod definitions;
mod forms;
mod payload;
mod policies;

pub use lunarium_tests::inputs::fuzz;
