//! Names of modules and functions, and what a node says to those it can't have.

use std::time::Duration;

use super::{Caller, FunctionError, Module, Modules};

fn quick(module: Module, name: &str) -> Module {
    module.immediate(name, |_: Caller, (): ()| Ok::<_, FunctionError>(()))
}

fn slow(module: Module, name: &str) -> Module {
    module.function(name, |_: Caller, (): ()| async { Ok::<_, FunctionError>(()) })
}

fn fault(module: Module) -> String {
    Modules::default().add(module).map_or_else(|error| error.to_string(), |()| String::new())
}

#[test]
fn a_name_that_scripts_cannot_write_is_refused() {
    let form = "can't be the name of a module or a function: 1 to 64 letters, digits and `_`, no digit first, none of Lua's words";
    for name in ["", "end", "a-b", "1st", "a.b"] {
        assert_eq!(fault(Module::new(name)), format!("`{name}` {form}"));
        assert_eq!(fault(quick(Module::new("billing"), name)), format!("`{name}` {form}"));
    }
    assert_eq!(fault(quick(Module::new("billing"), "charge")), "");
}

#[test]
fn a_name_that_is_taken_is_refused() {
    for name in ["process", "fs", "string", "io"] {
        let expected = format!("module name `{name}` is taken: the runtime or Lua has a module of that name");
        assert_eq!(fault(Module::new(name)), expected);
    }
    let modules = Modules::default();
    modules.add(Module::new("billing")).unwrap();
    let error = modules.add(Module::new("billing")).unwrap_err();
    assert_eq!(error.to_string(), "module name `billing` is taken: the node has a module of that name");
    modules.replace(Module::new("billing")).unwrap();
    assert!(modules.remove("billing") && !modules.remove("billing"));
    let twice = quick(quick(Module::new("billing"), "charge"), "charge");
    assert_eq!(fault(twice), "module `billing` has two functions `charge`");
}

#[test]
fn a_number_stays_its_names_whatever_becomes_of_the_function() {
    let modules = Modules::default();
    modules.add(quick(quick(Module::new("billing"), "vat"), "charge")).unwrap();
    modules.add(quick(Module::new("other"), "vat")).unwrap();
    let id = |module: &str, function: &str| modules.get(module).unwrap().functions[function].id;
    let (vat, charge) = (id("billing", "vat"), id("billing", "charge"));
    let found = |number| modules.function(number).map(|found| format!("{}.{}", found.module.name(), found.name));
    assert_eq!(found(vat).unwrap(), "billing.vat");
    assert_eq!(found(id("other", "vat")).unwrap(), "other.vat");
    modules.replace(slow(quick(Module::new("billing"), "refund"), "vat")).unwrap();
    assert!(modules.function(vat).unwrap().function.waits);
    assert_eq!(found(charge), None);
    assert_eq!(modules.named(charge).unwrap(), ("billing".into(), "charge".into()));
    assert!(modules.remove("billing"));
    assert_eq!((found(vat), found(charge)), (None, None));
    modules.add(quick(Module::new("billing"), "charge")).unwrap();
    assert_eq!(found(charge).unwrap(), "billing.charge");
    let (module, function) = modules.named(vat).unwrap();
    assert_eq!((&*module, &*function), ("billing", "vat"));
    assert!(modules.named(1_000).is_none() && modules.function(1_000).is_none());
}

#[test]
fn a_timeout_needs_something_to_bound() {
    let expected = "module `m` has a timeout before its first function, or for one that answers at once";
    let second = Duration::from_secs(1);
    assert_eq!(fault(Module::new("m").timeout(second)), expected);
    assert_eq!(fault(quick(slow(Module::new("m"), "a"), "b").timeout(second)), expected);
    assert_eq!(fault(slow(quick(Module::new("m"), "b"), "a").timeout(second)), "");
}

#[test]
fn a_stub_is_what_was_given_or_declares_the_functions() {
    let module = quick(slow(Module::new("billing"), "charge"), "vat");
    assert_eq!(
        module.stub(),
        "---@meta billing\n\n---@class billing\nlocal billing = {}\n\n---@return any ...\nfunction billing.charge(...) end\n\n\
         ---@return any ...\nfunction billing.vat(...) end\n\nreturn billing\n"
    );
    assert_eq!(module.documented("---@meta billing").stub(), "---@meta billing");
}
