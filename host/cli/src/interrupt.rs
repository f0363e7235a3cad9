//! What ends a run from outside: signals and a lost output.
//!
//! Owns the signal handlers. The first signal asks; the second ends the program from a task of its own, whatever the run
//! awaits (at a prompt, the second SIGTERM). So nothing on the run's thread may block: what does belongs on another.

use std::future::pending;
use std::{io, process};

use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::verdict::{INTERRUPTED, TERMINATED};

/// SIGXFSZ, on every platform that we run on: a write beyond `ulimit -f`. Unhandled it ends the program, whoever's script
/// wrote; handled, the write fails.
const FILE_TOO_LARGE: i32 = 25;

/// Why a run should end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// The first SIGINT or SIGTERM, with the exit code of a program that it ends.
    Signal(u8),
    /// Standard output can't be written any more.
    OutputLost(io::ErrorKind),
}

/// The interrupts of a run, in the order they come.
pub struct Interrupts {
    told: UnboundedReceiver<Interrupt>,
    /// The first signal's code, once it was told.
    signal: Option<u8>,
    /// Why standard output was lost, once that was told.
    lost: Option<io::ErrorKind>,
}

/// Watches for SIGINT and SIGTERM: the first is told, the second ends the program at once with 130 or 143. What is sent
/// is told, too. A write that is too large ends nothing. Needs a runtime with its drivers.
///
/// Errors: the system refuses the handlers.
pub fn watch() -> io::Result<(UnboundedSender<Interrupt>, Interrupts)> {
    start(|_, told| told == 1)
}

/// The same for who goes on after a SIGINT: each is told, and only a second SIGTERM ends the program at once.
///
/// Errors: as above.
pub fn watch_each() -> io::Result<(UnboundedSender<Interrupt>, Interrupts)> {
    let mut terminated = false;
    start(move |code, _| code != TERMINATED || !std::mem::replace(&mut terminated, true))
}

/// `tells` says of a signal's exit code, and of how many there have been with it, whether it is told.
fn start(
    mut tells: impl FnMut(u8, u64) -> bool + Send + 'static,
) -> io::Result<(UnboundedSender<Interrupt>, Interrupts)> {
    let mut signals =
        Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? };
    // The handler stays when nobody listens.
    drop(signal(SignalKind::from_raw(FILE_TOO_LARGE))?);
    let (tell, told) = unbounded_channel();
    let sender = tell.clone();
    tokio::spawn(async move {
        for count in 1.. {
            let code = signals.next().await;
            if !tells(code, count) {
                // As a shell reports a program that a signal ended; without waiting for anything.
                process::exit(code.into());
            }
            // The receiver outlives the run.
            let _ = tell.send(Interrupt::Signal(code));
        }
    });
    Ok((sender, Interrupts { told, signal: None, lost: None }))
}

impl Interrupts {
    /// Waits for the next.
    ///
    /// Cancel safety: none is lost.
    pub async fn next(&mut self) -> Interrupt {
        let Some(interrupt) = self.told.recv().await else {
            // The watching task holds a sender until the program ends.
            return pending().await;
        };
        self.keep(interrupt);
        interrupt
    }

    /// Waits for the loss of standard output.
    ///
    /// Cancel safety: it isn't lost, a signal is told by [`Interrupts::signal`].
    pub async fn output_lost(&mut self) -> io::ErrorKind {
        loop {
            if let Interrupt::OutputLost(kind) = self.next().await {
                return kind;
            }
        }
    }

    /// Whether standard output was lost until now, whoever heard of it.
    pub fn output_was_lost(&mut self) -> Option<io::ErrorKind> {
        while let Ok(interrupt) = self.told.try_recv() {
            self.keep(interrupt);
        }
        self.lost
    }

    fn keep(&mut self, interrupt: Interrupt) {
        match interrupt {
            Interrupt::Signal(code) => self.signal = Some(code),
            Interrupt::OutputLost(kind) => self.lost = Some(kind),
        }
    }

    /// Waits for the first signal, and doesn't when it was told already. Gives its exit code.
    ///
    /// Cancel safety: it isn't lost.
    pub async fn signal(&mut self) -> u8 {
        loop {
            if let Some(code) = self.signal {
                return code;
            }
            self.next().await;
        }
    }
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    async fn next(&mut self) -> u8 {
        select! {
            biased;
            Some(()) = self.interrupt.recv() => INTERRUPTED,
            Some(()) = self.terminate.recv() => TERMINATED,
            // Handlers stay for as long as the program.
            else => pending().await,
        }
    }
}
