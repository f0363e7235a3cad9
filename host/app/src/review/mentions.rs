//! Words of the sources and of the services' inputs.
//!
//! Owns what counts as a mention. Errs towards silence: an id can be put together at run time, so any word that could be
//! its name will do.

use std::collections::{BTreeMap, BTreeSet};

use lunarium_engine::{Chunk, Value};

use crate::raw::RawEntry;

/// Which words stand where.
pub(super) struct Mentions<'a> {
    /// By a word, the chunk that holds it; none when several do, or a service's input.
    words: BTreeMap<&'a str, Option<&'a str>>,
}

impl<'a> Mentions<'a> {
    pub(super) fn of(entries: &'a [RawEntry], chunks: &'a [Option<Chunk>]) -> Self {
        let mut mentions = Self { words: BTreeMap::new() };
        let mut seen = BTreeSet::new();
        for chunk in chunks.iter().flatten() {
            if seen.insert(&*chunk.name) {
                mentions.add(&chunk.source, Some(&chunk.name));
            }
        }
        for service in entries.iter().filter_map(RawEntry::service) {
            service.input.iter().for_each(|input| mentions.add_input(input));
        }
        mentions
    }

    fn add(&mut self, text: &'a str, chunk: Option<&'a str>) {
        for word in words(text) {
            let place = self.words.entry(word).or_insert(chunk);
            if *place != chunk {
                *place = None;
            }
        }
    }

    fn add_input(&mut self, input: &'a Value) {
        match input {
            Value::String(_) => self.add(input.as_str().unwrap_or_default(), None),
            Value::Array(items) => items.iter().for_each(|item| self.add_input(item)),
            Value::Map(pairs) => pairs.iter().for_each(|(_, item)| self.add_input(item)),
            _ => {}
        }
    }

    /// Whether a name may be mentioned anywhere but in its own chunk. The full id would mention the name as well.
    pub(super) fn outside(&self, name: &str, own: Option<&str>) -> bool {
        words(name).all(|word| match self.words.get(word) {
            None => false,
            Some(None) => true,
            Some(chunk) => *chunk != own,
        })
    }
}

/// Names hold other characters too; then each part of them counts.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}
