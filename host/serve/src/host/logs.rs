//! What a tenant's processes print and log: the last lines, for whoever asks or follows.
//!
//! Owns that a reader holds up nobody: the lines stand once, in a ring of a fixed size, and who is too slow for it is told how many it
//! has missed. Owns how much a tenant may print in a second. Refuses to write anywhere.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Instant, SystemTime};

use futures_lite::Stream;
use futures_lite::future::poll_fn;
use lunarium_engine::{Level, LogField, Pid, ProcessLabel};
use parking_lot::Mutex;

/// Lines that are kept. The number: what fits on many screens.
const LINES: usize = 1_000;
/// Bytes of the lines that are kept, however few these are. The number: as long as their average is a kilobyte, `LINES` are.
const BYTES: usize = 1 << 20;
/// What a line counts for beside its texts.
const LINE: usize = 256;

/// One line.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LogLine {
    /// Its number in the tenant's log, from 0.
    pub number: u64,
    /// When it was written.
    pub time: SystemTime,
    /// Who has written it; none: the host.
    pub process: Option<ProcessLabel>,
    /// How much it matters; `Info` when it was printed.
    pub level: Level,
    /// It was printed, not logged.
    pub printed: bool,
    /// Its text, in which nothing is invisible.
    pub message: String,
    /// What stands beside it.
    pub fields: Vec<LogField>,
}

impl LogLine {
    pub(super) fn new(process: Option<&ProcessLabel>, level: Level, message: impl Into<String>) -> Self {
        Self {
            number: 0,
            time: SystemTime::now(),
            process: process.cloned(),
            level,
            printed: false,
            message: message.into(),
            fields: Vec::new(),
        }
    }

    fn size(&self) -> usize {
        let fields = self.fields.iter().map(LogField::size);
        fields.fold(self.message.len().saturating_add(LINE), usize::saturating_add)
    }
}

/// Which lines somebody wants.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LogFilter {
    /// Of this process alone.
    pub pid: Option<Pid>,
    /// Of this level or above.
    pub level: Level,
}

impl Default for LogFilter {
    fn default() -> Self {
        Self { pid: None, level: Level::Debug }
    }
}

impl LogFilter {
    /// The same for one process.
    #[must_use]
    pub fn of(self, pid: Pid) -> Self {
        Self { pid: Some(pid), ..self }
    }

    /// The same for lines of this level or above.
    #[must_use]
    pub fn above(self, level: Level) -> Self {
        Self { level, ..self }
    }

    /// Whether it wants a line.
    pub fn wants(&self, line: &LogLine) -> bool {
        let is_of = |pid: &Pid| line.process.as_ref().is_some_and(|process| process.pid == *pid);
        line.level >= self.level && self.pid.as_ref().is_none_or(is_of)
    }
}

/// The log of a tenant. Cheap to clone.
#[derive(Clone, Default)]
pub struct Logs {
    ring: Arc<Mutex<Ring>>,
}

#[derive(Default)]
struct Ring {
    kept: VecDeque<Arc<LogLine>>,
    bytes: usize,
    /// The number of the next line.
    next: u64,
    /// Who reads, with who is to be woken.
    readers: BTreeMap<u64, Option<Waker>>,
    last_reader: u64,
    /// Nothing is written any more.
    closed: bool,
}

impl Ring {
    fn first(&self) -> u64 {
        self.next.saturating_sub(u64::try_from(self.kept.len()).unwrap_or(u64::MAX))
    }
}

impl Logs {
    /// The last lines that the filter wants, oldest first, `most` of them at most.
    pub fn last(&self, most: usize, filter: &LogFilter) -> Vec<Arc<LogLine>> {
        let ring = self.ring.lock();
        let wanted = ring.kept.iter().rev().filter(|line| filter.wants(line)).take(most);
        let mut lines: Vec<_> = wanted.cloned().collect();
        lines.reverse();
        lines
    }

    /// What is written from now on, and before it the last lines, `last` of them at most.
    pub fn follow(&self, last: usize, filter: LogFilter) -> LogReader {
        let mut ring = self.ring.lock();
        let id = ring.last_reader.saturating_add(1);
        ring.last_reader = id;
        ring.readers.insert(id, None);
        let wanted = ring.kept.iter().rev().filter(|line| filter.wants(line)).take(last);
        let next = wanted.last().map_or(ring.next, |line| line.number);
        drop(ring);
        LogReader { logs: self.clone(), id, next, filter }
    }

    pub(super) fn push(&self, mut line: LogLine) -> Arc<LogLine> {
        let mut ring = self.ring.lock();
        line.number = ring.next;
        let line = Arc::new(line);
        ring.next = ring.next.saturating_add(1);
        ring.bytes = ring.bytes.saturating_add(line.size());
        ring.kept.push_back(Arc::clone(&line));
        let mut dropped = Vec::new();
        while ring.kept.len() > LINES || (ring.bytes > BYTES && ring.kept.len() > 1) {
            let Some(oldest) = ring.kept.pop_front() else { break };
            ring.bytes = ring.bytes.saturating_sub(oldest.size());
            dropped.push(oldest);
        }
        let wakers = wakers(&mut ring);
        drop(ring);
        wakers.into_iter().for_each(Waker::wake);
        line
    }

    pub(super) fn close(&self) {
        let mut ring = self.ring.lock();
        ring.closed = true;
        let wakers = wakers(&mut ring);
        drop(ring);
        wakers.into_iter().for_each(Waker::wake);
    }
}

fn wakers(ring: &mut Ring) -> Vec<Waker> {
    ring.readers.values_mut().filter_map(Option::take).collect()
}

/// What a reader is told.
#[derive(Debug, Clone)]
pub enum LogEvent {
    /// A line.
    Line(Arc<LogLine>),
    /// The reader was too slow: so many lines are lost for it, whatever they were.
    Missed(u64),
}

/// Follows a tenant's log; see [`Logs::follow`]. Ends when the tenant is gone.
pub struct LogReader {
    logs: Logs,
    id: u64,
    next: u64,
    filter: LogFilter,
}

impl LogReader {
    /// The next line, or how many were lost. None: nothing is written any more.
    ///
    /// Cancel safety: no line is lost.
    pub async fn next(&mut self) -> Option<LogEvent> {
        poll_fn(|context| self.poll(context)).await
    }

    /// Whether this is the log that it reads.
    pub(crate) fn follows(&self, logs: &Logs) -> bool {
        Arc::ptr_eq(&self.logs.ring, &logs.ring)
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<LogEvent>> {
        // Cloned and dropped outside of the lock: it is a stranger's.
        let waker = context.waker().clone();
        let mut ring = self.logs.ring.lock();
        let missed = ring.first().saturating_sub(self.next);
        if missed > 0 {
            self.next = ring.first();
            return Poll::Ready(Some(LogEvent::Missed(missed)));
        }
        let skipped = usize::try_from(self.next.saturating_sub(ring.first())).unwrap_or(usize::MAX);
        if let Some(line) = ring.kept.iter().skip(skipped).find(|line| self.filter.wants(line)) {
            self.next = line.number.saturating_add(1);
            return Poll::Ready(Some(LogEvent::Line(Arc::clone(line))));
        }
        self.next = ring.next;
        if ring.closed {
            return Poll::Ready(None);
        }
        let before = ring.readers.insert(self.id, Some(waker));
        drop(ring);
        drop(before);
        Poll::Pending
    }
}

impl Stream for LogReader {
    type Item = LogEvent;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<LogEvent>> {
        self.get_mut().poll(context)
    }
}

impl Drop for LogReader {
    fn drop(&mut self) {
        let waker = self.logs.ring.lock().readers.remove(&self.id);
        drop(waker);
    }
}

/// What a tenant may print in a second. At the limit: lines are dropped, and counted with the next that passes.
#[derive(Debug)]
pub(super) struct PrintBudget {
    bytes: u64,
    began: Instant,
    used: u64,
    dropped: u64,
}

impl PrintBudget {
    pub(super) fn new(bytes: u64) -> Self {
        Self { bytes, began: Instant::now(), used: 0, dropped: 0 }
    }

    pub(super) fn set(&mut self, bytes: u64) {
        self.bytes = bytes;
    }

    /// How many lines were dropped before this one. None: it is dropped, too.
    pub(super) fn admit(&mut self, bytes: usize, now: Instant) -> Option<u64> {
        if now.saturating_duration_since(self.began).as_secs() > 0 {
            (self.began, self.used) = (now, 0);
        }
        if self.used >= self.bytes {
            self.dropped = self.dropped.saturating_add(1);
            return None;
        }
        self.used = self.used.saturating_add(u64::try_from(bytes.max(1)).unwrap_or(u64::MAX));
        Some(std::mem::take(&mut self.dropped))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use futures_lite::future::{block_on, poll_once};
    use lunarium_engine::Level;

    use super::{BYTES, LINES, LogEvent, LogFilter, LogLine, Logs, PrintBudget};

    fn texts(logs: &Logs, most: usize) -> Vec<String> {
        logs.last(most, &LogFilter::default()).iter().map(|line| line.message.clone()).collect()
    }

    fn write(logs: &Logs, text: &str) {
        logs.push(LogLine::new(None, Level::Info, text));
    }

    #[test]
    fn who_is_too_slow_is_told_how_much_it_has_missed() {
        let logs = Logs::default();
        let mut reader = logs.follow(0, LogFilter::default());
        assert!(block_on(poll_once(reader.next())).is_none());
        (0..LINES + 3).for_each(|number| write(&logs, &number.to_string()));
        assert!(matches!(block_on(reader.next()), Some(LogEvent::Missed(3))));
        assert!(matches!(block_on(reader.next()), Some(LogEvent::Line(line)) if line.message == "3"));
        assert_eq!(texts(&logs, 2), [(LINES + 1).to_string(), (LINES + 2).to_string()]);
    }

    #[test]
    fn a_reader_begins_with_the_last_lines_and_ends_with_the_tenant() {
        let logs = Logs::default();
        ["a", "b", "c"].iter().for_each(|text| write(&logs, text));
        logs.push(LogLine::new(None, Level::Debug, "detail"));
        let mut reader = logs.follow(2, LogFilter::default().above(Level::Info));
        logs.close();
        let mut read = Vec::new();
        while let Some(LogEvent::Line(line)) = block_on(reader.next()) {
            read.push(line.message.clone());
        }
        assert_eq!(read, ["b", "c"]);
    }

    #[test]
    fn long_lines_take_the_room_of_many() {
        let logs = Logs::default();
        (0..10).for_each(|_| write(&logs, &"x".repeat(BYTES / 4)));
        assert_eq!(texts(&logs, LINES).len(), 3);
    }

    #[test]
    fn what_is_printed_beyond_the_budget_is_dropped_and_counted() {
        let mut budget = PrintBudget::new(10);
        let now = Instant::now();
        assert_eq!([5, 5, 5].map(|bytes| budget.admit(bytes, now)), [Some(0), Some(0), None]);
        assert_eq!(budget.admit(1, now + Duration::from_secs(2)), Some(1));
    }
}
