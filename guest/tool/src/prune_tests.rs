//! What is left of a module's imports, and that everything still calls what it called.

use super::*;

const MODULE: &str = r#"(module
    (import "wasi:io/poll@0.2.4" "poll" (func $poll (param i32) (result i32)))
    (import "wasi:clocks/monotonic-clock@0.2.4" "now" (func $now (result i64)))
    (import "wasi:clocks/monotonic-clock@0.2.4" "subscribe-duration" (func $subscribe (param i64)))
    (import "lunarium:process/output@0.1.0" "dropped" (func $dropped (param i32)))
    (table 4 funcref)
    (elem (i32.const 0) $poll $now $subscribe $own)
    (func $own (export "own") (result i64)
        (call $subscribe (i64.const 1))
        (drop (call $poll (i32.const 2)))
        (call $dropped (i32.const 3))
        (call $now))
    (export "poll" (func $poll)))"#;

#[test]
fn only_what_the_host_provides_is_imported() {
    let pruned = wasi(&wat::parse_str(MODULE).expect("a module")).expect("pruned");
    wasmparser::validate(&pruned).expect("valid");
    let mut imports = Vec::new();
    for payload in Parser::new(0).parse_all(&pruned) {
        if let Payload::ImportSection(section) = payload.expect("valid") {
            for import in section.into_imports() {
                let import = import.expect("an import");
                imports.push(format!("{} {}", import.module, import.name));
            }
        }
    }
    assert_eq!(imports, ["wasi:clocks/monotonic-clock@0.2.4 now", "lunarium:process/output@0.1.0 dropped"]);
}

#[test]
fn calls_tables_and_exports_still_mean_the_same_functions() {
    let pruned = wasi(&wat::parse_str(MODULE).expect("a module")).expect("pruned");
    let mut calls = Vec::new();
    let mut elements = Vec::new();
    let mut exported = Vec::new();
    for payload in Parser::new(0).parse_all(&pruned) {
        match payload.expect("valid") {
            Payload::CodeSectionEntry(body) => {
                for operator in body.get_operators_reader().expect("operators") {
                    if let wasmparser::Operator::Call { function_index } = operator.expect("an operator") {
                        calls.push(function_index);
                    }
                }
            }
            Payload::ElementSection(section) => {
                for element in section {
                    if let wasmparser::ElementItems::Functions(functions) = element.expect("an element").items {
                        elements.extend(functions.into_iter().map(|function| function.expect("a function")));
                    }
                }
            }
            Payload::ExportSection(section) => {
                exported.extend(section.into_iter().map(|export| export.expect("an export").index));
            }
            _ => {}
        }
    }
    // 0 now, 1 dropped, 2 own, then what was taken out: 3 poll, 4 subscribe.
    assert_eq!(calls, [4, 3, 1, 0]);
    assert_eq!(elements, [3, 0, 4, 2]);
    assert_eq!(exported, [2, 3]);
}

#[test]
fn what_is_no_wasm_is_refused() {
    assert!(wasi(b"\0asm\x01\0\0\0\x01\xc8").is_err());
}
