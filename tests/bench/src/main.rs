//! What things cost. Prints a table, and JSON to the file given as the first argument.
//!
//! Machines are shared and noisy: the ratios to native Lua, measured in the same run, are what counts.

#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a benchmark talks to people")]

mod bench;
mod lua_programs;
mod processes;
mod report;
mod startup;

fn main() {
    let mut report = report::Report::default();
    startup::run(&mut report);
    let bench = bench::Bench::new();
    processes::spawn(&bench, &mut report);
    processes::messages(&bench, &mut report);
    processes::kill(&bench, &mut report);
    lua_programs::run(&bench, &mut report);
    processes::idle(&bench, &mut report);
    println!("{}", report.table());
    if let Some(path) = std::env::args().nth(1)
        && let Err(error) = std::fs::write(&path, report.json())
    {
        bench::fail(&format!("cannot write {path}: {error}"));
    }
}
