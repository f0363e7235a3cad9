//! What names promise.

use crate::testing::{NOW, add_host, effects, failed, kernel, kill, spawn, spawn_few, spec};
use crate::{Effect, ErrorKind, Refusal, RegisterError};

#[test]
fn exit_releases_the_name() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.register(&a, "n", None).unwrap();
    kill(&mut kernel, &a);
    assert_eq!(kernel.lookup(&b, "n").unwrap_err().kind(), ErrorKind::NotFound);
    kernel.register(&b, "n", None).unwrap();
    assert_eq!(kernel.lookup(&b, "n").unwrap(), b);
}

#[test]
fn names_of_all_who_end_together_are_free_before_anybody_is_told() {
    let mut kernel = kernel();
    let (a, b, watcher) = (spawn(&mut kernel), spawn(&mut kernel), spawn(&mut kernel));
    kernel.register(&a, "a", None).unwrap();
    kernel.register(&b, "b", None).unwrap();
    kernel.link(&a, "b").unwrap();
    kernel.monitor(&watcher, "a").unwrap();
    kernel.handle_exit(&a, failed("boom"), NOW);
    let first = kernel.poll_effect();
    assert!(matches!(first, Some(Effect::Ended { pid, .. }) if pid == a));
    for name in ["a", "b"] {
        kernel.register(&watcher, name, None).unwrap();
    }
    effects(&mut kernel);
}

#[test]
fn a_name_has_one_holder_and_a_process_several_names() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.register(&a, "n", None).unwrap();
    kernel.register(&a, "n", None).unwrap();
    kernel.register(&b, "n", Some(a.as_str())).unwrap();
    kernel.register(&a, "m", None).unwrap();
    let refusal = kernel.register(&b, "n", None).unwrap_err();
    assert_eq!(refusal.to_string(), "name `n` is already held by {h|0x00001}");
    assert_eq!(refusal.kind(), ErrorKind::AlreadyExists);
    assert_eq!(kernel.usage().names, 2);
}

#[test]
fn a_name_is_given_to_the_living_by_pid() {
    let mut kernel = kernel();
    add_host(&mut kernel, "g", 1, 1);
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    let theirs = kernel.spawn(None, spec("g")).unwrap().pid;
    kernel.register(&a, "n", Some(b.as_str())).unwrap();
    assert_eq!(kernel.lookup(&a, "n").unwrap(), b);
    assert_eq!(kernel.register(&a, "m", Some(theirs.as_str())).unwrap_err().kind(), ErrorKind::NotFound);
    kill(&mut kernel, &b);
    assert_eq!(kernel.register(&a, "n", Some(b.as_str())).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(kernel.register(&b, "n", None).unwrap_err().kind(), ErrorKind::Canceled);
    let refusal = kernel.register(&a, "n", Some("b")).unwrap_err();
    assert_eq!(refusal, RegisterError::NotAPid { text: "b".to_owned() });
    assert_eq!(kernel.usage().names, 0);
}

#[test]
fn the_form_of_a_name_is_checked_everywhere() {
    let mut kernel = kernel();
    let a = spawn(&mut kernel);
    for name in ["", "{a|b}", &"n".repeat(256)] {
        assert_eq!(kernel.register(&a, name, None).unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(kernel.lookup(&a, name).unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(kernel.unregister(&a, name).unwrap_err().kind(), ErrorKind::Invalid);
    }
    for name in ["n", "{a}", "@events", &"n".repeat(255)] {
        kernel.register(&a, name, None).unwrap();
    }
}

#[test]
fn one_takes_away_ones_own_name_only() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.register(&a, "n", None).unwrap();
    let refusal = kernel.unregister(&b, "n").unwrap_err();
    assert_eq!(
        (refusal.kind(), refusal.to_string().as_str()),
        (ErrorKind::PermissionDenied, "name `n` is held by {h|0x00001}")
    );
    assert_eq!(kernel.unregister(&a, "n"), Ok(true));
    assert_eq!(kernel.unregister(&a, "n"), Ok(false));
    kernel.register(&b, "n", None).unwrap();
}

#[test]
fn the_limit_is_of_the_process_that_gets_the_name() {
    let mut kernel = kernel();
    let (few, other) = (spawn_few(&mut kernel), spawn(&mut kernel));
    kernel.register(&few, "a", None).unwrap();
    kernel.register(&other, "b", Some(few.as_str())).unwrap();
    let refusal = kernel.register(&other, "c", Some(few.as_str())).unwrap_err();
    assert_eq!(
        (refusal.kind(), refusal.to_string().as_str()),
        (ErrorKind::ResourceExhausted, "{h|0x00001} is at its limit of 2 names")
    );
    kernel.unregister(&few, "a").unwrap();
    kernel.register(&few, "c", None).unwrap();
    effects(&mut kernel);
}

#[test]
fn a_name_is_taken_from_the_holder_that_was_meant() {
    let mut kernel = kernel();
    let (a, b, c) = (spawn(&mut kernel), spawn(&mut kernel), spawn(&mut kernel));
    kernel.register(&b, "n", None).unwrap();
    // Somebody else holds it by now.
    assert_eq!(kernel.unregister_from(&a, &c, "n").unwrap_err().kind(), ErrorKind::PermissionDenied);
    assert_eq!(kernel.unregister_from(&a, &b, "n"), Ok(true));
    assert_eq!(kernel.unregister_from(&a, &b, "n"), Ok(false));
    effects(&mut kernel);
    assert_eq!(kernel.usage().names, 0);
    kill(&mut kernel, &a);
    assert_eq!(kernel.unregister_from(&a, &b, "n").unwrap_err().kind(), ErrorKind::Canceled);
}
