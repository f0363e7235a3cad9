//! Two builds of this benchmark in turns: what else the machine does meets both alike.
//!
//! Owns the comparison, not the figures: each build measures and writes them itself. A build from before this file takes
//! part, too.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs, process};

use serde_json::{Map, Value};

use crate::bench::fail;
use crate::report::show;

/// A figure's values of the old and the new build, one a round.
type Figures = BTreeMap<String, [Vec<f64>; 2]>;

/// Runs both builds `rounds` times, and prints medians and the median of the rounds' ratios.
pub(crate) fn run(builds: [&str; 2], rounds: &str, groups: &[&str]) {
    let rounds: usize = rounds.parse().unwrap_or_else(|_| fail(&format!("{rounds} is no number of rounds")));
    let mut figures = Figures::new();
    let mut are_times = BTreeMap::new();
    for round in 0..rounds {
        eprintln!("round {} of {rounds}", round + 1);
        // Each is first in every other round.
        for turn in 0..2 {
            let side = (round + turn) % 2;
            let Some(build) = builds.get(side) else { continue };
            for (name, figure) in measure(build, groups) {
                let seconds = figure.get("seconds").and_then(Value::as_f64);
                let Some(value) = seconds.or_else(|| figure.get("value").and_then(Value::as_f64)) else { continue };
                are_times.insert(name.clone(), seconds.is_some());
                figures.entry(name).or_default().get_mut(side).into_iter().for_each(|values| values.push(value));
            }
        }
    }
    println!("| what | old | new | new / old |\n|---|---|---|---|");
    for (name, [old, new]) in figures {
        let ratios = new.iter().zip(&old).map(|(new, old)| new / old).collect();
        let shown = |value: f64| match are_times.get(&name) {
            Some(true) => Duration::try_from_secs_f64(value).map(show).unwrap_or_default(),
            _ => format!("{value:.2}"),
        };
        println!("| {name} | {} | {} | {:.3} |", shown(median(old)), shown(median(new)), median(ratios));
    }
}

/// What one build measures.
fn measure(build: &str, groups: &[&str]) -> Map<String, Value> {
    let path = env::temp_dir().join(format!("lunarium-bench-{}.json", process::id()));
    let mut command = Command::new(build);
    command.arg(&path).args(groups).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => {}
        other => fail(&format!("{build}: {other:?}")),
    }
    let text = fs::read_to_string(&path).unwrap_or_else(|error| fail(&format!("{build} wrote no figures: {error}")));
    // It is only litter.
    let _ = fs::remove_file(&path);
    serde_json::from_str(&text).unwrap_or_else(|error| fail(&format!("{build} wrote no figures: {error}")))
}

/// Not a number when there is none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
