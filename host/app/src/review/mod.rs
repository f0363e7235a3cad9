//! What hardly can be meant, in an application that runs: entries that nothing uses, limits that change nothing, globals
//! that nobody defines, modules and fields of modules that aren't there, a `main` that was misspelt, starts of what isn't there.
//!
//! Owns the warnings. Refuses to keep anything from running.

mod excess;
mod globals;
mod mentions;
mod method;
mod modules;
mod starts;
mod unused;

use lunarium_engine::Chunk;

pub(crate) use globals::undefined;
pub(crate) use method::misspelt;
pub(crate) use modules::{unknown, wished};
pub(crate) use starts::{Ids, idle, starts};

use crate::application::Program;
use crate::raw::RawEntry;
use crate::report::Mistake;

/// A warning at a word of a program's line.
fn at(program: &Program, line: u32, word: &str, warning: Mistake) -> Mistake {
    match program.nearest_place(line) {
        Some(place) if word.is_empty() => warning.at(&place),
        Some(place) => warning.at(&place.word(word)),
        None => warning,
    }
}

/// Warnings about entries; `chunks` are the entries' own.
pub(crate) fn of_entries(entries: &[RawEntry], chunks: &[Option<Chunk>]) -> Vec<Mistake> {
    unused::unused(entries, chunks).into_iter().chain(excess::excess(entries)).collect()
}
