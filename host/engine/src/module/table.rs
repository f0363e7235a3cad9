//! The modules of a node by name, and their functions by number.
//!
//! Owns that a name is one module's, and that a function's number is its name's for as long as the node is there: a script asks
//! for it once and calls by it. Refuses to know who may call what.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use lunarium_kernel::{SHOWN, cut};
use papaya::HashMap;
use parking_lot::Mutex;

use super::{Function, Module, ModuleError, UnknownModule};

/// Looking up takes no lock.
#[derive(Default)]
pub(crate) struct Modules {
    by_name: HashMap<Arc<str>, Arc<Module>>,
    /// Those that are there.
    by_number: HashMap<u32, Arc<Found>>,
    /// Held by whoever changes something.
    numbers: Mutex<Numbers>,
}

/// A function and the module that it is of.
pub(crate) struct Found {
    pub(crate) module: Arc<Module>,
    pub(crate) name: Arc<str>,
    pub(crate) function: Function,
}

/// As people know it: `billing.charge`.
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.module.name, self.name)
    }
}

/// The numbers that were given: one for each function that the embedder has ever named.
#[derive(Default)]
struct Numbers {
    of: BTreeMap<Arc<str>, BTreeMap<Arc<str>, u32>>,
    /// Module and function of each.
    names: Vec<(Arc<str>, Arc<str>)>,
}

impl Numbers {
    fn of(&mut self, module: &Arc<str>, function: &Arc<str>) -> u32 {
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let functions = self.of.entry(Arc::clone(module)).or_default();
        *functions.entry(Arc::clone(function)).or_insert_with(|| {
            self.names.push((Arc::clone(module), Arc::clone(function)));
            next
        })
    }
}

impl Modules {
    /// Errors: it isn't one, or its name is taken.
    pub(crate) fn add(&self, module: Module) -> Result<(), ModuleError> {
        let module = checked(module)?;
        let mut numbers = self.numbers.lock();
        if self.has(&module.name) {
            return Err(ModuleError::Exists(module.name.to_string()));
        }
        self.put(&mut numbers, module);
        Ok(())
    }

    /// The same for one whose name another may have, which is replaced.
    pub(crate) fn replace(&self, module: Module) -> Result<(), ModuleError> {
        let module = checked(module)?;
        let mut numbers = self.numbers.lock();
        self.forget(&numbers, &module.name, |function| !module.functions.contains_key(function));
        self.put(&mut numbers, module);
        Ok(())
    }

    /// False: there was none.
    pub(crate) fn remove(&self, name: &str) -> bool {
        let numbers = self.numbers.lock();
        let was_there = self.by_name.pin().remove(name).is_some();
        self.forget(&numbers, name, |_| true);
        was_there
    }

    fn put(&self, numbers: &mut Numbers, mut module: Module) {
        for (name, function) in &mut module.functions {
            function.id = numbers.of(&module.name, name);
        }
        let (module, by_number) = (Arc::new(module), self.by_number.pin());
        self.by_name.pin().insert(Arc::clone(&module.name), Arc::clone(&module));
        for (name, function) in &module.functions {
            let found = Found { module: Arc::clone(&module), name: Arc::clone(name), function: function.clone() };
            by_number.insert(function.id, Arc::new(found));
        }
    }

    fn forget(&self, numbers: &Numbers, module: &str, is_gone: impl Fn(&str) -> bool) {
        let by_number = self.by_number.pin();
        for (function, number) in numbers.of.get(module).into_iter().flatten() {
            if is_gone(function) {
                by_number.remove(number);
            }
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.by_name.pin().contains_key(name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Module>> {
        self.by_name.pin().get(name).cloned()
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> Vec<Module> {
        let mut all: Vec<Module> = self.by_name.pin().values().map(|module| Module::clone(module)).collect();
        all.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// The module, for who is granted it.
    pub(crate) fn find(&self, name: &str, granted: bool) -> Result<Arc<Module>, UnknownModule> {
        let module = self.get(name).ok_or_else(|| UnknownModule::Absent(cut(name, SHOWN)))?;
        match granted {
            true => Ok(module),
            false if module.takes_settings() => Err(UnknownModule::NotGrantedWithSettings(module.name.to_string())),
            false => Err(UnknownModule::NotGranted(module.name.to_string())),
        }
    }

    /// The function that has the number now.
    pub(crate) fn function(&self, number: u32) -> Option<Arc<Found>> {
        self.by_number.pin().get(&number).cloned()
    }

    /// The module and the function that a number was given for, whether they are there or not. None: it wasn't given.
    pub(crate) fn named(&self, number: u32) -> Option<(Arc<str>, Arc<str>)> {
        let place = usize::try_from(number).ok()?;
        self.numbers.lock().names.get(place).cloned()
    }
}

fn checked(module: Module) -> Result<Module, ModuleError> {
    match module.fault {
        Some(fault) => Err(fault),
        None => Ok(module),
    }
}
