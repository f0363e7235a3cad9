//! The escape corpus: attacks of hostile scripts, of hostile components and by what embedders do, each with how it must
//! end. Beside each ticks a quiet process of another node on the same engine, and after each everything that the program
//! holds is where it was.
//!
//! Owns the order and the table. The cases run one after the other, or what they leave behind could not be counted.
//! A case of your own takes five lines: see `attacks/`.
//!
//! `--table` prints the table, `--markdown FILE` writes it; other words choose the cases that contain one of them.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::print_stdout, reason = "a test program's terminal is its interface")]

mod attacks;
mod case;
mod components;
mod held;
#[allow(dead_code, reason = "what its guests do, the build script has made a component of")]
mod hostile;
mod neighbour;
mod runner;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use case::Case;
use runner::{Row, Site};

struct Arguments {
    table: bool,
    markdown: Option<PathBuf>,
    list: bool,
    chosen: Vec<String>,
}

impl Arguments {
    fn read() -> Arguments {
        let mut arguments = Arguments { table: false, markdown: None, list: false, chosen: Vec::new() };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--table" => arguments.table = true,
                "--markdown" => arguments.markdown = words.next().map(PathBuf::from),
                "--list" => arguments.list = true,
                // What `cargo test` hands to every test program.
                option if option.starts_with('-') => {}
                _ => arguments.chosen.push(word),
            }
        }
        arguments
    }

    fn chooses(&self, case: &Case) -> bool {
        self.chosen.is_empty() || self.chosen.iter().any(|word| case.tried.contains(word.as_str()))
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::read();
    let groups = attacks::groups();
    if arguments.list {
        groups.iter().flat_map(|group| &group.cases).for_each(|case| println!("{}: test", case.tried));
        return ExitCode::SUCCESS;
    }
    silence_panics_on_purpose();
    let mut results = Vec::new();
    for group in groups {
        let cases: Vec<Case> = group.cases.into_iter().filter(|case| arguments.chooses(case)).collect();
        if cases.is_empty() {
            continue;
        }
        if arguments.table {
            println!("\n{}", table::heading(group.title));
        }
        let site = (group.site)();
        // What the engine makes once is made before anything is counted.
        site.warm_up();
        let rows: Vec<Row> = cases.iter().map(|case| run(&site, case, &arguments)).collect();
        results.push((group.title, rows));
    }
    if let Some(path) = &arguments.markdown {
        std::fs::write(path, table::markdown(&results)).expect("a file that can be written");
    }
    let rows = results.iter().flat_map(|(_, rows)| rows);
    let (passed, failed): (Vec<&Row>, Vec<&Row>) = rows.partition(|row| row.passed);
    println!(
        "\ntest result: {}. {} passed; {} failed",
        if failed.is_empty() { "ok" } else { "FAILED" },
        passed.len(),
        failed.len()
    );
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What the corpus panics with says so: nobody needs its backtrace.
fn silence_panics_on_purpose() {
    let show = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !matches!(info.payload_as_str(), Some("on purpose") | None) {
            show(info);
        }
    }));
}

fn run(site: &Site, case: &Case, arguments: &Arguments) -> Row {
    let row = site.run(case);
    if arguments.table || !row.passed {
        println!("{}", table::line(&row));
    }
    row
}
