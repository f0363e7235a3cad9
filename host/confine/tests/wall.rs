//! What a confined process can still do, tried from Rust in processes of their own.
//!
//! Owns the attempts and who should refuse each. What the kernel can do is asked of the kernel here, not of the crate: an
//! attempt is expected to be refused exactly where the kernel can, and the report has to say so. Each attempt is made
//! without the wall first; one that fails even then shows nothing and is named as skipped.

#![allow(unsafe_code, reason = "some of what must be refused has no safe function")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test without a harness fails by panicking and tells by itself"
)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitCode, abort};
use std::sync::mpsc;
use std::{env, ptr, thread};

use lunarium_confine::{ConfineError, Confined, Confinement, Hold};
use rustix::cmsg_space;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Who refuses an attempt.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Landlock,
    Calls,
    Either,
    /// It is allowed.
    Nobody,
    /// Allowed, but by the first version of Landlock, which isn't used where it would be refused.
    NotEvenOld,
}

use By::{Calls, Either, Landlock, Nobody, NotEvenOld};

type Attempt = (&'static str, By, fn(&Path) -> io::Result<()>);

/// In the order they are made. `given` may be read, `kept` written, `other` neither.
const ATTEMPTS: &[Attempt] = &[
    ("read /etc/passwd", Landlock, |_| fs::read("/etc/passwd").map(drop)),
    ("read /etc/passwd in a thread", Landlock, |_| in_thread(|| fs::read("/etc/passwd").map(drop))),
    ("read other/file", Landlock, |dir| fs::read(dir.join("other/file")).map(drop)),
    ("list other", Landlock, |dir| fs::read_dir(dir.join("other")).map(drop)),
    ("read given/../other/file", Landlock, |dir| fs::read(dir.join("given/../other/file")).map(drop)),
    ("write other/new", Landlock, |dir| fs::write(dir.join("other/new"), "")),
    ("read given/file", Nobody, |dir| fs::read(dir.join("given/file")).map(drop)),
    ("list given", Nobody, |dir| fs::read_dir(dir.join("given")).map(drop)),
    ("write given/file", Landlock, |dir| fs::write(dir.join("given/file"), "")),
    ("make given/new", Landlock, |dir| fs::write(dir.join("given/new"), "")),
    ("remove given/old", Landlock, |dir| fs::remove_file(dir.join("given/old"))),
    ("make the directory given/d", Landlock, |dir| fs::create_dir(dir.join("given/d"))),
    ("read kept/file", Nobody, |dir| fs::read(dir.join("kept/file")).map(drop)),
    ("write kept/file", Nobody, |dir| fs::write(dir.join("kept/file"), "new")),
    ("sync kept/file", Nobody, |dir| File::open(dir.join("kept/file"))?.sync_data()),
    ("make the directory kept/d", Nobody, |dir| fs::create_dir(dir.join("kept/d"))),
    ("move kept/file to kept/d/file", NotEvenOld, |dir| fs::rename(dir.join("kept/file"), dir.join("kept/d/file"))),
    ("remove kept/d and what is in it", Nobody, |dir| fs::remove_dir_all(dir.join("kept/d"))),
    ("move other/file into kept", Landlock, |dir| fs::rename(dir.join("other/file"), dir.join("kept/stolen"))),
    ("make a link in kept", Either, |dir| symlink("/etc/passwd", dir.join("kept/link"))),
    ("change the mode of kept", Calls, |dir| fs::set_permissions(dir.join("kept"), PermissionsExt::from_mode(0o700))),
    ("run a program", Either, |_| Command::new("/bin/true").status().map(drop)),
    ("fork", Calls, |_| {
        // SAFETY: the child does nothing but end.
        match unsafe { libc::fork() } {
            0 => unsafe { libc::_exit(0) },
            -1 => Err(io::Error::last_os_error()),
            // SAFETY: a child of one's own, and nobody wants to know how it ended.
            child => checked(unsafe { libc::waitpid(child, ptr::null_mut(), 0) }.into()),
        }
    }),
    ("make a UDP socket", Calls, |_| UdpSocket::bind("127.0.0.1:0").map(drop)),
    ("make a local socket", Calls, |_| UnixDatagram::unbound().map(drop)),
    ("listen by TCP", Either, |_| TcpListener::bind("127.0.0.1:0").map(drop)),
    ("signal the parent", Either, |_| {
        // SAFETY: two numbers; signal 0 only asks.
        checked(unsafe { libc::kill(libc::getppid(), 0) }.into())
    }),
    ("have memory that is writable and executable", Calls, |_| map(libc::PROT_WRITE | libc::PROT_EXEC).map(drop)),
    ("have new memory that is executable", Calls, |_| map(libc::PROT_EXEC).map(drop)),
    ("make memory executable", Nobody, |_| {
        let memory = map(libc::PROT_READ | libc::PROT_WRITE)?;
        // SAFETY: the page was mapped just now, and nobody uses it.
        checked(unsafe { libc::mprotect(memory, PAGE, libc::PROT_READ | libc::PROT_EXEC) }.into())
    }),
    ("start a thread", Nobody, |_| in_thread(|| Ok(()))),
    ("read a limit", Nobody, |_| {
        let _ = getrlimit(Resource::Nofile);
        Ok(())
    }),
    ("set a limit", Calls, |_| Ok(setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum: Some(64) })?)),
    // Last: whoever is traced stops at its next signal.
    ("be traced", Calls, |_| call(libc::SYS_ptrace, [libc::PTRACE_TRACEME.into(), 0, 0, 0, 0, 0])),
];

/// What is tested, by name.
type Test = (&'static str, fn(&Kernel));

/// Of a run in its own process: what it is called, and what it does and tells.
type Case = (&'static str, fn(&Path) -> BTreeMap<String, String>);

const CASES: &[Case] = &[
    ("free", |dir| attempts(dir, None)),
    ("confined", |dir| attempts(dir, Some(false))),
    ("sockets", |dir| attempts(dir, Some(true))),
    ("connections", connections),
    ("terminal", |_| edit(true)),
    ("no terminal", |_| edit(false)),
    ("late", late),
    ("program", program),
    ("free core", |_| dump(false)),
    ("core", |_| dump(true)),
];

const CASE: &str = "LUNARIUM_WALL_CASE";
const PAGE: usize = 4096;

fn main() -> ExitCode {
    if let Ok(name) = env::var(CASE) {
        let (_, case) = CASES.iter().find(|(known, _)| *known == name).unwrap();
        for (what, how) in case(&env::current_dir().unwrap()) {
            println!("{what}\t{how}");
        }
        return ExitCode::SUCCESS;
    }
    let kernel = Kernel::ask();
    let tests: &[Test] = &[
        ("what_was_not_given_is_refused_by_the_system", refused),
        ("sockets_are_there_where_they_were_given", sockets),
        ("who_listens_is_connected_to_and_connects_to_nobody", accepted),
        ("a_line_editor_has_its_terminal_and_nothing_more", terminal),
        ("a_process_with_threads_is_not_confined", threads),
        ("no_other_program_takes_its_place", other_program),
        ("no_core_is_dumped", core),
    ];
    println!("the kernel has {kernel:?}");
    for (name, test) in tests {
        test(&kernel);
        println!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}

// What the parent expects.

/// What the kernel can do.
#[derive(Debug)]
struct Kernel {
    landlock: i64,
    seccomp: bool,
}

impl Kernel {
    fn ask() -> Self {
        // SAFETY: without a structure, and with this flag, the call gives its version.
        let landlock = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, ptr::null::<u8>(), 0, 1) };
        // SAFETY: the call is given no filter, which it refuses where it is there.
        let seccomp = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, 0, 0, 0) };
        let seccomp = seccomp == -1 && io::Error::last_os_error().raw_os_error() == Some(libc::EFAULT);
        Self { landlock: landlock.max(0), seccomp }
    }

    /// Where something is moved, the first version isn't used.
    fn has_landlock(&self) -> bool {
        self.landlock >= 2
    }

    fn refuses(&self, attempt: &str, by: By) -> bool {
        let by_landlock = match attempt {
            "listen by TCP" => self.landlock >= 4,
            "signal the parent" => self.landlock >= 6,
            _ => self.has_landlock(),
        };
        match by {
            Landlock => by_landlock,
            Calls => self.seccomp,
            Either => by_landlock || self.seccomp,
            Nobody | NotEvenOld => false,
        }
    }
}

fn refused(kernel: &Kernel) {
    let free = run("free");
    let confined = run("confined");
    for (attempt, by, _) in ATTEMPTS {
        if free[*attempt] != "done" {
            println!("SKIPPED, for it fails without the wall: {attempt}: {}", free[*attempt]);
            continue;
        }
        let is_refused = confined[*attempt] != "done";
        assert_eq!(is_refused, kernel.refuses(attempt, *by), "{attempt}: {}", confined[*attempt]);
    }
    assert_eq!(confined["no_new_privs"], "yes");
    assert_eq!(confined["limits"], "yes");
    assert_eq!(confined["seccomp"] == "yes", kernel.seccomp, "{}", confined["seccomp"]);
    assert_eq!(confined["landlock"] == "yes", kernel.landlock >= 6, "{}", confined["landlock"]);
    assert_eq!(confined["landlock"].starts_with("no: "), !kernel.has_landlock(), "{}", confined["landlock"]);
}

fn sockets(kernel: &Kernel) {
    let with = run("sockets");
    assert_eq!(with["make a UDP socket"], run("free")["make a UDP socket"]);
    assert_eq!(with["listen by TCP"], run("free")["listen by TCP"]);
    assert_eq!(with["make a local socket"] != "done", kernel.seccomp);
    assert_eq!(with["read /etc/passwd"] != "done", kernel.has_landlock());
    assert_eq!(with["fork"] != "done", kernel.seccomp);
}

fn accepted(kernel: &Kernel) {
    let with = run("connections");
    assert_eq!((with["accept"].as_str(), with["speak"].as_str()), ("done", "done"));
    assert_eq!(with["accept at a socket that was handed over"], "done");
    assert_eq!(with["hand over"] != "done", kernel.seccomp);
    assert_eq!(with["make a UDP socket"] != "done", kernel.seccomp);
    assert_eq!(with["connect"] != "done", kernel.seccomp || kernel.landlock >= 4);
    assert_eq!(with["listen"] != "done", kernel.seccomp || kernel.landlock >= 4);
}

fn terminal(kernel: &Kernel) {
    let (with, without) = (run("terminal"), run("no terminal"));
    for what in ["set its modes", "ask for its size", "make a pair", "wait for a key"] {
        assert_eq!(with[what], "done", "{what}");
        assert_eq!(without[what] != "done", kernel.seccomp, "{what}");
    }
    for what in ["type into it", "make a UDP socket", "signal the parent"] {
        assert_eq!(with[what] != "done", kernel.seccomp, "{what}");
    }
}

fn threads(_kernel: &Kernel) {
    let late = run("late");
    assert_eq!(late["apply"], "the process has 2 threads already: it must be confined before it starts a second one");
    assert_eq!(late["read /etc/passwd"], "done");
}

fn other_program(kernel: &Kernel) {
    let refused = run("program").get("exec").is_some_and(|how| how.starts_with("PermissionDenied"));
    assert_eq!(refused, kernel.seccomp || kernel.has_landlock());
}

fn core(_kernel: &Kernel) {
    let dumped = |case| {
        let status = child(case, &fixture()).status().unwrap();
        assert_eq!(status.signal(), Some(libc::SIGABRT));
        status.core_dumped()
    };
    if !dumped("free core") {
        println!("SKIPPED, for no core is dumped without the wall: no_core_is_dumped");
        return;
    }
    assert!(!dumped("core"));
}

fn fixture() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["given", "kept", "other"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
        fs::write(dir.path().join(folder).join("file"), "text").unwrap();
    }
    fs::write(dir.path().join("given/old"), "").unwrap();
    dir
}

fn child(case: &str, dir: &tempfile::TempDir) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.env(CASE, case).current_dir(dir.path());
    command
}

/// What a case tells.
fn run(case: &str) -> BTreeMap<String, String> {
    let output = child(case, &fixture()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter_map(|line| line.split_once('\t'));
    lines.map(|(what, how)| (what.to_owned(), how.to_owned())).collect()
}

// What the children do.

fn confine(dir: &Path, sockets: bool) -> Result<Confined, ConfineError> {
    let (given, kept) = (File::open(dir.join("given")).unwrap(), File::open(dir.join("kept")).unwrap());
    let confinement = Confinement::new().read(&given).write(&kept);
    if sockets { confinement.with_sockets().apply() } else { confinement.apply() }
}

fn attempts(dir: &Path, sockets: Option<bool>) -> BTreeMap<String, String> {
    let mut told = BTreeMap::new();
    if let Some(sockets) = sockets {
        let Confined { no_new_privs, landlock, seccomp, limits, .. } = confine(dir, sockets).unwrap();
        let parts: [(&str, Hold); 4] =
            [("no_new_privs", no_new_privs), ("landlock", landlock), ("seccomp", seccomp), ("limits", limits)];
        told.extend(parts.map(|(part, hold)| (part.to_owned(), hold.to_string())));
    }
    for (attempt, _, act) in ATTEMPTS {
        told.insert((*attempt).to_owned(), how(act(dir)));
    }
    told
}

/// Accepts at a socket that listened before.
fn connections(_: &Path) -> BTreeMap<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut client = TcpStream::connect(address).unwrap();
    let (here, there) = UnixStream::pair().unwrap();
    let later = TcpListener::bind("127.0.0.1:0").unwrap();
    let _later_client = TcpStream::connect(later.local_addr().unwrap()).unwrap();
    hand_over(&there, &later).unwrap();
    Confinement::new().with_connections().apply().unwrap();
    let accepted = listener.accept();
    let accept = how(accepted.as_ref().map(drop).map_err(|error| error.kind().into()));
    let speak = accepted.and_then(|(mut stream, _)| {
        stream.set_nodelay(true)?;
        stream.write_all(b"hello")?;
        stream.shutdown(std::net::Shutdown::Both)?;
        client.read_exact(&mut [0; 5])
    });
    let told = [
        ("accept", accept),
        ("speak", how(speak)),
        (
            "accept at a socket that was handed over",
            how(taken_over(&here).and_then(|socket| socket.accept().map(drop))),
        ),
        ("hand over", how(hand_over(&there, &later))),
        ("connect", how(TcpStream::connect(address).map(drop))),
        ("listen", how(TcpListener::bind("127.0.0.1:0").map(drop))),
        ("make a UDP socket", how(UdpSocket::bind("127.0.0.1:0").map(drop))),
    ];
    BTreeMap::from(told.map(|(what, how)| (what.to_owned(), how)))
}

/// Gives a socket to who is at the other end.
fn hand_over(to: &UnixStream, socket: &TcpListener) -> io::Result<()> {
    let (mut space, given) = ([MaybeUninit::uninit(); cmsg_space!(ScmRights(1))], [socket.as_fd()]);
    let mut beside = SendAncillaryBuffer::new(&mut space);
    assert!(beside.push(SendAncillaryMessage::ScmRights(&given)));
    sendmsg(to, &[io::IoSlice::new(b"x")], &mut beside, SendFlags::empty())?;
    Ok(())
}

fn taken_over(from: &UnixStream) -> io::Result<TcpListener> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    recvmsg(from, &mut [io::IoSliceMut::new(&mut [0])], &mut beside, RecvFlags::CMSG_CLOEXEC)?;
    let given = beside.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut given) => given.next(),
        _ => None,
    });
    given.map(TcpListener::from).ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Does what a line editor does with a terminal, and more.
fn edit(given: bool) -> BTreeMap<String, String> {
    let (mut master, mut slave) = (-1, -1);
    // SAFETY: two places for numbers; the rest may be absent.
    let opened = unsafe { libc::openpty(&raw mut master, &raw mut slave, ptr::null_mut(), ptr::null(), ptr::null()) };
    checked(opened.into()).unwrap();
    // SAFETY: plain numbers, for which zero is a value.
    let (mut modes, mut size): (libc::termios, libc::winsize) = unsafe { std::mem::zeroed() };
    // SAFETY: filled by the call.
    checked(unsafe { libc::tcgetattr(slave, &raw mut modes) }.into()).unwrap();
    let confinement = Confinement::new();
    let confinement = if given { confinement.with_terminal() } else { confinement };
    confinement.apply().unwrap();
    // SAFETY: each is given what it wants, and fills it.
    let set = unsafe { libc::tcsetattr(slave, libc::TCSADRAIN, &raw const modes) };
    // SAFETY: as above.
    let asked = unsafe { libc::ioctl(slave, libc::TIOCGWINSZ, &raw mut size) };
    // SAFETY: as above; nothing is waited for.
    let waited = unsafe {
        let mut now = libc::timeval { tv_sec: 0, tv_usec: 0 };
        libc::select(0, ptr::null_mut(), ptr::null_mut(), ptr::null_mut(), &raw mut now)
    };
    // SAFETY: one byte is read.
    let typed = unsafe { libc::ioctl(slave, libc::TIOCSTI, c"x".as_ptr()) };
    // SAFETY: two numbers; signal 0 only asks.
    let signalled = unsafe { libc::kill(libc::getppid(), 0) };
    let done = [
        ("set its modes", checked(set.into())),
        ("ask for its size", checked(asked.into())),
        ("make a pair", UnixStream::pair().map(drop)),
        ("wait for a key", checked(waited.into())),
        ("type into it", checked(typed.into())),
        ("make a UDP socket", UdpSocket::bind("127.0.0.1:0").map(drop)),
        ("signal the parent", checked(signalled.into())),
    ];
    BTreeMap::from(done.map(|(what, result)| (what.to_owned(), how(result))))
}

fn late(dir: &Path) -> BTreeMap<String, String> {
    let (end, wait) = mpsc::channel::<()>();
    let thread = thread::spawn(move || wait.recv());
    let refusal = confine(dir, false).unwrap_err().to_string();
    drop(end);
    let _ = thread.join();
    let read = how(fs::read("/etc/passwd").map(drop));
    BTreeMap::from([("apply".to_owned(), refusal), ("read /etc/passwd".to_owned(), read)])
}

/// Where it isn't refused, nothing of this program is left to tell anything.
fn program(dir: &Path) -> BTreeMap<String, String> {
    confine(dir, false).unwrap();
    BTreeMap::from([("exec".to_owned(), how(Err(Command::new("/bin/true").exec())))])
}

/// Ends by a signal that dumps core, in a directory that may be written.
fn dump(confined: bool) -> BTreeMap<String, String> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Core);
    setrlimit(Resource::Core, Rlimit { current: maximum, maximum }).unwrap();
    if confined {
        let here = File::open(".").unwrap();
        Confinement::new().write(&here).apply().unwrap();
    }
    abort()
}

fn how(result: io::Result<()>) -> String {
    match result {
        Ok(()) => "done".to_owned(),
        Err(error) => format!("{:?}: {error}", error.kind()),
    }
}

fn in_thread(act: fn() -> io::Result<()>) -> io::Result<()> {
    thread::Builder::new().spawn(act)?.join().unwrap()
}

fn call(number: libc::c_long, arguments: [libc::c_long; 6]) -> io::Result<()> {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: the calls made here take numbers only.
    checked(unsafe { libc::syscall(number, a, b, c, d, e, f) })
}

fn checked(result: i64) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A page of its own.
fn map(protection: i32) -> io::Result<*mut libc::c_void> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping anywhere, which nobody uses but who asked for it.
    let memory = unsafe { libc::mmap(ptr::null_mut(), PAGE, protection, flags, -1, 0) };
    if memory == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(memory) }
}
