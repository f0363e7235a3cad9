//! What `take` keeps and what it refuses, with components small enough to read.

use wasmtime::component::{Instance, TypedFunc};
use wasmtime_wizer::ComponentInstanceState;

use super::*;

/// A component whose `init` runs `body`, with `answer` to read what it stored.
fn component(imports: &str, body: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            {imports}
            (core module $module
                (import "host" "call" (func $call (result i64)))
                (memory (export "memory") 1)
                (func (export "init") {body})
                (func (export "answer") (result i64) (i64.load (i32.const 8))))
            (core instance $instance (instantiate $module (with "host" (instance (export "call" (func $call))))))
            (func (export "init") (canon lift (core func $instance "init")))
            (func (export "answer") (result u64) (canon lift (core func $instance "answer"))))"#
    );
    wat::parse_str(text).expect("a component's text")
}

fn importing(interface: &str, function: &str) -> String {
    format!(
        r#"(import "{interface}" (instance $host (export "{function}" (func (result u64)))))
           (core func $call (canon lower (func $host "{function}")))"#
    )
}

const STORE: &str = "(if (i32.load (i32.const 0)) (then unreachable))
    (i32.store (i32.const 0) (i32.const 1))
    (i64.store (i32.const 8) (i64.add (i64.const 42) (call $call)))";

fn clock() -> String {
    importing("wasi:clocks/monotonic-clock@0.2.9", "now")
}

fn run(component: &[u8]) -> (Store<()>, Instance) {
    let engine = Engine::new(&config()).expect("an engine");
    let component = Component::new(&engine, component).expect("a component");
    let mut store = Store::new(&engine, ());
    let instance = linker(&engine, &component).and_then(|linker| linker.instantiate(&mut store, &component));
    (store, instance.expect("an instance"))
}

#[test]
fn keeps_what_init_stored() {
    let snapshot = take(&component(&clock(), STORE)).expect("a snapshot");
    let (mut store, instance) = run(&snapshot);
    let answer: TypedFunc<(), (u64,)> = instance.get_typed_func(&mut store, "answer").expect("an export");
    assert_eq!(answer.call(&mut store, ()).expect("no trap"), (42,), "42, and the clock stands at zero");
    assert!(instance.get_func(&mut store, "init").is_some(), "still exported, to refuse a second call");
}

#[test]
fn keeps_globals_of_every_type() {
    let kinds = [("i32", "-7"), ("i64", "-8589934592"), ("f32", "-0.5"), ("f64", "1.25")];
    let mut parts = [const { String::new() }; 4];
    for (kind, value) in kinds {
        parts[0] += &format!("(global ${kind} (mut {kind}) ({kind}.const 0))");
        parts[1] += &format!("(global.set ${kind} ({kind}.const {value}))");
        parts[2] += &format!(r#"(func (export "{kind}") (result {kind}) (global.get ${kind}))"#);
        let lifted = kind.replace('i', "s");
        parts[3] +=
            &format!(r#"(func (export "{kind}") (result {lifted}) (canon lift (core func $instance "{kind}")))"#);
    }
    let [globals, init, read, lifted] = parts;
    let text = format!(
        r#"(component
            (core module $module {globals} (memory (export "memory") 1) (func (export "init") {init}) {read})
            (core instance $instance (instantiate $module))
            (func (export "init") (canon lift (core func $instance "init")))
            {lifted})"#
    );
    let (mut store, instance) = run(&take(&wat::parse_str(text).expect("a component's text")).expect("a snapshot"));
    let mut read = |name| {
        let mut value = [Val::Bool(false)];
        instance.get_func(&mut store, name).expect("an export").call(&mut store, &[], &mut value).expect("no trap");
        value
    };
    assert_eq!(read("i32"), [Val::S32(-7)]);
    assert_eq!(read("i64"), [Val::S64(-8_589_934_592)]);
    assert_eq!(read("f32"), [Val::Float32(-0.5)]);
    assert_eq!(read("f64"), [Val::Float64(1.25)]);
}

#[test]
fn what_cannot_be_read_is_told() {
    let (store, instance) = run(&component(&clock(), STORE));
    let mut state = State::new(store, instance);
    {
        let read = pin!(state.call_func_ret_s32("no", "such"));
        assert!(read.poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }
    let error = format!("{:#}", state.complete().expect_err("incomplete"));
    assert!(error.starts_with("no#such: "), "{error}");
}

#[test]
fn is_the_same_every_time() {
    let component = component(&clock(), STORE);
    assert_eq!(take(&component).expect("a snapshot"), take(&component).expect("another"));
}

#[test]
fn a_second_init_is_the_guests_to_refuse() {
    let once = take(&component(&clock(), STORE)).expect("a snapshot");
    assert!(matches!(take(&once), Err(Error::Init(_))));
}

#[test]
fn whatever_the_host_knows_is_out_of_reach() {
    for (interface, function) in [("wasi:clocks/monotonic-clock@0.2.9", "resolution"), ("lunarium:process/x", "y")] {
        let result = take(&component(&importing(interface, function), STORE));
        assert!(matches!(result, Err(Error::Init(_))), "{interface} {function}");
    }
}

#[test]
fn something_else_is_refused() {
    assert!(matches!(take(b"\0asm\x01\0\0\0"), Err(Error::Init(_))));
    assert!(matches!(take(b"text"), Err(Error::Init(_))));
}
