//! What a tenant's application may ask for, and what is said where it asks for more.
//!
//! Owns the comparison, and that both places are named: where it is asked for, and where it would be allowed. Opens nothing.

use std::fmt;
use std::sync::Arc;

use lunarium_engine::{Directory, Module, Settings, Value};

use crate::raw::{RawDirectory, RawGrants, RawSettings};
use crate::report::Mistake;
use crate::source::{At, Place};

/// What a tenant's application may ask for: its variables, directories and modules. What it asks for beyond that is a mistake,
/// which names both places.
#[derive(Clone, Default)]
pub struct Allowance(Option<Arc<Allowed>>);

/// What an entry of `tenants` allows, with its places.
pub(super) struct Allowed {
    pub(super) variables: Vec<String>,
    pub(super) grants: RawGrants,
    /// Of the tenant's name.
    pub(super) place: Option<Place>,
}

impl fmt::Debug for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Allowance")
    }
}

impl Allowance {
    /// Nothing: of a tenant without an entry.
    pub fn nothing() -> Self {
        Self(Some(Arc::new(Allowed { variables: Vec::new(), grants: RawGrants::default(), place: None })))
    }

    /// Everything: of an application that is run alone.
    pub fn everything() -> Self {
        Self(None)
    }

    pub(super) fn of(allowed: Allowed) -> Self {
        Self(Some(Arc::new(allowed)))
    }

    /// The absolute paths of the directories that it allows, and whether they may be changed.
    pub fn directories(&self) -> impl Iterator<Item = (&str, bool)> {
        self.all_directories().filter(|(path, _)| path.starts_with('/'))
    }

    /// The paths of those that lie in the application's own folder, and may be changed.
    pub fn own_directories(&self) -> impl Iterator<Item = &str> {
        self.all_directories().filter(|(path, write)| *write && !path.starts_with('/')).map(|(path, _)| path)
    }

    fn all_directories(&self) -> impl Iterator<Item = (&str, bool)> {
        let granted = self.0.iter().flat_map(|allowed| &allowed.grants.fs);
        granted.map(|granted| (granted.path.value.as_str(), granted.write))
    }

    /// Whether it allows a module of this name.
    pub fn has_module(&self, name: &str) -> bool {
        let Some(allowed) = &self.0 else { return true };
        let grants = &allowed.grants;
        let settings = grants.settings.iter().map(|settings| &settings.module);
        grants.modules.iter().chain(settings).any(|module| module.value == name)
    }

    /// What it says of a module that takes settings, as it was written.
    pub fn settings(&self, name: &str) -> impl Iterator<Item = Value> {
        let settings = self.0.iter().flat_map(|allowed| &allowed.grants.settings);
        settings.filter(move |settings| settings.module.value == name).filter_map(RawSettings::value)
    }
}

impl Allowed {
    /// A mistake at the place of what is asked for, with where it would be allowed.
    fn beyond(&self, message: String, asked: &Place, allowed: Option<&Place>, hint: &str) -> Mistake {
        let mistake = Mistake::new(message).at(asked).hint(Some(hint.to_owned()));
        match allowed.or(self.place.as_ref()) {
            Some(place) => mistake.related(place, "which this entry doesn't allow"),
            None => mistake.note(Some("a tenant without an entry in the node's file has no grants".to_owned())),
        }
    }

    /// The directory of the entry that this one is, or lies in; of several the innermost.
    fn directory(&self, normal: &str) -> Option<&RawDirectory> {
        let contains = |granted: &&RawDirectory| {
            let Ok(name) = Directory::normal_name(&granted.path.value) else { return false };
            let rest = normal.strip_prefix(&name);
            name == "." && !normal.starts_with('/')
                || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                || name == "/" && normal.starts_with('/')
        };
        self.grants.fs.iter().filter(contains).max_by_key(|granted| granted.path.value.len())
    }
}

impl Allowance {
    /// Why a variable that has no value isn't granted; none: it is.
    pub(crate) fn refuse_variable(&self, asked: &At<String>) -> Option<Mistake> {
        let allowed = self.0.as_deref()?;
        if allowed.variables.contains(&asked.value) {
            return None;
        }
        let message = format!("the application asks for the variable `{}`", asked.value);
        let hint = "give it in the tenant's `env`, or a `default` in an `env.variable` of the application";
        Some(allowed.beyond(message, &asked.place, None, hint))
    }

    /// What a directory may be filled with. What is the application's own may be read in any case.
    ///
    /// Errors: it isn't allowed, or not so.
    pub(crate) fn bound(
        &self,
        asked: &At<String>,
        write: bool,
        max_bytes: Option<&At<u64>>,
    ) -> Result<Option<u64>, Box<Mistake>> {
        let wanted = max_bytes.map(|max_bytes| max_bytes.value);
        let (Some(allowed), Ok(normal)) = (self.0.as_deref(), Directory::normal_name(&asked.value)) else {
            return Ok(wanted);
        };
        if !write && !normal.starts_with('/') {
            return Ok(wanted);
        }
        let granted = allowed.directory(&normal);
        let hint = "list it in `fs` of the tenant's `grants`";
        match granted {
            None => {
                let what = if write { "may be changed" } else { "lies elsewhere" };
                let message = format!("the application asks for the directory `{}`, which {what}", asked.value);
                Err(Box::new(allowed.beyond(message, &asked.place, None, hint)))
            }
            Some(granted) if write && !granted.write => {
                let message = format!("the application asks to change the directory `{}`", asked.value);
                Err(Box::new(allowed.beyond(message, &asked.place, Some(&granted.path.place), "add `write: true`")))
            }
            Some(granted) => {
                let most = granted.max_bytes.as_ref();
                match (max_bytes, most) {
                    (Some(wanted), Some(most)) if wanted.value > most.value => {
                        let message = format!("the application asks for {} bytes in `{}`", wanted.value, asked.value);
                        Err(Box::new(allowed.beyond(message, &wanted.place, Some(&most.place), "ask for less")))
                    }
                    _ => Ok(wanted.or(most.map(|most| most.value))),
                }
            }
        }
    }

    /// Why a module isn't granted; none: it is.
    pub(crate) fn refuse_module(&self, asked: &At<String>) -> Option<Mistake> {
        let allowed = self.0.as_deref()?;
        if allowed.grants.modules.iter().any(|module| module.value == asked.value) {
            return None;
        }
        let message = format!("the application asks for the module `{}`", asked.value);
        Some(allowed.beyond(message, &asked.place, None, "list it in `modules` of the tenant's `grants`"))
    }

    /// What of a module's settings is beyond those of the entry.
    pub(crate) fn refuse_settings(&self, asked: &RawSettings, module: &Module, settings: &Settings) -> Vec<Mistake> {
        let Some(allowed) = self.0.as_deref() else { return Vec::new() };
        let name = module.name();
        let written: Vec<&RawSettings> =
            allowed.grants.settings.iter().filter(|granted| granted.module.value == name).collect();
        let hint = format!("say it in `{name}` of the tenant's `grants`");
        let Some(first) = written.first() else {
            let message = format!("the application asks for the module `{name}`");
            return vec![allowed.beyond(message, &asked.module.place, None, &hint)];
        };
        let read: Vec<Settings> = written.iter().filter_map(|granted| module.grant(&granted.value()?).ok()).collect();
        match settings.within(&read) {
            Ok(()) => Vec::new(),
            Err(error) => {
                let beyond = error.all().map(|error| {
                    let message = format!("the application asks for more of `{name}`: {}", error.message());
                    let place = asked.place(error.path());
                    allowed.beyond(message, &place, Some(&first.module.place), &hint)
                });
                beyond.collect()
            }
        }
    }

    /// What is wrong with the entry's own settings of modules.
    pub fn faults(&self, modules: &[Module]) -> Vec<Mistake> {
        let Some(allowed) = self.0.as_deref() else { return Vec::new() };
        let mut faults = Vec::new();
        for granted in &allowed.grants.settings {
            let name = granted.module.value.as_str();
            let Some(module) = modules.iter().find(|module| module.name() == name) else {
                let mistake = Mistake::new(format!("unknown key `{name}` in `grants`")).at(&granted.module.place);
                faults.push(mistake);
                continue;
            };
            let Some(written) = granted.value() else { continue };
            if let Err(error) = module.grant(&written) {
                faults.extend(error.all().map(|error| {
                    let mistake = Mistake::new(error.message()).at(&granted.place(error.path()));
                    mistake.hint(error.hint().map(str::to_owned))
                }));
            }
        }
        faults
    }
}
