//! What things cost. Prints a table, and JSON to the file given as the first argument; further arguments choose groups:
//! startup, idle, spawn, messages, calls, embed, kill, programs, http, neighbours. `--pair OLD NEW ROUNDS [GROUP...]` compares two
//! builds of this binary.
//!
//! Machines are shared and noisy: the ratios to native Lua, measured in the same run, or to another build, measured in
//! turns, are what counts.

#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a benchmark talks to people")]

mod bench;
mod calls;
mod embed;
mod http;
mod lua_programs;
mod neighbours;
mod pair;
mod processes;
mod report;
mod startup;

/// Measures one group.
type Measure = fn(&bench::Bench, &mut report::Report);

/// What needs no node of this process's.
const STARTUP: &str = "startup";

/// Each with the groups that it belongs to.
const MEASUREMENTS: [(&[&str], Measure); 11] = [
    // First, while no slot has been used.
    (&["spawn"], processes::fresh),
    (&["idle"], processes::idle),
    (&["spawn"], processes::spawn),
    (&["spawn"], processes::population),
    (&["messages"], processes::messages),
    (&["calls", "embed"], calls::run),
    (&["embed"], embed::run),
    (&["kill"], processes::kill),
    (&["programs"], lua_programs::run),
    (&["http"], http::run),
    // Last: what attacks leave behind would be in the others' figures.
    (&["neighbours"], neighbours::run),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--pair", old, new, rounds, groups @ ..] => pair::run([*old, *new], rounds, known(groups)),
        [path, groups @ ..] => measure(Some(*path), known(groups)),
        [] => measure(None, &[]),
    }
}

/// A group that is misspelt measures nothing, and nobody would notice.
fn known<'a>(groups: &'a [&'a str]) -> &'a [&'a str] {
    let is_known = |name: &str| name == STARTUP || MEASUREMENTS.iter().any(|(groups, _)| groups.contains(&name));
    if let Some(unknown) = groups.iter().find(|group| !is_known(group)) {
        bench::fail(&format!("there is no group {unknown}"));
    }
    groups
}

fn measure(path: Option<&str>, groups: &[&str]) {
    let wanted = |group: &str| groups.is_empty() || groups.contains(&group);
    let mut report = report::Report::default();
    if wanted(STARTUP) {
        startup::run(&mut report);
    }
    let bench = bench::Bench::new();
    for (groups, measure) in MEASUREMENTS {
        if groups.iter().any(|group| wanted(group)) {
            measure(&bench, &mut report);
        }
    }
    println!("{}", report.table());
    if let Some(path) = path
        && let Err(error) = std::fs::write(path, report.json())
    {
        bench::fail(&format!("cannot write {path}: {error}"));
    }
}
