//! What is left of a component's shim, and that every import is still the one that was called.

use wasmtime::component::{Component as Compiled, Linker};
use wasmtime::{Engine, Store};

use super::*;

/// As `wit_component` makes it: `add` needs no memory, `text` and `length` do and go through the shim, the latter first.
const COMPONENT: &str = r#"(component
    (import "host" (instance $host
        (export "add" (func (param "n" u32) (result u32)))
        (export "length" (func (param "text" string) (result u32)))
        (export "twice" (func (param "text" string) (result u32)))))
    (core module $main
        (import "host" "add" (func $add (param i32) (result i32)))
        (import "host" "twice" (func $twice (param i32 i32) (result i32)))
        (import "host" "length" (func $length (param i32 i32) (result i32)))
        (table 3 3 funcref)
        (elem (i32.const 0) $length $own $twice)
        (memory (export "memory") 1)
        (func $own (result i32) (i32.const 5))
        (func (export "answer") (result i32)
            (call $add (i32.add
                (i32.mul (call $twice (i32.const 0) (i32.const 2)) (i32.const 100))
                (call_indirect (param i32 i32) (result i32) (i32.const 0) (i32.const 7) (i32.const 0)))))
        (func (export "_initialize")))
    (core module $shim
        (type $t (func (param i32 i32) (result i32)))
        (table 2 2 funcref)
        (export "0" (func $0)) (export "1" (func $1)) (export "$imports" (table 0))
        (func $0 (type $t) (call_indirect (type $t) (local.get 0) (local.get 1) (i32.const 0)))
        (func $1 (type $t) (call_indirect (type $t) (local.get 0) (local.get 1) (i32.const 1))))
    (core instance $shims (instantiate $shim))
    (alias core export $shims "0" (core func $length'))
    (core func $add (canon lower (func $host "add")))
    (alias core export $shims "1" (core func $twice'))
    (core instance $given (export "add" (func $add)) (export "length" (func $length')) (export "twice" (func $twice')))
    (core instance $main (instantiate $main (with "host" (instance $given))))
    (alias core export $main "memory" (core memory $memory))
    (core module $fill
        (type $t (func (param i32 i32) (result i32)))
        (import "actual" "0" (func (type $t)))
        (import "actual" "1" (func (type $t)))
        (import "main" "_initialize" (func))
        (import "shim" "$imports" (table 2 2 funcref))
        (elem (i32.const 0) func 0 1))
    (core func $length (canon lower (func $host "length") (memory $memory)))
    (core func $twice (canon lower (func $host "twice") (memory $memory)))
    (core instance $actual (export "0" (func $length)) (export "1" (func $twice)))
    (core instance (instantiate $fill
        (with "actual" (instance $actual)) (with "main" (instance $main)) (with "shim" (instance $shims))))
    (func (export "answer") (result u32) (canon lift (core func $main "answer"))))"#;

fn parsed(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("a component's text")
}

fn core_modules(component: &[u8]) -> usize {
    Survey::of(component).expect("a component").modules.len()
}

fn answer(component: &[u8]) -> u32 {
    let engine = Engine::default();
    let component = Compiled::new(&engine, component).expect("valid");
    let mut linker = Linker::new(&engine);
    let mut host = linker.instance("host").expect("a name");
    host.func_wrap("add", |_, (n,): (u32,)| Ok((n + 1,))).expect("add");
    host.func_wrap("length", |_, (text,): (String,)| Ok((text.len() as u32,))).expect("length");
    host.func_wrap("twice", |_, (text,): (String,)| Ok((text.len() as u32 * 2,))).expect("twice");
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component).expect("an instance");
    let answer = instance.get_typed_func::<(), (u32,)>(&mut store, "answer").expect("an export");
    answer.call(&mut store, ()).expect("no trap").0
}

#[test]
fn every_import_is_still_the_one_that_was_called() {
    let with = parsed(COMPONENT);
    let without = remove(&with).expect("without a shim");
    assert_eq!((core_modules(&with), core_modules(&without)), (3, 2));
    assert_eq!((answer(&with), answer(&without)), (408, 408), "1 + 2 * 2 * 100 + 7");
}

#[test]
fn what_has_no_shim_stays() {
    let component = parsed("(component (core module) (core instance (instantiate 0)))");
    assert_eq!(remove(&component).expect("nothing to do"), component);
}

#[test]
fn what_is_made_otherwise_is_refused() {
    let two = parsed("(component (core module) (core module) (core instance (instantiate 0)))");
    assert!(matches!(remove(&two), Err(Error::Unknown(_))));
    let more =
        COMPONENT.replace(r#"(core instance (instantiate $fill"#, r#"(core module) (core instance (instantiate $fill"#);
    assert!(matches!(remove(&parsed(&more)), Err(Error::Unknown(_))));
    let named = COMPONENT
        .replace(r#"(export "0" (func $0))"#, r#"(export "a" (func $0))"#)
        .replace(r#"$shims "0""#, r#"$shims "a""#);
    assert!(matches!(remove(&parsed(&named)), Err(Error::Unknown(_))));
    assert!(matches!(remove(b"\0asm\x0d\0\x01\0\x01\xff"), Err(Error::Wasm(_))));
}
