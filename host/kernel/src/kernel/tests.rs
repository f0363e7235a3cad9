//! Who is found, and by what.

use crate::testing::{NOW, due, host, kernel, kill, name, pid, spawn, spec};
use crate::{Destination, ErrorKind, Kernel, Pid, Refusal, ResolveError, SpawnError, Tally};

/// As whoever has a text does it.
fn resolve(kernel: &Kernel, caller: Option<&Pid>, text: &str) -> Result<Pid, ResolveError> {
    kernel.resolve(caller, &Destination::parse(text)?)
}

#[test]
fn a_pid_and_a_name_lead_to_the_same_process() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.register(&b, name("b"), &b).unwrap();
    assert_eq!(resolve(&kernel, Some(&a), "b").unwrap(), b);
    assert_eq!(resolve(&kernel, Some(&a), b.as_str()).unwrap(), b);
    assert_eq!(resolve(&kernel, None, "b").unwrap(), b);
}

#[test]
fn a_pid_counts_as_a_whole() {
    let mut kernel = kernel();
    let a = spawn(&mut kernel);
    for text in ["{g|0x00001}", "{h|0x000001}", "{h|0x1}", "{x@h|0x00001}", "{h|0x00002}", "{h|h|0x00001}", "{|}"] {
        let refusal = resolve(&kernel, Some(&a), text).unwrap_err();
        assert_eq!((refusal.kind(), refusal.to_string()), (ErrorKind::NotFound, format!("process {text} not found")));
    }
}

/// A pid may come from a text, and then claims what it likes.
#[test]
fn a_pid_of_another_host_is_nobody_to_every_command() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.link(&a, &b).unwrap();
    kernel.monitor(&a, &b).unwrap();
    let held = kernel.usage();
    let claimed = pid("{g|0x00002}");
    let unknown = |refusal: &dyn Refusal| (refusal.kind(), refusal.to_string());
    let expected = (ErrorKind::NotFound, "process {g|0x00002} not found".to_owned());
    assert_eq!(unknown(&kernel.link(&a, &claimed).unwrap_err()), expected);
    assert_eq!(unknown(&kernel.monitor(&a, &claimed).unwrap_err()), expected);
    assert_eq!(unknown(&kernel.terminate(Some(&a), &claimed, NOW).unwrap_err()), expected);
    assert_eq!(unknown(&kernel.cancel(Some(&a), &claimed, Some(due(1)), NOW).unwrap_err()), expected);
    assert_eq!(unknown(&kernel.register(&a, name("n"), &claimed).unwrap_err()), expected);
    kernel.unlink(&a, &claimed).unwrap();
    kernel.unmonitor(&a, &claimed).unwrap();
    kernel.handle_exit(&claimed, crate::testing::completed(), NOW);
    assert_eq!(kernel.link(&claimed, &a).unwrap_err().kind(), ErrorKind::Canceled);
    assert!(!kernel.is_alive(&claimed) && kernel.is_alive(&b));
    assert_eq!(kernel.usage(), held);
}

#[test]
fn a_dead_process_and_an_absent_one_look_alike() {
    let mut kernel = kernel();
    let (own, dead) = (spawn(&mut kernel), spawn(&mut kernel));
    kill(&mut kernel, &dead);
    for text in [dead.as_str(), "{h|0x00fff}"] {
        let refusal = resolve(&kernel, Some(&own), text).unwrap_err();
        assert_eq!((refusal.kind(), refusal.to_string()), (ErrorKind::NotFound, format!("process {text} not found")));
    }
    let refusal = resolve(&kernel, Some(&own), "n").unwrap_err();
    assert_eq!((refusal.kind(), refusal.to_string().as_str()), (ErrorKind::NotFound, "name `n` not found"));
}

#[test]
fn the_dead_are_refused_as_callers() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kill(&mut kernel, &a);
    assert_eq!(resolve(&kernel, Some(&a), b.as_str()).unwrap_err().kind(), ErrorKind::Canceled);
    assert_eq!(resolve(&kernel, Some(&a), a.as_str()).unwrap_err().kind(), ErrorKind::Canceled);
    assert_eq!(kernel.terminate(Some(&a), &b, NOW).unwrap_err().kind(), ErrorKind::Canceled);
    assert_eq!(kernel.cancel(Some(&a), &b, None, NOW).unwrap_err().kind(), ErrorKind::Canceled);
    assert_eq!(kernel.join(&a, &b, true, true).unwrap_err().kind(), ErrorKind::Canceled);
    assert_eq!(kernel.process_count(), 1);
}

#[test]
fn an_unusable_destination_is_invalid_and_not_repeated_at_length() {
    let mut kernel = kernel();
    let a = spawn(&mut kernel);
    let (name, pid) = ("n".repeat(1 << 20), format!("{{{}|0x00001}}", "h".repeat(1 << 20)));
    assert_eq!(resolve(&kernel, Some(&a), "").unwrap_err().kind(), ErrorKind::Invalid);
    let refusal = resolve(&kernel, Some(&a), &name).unwrap_err();
    assert_eq!(refusal.to_string(), "name of 1048576 bytes is not 1 to 255 bytes long");
    let refusal = resolve(&kernel, Some(&a), &pid).unwrap_err();
    assert_eq!(refusal.kind(), ErrorKind::NotFound);
    assert!(refusal.to_string().len() < 300);
}

#[test]
fn usage_returns_to_zero() {
    let mut kernel = kernel();
    let (a, b) = (spawn(&mut kernel), spawn(&mut kernel));
    kernel.register(&a, name("a"), &a).unwrap();
    kernel.link(&a, &b).unwrap();
    kernel.monitor(&a, &b).unwrap();
    kernel.cancel(None, &a, Some(due(1)), NOW).unwrap();
    let held = Tally {
        processes: 2,
        links: 1,
        monitors: 1,
        calls: 0,
        names: 1,
        groups: 0,
        deadlines: 1,
        consequences: 0,
        effects: 2,
    };
    assert_eq!(kernel.usage(), held);
    let kept = |kernel: &Kernel| [kernel.process_count(), kernel.link_count(), kernel.monitor_count()];
    assert_eq!(kept(&kernel), [2, 1, 1], "without a walk");
    kill(&mut kernel, &a);
    kill(&mut kernel, &b);
    assert_eq!(kernel.usage(), Tally::default());
    assert_eq!(kept(&kernel), [0, 0, 0]);
}

#[test]
fn on_a_stopped_node_nothing_is_spawned() {
    let (mut kernel, host) = (Kernel::stopped(), host("h", u32::MAX));
    let refusal = kernel.spawn(None, &host, spec()).unwrap_err();
    assert_eq!((&refusal, refusal.kind()), (&SpawnError::NodeStopped, ErrorKind::Unavailable));
    assert_eq!((kernel.usage(), host.process_count()), (Tally::default(), 0));
}
