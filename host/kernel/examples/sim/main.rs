//! Runs the kernel's simulation over many seeds: `cargo run -p lunarium-kernel --example sim -- --seeds 1000`.
//! Owns the arguments and what is printed. The first failing seed is printed with its shortest script, exit code 1.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod simulation;

use std::process::ExitCode;

use simulation::Stats;

struct Arguments {
    first: u64,
    seeds: u64,
    steps: usize,
}

fn main() -> ExitCode {
    let Some(Arguments { first, seeds, steps }) = arguments() else {
        eprintln!("usage: sim [--first SEED] [--seeds COUNT] [--steps COUNT]");
        return ExitCode::from(2);
    };
    let mut stats = Stats::new();
    let mut seen = 0;
    for seed in first..first.saturating_add(seeds) {
        match simulation::run_seed(seed, steps) {
            Ok(run) => {
                seen += run.trace.len();
                run.stats.into_iter().for_each(|(word, count)| *stats.entry(word).or_default() += count);
            }
            Err(broken) => {
                println!("{broken}");
                return ExitCode::FAILURE;
            }
        }
    }
    for (word, count) in stats {
        println!("{count:>10}  {word}");
    }
    println!("{seeds} seeds of {steps} steps, from {first}, {seen} answers and effects compared: all well");
    ExitCode::SUCCESS
}

fn arguments() -> Option<Arguments> {
    let mut arguments = Arguments { first: 1, seeds: 1000, steps: 200 };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next()?;
        match word.as_str() {
            "--first" => arguments.first = value.parse().ok()?,
            "--seeds" => arguments.seeds = value.parse().ok()?,
            "--steps" => arguments.steps = value.parse().ok()?,
            _ => return None,
        }
    }
    Some(arguments)
}
