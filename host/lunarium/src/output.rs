//! Where scripts print and log: the standard streams, a closure, a list, a channel.
//!
//! Owns what happens where a line isn't taken at once: what is printed waits, with the script that prints; what is logged is
//! lost and counted. Whoever wants it otherwise implements [`Output`].

use std::collections::VecDeque;
use std::fmt;
use std::io::{Write as _, stderr, stdout};
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::Duration;

use futures_lite::future::block_on;
use lunarium_engine::{ErrorKind, Level, LogField, Output, ProcessLabel};
use tokio::sync::Notify;

use crate::Error;

/// A line that a script has written. Its text is what it looks like: control characters are spelled out.
///
/// As text it is the line itself, or `WARN app:main#00001: message key=value` where it was logged.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Line {
    /// Who.
    pub process: ProcessLabel,
    /// None: it was printed.
    pub level: Option<Level>,
    /// What, without a newline.
    pub text: String,
    /// Of a logged line.
    pub fields: Vec<LogField>,
}

impl Line {
    fn printed(process: &ProcessLabel, text: &str) -> Line {
        Line { process: process.clone(), level: None, text: text.to_owned(), fields: Vec::new() }
    }

    fn logged(process: &ProcessLabel, level: Level, text: &str, fields: &[LogField]) -> Line {
        Line { process: process.clone(), level: Some(level), text: text.to_owned(), fields: fields.to_vec() }
    }

    /// With what a line costs by itself.
    fn bytes(&self) -> usize {
        const LINE: usize = 128;
        let fields = self.fields.iter().map(|field| field.size().saturating_add(LINE));
        fields.fold(self.text.len().saturating_add(LINE), usize::saturating_add)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(level) = self.level else { return f.write_str(&self.text) };
        let level = match level {
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
        };
        write!(f, "{level} {}: {}", self.process.frame, self.text)?;
        self.fields.iter().try_for_each(|field| write!(f, " {}={}", field.name(), field.as_str()))
    }
}

// ---- A closure

/// Gives each line to a closure. It is called on the threads that run scripts, from several at once: it must not block.
pub fn to(take: impl Fn(Line) + Send + Sync + 'static) -> impl Output {
    To(take)
}

struct To<F>(F);

impl<F: Fn(Line) + Send + Sync> Output for To<F> {
    fn print(&self, process: &ProcessLabel, line: &str) -> bool {
        (self.0)(Line::printed(process, line));
        true
    }

    fn on_ready(&self, waker: Waker) {
        waker.wake();
    }

    fn log(&self, process: &ProcessLabel, level: Level, message: &str, fields: &[LogField]) {
        (self.0)(Line::logged(process, level, message, fields));
    }
}

// ---- A list

/// Bytes that a list keeps.
const CAPTURED: usize = 16 << 20;

/// Keeps lines until they are taken: for tests. Clones are the same list. Beyond 16 MiB the oldest are lost.
#[derive(Debug, Clone, Default)]
pub struct Captured {
    lines: Arc<Mutex<(VecDeque<Line>, usize)>>,
}

impl Captured {
    /// An empty list.
    pub fn new() -> Captured {
        Captured::default()
    }

    /// The lines so far, which are forgotten then.
    pub fn take(&self) -> Vec<Line> {
        let (lines, _) = std::mem::take(&mut *self.lock());
        lines.into()
    }

    /// What was printed so far, a line each; all is forgotten then.
    pub fn text(&self) -> String {
        let lines = self.take().into_iter().filter(|line| line.level.is_none());
        lines.map(|line| line.text + "\n").collect()
    }

    fn push(&self, line: Line) {
        let mut kept = self.lock();
        let (lines, bytes) = &mut *kept;
        *bytes = bytes.saturating_add(line.bytes());
        lines.push_back(line);
        while *bytes > CAPTURED {
            let Some(oldest) = lines.pop_front() else { break };
            *bytes = bytes.saturating_sub(oldest.bytes());
        }
    }

    fn lock(&self) -> MutexGuard<'_, (VecDeque<Line>, usize)> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Output for Captured {
    fn print(&self, process: &ProcessLabel, line: &str) -> bool {
        self.push(Line::printed(process, line));
        true
    }

    fn on_ready(&self, waker: Waker) {
        waker.wake();
    }

    fn log(&self, process: &ProcessLabel, level: Level, message: &str, fields: &[LogField]) {
        self.push(Line::logged(process, level, message, fields));
    }
}

// ---- A channel

/// Puts lines into a queue of so many bytes, from which a task or a thread takes them. When it is full, scripts that print
/// wait, and log lines are lost and counted.
pub fn channel(bytes: usize) -> (ChannelOutput, Lines) {
    let queue =
        Arc::new(Queue { state: Mutex::default(), most: bytes, arrived: Notify::new(), drained: Condvar::new() });
    (ChannelOutput { queue: Arc::clone(&queue) }, Lines { queue })
}

/// The end of a channel that a node writes to.
pub struct ChannelOutput {
    queue: Arc<Queue>,
}

/// The end of a channel that lines are taken from. Dropped, what scripts write is lost.
pub struct Lines {
    queue: Arc<Queue>,
}

struct Queue {
    state: Mutex<State>,
    /// Bytes that it takes.
    most: usize,
    arrived: Notify,
    /// Nothing is queued, and what was taken last is dealt with.
    drained: Condvar,
}

#[derive(Default)]
struct State {
    lines: VecDeque<Line>,
    bytes: usize,
    /// Log lines since the last one that was taken.
    lost: u64,
    /// Scripts that wait for room: one waker each.
    waiting: Vec<Waker>,
    /// A line was taken, and not asked for the next one since.
    taken: bool,
    /// Nobody writes any more.
    ended: bool,
    /// Nobody takes any more.
    closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_room(&self, state: &State, bytes: usize) -> bool {
        // A line that is larger than all is taken alone.
        state.lines.is_empty() || state.bytes.saturating_add(bytes) <= self.most
    }

    fn push(&self, mut state: MutexGuard<'_, State>, line: Line) {
        state.bytes = state.bytes.saturating_add(line.bytes());
        state.lines.push_back(line);
        drop(state);
        self.arrived.notify_one();
    }

    /// The next line. Outer none: there is none yet.
    fn pop(&self) -> Option<Option<Line>> {
        let mut state = self.lock();
        state.taken = false;
        let Some(line) = state.lines.pop_front() else {
            self.drained.notify_all();
            return state.ended.then_some(None);
        };
        state.taken = true;
        state.bytes = state.bytes.saturating_sub(line.bytes());
        let waiting = match state.bytes <= self.most / 2 {
            true => std::mem::take(&mut state.waiting),
            false => Vec::new(),
        };
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
        Some(Some(line))
    }
}

impl Output for ChannelOutput {
    fn print(&self, process: &ProcessLabel, line: &str) -> bool {
        let line = Line::printed(process, line);
        let state = self.queue.lock();
        if state.closed {
            return true;
        }
        let taken = self.queue.has_room(&state, line.bytes());
        if taken {
            self.queue.push(state, line);
        }
        taken
    }

    fn on_ready(&self, waker: Waker) {
        let mut state = self.queue.lock();
        if state.closed || state.bytes <= self.queue.most / 2 {
            drop(state);
            waker.wake();
        } else {
            state.waiting.push(waker);
        }
    }

    fn log(&self, process: &ProcessLabel, level: Level, message: &str, fields: &[LogField]) {
        let mut line = Line::logged(process, level, message, fields);
        let mut state = self.queue.lock();
        if state.closed || !self.queue.has_room(&state, line.bytes()) {
            state.lost = state.lost.saturating_add(1);
            return;
        }
        let lost = std::mem::take(&mut state.lost);
        if lost > 0 {
            line.fields.push(LogField::number("lost_lines", lost));
        }
        self.queue.push(state, line);
    }
}

impl Drop for ChannelOutput {
    fn drop(&mut self) {
        self.queue.lock().ended = true;
        self.queue.arrived.notify_one();
    }
}

impl Lines {
    /// The next line. None: the node has ended, and that was all.
    ///
    /// Cancel safety: nothing is lost.
    pub async fn next(&mut self) -> Option<Line> {
        loop {
            let mut arrived = pin!(self.queue.arrived.notified());
            arrived.as_mut().enable();
            if let Some(next) = self.queue.pop() {
                return next;
            }
            arrived.await;
        }
    }

    /// The same, blocking the thread. Not for a thread that runs async tasks.
    pub fn next_blocking(&mut self) -> Option<Line> {
        block_on(self.next())
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }
}

// ---- The standard streams

/// Bytes that wait for the standard streams.
const STANDARD: usize = 1 << 20;

/// How long a node's end waits until the standard streams have taken what was printed.
const PATIENCE: Duration = Duration::from_secs(1);

/// Prints to standard output, and logs to standard error, by a thread of its own: a stream that is blocked holds up the
/// scripts that print, and nobody else.
///
/// Errors: the thread can't be started.
pub fn standard() -> Result<ChannelOutput, Error> {
    standard_with_flush().map(|(output, _)| output)
}

/// Waits, when it is dropped, until everything is written.
pub(crate) struct Flush(Arc<Queue>);

pub(crate) fn standard_with_flush() -> Result<(ChannelOutput, Flush), Error> {
    let (output, mut lines) = channel(STANDARD);
    let write = move || {
        while let Some(line) = lines.next_blocking() {
            // Whoever closes the streams wants nothing of it.
            let _ = match line.level {
                None => writeln!(stdout().lock(), "{line}"),
                Some(_) => writeln!(stderr().lock(), "{line}"),
            };
        }
    };
    let started = thread::Builder::new().name("lunarium-output".to_owned()).spawn(write);
    started.map_err(|error| Error::new(ErrorKind::ResourceExhausted, format!("cannot start a thread: {error}")))?;
    let flush = Flush(Arc::clone(&output.queue));
    Ok((output, flush))
}

impl Drop for Flush {
    fn drop(&mut self) {
        let busy = |state: &mut State| !state.closed && (state.taken || !state.lines.is_empty());
        // What is left after that would be so for ever.
        let _ = self.0.drained.wait_timeout_while(self.0.lock(), PATIENCE, busy);
    }
}
