//! What resolving promises.

use crate::testing::{add_host, kernel, kill, spawn, spec};
use crate::{ErrorKind, Refusal, Usage};

#[test]
fn a_pid_and_a_name_lead_to_the_same_process() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.register(&b, "b", None).unwrap();
    assert_eq!(kernel.resolve(Some(&a), "b").unwrap(), b);
    assert_eq!(kernel.resolve(Some(&a), b.as_str()).unwrap(), b);
    assert_eq!(kernel.resolve(None, "b").unwrap(), b);
}

#[test]
fn a_pid_counts_as_a_whole() {
    let mut kernel = kernel();
    let a = spawn(&mut kernel);
    for text in ["{g|0x00001}", "{h|0x000001}", "{h|0x1}", "{x@h|0x00001}", "{h|0x00002}", "{h|h|0x00001}", "{|}"] {
        let refusal = kernel.resolve(Some(&a), text).unwrap_err();
        assert_eq!((refusal.kind(), refusal.to_string()), (ErrorKind::NotFound, format!("process {text} not found")));
    }
}

#[test]
fn a_dead_process_an_absent_one_and_another_tenants_look_alike() {
    let mut kernel = kernel();
    add_host(&mut kernel, "g", 1, 2);
    let own = spawn(&mut kernel);
    let dead = spawn(&mut kernel);
    let theirs = kernel.spawn(None, spec("g")).unwrap().pid;
    kill(&mut kernel, &dead);
    for text in [dead.as_str(), theirs.as_str(), "{h|0x00fff}"] {
        let refusal = kernel.resolve(Some(&own), text).unwrap_err();
        assert_eq!((refusal.kind(), refusal.to_string()), (ErrorKind::NotFound, format!("process {text} not found")));
    }
    assert_eq!(kernel.resolve(None, theirs.as_str()).unwrap(), theirs);
}

#[test]
fn names_of_tenants_are_apart() {
    let mut kernel = kernel();
    add_host(&mut kernel, "g", 1, 2);
    let own = spawn(&mut kernel);
    let theirs = kernel.spawn(None, spec("g")).unwrap().pid;
    kernel.register(&theirs, "n", None).unwrap();
    assert_eq!(kernel.resolve(Some(&own), "n").unwrap_err().kind(), ErrorKind::NotFound);
    kernel.register(&own, "n", None).unwrap();
    assert_eq!(kernel.resolve(Some(&own), "n").unwrap(), own);
    assert_eq!(kernel.resolve(Some(&theirs), "n").unwrap(), theirs);
}

#[test]
fn the_dead_are_refused_as_callers() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kill(&mut kernel, &a);
    assert_eq!(kernel.resolve(Some(&a), b.as_str()).unwrap_err().kind(), ErrorKind::Canceled);
    assert_eq!(kernel.resolve(Some(&a), a.as_str()).unwrap_err().kind(), ErrorKind::Canceled);
}

#[test]
fn an_unusable_destination_is_invalid_and_not_repeated_at_length() {
    let mut kernel = kernel();
    let a = spawn(&mut kernel);
    let (name, pid) = ("n".repeat(1 << 20), format!("{{{}|0x00001}}", "h".repeat(1 << 20)));
    assert_eq!(kernel.resolve(Some(&a), "").unwrap_err().kind(), ErrorKind::Invalid);
    let refusal = kernel.resolve(Some(&a), &name).unwrap_err();
    assert_eq!(refusal.to_string(), "name of 1048576 bytes is not 1 to 255 bytes long");
    let refusal = kernel.resolve(Some(&a), &pid).unwrap_err();
    assert_eq!(refusal.kind(), ErrorKind::NotFound);
    assert!(refusal.to_string().len() < 300);
}

#[test]
fn usage_returns_to_zero() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.register(&a, "a", None).unwrap();
    kernel.link(&a, b.as_str()).unwrap();
    kernel.monitor(&a, b.as_str()).unwrap();
    kernel.cancel(None, "a", Some(crate::testing::NOW), crate::testing::NOW).unwrap();
    let held = Usage { processes: 2, links: 1, monitors: 1, calls: 0, names: 1, deadlines: 1, effects: 1 };
    assert_eq!(kernel.usage(), held);
    kill(&mut kernel, &a);
    kill(&mut kernel, &b);
    assert_eq!(kernel.usage(), Usage::default());
}
