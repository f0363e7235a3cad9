//! `lunarium run` on hello, from process start to exit: the built binary beside this one.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::bench::{fail, median};
use crate::report::Report;

const ROUNDS: usize = 21;

pub(crate) fn run(report: &mut Report) {
    let Some(binary) = binary() else {
        eprintln!("no lunarium binary beside this one: start-up isn't measured (cargo build --release first)");
        return;
    };
    let hello = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/hello");
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let status = Command::new(&binary).arg("run").arg(hello).stdout(Stdio::null()).status();
        times.push(start.elapsed());
        match status {
            Ok(status) if status.success() => {}
            other => fail(&format!("{} run {hello}: {other:?}", binary.display())),
        }
    }
    report.time("start-up: `lunarium run` on hello", median(&mut times));
}

fn binary() -> Option<PathBuf> {
    let binary = std::env::current_exe().ok()?.with_file_name("lunarium");
    binary.exists().then_some(binary)
}
