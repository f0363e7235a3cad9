//! What a program starts, or names, by texts that stand there: entries, hosts, policies and groups that there aren't; a start of which
//! nobody learns whether it happened; a program that gives nothing to run.
//!
//! Owns these warnings. Reads no Lua: which texts stand in which calls is the guest's to tell.

use std::collections::BTreeSet;

use lunarium_engine::{Globals, Returning, StartCall};

use super::at;
use crate::application::{App, DEFAULT_HOST, MAIN, Program};
use crate::notation::hint;
use crate::report::Mistake;

/// The ids of entries, whether or not they can be used: what is wrong with one isn't told twice.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    /// What can be started.
    pub(crate) processes: BTreeSet<String>,
    pub(crate) hosts: BTreeSet<String>,
    pub(crate) policies: BTreeSet<String>,
    pub(crate) groups: BTreeSet<String>,
    /// Of a kind that isn't known.
    pub(crate) unusable: BTreeSet<String>,
}

/// What a text names in a call.
struct Named<'i> {
    noun: &'static str,
    known: &'i BTreeSet<String>,
}

/// A warning for each text that names nothing, and for each start whose result nobody looks at.
pub(crate) fn starts(checked: &[(&Program, &Globals)], ids: &Ids) -> Vec<Mistake> {
    let mut warnings = Vec::new();
    for (program, globals) in checked {
        for call in &globals.calls {
            warnings.extend(call.texts.iter().filter_map(|(place, text)| unknown(program, call, *place, text, ids)));
            warnings.extend(dropped(program, call));
        }
    }
    warnings
}

fn unknown(program: &Program, call: &StartCall, place: u32, text: &str, ids: &Ids) -> Option<Mistake> {
    let default = BTreeSet::from([DEFAULT_HOST.to_owned()]);
    let hosts = if ids.hosts.is_empty() { &default } else { &ids.hosts };
    let named = match (call.function.as_str(), place) {
        ("security.policy", 1) => Named { noun: "policy", known: &ids.policies },
        ("security.named_scope", 1) => Named { noun: "policy group", known: &ids.groups },
        ("security.policy" | "security.named_scope", _) => return None,
        (_, 1) => Named { noun: "entry", known: &ids.processes },
        (_, 2) => Named { noun: "process host", known: hosts },
        _ => return None,
    };
    if named.known.contains(text) || ids.unusable.contains(text) {
        return None;
    }
    let candidates: Vec<&str> = named.known.iter().map(String::as_str).collect();
    let full = candidates.iter().find(|id| id.split_once(':').is_some_and(|(_, name)| name == text));
    let hint = match full {
        Some(id) => Some(format!("scripts name ids in full: `{id}`")),
        None => hint(text, &candidates),
    };
    let message = format!("`{}` names the {} `{text}`, which isn't there", call.function, named.noun);
    Some(at(program, call.line, text, Mistake::warning(message)).hint(hint))
}

fn dropped(program: &Program, call: &StartCall) -> Option<Mistake> {
    if !call.dropped || !call.function.starts_with("process.spawn") {
        return None;
    }
    let message = format!("what `{}` gives is dropped: nobody learns that nothing was started", call.function);
    let name = call.function.rsplit('.').next().unwrap_or_default();
    let hint = format!("`local pid, err = {}(…)`, or `assert({}(…))`", call.function, call.function);
    Some(at(program, call.line, name, Mistake::warning(message)).hint(Some(hint)))
}

/// A warning for each entry whose program gives nothing to run. `is_single`: a program without an application, which may run
/// from top to bottom.
pub(crate) fn idle(app: &App, checked: &[(&Program, &Globals)], is_single: bool) -> Vec<Mistake> {
    let warning = |(program, globals): &(&Program, &Globals)| {
        let name = &program.chunk.name;
        let definition = app.definitions().iter().find(|definition| definition.chunk.name == *name)?;
        let message = match (globals.returns, is_single) {
            (Returning::NothingOfMain, true) => "`main` is neither returned nor called: it never runs".to_owned(),
            (Returning::Nothing, true) | (Returning::Something, _) => return None,
            _ => format!("the program of `{}` returns nothing: a process of it ends at once", definition.entry),
        };
        let method = definition.method.as_deref().unwrap_or(MAIN);
        let hint = format!("end it with `return {{ {method} = {method} }}`");
        let last = u32::try_from(program.chunk.source.trim_end().lines().count()).unwrap_or(u32::MAX);
        Some(at(program, last, "", Mistake::warning(message)).hint(Some(hint)))
    };
    checked.iter().filter_map(warning).collect()
}
