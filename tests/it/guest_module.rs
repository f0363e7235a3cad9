//! What the built guest contains: the state of a process at rest can't lie anywhere but in its memory.

use std::fs;

use wasmparser::{Operator, Parser, Payload};

fn guest() -> Vec<u8> {
    fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../guest/dist/lunarium-guest.wasm")).expect("the built guest")
}

/// Visits the operators of all functions of all modules of the guest.
fn for_each_operator(mut visit: impl FnMut(&Operator<'_>)) {
    let wasm = guest();
    for payload in Parser::new(0).parse_all(&wasm) {
        if let Payload::CodeSectionEntry(body) = payload.expect("valid wasm") {
            for operator in body.get_operators_reader().expect("operators") {
                visit(&operator.expect("an operator"));
            }
        }
    }
}

#[test]
fn no_code_writes_to_a_table() {
    let mut writes = Vec::new();
    for_each_operator(|operator| {
        if matches!(
            operator,
            Operator::TableSet { .. }
                | Operator::TableGrow { .. }
                | Operator::TableFill { .. }
                | Operator::TableCopy { .. }
                | Operator::TableInit { .. }
        ) {
            writes.push(format!("{operator:?}"));
        }
    });
    assert_eq!(writes, Vec::<String>::new());
}

#[test]
fn the_stack_pointer_is_the_only_global_that_changes() {
    let mut written = std::collections::BTreeSet::new();
    for_each_operator(|operator| {
        if let Operator::GlobalSet { global_index } = operator {
            written.insert(*global_index);
        }
    });
    assert!(written.len() <= 1, "globals {written:?} are written");
}

#[test]
fn nothing_can_be_imported_but_our_interfaces_and_two_clocks() {
    let wasm = guest();
    let mut names = Vec::new();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(&wasm) {
        match payload.expect("valid wasm") {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) if depth > 0 => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                let imports = section.into_iter().map(|import| import.expect("an import").name.name.to_owned());
                names.extend(imports.map(|name| name.split('@').next().unwrap_or_default().to_owned()));
            }
            _ => {}
        }
    }
    names.sort();
    let ours = [
        "env", "fs", "group", "link", "mailbox", "module", "monitor", "output", "process", "registry", "security",
        "types",
    ];
    let ours = ours.map(|interface| format!("lunarium:process/{interface}"));
    let clocks = ["monotonic-clock", "wall-clock"].map(|interface| format!("wasi:clocks/{interface}"));
    assert_eq!(names, [&ours[..], &clocks[..]].concat());
}

#[test]
fn one_process_takes_of_the_pool_what_the_pool_counts() {
    let wasm = guest();
    let (mut instances, mut tables, mut memories) = (0, 0, 0);
    for payload in Parser::new(0).parse_all(&wasm) {
        match payload.expect("valid wasm") {
            Payload::InstanceSection(section) => {
                for instance in section {
                    let kind = instance.expect("an instance");
                    instances += u32::from(matches!(kind, wasmparser::Instance::Instantiate { .. }));
                }
            }
            Payload::TableSection(section) => tables += section.count(),
            Payload::MemorySection(section) => memories += section.count(),
            _ => {}
        }
    }
    // host/engine/src/wasm/pool.rs, `factor`: the memory for the GC heap comes on top.
    assert_eq!((instances, tables, memories + 1), (2, 1, 2));
}

#[test]
fn its_table_of_functions_fits_into_a_page() {
    let wasm = guest();
    let mut places = 0;
    for payload in Parser::new(0).parse_all(&wasm) {
        if let Payload::TableSection(section) = payload.expect("valid wasm") {
            places += section.into_iter().map(|table| table.expect("a table").ty.initial).sum::<u64>();
        }
    }
    // Of eight bytes each. A larger one is looked through for what was written whenever a process ends, and each function has a record
    // in every instance.
    assert!(places <= 512, "{places} places: guest/build/core says what keeps them few");
}
