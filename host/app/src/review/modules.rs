//! Modules: fields that they don't have, `require` of what isn't there, grants of what isn't there.
//!
//! Owns what counts as there: what the runtime has, what the node was given, what an entry imports, and what its program may set itself.
//! Reads no Lua: what a chunk uses is the guest's to tell.

use std::collections::{BTreeMap, BTreeSet};

use lunarium_contract::module::{ALWAYS, GRANTED, OF_LUA, instead, is_always_there};
use lunarium_engine::{Definition, GlobalUse, Globals, Module, Named, Settings, did_you_mean};

use super::at;
use super::globals::granted;
use crate::application::{App, Program};
use crate::notation::hint;
use crate::report::Mistake;
use crate::source::At;

/// Warnings with a "did you mean". The number: more than anybody corrects at once.
const HINTED: usize = 100;

/// The node's modules, by name.
type Known<'a> = BTreeMap<&'a str, &'a Module>;

/// What is known of the processes that a chunk runs in.
#[derive(Default)]
struct Surroundings<'a> {
    /// What it may require by an import.
    aliases: BTreeSet<&'a str>,
    /// Fields of modules that a chunk of the same process may set.
    assigned: BTreeSet<(&'a str, &'a str)>,
    /// Globals that one may set.
    globals: BTreeSet<&'a str>,
    /// Modules that every process has which runs it; none: not known yet.
    granted: Option<BTreeSet<&'a str>>,
}

impl Surroundings<'_> {
    /// Whether the field may be there for a reason that isn't the runtime's.
    fn may_have(&self, module: &str, name: &str) -> bool {
        let root = module.split('.').next().unwrap_or(module);
        let any = |module| self.assigned.contains(&(module, "*"));
        self.assigned.contains(&(module, name))
            || any(module)
            || any(root)
            || self.aliases.contains(root)
            || self.globals.contains(root)
    }
}

/// A warning for each field of a module, and each module, that isn't there; `granted` are the names in grants.
pub(crate) fn unknown(
    app: &App,
    checked: &[(&Program, &Globals)],
    modules: &[Module],
    granted: &[At<String>],
) -> Vec<Mistake> {
    let known: Known<'_> = modules.iter().map(|module| (module.name(), module)).collect();
    let surroundings = surroundings(app, checked);
    let nothing = Surroundings::default();
    let mut warnings: Vec<Mistake> = granted.iter().filter_map(|name| ungrantable(name, &known)).collect();
    for (program, globals) in checked {
        let around = surroundings.get(&*program.chunk.name).unwrap_or(&nothing);
        for required in &globals.required {
            warnings.extend(missing(program, globals, required, around, &known));
        }
        for used in globals.uses.iter().filter(|used| !used.assigned) {
            let is_hinted = warnings.len() < HINTED;
            warnings.extend(fieldless(program, globals, used, around, &known, is_hinted));
        }
    }
    warnings
}

fn ungrantable(name: &At<String>, known: &Known<'_>) -> Option<Mistake> {
    if known.contains_key(name.value.as_str()) {
        return None;
    }
    let warning = Mistake::warning(format!("module `{}` is granted, and isn't there", name.value));
    // Those with settings have a key of their own.
    let by_name = known.values().filter(|module| !module.takes_settings());
    let names: Vec<&str> = by_name.map(|module| module.name()).collect();
    let hint = match names.is_empty() {
        true => Some("such modules are the embedding program's: this one has none".to_owned()),
        false => hint(&name.value, &names),
    };
    Some(warning.at(&name.place).hint(hint))
}

/// Names in `modules:`, which says nothing here, that no process could have.
pub(crate) fn wished(names: &[At<String>], modules: &[Module], aliases: &BTreeSet<String>) -> Vec<Mistake> {
    let is_there = |name: &str| {
        is_always_there(name)
            || GRANTED.contains(&name)
            || aliases.contains(name)
            || modules.iter().any(|module| module.name() == name)
    };
    let warning = |name: &At<String>| {
        let known = ALWAYS.iter().chain(&GRANTED).copied().chain(modules.iter().map(Module::name));
        let message = format!("there is no module `{}`", name.value);
        let none =
            "`modules:` says nothing here: each process has the runtime's own, and others by `grants`".to_owned();
        Mistake::warning(message).at(&name.place).hint(did_you_mean(&name.value, known).or(Some(none)))
    };
    names.iter().filter(|name| !is_there(&name.value)).take(HINTED).map(warning).collect()
}

/// `require` of a text that will fail.
fn missing(
    program: &Program,
    globals: &Globals,
    required: &Named,
    around: &Surroundings<'_>,
    known: &Known<'_>,
) -> Option<Mistake> {
    let name = required.name.as_str();
    let is_there = around.aliases.contains(name) || is_always_there(name) || around.globals.contains("require");
    let has = |granted: &BTreeSet<&str>| granted.contains(name);
    let needs_grant = GRANTED.contains(&name) || known.contains_key(name);
    if is_there || needs_grant && around.granted.as_ref().is_none_or(has) {
        return None;
    }
    let (message, hint) = if needs_grant {
        let has_key = GRANTED.contains(&name) || known.get(name).is_some_and(|module| module.takes_settings());
        let grant = if has_key { format!("{name}: […]") } else { format!("modules: [{name}]") };
        (format!("module `{name}` isn't granted"), Some(format!("it needs `grants: {{{grant}}}`")))
    } else if globals.there.iter().any(|there| there == name) {
        (format!("there is no module `{name}`"), Some(format!("`{name}` is a global")))
    } else {
        let names = ALWAYS.iter().chain(&GRANTED).chain(&OF_LUA).copied().chain(around.aliases.iter().copied());
        let names = names.chain(known.keys().copied());
        let imports = "a library is required by its name in `imports`".to_owned();
        (format!("there is no module `{name}`"), did_you_mean(name, names).or(Some(imports)))
    };
    Some(at(program, required.line, name, Mistake::warning(message)).hint(hint))
}

/// A field that the module doesn't have.
fn fieldless(
    program: &Program,
    globals: &Globals,
    used: &GlobalUse,
    around: &Surroundings<'_>,
    known: &Known<'_>,
    is_hinted: bool,
) -> Option<Mistake> {
    let (module, name) = (used.module.as_deref()?, used.name.as_str());
    if around.may_have(module, name) {
        return None;
    }
    let path = format!("{module}.");
    let first = globals.members.partition_point(|member| *member < path);
    let own = globals.members.iter().skip(first).map_while(|member| member.strip_prefix(&path));
    let own: Vec<&str> = own.filter(|field| !field.contains('.')).collect();
    let (what, fields) = match known.get(module) {
        _ if !own.is_empty() => ("field", own),
        Some(module) if module.functions().all(|function| function != name) => {
            ("function", module.functions().collect())
        }
        _ => return None,
    };
    let message = format!("module `{module}` has no {what} `{name}`");
    let hint = match instead(&format!("{path}{name}")) {
        Some(instead) => Some(format!("it would reach out of the process: {instead}")),
        None => is_hinted.then(|| did_you_mean(name, fields.iter().copied())).flatten(),
    };
    Some(at(program, used.line, name, Mistake::warning(message)).hint(hint))
}

/// By a chunk's name.
fn surroundings<'a>(app: &'a App, checked: &[(&'a Program, &'a Globals)]) -> BTreeMap<&'a str, Surroundings<'a>> {
    let by_chunk: BTreeMap<&str, &Globals> =
        checked.iter().map(|(program, globals)| (&*program.chunk.name, *globals)).collect();
    let mut all: BTreeMap<&str, Surroundings<'_>> = BTreeMap::new();
    for definition in app.definitions() {
        let libraries = definition.libraries.iter().map(|library| (&*library.chunk.name, &library.imports));
        let chunks: Vec<_> = libraries.chain([(&*definition.chunk.name, &definition.imports)]).collect();
        let uses = || chunks.iter().filter_map(|(chunk, _)| by_chunk.get(chunk)).flat_map(|globals| &globals.uses);
        let assigned: Vec<&GlobalUse> = uses().filter(|used| used.assigned).collect();
        let granted = all_granted(app, definition);
        for (chunk, imports) in &chunks {
            let around = all.entry(chunk).or_default();
            around.aliases.extend(imports.iter().map(|import| &*import.alias));
            for used in &assigned {
                match &used.module {
                    Some(module) => drop(around.assigned.insert((module, &used.name))),
                    None => drop(around.globals.insert(&used.name)),
                }
            }
            around.granted = Some(match around.granted.take() {
                Some(before) => before.intersection(&granted).copied().collect(),
                None => granted.clone(),
            });
        }
    }
    all
}

/// Modules that an entry has by its grants, or those of a host: it may run on any.
fn all_granted<'a>(app: &'a App, definition: &'a Definition) -> BTreeSet<&'a str> {
    let hosts = app.hosts().iter().map(|host| &host.definition.grants);
    let named = hosts.chain([&definition.grants]).flat_map(|grants| {
        grants.modules.iter().chain(grants.settings.iter().map(Settings::module)).map(|name| &**name)
    });
    named.chain(granted(app, definition)).collect()
}
