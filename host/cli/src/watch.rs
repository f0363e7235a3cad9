//! `--watch`: the command again whenever a file of the application changes.
//!
//! Owns the watcher, and the program that it starts: the same command without `--watch`, which builds its own wall and runs
//! scripts; this one runs none, so it keeps what it needs to start others. Refuses to know what the command does.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use lunarium_engine::Level;
use notify::{EventKind, RecursiveMode, Watcher as _};
use rustix::process::{Pid, Signal as Kill, kill_process};
use tokio::runtime::Builder;
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{sleep, timeout};

use crate::arguments::LogFormat;
use crate::terminal::{own_line, visible, write_error};
use crate::verdict::{INTERRUPTED, TERMINATED};
use crate::{Refused, open};

/// Changes that come so soon after another belong to it: editors write a file in several steps.
const QUIET: Duration = Duration::from_millis(50);
/// Where changes never pause: it runs again after so many that belong together.
const MOST_CHANGES: usize = 1000;
/// How long a run may take to end when it is asked to. At the limit: it is killed.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs the command again and again, until a signal; `path` is what it reads.
///
/// Errors: it can't be watched, or the command can't be started.
pub fn run(path: &Path, format: LogFormat) -> Result<u8, Refused> {
    if !path.exists() {
        return Err(Refused::usage(format!("there is no file or folder `{}`", path.display()), None));
    }
    let failed = |error: &dyn std::fmt::Display| Refused::machine(format!("`--watch`: {error}"));
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| failed(&error))?;
    runtime.block_on(async {
        let mut watched = Watched::start(path, format).map_err(|error| failed(&error))?;
        watched.run().await.map_err(|error| failed(&error))
    })
}

struct Watched {
    /// Watches until it is dropped.
    _watcher: notify::RecommendedWatcher,
    changes: UnboundedReceiver<PathBuf>,
    shown: String,
    format: LogFormat,
    ended: Signal,
    interrupted: Signal,
    terminated: Signal,
}

/// What there was to wait for.
enum Next {
    Ended(ExitStatus),
    Changed(PathBuf),
    /// The terminal has told the program that runs, too.
    Interrupted,
    Terminated,
}

impl Watched {
    fn start(path: &Path, format: LogFormat) -> notify::Result<Self> {
        // Of a single file its folder: an editor puts another file in its place.
        let is_folder = path.is_dir();
        let folder = if is_folder { path } else { path.parent().unwrap_or(Path::new("")) };
        let folder = open::folder(folder);
        let (tell, changes) = unbounded_channel();
        // Events name whole paths, and what is above the folder doesn't matter.
        let root = folder.canonicalize()?;
        let (above, named) = (root.clone(), if folder == Path::new(".") { PathBuf::new() } else { folder.to_owned() });
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if matches!(event.kind, EventKind::Access(_)) {
                return;
            }
            let mut inside = event.paths.iter().filter_map(|changed| changed.strip_prefix(&above).ok());
            if let Some(changed) = inside.find(|changed| counts(changed)) {
                // The receiver lives as long as the watcher.
                let _ = tell.send(named.join(changed));
            }
        })?;
        let mode = if is_folder { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
        watcher.watch(&root, mode)?;
        Ok(Self {
            _watcher: watcher,
            changes,
            shown: folder.display().to_string(),
            format,
            ended: signal(SignalKind::child())?,
            interrupted: signal(SignalKind::interrupt())?,
            terminated: signal(SignalKind::terminate())?,
        })
    }

    async fn run(&mut self) -> io::Result<u8> {
        loop {
            let mut child = again()?;
            let changed = match self.next(Some(&mut child)).await? {
                Next::Interrupted => return Ok(code(self.end(&mut child, None).await?)),
                Next::Terminated => return Ok(code(self.end(&mut child, Some(Kill::TERM)).await?)),
                Next::Changed(changed) => {
                    self.settle().await;
                    self.end(&mut child, Some(Kill::TERM)).await?;
                    changed
                }
                Next::Ended(status) => {
                    self.tell(&format!(
                        "ended with exit code {}; runs again when a file in `{}` changes",
                        code(status),
                        self.shown
                    ));
                    match self.next(None).await? {
                        Next::Changed(changed) => changed,
                        Next::Terminated => return Ok(TERMINATED),
                        Next::Interrupted | Next::Ended(_) => return Ok(INTERRUPTED),
                    }
                }
            };
            self.settle().await;
            self.tell(&format!("`{}` has changed", changed.display()));
        }
    }

    /// What comes first: the end of `child` if one runs, a change, a signal.
    async fn next(&mut self, child: Option<&mut Child>) -> io::Result<Next> {
        let Self { changes, ended, interrupted, terminated, .. } = self;
        Ok(select! {
            biased;
            _ = interrupted.recv() => Next::Interrupted,
            _ = terminated.recv() => Next::Terminated,
            status = wait(child, ended) => Next::Ended(status?),
            changed = changes.recv() => Next::Changed(changed.unwrap_or_default()),
        })
    }

    fn tell(&self, text: &str) {
        let text = format!("watch: {}", visible(text));
        write_error(&(own_line(self.format, Level::Info, &text) + "\n"));
    }

    /// Waits until nothing changes for a moment.
    async fn settle(&mut self) {
        for _ in 0..MOST_CHANGES {
            if timeout(QUIET, self.changes.recv()).await.is_err() {
                return;
            }
        }
    }

    /// Waits for the end of what runs, which `kill` asks for; none: it was asked already, and may take its time.
    async fn end(&mut self, child: &mut Child, kill: Option<Kill>) -> io::Result<ExitStatus> {
        let Some(kill) = kill else { return wait(Some(child), &mut self.ended).await };
        // Its number is its own until its end is taken, which is done here alone.
        send(child, kill);
        let ended = select! {
            status = wait(Some(child), &mut self.ended) => Some(status),
            () = sleep(PATIENCE) => None,
        };
        match ended {
            Some(status) => status,
            None => {
                child.kill()?;
                child.wait()
            }
        }
    }
}

/// The same command without `--watch`.
fn again() -> io::Result<Child> {
    let mut arguments: Vec<OsString> = env::args_os().skip(1).collect();
    // Options stand before the arguments of scripts, so the first is ours.
    if let Some(place) = arguments.iter().position(|argument| argument == "--watch") {
        arguments.remove(place);
    }
    Command::new(env::current_exe()?).args(arguments).spawn()
}

async fn wait(child: Option<&mut Child>, ended: &mut Signal) -> io::Result<ExitStatus> {
    let Some(child) = child else { return std::future::pending().await };
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        ended.recv().await;
    }
}

fn send(child: &Child, kill: Kill) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It may have ended just now.
        let _ = kill_process(pid, kill);
    }
}

fn code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let killed = status.signal().map(|signal| signal.saturating_add(128));
    status.code().or(killed).and_then(|code| u8::try_from(code).ok()).unwrap_or(crate::verdict::FAILURE)
}

/// Whether a change of this file, a path below the folder, can change what the command does: sources and index files, but not in hidden folders.
fn counts(changed: &Path) -> bool {
    let is_source = changed.extension().is_some_and(|ending| ending == "lua" || ending == "yaml");
    let is_hidden = changed.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."));
    is_source && !is_hidden
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::counts;

    #[test]
    fn only_sources_that_are_not_hidden_count() {
        let counts = |path: &str| counts(Path::new(path));
        assert!(counts("main.lua") && counts("a/b/_index.yaml"));
        assert!(!counts(".git/x.lua") && !counts("notes.txt") && !counts("a/.#main.lua"));
    }
}
