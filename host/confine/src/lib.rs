//! A second wall: takes from the calling process, for good, what it won't need.
//!
//! A guest is held by WebAssembly. Should it ever get out, or should the host itself be led astray, the operating system
//! still refuses: every file but those below the directories that were given, every program, every socket, every other
//! process. Nothing here needs privileges.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use lunarium_confine::{Confinement, Hold};
//!
//! // First thing in `main`, once everything else is open, and before the first thread.
//! let data = std::fs::File::open("/srv/data")?;
//! let confined = Confinement::new().write(&data).apply()?;
//! if confined.landlock != Hold::Yes {
//!     eprintln!("files: {}", confined.landlock);
//! }
//! assert!(std::fs::read("/etc/passwd").is_err());
//! # Ok(())
//! # }
//! ```
//!
//! Owns the rules of all four parts and the order in which they are set: limits of resources, Landlock with
//! `no_new_privs`, seccomp. Refuses to know what runs behind the wall: no wasm, no YAML, no engine.

mod calls;
mod files;
mod resources;

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use thiserror::Error;

/// What a process keeps. The default is what it has open, its memory and its threads.
///
/// Whatever is given or not: what was opened before stays usable, threads can be started, memory can be made executable
/// once it isn't writable any more (an engine maps the guest's code for each segment of its pool), and the attributes of
/// files can be looked at (neither Landlock nor seccomp can tell those of one file from another's).
#[derive(Debug, Default)]
pub struct Confinement<'fd> {
    directories: Vec<Given<'fd>>,
    sockets: Sockets,
    terminal: bool,
}

/// What can be done with sockets that aren't open yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Sockets {
    #[default]
    Nothing,
    /// Those that come to a listening one that is open.
    Accepting,
    Making,
}

/// A directory that is kept.
#[derive(Debug)]
struct Given<'fd> {
    directory: BorrowedFd<'fd>,
    write: bool,
}

/// What holds from now on, part by part: the kernel may be older than a part, or have it switched off.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Confined {
    /// No program that is started could gain privileges.
    pub no_new_privs: Hold,
    /// Landlock: files outside of the given directories, TCP, other processes' abstract sockets and signals to them.
    pub landlock: Hold,
    /// seccomp: which system calls there are.
    pub seccomp: Hold,
    /// No core is dumped, and the number of open files can't be raised.
    pub limits: Hold,
}

/// Whether a part holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// All of it.
    Yes,
    /// As much as this kernel knows, in words.
    Part(String),
    /// Nothing of it; why, in words.
    No(String),
}

/// Why nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfineError {
    /// Rules count for the calling thread and those that it starts: the others would stay as they are.
    #[error("the process has {0} threads already: it must be confined before it starts a second one")]
    Threads(usize),
    /// There is no `/proc`, or it can't be read.
    #[error("the process's threads can't be counted in /proc/self/task: {0}")]
    Uncounted(io::Error),
}

impl<'fd> Confinement<'fd> {
    /// Nothing but what is open.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same and reading below this directory.
    #[must_use]
    pub fn read(self, directory: &'fd impl AsFd) -> Self {
        self.give(directory, false)
    }

    /// The same and reading, writing, making, renaming and removing files and directories below this directory; neither
    /// links nor anything special can be made.
    #[must_use]
    pub fn write(self, directory: &'fd impl AsFd) -> Self {
        self.give(directory, true)
    }

    /// The same and making internet sockets, and pairs of local ones: a program that serves or asks others needs them. With
    /// whom it may speak is for its firewall.
    #[must_use]
    pub fn with_sockets(self) -> Self {
        Self { sockets: Sockets::Making, ..self }
    }

    /// The same and accepting connections at the sockets that listen already: a program that only answers needs no other. So do sockets
    /// that another process hands over. Changes nothing where sockets can be made.
    #[must_use]
    pub fn with_connections(self) -> Self {
        match self.sockets {
            Sockets::Nothing => Self { sockets: Sockets::Accepting, ..self },
            Sockets::Accepting | Sockets::Making => self,
        }
    }

    /// The same and what a line editor does with the terminal that is open: its modes and its size, pairs of local sockets by which it hears
    /// of signals, and stopping its own group of processes (`Ctrl+Z`). Nothing can be put into the terminal's input.
    #[must_use]
    pub fn with_terminal(self) -> Self {
        Self { terminal: true, ..self }
    }

    fn give(mut self, directory: &'fd impl AsFd, write: bool) -> Self {
        self.directories.push(Given { directory: directory.as_fd(), write });
        self
    }

    /// Confines the process, for as long as it lives, and tells what of it holds: what the kernel can't do isn't an error,
    /// so look at the result.
    ///
    /// Call it once, after everything was opened and before the first thread is started; that includes an async runtime's.
    /// `lunarium_engine::Engine::prepare` opens what an engine needs.
    ///
    /// Errors: the process has a second thread, or they can't be counted; nothing is changed then.
    pub fn apply(self) -> Result<Confined, ConfineError> {
        match threads().map_err(ConfineError::Uncounted)? {
            1 => {}
            many => return Err(ConfineError::Threads(many)),
        }
        let limits = resources::limit();
        // Before seccomp, which takes the calls for it away; it sets `no_new_privs`, without which seccomp is refused.
        let files::Restricted { no_new_privs, landlock } =
            files::restrict(&self.directories, self.sockets == Sockets::Making);
        let seccomp = calls::restrict(self.sockets, self.terminal);
        Ok(Confined { no_new_privs, landlock, seccomp, limits })
    }
}

/// Lets the process have up to `wanted` open files, where its hard limit allows that: how many it may have now. For who has many
/// connections; behind the wall it can't be raised any more.
pub fn raise_open_files(wanted: u64) -> u64 {
    resources::raise_open_files(wanted)
}

/// The threads of this process.
fn threads() -> io::Result<usize> {
    let mut count = 0_usize;
    for entry in fs::read_dir("/proc/self/task")? {
        entry?;
        count = count.saturating_add(1);
    }
    Ok(count)
}

impl Hold {
    fn of<E: fmt::Display>(result: Result<(), E>) -> Self {
        match result {
            Ok(()) => Self::Yes,
            Err(error) => Self::No(error.to_string()),
        }
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes => f.write_str("yes"),
            Self::Part(what) => write!(f, "in part: {what}"),
            Self::No(why) => write!(f, "no: {why}"),
        }
    }
}
