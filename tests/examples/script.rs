//! Runs a script in a lab and shows what comes out: a tool for whoever writes tests.

#![allow(clippy::print_stdout, clippy::expect_used, reason = "a tool for people")]

use lunarium_engine::Limits;
use lunarium_tests::Lab;

fn main() {
    let path = std::env::args().nth(1).expect("a path");
    let script = std::fs::read_to_string(path).expect("a script");
    let memory = std::env::args().nth(2).map_or(16, |text| text.parse().expect("MiB"));
    let lab = Lab::new(Limits { memory: memory << 20, ..Limits::default() });
    print!("{}", lunarium_tests::transcript_in(&lab, &script));
}
