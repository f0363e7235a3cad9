//! An output stream of the command: lines from many processes, written whole and in order by one thread.
//!
//! Owns the bounded queue before a file descriptor. Never blocks whoever writes, nor whoever waits for its end: a full
//! queue refuses, and a broken stream takes everything and drops it; only the thread waits for the system. Does not know
//! what a line means.

use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread;

use tokio::sync::oneshot;

/// Bytes that wait to be written. At the limit: refused, until the writer has taken them. A pipe holds 64 KiB; four
/// times that keeps the writer busy while processes go on.
const CAPACITY: usize = 256 * 1024;

/// Bytes more that lines of the command itself may wait in, so that what processes write can't keep them out.
const OWN: usize = 64 * 1024;

/// The sending side of a stream. Cheap to clone.
#[derive(Clone)]
pub struct Stream {
    shared: Arc<Shared>,
}

/// Ends a stream: see [`Writer::finish`].
pub struct Writer {
    shared: Arc<Shared>,
    /// Closed when the thread ends.
    ended: oneshot::Receiver<()>,
}

struct Shared {
    state: Mutex<State>,
    /// Signalled when there is something to write or nothing more to come.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    wakers: Vec<Waker>,
    /// The writer has lines that it hasn't written yet.
    writing: bool,
    /// Who waits until all is written: dropped then.
    waiting_for_all: Vec<oneshot::Sender<()>>,
    /// Nothing more will come.
    finished: bool,
    /// The other end is gone, or writing failed, or it was given up.
    broken: bool,
    given_up: bool,
    /// How often the writer has written what it had taken.
    rounds: u64,
}

impl Stream {
    /// Starts the writer of a stream. `broken` is called once when writing fails.
    ///
    /// Errors: no thread can be started.
    pub fn start(
        name: &str,
        target: impl Write + Send + 'static,
        broken: impl FnOnce(&io::Error) + Send + 'static,
    ) -> io::Result<(Self, Writer)> {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let writing = Arc::clone(&shared);
        let (end, ended) = oneshot::channel();
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            // Dropped last, and by a panic, too.
            let _end: oneshot::Sender<()> = end;
            writing.write_all(target, broken);
        })?;
        Ok((Self { shared: Arc::clone(&shared) }, Writer { shared, ended }))
    }

    /// Takes a line; its newline is added. False: the queue is full and nothing was taken.
    ///
    /// At the limit: 256 KiB wait; a line that begins below it is taken whole.
    pub fn push(&self, line: &[u8]) -> bool {
        self.push_below(line, CAPACITY)
    }

    /// The same for a line of the command itself, for which there are 64 KiB more.
    pub fn push_own(&self, line: &[u8]) -> bool {
        self.push_below(line, CAPACITY + OWN)
    }

    fn push_below(&self, line: &[u8], capacity: usize) -> bool {
        let mut state = self.shared.lock();
        if state.broken {
            return true;
        }
        if state.waiting.len() >= capacity {
            return false;
        }
        let idle = state.waiting.is_empty();
        state.waiting.extend_from_slice(line);
        state.waiting.push(b'\n');
        drop(state);
        if idle {
            self.shared.changed.notify_one();
        }
        true
    }

    /// How often the writer has come to take lines and has written them, each time 256 KiB or all there was.
    pub fn rounds(&self) -> u64 {
        self.shared.lock().rounds
    }

    /// Breaks the stream when it is full and hasn't got on since `rounds`. True: it did.
    pub fn give_up(&self, rounds: u64) -> bool {
        let mut state = self.shared.lock();
        if state.broken || state.rounds != rounds || state.waiting.len() < CAPACITY {
            return false;
        }
        state.given_up = true;
        drop(state);
        self.shared.cut();
        true
    }

    /// It was broken by [`Stream::give_up`].
    pub fn is_given_up(&self) -> bool {
        self.shared.lock().given_up
    }

    /// Waits until everything that was taken is written, or the stream is broken.
    ///
    /// Cancel safety: nothing is lost.
    pub async fn written(&self) {
        let all = {
            let mut state = self.shared.lock();
            if state.broken || state.waiting.is_empty() && !state.writing {
                return;
            }
            let (end, all) = oneshot::channel();
            state.waiting_for_all.push(end);
            all
        };
        // Nothing is ever sent.
        let _ = all.await;
    }

    /// Wakes `waker` once lines are taken again, at once when they are.
    pub fn on_ready(&self, waker: Waker) {
        let mut state = self.shared.lock();
        if state.waiting.len() >= CAPACITY && !state.broken {
            state.wakers.push(waker);
        } else {
            drop(state);
            waker.wake();
        }
    }
}

impl Writer {
    /// Waits until everything is written. Lines that come later are never written.
    ///
    /// Cancel safety: the thread goes on to write what was taken, for as long as the program lives.
    pub async fn finish(self) {
        self.shared.lock().finished = true;
        self.shared.changed.notify_one();
        // Nothing is ever sent: an error is the end.
        let _ = self.ended.await;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after every statement.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all(&self, mut target: impl Write, broken: impl FnOnce(&io::Error)) {
        let mut lines = Vec::new();
        while self.take(&mut lines) {
            if let Err(error) = target.write_all(&lines).and_then(|()| target.flush()) {
                self.cut();
                broken(&error);
                return;
            }
            lines.clear();
            let mut state = self.lock();
            state.rounds = state.rounds.saturating_add(1);
            state.writing = false;
            if state.waiting.is_empty() {
                state.waiting_for_all.clear();
            }
        }
    }

    /// From now on everything is taken and dropped.
    fn cut(&self) {
        let wakers = {
            let mut state = self.lock();
            state.broken = true;
            state.waiting = Vec::new();
            state.waiting_for_all.clear();
            mem::take(&mut state.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Waits for lines and swaps them in; false when there are none and none will come.
    fn take(&self, lines: &mut Vec<u8>) -> bool {
        let mut state = self.lock();
        while state.waiting.is_empty() && !state.finished {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        mem::swap(&mut state.waiting, lines);
        state.writing = !lines.is_empty();
        let wakers = mem::take(&mut state.wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        !lines.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::mpsc;
    use std::task::Wake;

    use tokio::runtime::Builder;

    use super::{CAPACITY, Stream, Writer};

    /// Writes go through only when the test lets them.
    struct Gate {
        open: mpsc::Receiver<io::Result<()>>,
        written: mpsc::Sender<Vec<u8>>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.open.recv().unwrap()?;
            self.written.send(bytes.to_vec()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Told(mpsc::Sender<()>);

    impl Wake for Told {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.send(()).unwrap();
        }
    }

    fn gate() -> (mpsc::Sender<io::Result<()>>, mpsc::Receiver<Vec<u8>>, Gate) {
        let (open, opened) = mpsc::channel();
        let (written, writes) = mpsc::channel();
        (open, writes, Gate { open: opened, written })
    }

    fn finish(writer: Writer) {
        Builder::new_current_thread().build().unwrap().block_on(writer.finish());
    }

    /// Fills the queue while the writer is stuck with the first line.
    fn fill(stream: &Stream) -> usize {
        let line = [b'x'; 1023];
        (0..10 * CAPACITY).take_while(|_| stream.push(&line)).count()
    }

    #[test]
    fn a_full_stream_refuses_and_tells_when_it_takes_again() {
        let (open, writes, gate) = gate();
        let (stream, writer) = Stream::start("test", gate, |_| ()).unwrap();
        let taken = fill(&stream);
        // What the writer had swapped out before it got stuck comes on top.
        assert!((CAPACITY / 1024..=2 * CAPACITY / 1024).contains(&taken), "{taken}");
        let (tell, told) = mpsc::channel();
        stream.on_ready(std::sync::Arc::new(Told(tell)).into());
        assert!(told.try_recv().is_err());
        open.send(Ok(())).unwrap();
        told.recv().unwrap();
        assert!(stream.push(b"last"));
        // Later writes pass as they come.
        (0..taken).for_each(|_| drop(open.send(Ok(()))));
        finish(writer);
        let all: Vec<u8> = writes.into_iter().flatten().collect();
        assert_eq!(all.len(), taken * 1024 + 5);
        assert!(all.ends_with(b"x\nlast\n"));
    }

    #[test]
    fn a_broken_stream_takes_everything_and_tells_once() {
        let (open, _writes, gate) = gate();
        let (tell, told) = mpsc::channel();
        let report = tell.clone();
        let (stream, writer) =
            Stream::start("test", gate, move |error| report.send(error.kind() == io::ErrorKind::BrokenPipe).unwrap())
                .unwrap();
        fill(&stream);
        open.send(Err(io::ErrorKind::BrokenPipe.into())).unwrap();
        assert!(told.recv().unwrap());
        assert!(stream.push(b"x"));
        let (wake, woken) = mpsc::channel();
        stream.on_ready(std::sync::Arc::new(Told(wake)).into());
        woken.recv().unwrap();
        finish(writer);
    }

    #[test]
    fn only_a_full_stream_that_stands_still_is_given_up() {
        let (open, _writes, gate) = gate();
        let (stream, writer) = Stream::start("test", gate, |_| ()).unwrap();
        assert!(stream.push(b"one"));
        assert!(!stream.give_up(stream.rounds()), "it isn't full");
        fill(&stream);
        assert!(!stream.give_up(stream.rounds() + 1), "it has got on");
        assert!(!stream.is_given_up());
        let (tell, told) = mpsc::channel();
        stream.on_ready(std::sync::Arc::new(Told(tell)).into());
        assert!(stream.give_up(stream.rounds()));
        told.recv().unwrap();
        assert!(stream.push(b"lost") && stream.is_given_up());
        assert!(!stream.give_up(stream.rounds()), "it was");
        // What the writer had taken already may still be written.
        (0..2 * CAPACITY / 1024).for_each(|_| drop(open.send(Ok(()))));
        finish(writer);
    }

    #[test]
    fn who_waits_for_all_waits_for_what_is_being_written() {
        let (open, writes, gate) = gate();
        let (stream, writer) = Stream::start("test", gate, |_| ()).unwrap();
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(stream.written());
        assert!(stream.push(b"one"));
        runtime.block_on(async {
            let mut written = std::pin::pin!(stream.written());
            let early = std::future::poll_fn(|cx| std::task::Poll::Ready(written.as_mut().poll(cx).is_ready())).await;
            assert!(!early, "nobody has let the writer through");
            open.send(Ok(())).unwrap();
            written.await;
        });
        assert_eq!(writes.try_recv().unwrap(), b"one\n");
        open.send(Err(io::ErrorKind::BrokenPipe.into())).unwrap();
        assert!(stream.push(b"lost"));
        runtime.block_on(stream.written());
        finish(writer);
    }

    #[test]
    fn what_was_taken_is_written_before_the_end() {
        let (open, writes, gate) = gate();
        let (stream, writer) = Stream::start("test", gate, |_| ()).unwrap();
        assert!(stream.push(b"one"));
        assert!(stream.push(b"two"));
        open.send(Ok(())).unwrap();
        open.send(Ok(())).unwrap();
        finish(writer);
        assert_eq!(writes.into_iter().flatten().collect::<Vec<u8>>(), b"one\ntwo\n");
    }
}
