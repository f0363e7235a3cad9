//! A storm: programs that mix everything a script can do with attacks, thousands of processes on several nodes of one
//! engine with small limits and budgets, killed and rewritten at random; and what must be true is checked all the time.
//!
//! Without arguments one short round, which is what `cargo test` runs. `storm SECONDS SEED` goes on for so long, a seed a
//! round, and ends at the first finding with the seed that shows it: `storm 1 SEED` begins with that round. The programs
//! and what is done from outside follow from the seed; their order among each other from the machine.
//!
//! Owns rounds, and what is checked between them: panics, and memory of the whole program.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test without a harness fails by panicking and tells by itself"
)]

mod program;
mod round;
mod system;
mod watch;
mod world;

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, panic};

use crate::program::Moves;
use crate::round::{Round, ensure};

/// A round.
const LENGTH: Duration = Duration::from_secs(3);
/// Bytes of memory that the program may have between two rounds: half a MiB for each of the pool's 464 slots, which stays
/// once it was used, and 64 MiB for everything else.
const MOST: u64 = 296 << 20;

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// What was asked for.
struct Order {
    length: Duration,
    seed: u64,
}

/// None: another test.
fn order() -> Option<Order> {
    let words: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    if let [seconds, seed] = &words[..]
        && let (Ok(seconds), Ok(seed)) = (seconds.parse(), seed.parse())
    {
        return Some(Order { length: Duration::from_secs(seconds), seed });
    }
    let is_meant = words.is_empty() || words.iter().any(|word| "storm".contains(word.as_str()));
    is_meant.then_some(Order { length: Duration::ZERO, seed: 1 })
}

fn main() -> ExitCode {
    let Some(order) = order() else { return ExitCode::SUCCESS };
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        usual(panic);
    }));
    match storm(&order) {
        Ok(()) => ExitCode::SUCCESS,
        Err(finding) => {
            eprintln!("{finding}");
            ExitCode::FAILURE
        }
    }
}

fn storm(order: &Order) -> Result<(), String> {
    let engine = world::engine();
    let quiet = world::quiet(&engine);
    let moves = Moves::read();
    let began = Instant::now();
    for number in 0.. {
        let seed = order.seed.wrapping_add(number);
        let round = Round { engine: &engine, quiet: &quiet, moves: &moves, seed, length: LENGTH };
        let report = round.run().map_err(|finding| format!("seed {seed}: {finding}"))?;
        let panics = PANICS.load(Ordering::SeqCst);
        ensure(panics == 0, || format!("seed {seed}: {panics} panics"))?;
        let resident = system::resident();
        println!(
            "seed {seed}: {} processes, {} lines printed, {} logged, {} audits, neighbour paused {:?}, {} MiB",
            report.processes,
            report.printed,
            report.logged,
            report.audits,
            report.pause,
            resident >> 20
        );
        ensure(resident <= MOST, || format!("seed {seed}: {resident} bytes of memory are left in use"))?;
        if began.elapsed() >= order.length {
            break;
        }
    }
    drop((quiet, engine));
    let began = Instant::now();
    while system::threads("lunarium-") > 0 {
        ensure(began.elapsed() < Duration::from_secs(60), || "threads of an engine that is gone".to_owned())?;
    }
    Ok(())
}
