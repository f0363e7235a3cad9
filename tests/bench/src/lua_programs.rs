//! Lua programs in a process and in native mlua, in turns, in the same run.

use std::time::{Duration, Instant};

use crate::bench::{Bench, median};
use crate::report::Report;

/// Name and source. A new one is a line here and a file.
const PROGRAMS: [(&str, &str); 14] = [
    ("fib", include_str!("../programs/fib.lua")),
    ("loop", include_str!("../programs/loop.lua")),
    ("tables", include_str!("../programs/tables.lua")),
    ("strings", include_str!("../programs/strings.lua")),
    ("sort", include_str!("../programs/sort.lua")),
    ("binary trees", include_str!("../programs/trees.lua")),
    ("method calls", include_str!("../programs/methods.lua")),
    ("n-body", include_str!("../programs/nbody.lua")),
    ("spectral norm", include_str!("../programs/spectral.lua")),
    ("patterns", include_str!("../programs/patterns.lua")),
    ("pcall", include_str!("../programs/pcall.lua")),
    ("errors", include_str!("../programs/errors.lua")),
    ("asserts", include_str!("../programs/asserts.lua")),
    ("coroutines", include_str!("../programs/coroutines.lua")),
];

const ROUNDS: usize = 5;

pub(crate) fn run(bench: &Bench, report: &mut Report) {
    let mut logarithms = 0.0;
    for (name, source) in PROGRAMS {
        let entry = bench.define(&format!("bench:{name}"), source);
        let mut guest = Vec::new();
        let mut native = Vec::new();
        for _ in 0..ROUNDS {
            native.push(run_native(source));
            let start = Instant::now();
            bench.run(&entry);
            guest.push(start.elapsed());
        }
        let (guest, native) = (median(&mut guest), median(&mut native));
        let ratio = guest.as_secs_f64() / native.as_secs_f64();
        logarithms += ratio.ln();
        report.ratio(&format!("program {name}"), guest, native);
    }
    let mean = (logarithms / f64::from(u32::try_from(PROGRAMS.len()).unwrap_or(1))).exp();
    report.number("programs, geometric mean", mean, "times native");
}

fn run_native(source: &str) -> Duration {
    let lua = mlua::Lua::new();
    let start = Instant::now();
    let module: mlua::Result<mlua::Table> = lua.load(source).eval();
    let value =
        module.and_then(|module| module.get::<mlua::Function>("main")).and_then(|main| main.call::<mlua::Value>(()));
    let elapsed = start.elapsed();
    drop(value.unwrap_or_else(|error| crate::bench::fail(&format!("native program: {error}"))));
    elapsed
}
