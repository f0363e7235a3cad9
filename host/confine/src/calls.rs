//! seccomp: which system calls there are.
//!
//! Owns the list, and what stands in an argument where the call as a whole would be too much. What isn't listed fails with
//! EPERM rather than ending the process: then an attacker has nothing, and a call that a library makes unexpectedly is
//! an error of one operation instead of the end of everybody's processes. Only a call of another architecture, which no
//! part of this program makes, ends it.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

use crate::{Hold, Sockets};

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: TargetArch = TargetArch::aarch64;

/// Allowed whatever the arguments are. The first lines are files, which Landlock restricts, and open descriptors.
const ALLOWED: &[c_long] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_pwrite64,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_readlinkat,
    libc::SYS_getdents64,
    libc::SYS_ftruncate,
    libc::SYS_fdatasync,
    libc::SYS_fsync,
    libc::SYS_syncfs,
    libc::SYS_flock,
    libc::SYS_mkdirat,
    libc::SYS_unlinkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    // Memory.
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_memfd_create,
    // Threads and signals of one's own.
    libc::SYS_futex,
    libc::SYS_membarrier,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_sigaltstack,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Waiting, time and chance.
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_eventfd2,
    libc::SYS_ppoll,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_getrandom,
    // Sockets that are there: a runtime hears of signals by a pair of them.
    libc::SYS_recvfrom,
    // Looked into by nobody here: it fails, see `unknown`.
    libc::SYS_clone3,
];

/// Old calls that only x86-64 has, by which its C library does what is done elsewhere by newer ones that are listed above.
#[cfg(target_arch = "x86_64")]
const ALLOWED_HERE: &[c_long] = &[
    libc::SYS_mkdir,
    libc::SYS_rmdir,
    libc::SYS_unlink,
    libc::SYS_rename,
    libc::SYS_readlink,
    libc::SYS_poll,
    libc::SYS_epoll_wait,
];
#[cfg(target_arch = "aarch64")]
const ALLOWED_HERE: &[c_long] = &[];

/// What a program needs that is connected to, too.
const CONNECTIONS: &[c_long] = &[
    libc::SYS_accept4,
    libc::SYS_shutdown,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
    // By which another process hands over a socket that it has opened.
    libc::SYS_recvmsg,
];

/// What a program that makes sockets needs besides.
const SOCKETS: &[c_long] = &[
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_connect,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvmmsg,
];

/// What a line editor does with its terminal: modes and size. Newer C libraries take the second form of each.
const TERMINAL: [libc::Ioctl; 8] = [
    libc::TCGETS,
    libc::TCSETS,
    libc::TCSETSW,
    libc::TIOCGWINSZ,
    libc::TCGETS2,
    libc::TCSETS2,
    libc::TCSETSW2,
    libc::FIONREAD,
];

/// How it waits for a key.
#[cfg(target_arch = "x86_64")]
const SELECT: &[c_long] = &[libc::SYS_select, libc::SYS_pselect6];
#[cfg(target_arch = "aarch64")]
const SELECT: &[c_long] = &[libc::SYS_pselect6];

/// The flags with which a C library starts a thread: glibc's, and musl's with one more that means nothing today.
const THREAD: [i32; 2] = [GLIBC_THREAD, GLIBC_THREAD | libc::CLONE_DETACHED];
const GLIBC_THREAD: i32 = libc::CLONE_VM
    | libc::CLONE_FS
    | libc::CLONE_FILES
    | libc::CLONE_SIGHAND
    | libc::CLONE_THREAD
    | libc::CLONE_SYSVSEM
    | libc::CLONE_SETTLS
    | libc::CLONE_PARENT_SETTID
    | libc::CLONE_CHILD_CLEARTID;

/// `PAGEMAP_SCAN`: what a guest wrote (`linux/fs.h`).
const PAGEMAP_SCAN: u32 = 0xc060_6610;

/// The process itself, where a process's descriptor is asked for (`linux/pidfd.h`).
const PIDFD_SELF: i32 = -10_000;

/// Restricts the calling thread and those it starts.
pub(crate) fn restrict(sockets: Sockets, terminal: bool) -> Hold {
    let installed = filters(sockets, terminal).map_err(seccompiler::Error::Backend).and_then(|filters| {
        // A later filter could not be installed under the list.
        apply_filter(&filters.unknown)?;
        apply_filter(&filters.listed)
    });
    Hold::of(installed)
}

struct Filters {
    unknown: BpfProgram,
    listed: BpfProgram,
}

fn filters(sockets: Sockets, terminal: bool) -> Result<Filters, BackendError> {
    let (allow, refuse) = (SeccompAction::Allow, SeccompAction::Errno(number(libc::EPERM)));
    let listed = SeccompFilter::new(rules(sockets, terminal)?, refuse, allow.clone(), ARCHITECTURE)?;
    let absent = SeccompAction::Errno(number(libc::ENOSYS));
    let unknown = SeccompFilter::new(unknown(), allow, absent, ARCHITECTURE)?;
    Ok(Filters { unknown: unknown.try_into()?, listed: listed.try_into()? })
}

/// Calls that are as on a kernel without them. What `clone3` is to start stands in memory, which no filter sees; when it
/// isn't there, the C library takes `clone`.
fn unknown() -> BTreeMap<c_long, Vec<SeccompRule>> {
    BTreeMap::from([(libc::SYS_clone3, Vec::new())])
}

fn rules(sockets: Sockets, terminal: bool) -> Result<BTreeMap<c_long, Vec<SeccompRule>>, BackendError> {
    let mut rules: BTreeMap<_, _> = ALLOWED.iter().chain(ALLOWED_HERE).map(|call| (*call, Vec::new())).collect();
    // Threads, and nothing else that `clone` can start.
    rules.insert(libc::SYS_clone, any(THREAD.map(|flags| argument(0).is(wide(flags))))?);
    rules.insert(libc::SYS_tgkill, any([argument(0).is(std::process::id().into())])?);
    // Never what is new and executable, nor writable and executable at once: code is written first, and then sealed.
    let (write, execute) = (wide(libc::PROT_WRITE), wide(libc::PROT_EXEC));
    rules.insert(libc::SYS_mmap, any([argument(2).lacks(execute)])?);
    rules.insert(libc::SYS_mprotect, any([argument(2).lacks(execute), argument(2).lacks(write)])?);
    rules.insert(libc::SYS_process_madvise, any([argument(0).is(wide(PIDFD_SELF))])?);
    rules.insert(libc::SYS_prctl, any([argument(0).is(wide(libc::PR_SET_NAME))])?);
    // One's own limits can be read: a library that can't may take that for a bug.
    let read_limit = SeccompRule::new(vec![argument(0).is(0)?, argument(2).is_null()?])?;
    rules.insert(libc::SYS_prlimit64, vec![read_limit]);
    let descriptor = [
        libc::F_DUPFD_CLOEXEC,
        libc::F_GETFD,
        libc::F_SETFD,
        libc::F_GETFL,
        libc::F_SETFL,
        libc::F_ADD_SEALS,
        libc::F_GET_SEALS,
    ];
    rules.insert(libc::SYS_fcntl, any(descriptor.map(|command| argument(1).is(wide(command))))?);
    // Whether a stream is a terminal; whether a socket waits.
    let mut devices = vec![libc::TCGETS, libc::FIONBIO, PAGEMAP_SCAN.into()];
    if terminal {
        devices.extend(TERMINAL);
        rules.extend(SELECT.iter().map(|call| (*call, Vec::new())));
        let local = argument(0).is(wide(libc::AF_UNIX))?;
        rules.insert(libc::SYS_socketpair, vec![SeccompRule::new(vec![local])?]);
        let own_group = vec![argument(0).is(0)?, argument(1).is(wide(libc::SIGTSTP))?];
        rules.insert(libc::SYS_kill, vec![SeccompRule::new(own_group)?]);
    }
    rules.insert(libc::SYS_ioctl, any(devices.into_iter().map(|request| argument(1).is(request)))?);
    if sockets != Sockets::Nothing {
        rules.extend(CONNECTIONS.iter().map(|call| (*call, Vec::new())));
    }
    if sockets == Sockets::Making {
        rules.extend(SOCKETS.iter().map(|call| (*call, Vec::new())));
        // Of local ones only pairs: behind one with a name there may be a program that has more power than its callers.
        let internet = [libc::AF_INET, libc::AF_INET6];
        rules.insert(libc::SYS_socket, any(internet.map(|family| argument(0).is(wide(family))))?);
        rules.insert(libc::SYS_socketpair, Vec::new());
    } else {
        // To whom a socket belongs already, and nobody else.
        rules.insert(libc::SYS_sendto, any([argument(4).is_null()])?);
    }
    Ok(rules)
}

/// One of several conditions holds.
fn any(
    conditions: impl IntoIterator<Item = Result<SeccompCondition, BackendError>>,
) -> Result<Vec<SeccompRule>, BackendError> {
    conditions.into_iter().map(|condition| SeccompRule::new(vec![condition?])).collect()
}

/// An argument of a call, the first is 0.
#[derive(Clone, Copy)]
struct Argument(u8);

fn argument(index: u8) -> Argument {
    Argument(index)
}

impl Argument {
    /// Its lower half, which is all that the kernel looks at where a C type is an `int`.
    fn is(self, value: u64) -> Result<SeccompCondition, BackendError> {
        SeccompCondition::new(self.0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
    }

    fn is_null(self) -> Result<SeccompCondition, BackendError> {
        SeccompCondition::new(self.0, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)
    }

    fn lacks(self, bits: u64) -> Result<SeccompCondition, BackendError> {
        SeccompCondition::new(self.0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(bits), 0)
    }
}

/// The value as it stands in a register's lower half.
fn wide(value: i32) -> u64 {
    value.cast_unsigned().into()
}

fn number(errno: i32) -> u32 {
    errno.cast_unsigned()
}
