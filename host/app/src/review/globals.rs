//! Globals that nobody defines: a name that was misspelt, or that processes don't have.
//!
//! Owns what counts as defined: what every process finds, and what the program or one of its libraries may assign.
//! Reads no Lua: which names a chunk uses is the guest's to tell.

use std::collections::{BTreeMap, BTreeSet};

use lunarium_contract::module::{GRANTED, instead};
use lunarium_engine::{Definition, Globals, Grants, did_you_mean};

use crate::application::{App, Program};
use crate::report::Mistake;

/// Warnings with a "did you mean", the bytes of a name that gets one, and the names it is compared with. The numbers: a
/// file of a megabyte can hold so many long names that comparing all takes minutes.
const HINTED: usize = 100;
const HINTED_BYTES: usize = 64;
const COMPARED: usize = 1000;

/// A warning for each name a program reads that nobody defines.
pub(crate) fn undefined(app: &App, checked: &[(&Program, &Globals)]) -> Vec<Mistake> {
    let assigned = assigned(app, checked);
    let mut warnings = Vec::new();
    for (program, globals) in checked {
        let defined = assigned.get(&*program.chunk.name);
        for found in globals.uses.iter().filter(|found| !found.assigned && found.module.is_none()) {
            if defined.is_some_and(|defined| defined.contains(found.name.as_str())) {
                continue;
            }
            let known = globals.there.iter().map(String::as_str).chain(defined.into_iter().flatten().copied());
            let known = known.take(if warnings.len() < HINTED { COMPARED } else { 0 });
            warnings.push(warning(program, &found.name, found.line, known));
        }
    }
    warnings
}

fn warning<'a>(program: &Program, name: &str, line: u32, known: impl Iterator<Item = &'a str>) -> Mistake {
    let mut warning = Mistake::warning(format!("global `{name}` is defined nowhere"));
    if let Some(place) = program.nearest_place(line) {
        warning = warning.at(&place.word(name));
    }
    let hint = if GRANTED.contains(&name) {
        Some(format!("module `{name}` needs `grants`: without them a process has nothing to use it on"))
    } else if let Some(instead) = instead(name) {
        Some(format!("it would reach out of the process: {instead}"))
    } else {
        did_you_mean(name, known.filter(|known| name.len().max(known.len()) <= HINTED_BYTES))
    };
    warning.hint(hint)
}

/// The modules that an entry has by its grants, or those of a host: it may run on any.
pub(super) fn granted(app: &App, definition: &Definition) -> Vec<&'static str> {
    let hosts = app.hosts().iter().map(|host| &host.definition.grants);
    let all: Vec<&Grants> = hosts.chain([&definition.grants]).map(|grants| &**grants).collect();
    let has = |module: &str| match module {
        "env" => all.iter().any(|grants| !grants.env.is_empty()),
        _ => all.iter().any(|grants| !grants.fs.is_empty()),
    };
    GRANTED.into_iter().filter(|module| has(module)).collect()
}

/// By a chunk's name, what it or a chunk of the same process assigns or is granted.
fn assigned<'a>(app: &'a App, checked: &[(&'a Program, &'a Globals)]) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let own: BTreeMap<&str, Vec<&str>> = checked
        .iter()
        .map(|(program, globals)| {
            let own = globals.uses.iter().filter(|found| found.assigned && found.module.is_none());
            let names = own.map(|found| found.name.as_str());
            (&*program.chunk.name, names.collect())
        })
        .collect();
    let mut all: BTreeMap<&str, BTreeSet<&str>> =
        own.iter().map(|(chunk, names)| (*chunk, names.iter().copied().collect())).collect();
    for definition in app.definitions() {
        let granted = granted(app, definition);
        let libraries = definition.libraries.iter().map(|library| &*library.chunk.name);
        let chunks: Vec<&str> = libraries.chain([&*definition.chunk.name]).collect();
        let mut names: BTreeSet<&str> = chunks.iter().filter_map(|chunk| own.get(chunk)).flatten().copied().collect();
        names.extend(granted);
        // Most programs assign no global at all, and are granted nothing.
        if !names.is_empty() {
            chunks.iter().for_each(|chunk| all.entry(chunk).or_default().extend(&names));
        }
    }
    all
}
