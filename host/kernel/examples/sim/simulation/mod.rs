//! The simulation: random scripts against a kernel and its inboxes, with a model that says what must come of each
//! step. Owns what is run and how a failing script is made short. Draws from a seed and nothing else, so that a seed is
//! a test case.

pub mod model;
pub mod model_mailbox;
pub mod model_requests;
pub mod script;
pub mod shrink;
pub mod world;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use script::Step;
use world::World;

/// How often each thing happened, by name: shows that a script gets everywhere.
pub type Stats = BTreeMap<String, u64>;

/// What a run shows.
pub struct Run {
    pub stats: Stats,
    /// Everything that could be seen, in order: two runs of one script have the same.
    pub trace: Vec<String>,
}

/// Runs a script to its end, checking after every step. Errors: what was broken, and at which step.
pub fn run(script: &[Step]) -> Result<Run, String> {
    let mut at = 0;
    let whole = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new()?;
        for (number, step) in script.iter().enumerate() {
            at = number;
            world.step(step)?;
            world.check()?;
        }
        at = script.len();
        world.finish()
    }));
    let result = whole.unwrap_or_else(|_| Err("panicked".to_owned()));
    result.map_err(|broken| match script.get(at) {
        Some(step) => format!("{broken}\nat step {at}, {step:?}"),
        None => format!("{broken}\nat the end"),
    })
}

/// Runs the script of a seed. Errors: what was broken, with the shortest script found that breaks anything.
pub fn run_seed(seed: u64, steps: usize) -> Result<Run, String> {
    let script = script::generate(seed, steps);
    run(&script).map_err(|_| {
        let short = shrink::shrink(&script, |script| run(script).is_err());
        let broken = run(&short).err().unwrap_or_default();
        let lines: Vec<String> = short.iter().map(|step| format!("    {step:?},")).collect();
        format!("seed {seed}: {broken}\nshortest script, {} steps:\n{}", short.len(), lines.join("\n"))
    })
}
