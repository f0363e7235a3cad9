//! What names promise.

use crate::testing::{NOW, completed, effects, failed, kernel, kill, name, settled, spawn, spawn_few, spec};
use crate::{ErrorKind, Name, Refusal, RegisterError, SpawnSpec};

#[test]
fn exit_releases_the_name() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.register(&a, name("n"), &a).unwrap();
    kill(&mut kernel, &a);
    assert_eq!(kernel.holder("n"), None);
    kernel.register(&b, name("n"), &b).unwrap();
    assert_eq!(kernel.holder("n"), Some(&b));
}

#[test]
fn the_names_of_the_dead_are_free_before_anybody_is_told_and_those_of_the_linked_with_their_end() {
    let mut kernel = kernel();
    let (a, b, watcher) = (spawn(&mut kernel), spawn(&mut kernel), spawn(&mut kernel));
    for (text, pid) in [("a", &a), ("aa", &a), ("b", &b)] {
        kernel.register(pid, name(text), pid).unwrap();
    }
    kernel.link(&a, &b).unwrap();
    kernel.monitor(&watcher, &a).unwrap();
    effects(&mut kernel);
    kernel.handle_exit(&a, failed("boom"), NOW);
    kernel.register(&watcher, name("a"), &watcher).unwrap();
    let taken = kernel.register(&watcher, name("b"), &watcher).unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
    assert_eq!(
        settled(&mut kernel),
        [
            "a is free",
            "aa is free",
            "ended {h|0x00001}: Internal boom",
            "{h|0x00003} EXIT {h|0x00001}: Internal boom",
            "a is {h|0x00003}",
            "b is free",
            "stop {h|0x00002}: Internal linked process failed: {h|0x00001}: boom",
        ]
    );
    kernel.register(&watcher, name("b"), &watcher).unwrap();
    effects(&mut kernel);
}

#[test]
fn every_change_of_a_name_is_told_once() {
    let mut kernel = kernel();
    let named = SpawnSpec { name: Some(name("s")), ..spec() };
    let a = kernel.spawn(None, named.clone()).unwrap().pid;
    kernel.spawn(None, named).unwrap_err();
    let b = spawn(&mut kernel);
    for _ in 0..2 {
        kernel.register(&a, name("n"), &b).unwrap();
    }
    kernel.register(&b, name("s"), &b).unwrap_err();
    kernel.unregister(&b, &name("s")).unwrap_err();
    assert_eq!(kernel.unregister(&b, &name("n")), Ok(true));
    assert_eq!(kernel.unregister(&b, &name("n")), Ok(false));
    assert_eq!(effects(&mut kernel), ["s is {h|0x00001}", "n is {h|0x00002}", "n is free"]);
    kernel.handle_exit(&b, completed(), NOW);
    assert_eq!(effects(&mut kernel), ["ended {h|0x00002}: [1]"]);
}

#[test]
fn a_name_has_one_holder_and_a_process_several_names() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.register(&a, name("n"), &a).unwrap();
    kernel.register(&a, name("n"), &a).unwrap();
    kernel.register(&b, name("n"), &a).unwrap();
    kernel.register(&a, name("m"), &a).unwrap();
    let refusal = kernel.register(&b, name("n"), &b).unwrap_err();
    assert_eq!(refusal.to_string(), "name `n` is already held by {h|0x00001}");
    assert_eq!(refusal.kind(), ErrorKind::AlreadyExists);
    assert_eq!(kernel.usage().names, 2);
}

#[test]
fn a_name_is_given_to_the_living_by_the_living() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.register(&a, name("n"), &b).unwrap();
    assert_eq!(kernel.holder("n"), Some(&b));
    kill(&mut kernel, &b);
    assert_eq!(kernel.register(&a, name("n"), &b).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(kernel.register(&b, name("n"), &b).unwrap_err().kind(), ErrorKind::Canceled);
    assert_eq!(kernel.register(&b, name("n"), &a).unwrap_err().kind(), ErrorKind::Canceled);
    assert_eq!(kernel.usage().names, 0);
}

#[test]
fn what_is_no_pid_is_not_repeated_at_length() {
    let refusal = RegisterError::not_a_pid("b");
    assert_eq!((refusal.kind(), refusal.to_string().as_str()), (ErrorKind::Invalid, "`b` is not a pid"));
    assert!(RegisterError::not_a_pid(&"b".repeat(1 << 20)).to_string().len() < 300);
}

#[test]
fn the_form_of_a_name_is_checked() {
    for text in ["", "{a|b}", &"n".repeat(256)] {
        assert_eq!(Name::new(text).unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert_eq!(Name::new("{a|b}").unwrap_err().to_string(), "name `{a|b}` has the form of a pid");
    for text in ["n", "{a}", "@events", &"n".repeat(255)] {
        assert_eq!(Name::new(text).unwrap().as_str(), text);
    }
}

#[test]
fn one_takes_away_ones_own_name_only() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.register(&a, name("n"), &a).unwrap();
    let refusal = kernel.unregister(&b, &name("n")).unwrap_err();
    assert_eq!(
        (refusal.kind(), refusal.to_string().as_str()),
        (ErrorKind::PermissionDenied, "name `n` is held by {h|0x00001}")
    );
    assert_eq!(kernel.unregister(&a, &name("n")), Ok(true));
    assert_eq!(kernel.unregister(&a, &name("n")), Ok(false));
    kernel.register(&b, name("n"), &b).unwrap();
}

#[test]
fn the_limit_is_of_the_process_that_gets_the_name() {
    let mut kernel = kernel();
    let (few, other) = (spawn_few(&mut kernel), spawn(&mut kernel));
    kernel.register(&few, name("a"), &few).unwrap();
    kernel.register(&other, name("b"), &few).unwrap();
    let refusal = kernel.register(&other, name("c"), &few).unwrap_err();
    assert_eq!(
        (refusal.kind(), refusal.to_string().as_str()),
        (ErrorKind::ResourceExhausted, "{h|0x00001} is at its limit of 2 names")
    );
    kernel.unregister(&few, &name("a")).unwrap();
    kernel.register(&few, name("c"), &few).unwrap();
    effects(&mut kernel);
}

#[test]
fn a_name_is_taken_from_the_holder_that_was_meant() {
    let mut kernel = kernel();
    let (a, b, c) = (spawn(&mut kernel), spawn(&mut kernel), spawn(&mut kernel));
    kernel.register(&b, name("n"), &b).unwrap();
    // Somebody else holds it by now.
    assert_eq!(kernel.unregister_from(&a, &c, &name("n")).unwrap_err().kind(), ErrorKind::PermissionDenied);
    assert_eq!(kernel.unregister_from(&a, &b, &name("n")), Ok(true));
    assert_eq!(kernel.unregister_from(&a, &b, &name("n")), Ok(false));
    effects(&mut kernel);
    assert_eq!(kernel.usage().names, 0);
    kill(&mut kernel, &a);
    assert_eq!(kernel.unregister_from(&a, &b, &name("n")).unwrap_err().kind(), ErrorKind::Canceled);
}
