//! What a process host promises.

use crate::testing::{completed, effects, host, kernel, kill, spec};
use crate::{ErrorKind, Host, HostError, HostId, Limits, Refusal, SpawnError};

#[test]
fn an_id_that_would_blur_pids_is_refused() {
    let new = |id: &str| Host::new(HostId::new(id), 1, Limits::default());
    for id in ["", "a|b", "{a", "a}", "node@a", "a\nb", &"x".repeat(256)] {
        let refusal = new(id).unwrap_err();
        assert_eq!(refusal.kind(), ErrorKind::Invalid, "{id:?}");
        assert!(refusal.to_string().len() < 400, "{id:?}");
    }
    assert_eq!(
        new("").unwrap_err().to_string(),
        "host id `` must be 1 to 255 bytes without control characters and `{`, `}`, `|`, `@`"
    );
    new(&"x".repeat(255)).unwrap();
}

#[test]
fn refusals_of_the_table_have_their_kinds() {
    let id = HostId::new("h");
    let (exists, unknown) = (HostError::Exists { id: id.clone() }, HostError::Unknown { id });
    assert_eq!((exists.kind(), exists.to_string().as_str()), (ErrorKind::AlreadyExists, "host `h` exists already"));
    assert_eq!((unknown.kind(), unknown.to_string().as_str()), (ErrorKind::NotFound, "host `h` not found"));
    let unknown = SpawnError::unknown_host(&"h".repeat(1 << 20));
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
    assert!(unknown.to_string().len() < 300);
}

#[test]
fn a_stopped_host_accepts_no_more_and_its_processes_go_on() {
    let mut kernel = kernel();
    let host = kernel.host.clone();
    let pid = kernel.spawn(None, spec()).unwrap().pid;
    kernel.stop_host(&host);
    kernel.stop_host(&host);
    assert!(host.is_stopped());
    let refusal = kernel.spawn(None, spec()).unwrap_err();
    assert_eq!(refusal, SpawnError::HostStopped { host: HostId::new("h") });
    assert_eq!(refusal.kind(), ErrorKind::Unavailable);
    assert_eq!(kernel.pids_on(&host), std::slice::from_ref(&pid));
    kernel.handle_exit(&pid, completed(), crate::testing::NOW);
    assert_eq!(effects(&mut kernel), ["ended {h|0x00001}: [1]"]);
    assert_eq!(host.process_count(), 0);
}

#[test]
fn a_full_host_has_room_again_when_a_process_ends() {
    let mut kernel = kernel();
    let small = host("small", 1);
    let pid = kernel.kernel.spawn(None, &small, spec()).unwrap().pid;
    let refusal = kernel.kernel.spawn(None, &small, spec()).unwrap_err();
    assert_eq!(refusal.to_string(), "host `small` is at its limit of 1 processes");
    assert_eq!(refusal.kind(), ErrorKind::ResourceExhausted);
    let other = kernel.spawn(None, spec()).unwrap().pid;
    assert_eq!((small.process_count(), kernel.host.process_count()), (1, 1));
    assert_eq!(kernel.pids_on(&kernel.host), [other]);
    kill(&mut kernel, &pid);
    kernel.kernel.spawn(None, &small, spec()).unwrap();
}
