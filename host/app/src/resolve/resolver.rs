//! The entries of an application by their ids, and what is wrong with how they refer to each other.
//!
//! Owns how a reference is followed, and the way of a mistake into the report. What a kind of entry becomes is said in the
//! file of that kind.

use std::collections::BTreeMap;

use crate::notation::hint;
use crate::raw::{Kind, RawEntry};
use crate::report::{Mistake, Report};
use crate::source::At;

pub(super) struct Resolver<'a> {
    pub(super) entries: &'a [RawEntry],
    /// Where each id is defined first.
    ids: BTreeMap<&'a str, usize>,
    pub(super) report: &'a mut Report,
}

impl<'a> Resolver<'a> {
    /// Collects the ids; one that is taken is a mistake.
    pub(super) fn new(entries: &'a [RawEntry], report: &'a mut Report) -> Self {
        let mut ids = BTreeMap::new();
        for (number, entry) in entries.iter().enumerate() {
            let id = entry.id();
            match ids.get(id).and_then(|first: &usize| entries.get(*first)) {
                None => {
                    ids.insert(id, number);
                }
                Some(first) => {
                    let mistake = Mistake::new(format!("id `{id}` is defined twice")).at(&entry.id.place);
                    report.push(mistake.related(&first.id.place, "first defined here"));
                }
            }
        }
        Self { entries, ids, report }
    }

    /// The entry of this id.
    pub(super) fn entry(&self, id: &str) -> Option<&'a RawEntry> {
        self.entries.get(*self.ids.get(id)?)
    }

    /// The entry that a reference names, when it exists and has one of the kinds; else the mistake is reported.
    pub(super) fn find(&mut self, reference: &At<String>, kinds: &[Kind]) -> Option<usize> {
        let id = reference.value.as_str();
        let alternatives = || kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join("` or `");
        let is_meant = |entry: &RawEntry| entry.kind().is_some_and(|kind| kinds.contains(&kind));
        let found = self.ids.get(id).and_then(|number| Some((*number, self.entries.get(*number)?)));
        let mistake = match found {
            Some((number, entry)) if is_meant(entry) => return Some(number),
            // Its kind was reported, when it has none.
            Some((_, entry)) => Mistake::new(format!("`{id}` is a `{}`, not a `{}`", entry.kind()?, alternatives())),
            None => {
                let candidates: Vec<&str> =
                    self.entries.iter().filter(|entry| is_meant(entry)).map(RawEntry::id).collect();
                let message = format!("there is no `{}` with the id `{id}`", alternatives());
                Mistake::new(message).hint(hint(id, &candidates))
            }
        };
        self.report.push(mistake.at(&reference.place));
        None
    }

    /// Reports a circle of entries, given by their numbers.
    pub(super) fn report_circle(&mut self, circle: &[usize], what: &str) {
        let entries = || circle.iter().filter_map(|number| self.entries.get(*number));
        let Some(first) = entries().next() else { return };
        let names: Vec<&str> = entries().chain([first]).map(RawEntry::id).collect();
        let message = format!("{what}: `{}`", shortened(&names).join("` → `"));
        self.report.push(Mistake::new(message).at(&first.id.place));
    }
}

/// A long circle by its ends: the middle of a thousand names tells nothing.
fn shortened<'n>(names: &[&'n str]) -> Vec<&'n str> {
    match (names.get(..4), names.last()) {
        (Some(first), Some(last)) if names.len() > 8 => first.iter().copied().chain(["…", last]).collect(),
        _ => names.to_vec(),
    }
}
