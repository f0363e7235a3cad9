//! Limits of resources: no core dump, and no more open files than now.
//!
//! Owns which there are. Address space has none: an engine reserves 8 GiB for each process that there could be, and uses
//! little of it. Neither has the number of threads: the system counts those of all programs of a user together.
//! The process stays dumpable: one that isn't can't read its own page map, by which an engine finds what a guest wrote.

use rustix::io;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::Hold;

/// Bytes of a core dump. Not 0: where cores are piped into a program, the kernel overlooks any limit but this one
/// (`fs/coredump.c`), and in a file a core is never as small.
const CORE: u64 = 1;

/// Sets them.
pub(crate) fn limit() -> Hold {
    Hold::of(lower(Resource::Core, CORE).and_then(|()| fix(Resource::Nofile)))
}

/// As many open files as wanted and allowed, and no fewer than now: how many.
pub(crate) fn raise_open_files(wanted: u64) -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let now = current.unwrap_or(u64::MAX);
    let raised = wanted.min(maximum.unwrap_or(u64::MAX)).max(now);
    let set = || setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum });
    if raised > now && set().is_ok() { raised } else { now }
}

/// No more than this, and never more again.
fn lower(resource: Resource, most: u64) -> io::Result<()> {
    let limit = Some(getrlimit(resource).maximum.map_or(most, |maximum| maximum.min(most)));
    setrlimit(resource, Rlimit { current: limit, maximum: limit })
}

/// Never more than now.
fn fix(resource: Resource) -> io::Result<()> {
    let current = getrlimit(resource).current;
    setrlimit(resource, Rlimit { current, maximum: current })
}
