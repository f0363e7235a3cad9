//! What a process host promises.

use crate::testing::{add_host, completed, effects, kernel, kill, spec};
use crate::{ErrorKind, HostError, HostId, HostSpec, Refusal, SpawnError, TenantId};

fn host(id: &str) -> HostSpec {
    HostSpec { id: HostId::new(id), tenant: TenantId::default(), max_processes: 1 }
}

#[test]
fn an_id_is_taken_once_also_when_stopped() {
    let mut kernel = kernel();
    kernel.stop_host(&HostId::new("h")).unwrap();
    let refusal = kernel.add_host(host("h")).unwrap_err();
    assert_eq!(refusal, HostError::Exists { id: HostId::new("h") });
    assert_eq!(refusal.kind(), ErrorKind::AlreadyExists);
}

#[test]
fn an_id_that_would_blur_pids_is_refused() {
    let mut kernel = kernel();
    for id in ["", "a|b", "{a", "a}", "node@a", "a\nb", &"x".repeat(256)] {
        let refusal = kernel.add_host(host(id)).unwrap_err();
        assert_eq!(refusal.kind(), ErrorKind::Invalid, "{id:?}");
        assert!(refusal.to_string().len() < 400, "{id:?}");
    }
    kernel.add_host(host(&"x".repeat(255))).unwrap();
}

#[test]
fn a_stopped_host_accepts_no_more_and_its_processes_go_on() {
    let mut kernel = kernel();
    let id = HostId::new("h");
    let pid = kernel.spawn(None, spec("h")).unwrap().pid;
    kernel.stop_host(&id).unwrap();
    kernel.stop_host(&id).unwrap();
    let refusal = kernel.spawn(None, spec("h")).unwrap_err();
    assert_eq!(refusal, SpawnError::HostStopped { host: id.clone() });
    assert_eq!(refusal.kind(), ErrorKind::Unavailable);
    assert_eq!(kernel.pids_on(&id), std::slice::from_ref(&pid));
    kernel.handle_exit(&pid, completed(), crate::testing::NOW);
    assert_eq!(effects(&mut kernel), ["ended {h|0x00001}: [1]"]);
}

#[test]
fn an_unknown_host_is_not_found() {
    let mut kernel = kernel();
    assert_eq!(kernel.stop_host(&HostId::new("x")).unwrap_err().kind(), ErrorKind::NotFound);
    assert!(kernel.pids_on(&HostId::new("x")).is_empty());
}

#[test]
fn a_full_host_has_room_again_when_a_process_ends() {
    let mut kernel = kernel();
    add_host(&mut kernel, "small", 0, 1);
    let pid = kernel.spawn(None, spec("small")).unwrap().pid;
    let refusal = kernel.spawn(None, spec("small")).unwrap_err();
    assert_eq!(refusal.to_string(), "host `small` is at its limit of 1 processes");
    assert_eq!(refusal.kind(), ErrorKind::ResourceExhausted);
    kernel.spawn(None, spec("h")).unwrap();
    kill(&mut kernel, &pid);
    kernel.spawn(None, spec("small")).unwrap();
}
