//! What `from_core` accepts.

use super::*;

#[test]
fn other_files_are_refused() {
    assert!(matches!(from_core(b"#!/bin/sh".to_vec()), Err(Error::NotWasm { bytes: 9 })));
    assert!(matches!(from_core(Vec::new()), Err(Error::NotWasm { bytes: 0 })));
}

#[test]
fn a_core_module_without_component_types_becomes_an_empty_component() {
    let component = from_core(CORE.to_vec()).expect("the empty module");
    assert!(component.starts_with(COMPONENT));
}

#[test]
fn a_component_passes_unchanged() {
    assert_eq!(from_core(COMPONENT.to_vec()).expect("a component"), COMPONENT);
}

#[test]
fn a_broken_module_says_why() {
    let mut broken = CORE.to_vec();
    broken.extend([1, 200]);
    let error = from_core(broken).expect_err("broken");
    assert!(matches!(&error, Error::Prune(_)) && error.to_string().contains("unexpected end"), "{error}");
}
