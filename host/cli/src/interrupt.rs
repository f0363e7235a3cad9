//! What ends a run from outside: signals, a lost output, and the patience of whoever stops it.
//!
//! Owns the signal handlers. The first signal asks, the second ends the program from the handler's thread, whatever
//! the rest of it does.

use std::io;
use std::thread;
use std::time::Duration;

use async_channel::Sender;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

/// Why a run should end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// The first SIGINT or SIGTERM.
    Signal,
    /// Standard output can't be written any more.
    OutputLost(io::ErrorKind),
    /// A graceful stop has taken too long.
    OutOfPatience,
}

/// Watches for SIGINT and SIGTERM: the first is sent on, the second ends the program at once with 130 or 143.
///
/// Errors: no thread can be started, or the system refuses the handlers.
pub fn watch(interrupts: Sender<Interrupt>) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut signals = signals.forever();
        if signals.next().is_some() {
            // The channel is unbounded and outlives the run.
            let _ = interrupts.try_send(Interrupt::Signal);
        }
        if let Some(signal) = signals.next() {
            // As a shell reports a program that a signal ended; without waiting for anything.
            low_level::exit(128_i32.saturating_add(signal));
        }
    })?;
    Ok(())
}

/// Sends [`Interrupt::OutOfPatience`] after a while.
///
/// Errors: no thread can be started.
pub fn after(patience: Duration, interrupts: Sender<Interrupt>) -> io::Result<()> {
    thread::Builder::new().name("patience".to_owned()).spawn(move || {
        thread::sleep(patience);
        // The channel is unbounded; when the run has ended nobody listens.
        let _ = interrupts.try_send(Interrupt::OutOfPatience);
    })?;
    Ok(())
}
