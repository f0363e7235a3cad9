//! What things cost. Prints a table, and JSON to the file given as the first argument; further arguments choose groups:
//! startup, idle, spawn, messages, kill, programs.
//!
//! Machines are shared and noisy: the ratios to native Lua, measured in the same run, are what counts.

#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a benchmark talks to people")]

mod bench;
mod lua_programs;
mod processes;
mod report;
mod startup;

/// Measures one group.
type Measure = fn(&bench::Bench, &mut report::Report);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next();
    let groups: Vec<String> = arguments.collect();
    let wanted = |group: &str| groups.is_empty() || groups.iter().any(|name| name == group);
    let mut report = report::Report::default();
    if wanted("startup") {
        startup::run(&mut report);
    }
    let bench = bench::Bench::new();
    let measurements: [(&str, Measure); 6] = [
        // First, while no slot has been used.
        ("spawn", processes::fresh),
        ("idle", processes::idle),
        ("spawn", processes::spawn),
        ("messages", processes::messages),
        ("kill", processes::kill),
        ("programs", lua_programs::run),
    ];
    for (group, measure) in measurements {
        if wanted(group) {
            measure(&bench, &mut report);
        }
    }
    println!("{}", report.table());
    if let Some(path) = path
        && let Err(error) = std::fs::write(&path, report.json())
    {
        bench::fail(&format!("cannot write {path}: {error}"));
    }
}
