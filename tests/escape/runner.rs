//! Runs a case: beside a quiet neighbour, and until all that it held is given back. Owns the bookkeeping; knows no attack.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use lunarium_engine::{Directory, Engine, EngineConfig, Grants, Handle, HostId, Tally};
use lunarium_tests::{HOST, Lab, node_memory};
use tempfile::TempDir;

use crate::case::{Attack, Case, written};
use crate::components;
use crate::held::Held;
use crate::hostile;
use crate::neighbour::Neighbour;

/// No measure, only an end for a case that would hang.
const HANGS: Duration = Duration::from_secs(60);

/// What came of a case.
pub struct Row {
    pub tried: &'static str,
    pub must: &'static str,
    pub happened: String,
    /// The most that the neighbour was late; none: it is gone.
    pub late: Option<Duration>,
    /// Nothing, if all is well.
    pub left: String,
    pub took: Duration,
    pub passed: bool,
}

/// So many that the engine makes all its instances when the first few hundred are taken.
const PROCESSES: u32 = 1_216;

/// An engine and the neighbour on it.
pub struct Site {
    engine: Engine,
    neighbour: Neighbour,
    /// A program that waits.
    idle: String,
}

impl Site {
    /// With the real guest.
    pub fn of_lua() -> Site {
        let engine = Engine::new(EngineConfig::new(PROCESSES)).expect("an engine");
        let neighbour = Neighbour::new(
            &engine,
            "return { main = function() while true do time.sleep('5ms') print('tick') end end }",
        );
        Site { engine, neighbour, idle: "return { main = function() process.inbox():receive() end }".to_owned() }
    }

    /// With the hostile component in its place; there one way to behave is to be quiet.
    pub fn of_components() -> Site {
        let engine = Engine::new(components::config(components::COMMON, 500)).expect("an engine");
        let neighbour = Neighbour::new(&engine, &components::source(hostile::QUIET));
        Site { engine, neighbour, idle: components::source(hostile::ASLEEP) }
    }

    /// Has all be made that the engine makes once, when many processes live.
    pub fn warm_up(&self) {
        let lab = Lab::on(&self.engine, lunarium_engine::Limits::default(), 400, |config| config);
        lab.define(&self.idle);
        (0..400).for_each(|_| drop(lab.spawn("main", Vec::new())));
        while lab.node.waiting_count() < 400 {
            std::thread::sleep(Duration::from_millis(1));
        }
        left_on(&lab);
    }

    pub fn run(&self, case: &Case) -> Row {
        self.neighbour.forget();
        let (before, began) = (Held::now(&self.engine), Instant::now());
        let attack = catch_unwind(AssertUnwindSafe(|| self.attack(case)));
        let (happened, mut left) = attack.unwrap_or_else(|_| ("the case itself panicked".to_owned(), String::new()));
        let late = self.neighbour.worst();
        let took = began.elapsed();
        left.push_str(&before.left(&self.engine));
        let passed = case.allows(&happened) && left.is_empty() && late.is_some();
        Row { tried: case.tried, must: case.ends, happened, late, left, took, passed }
    }

    /// How it ended, and what its node had left when all had ended.
    fn attack(&self, case: &Case) -> (String, String) {
        let engine = match case.attack {
            Attack::Apart(place) => match Engine::new(components::config(components::APART + place, 8)) {
                Ok(engine) => engine,
                Err(error) => return (format!("no engine: {error}"), String::new()),
            },
            _ => self.engine.clone(),
        };
        let mut lab = Lab::on(&engine, case.limits.clone(), case.processes, case.node);
        let files = case.granted.then(Files::new);
        if let Some(files) = &files {
            lab.grants = files.grants().into();
        }
        let happened = match case.attack {
            Attack::Script(script) => {
                lab.define(script);
                self.run_main(&lab, case.ticks)
            }
            Attack::Component { place, twice } => {
                lab.define(&components::source(place));
                lab.define(&format!("-- entry: sleep\n{}", components::source(hostile::ASLEEP)));
                if twice {
                    self.run_main(&lab, case.ticks);
                }
                self.run_main(&lab, case.ticks)
            }
            Attack::Apart(_) => {
                lab.define(&components::source(1));
                self.run_main(&lab, case.ticks)
            }
            Attack::Embedder(act) => act(&lab, &self.neighbour),
        };
        (happened, left_on(&lab))
    }

    fn run_main(&self, lab: &Lab, ticks: Option<u64>) -> String {
        let handle = lab.spawn("main", Vec::new());
        if let Some(ticks) = ticks {
            self.neighbour.wait(ticks);
            // It may have ended.
            let _ = lab.node.terminate(handle.pid());
        }
        end_of(&handle)
    }
}

/// How a process ends, as the table has it.
pub fn end_of(handle: &Handle) -> String {
    let began = Instant::now();
    while began.elapsed() < HANGS {
        if let Some(outcome) = handle.outcome() {
            return written(outcome);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    "it never ends".to_owned()
}

/// Ends everything on a node, and tells what its kernel and its budget still have then.
fn left_on(lab: &Lab) -> String {
    lab.node.stop_host(&HostId::new(HOST)).expect("the lab's host");
    for pid in lab.node.pids() {
        // It may have ended.
        let _ = lab.node.terminate(&pid);
    }
    lab.settle();
    let began = Instant::now();
    loop {
        let (tally, memory) = (lab.node.audit(), node_memory(&lab.node));
        if tally == Ok(Tally::default()) && memory == 0 {
            return String::new();
        }
        // A thread may still be at a file, and what follows from the ends comes in its turn.
        if began.elapsed() > HANGS {
            return format!("{tally:?}, {memory} bytes, ");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Directories to be granted, and a secret beside them.
struct Files(TempDir);

impl Files {
    fn new() -> Files {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        for name in ["data", "data/inner", "shelf"] {
            std::fs::create_dir(path.join(name)).expect("a folder");
        }
        for (name, text) in [("secret", "secret"), ("shelf/book", "once upon a time"), ("data/inner/kept", "kept")] {
            std::fs::write(path.join(name), text).expect("a file");
        }
        for (target, name) in [("../secret", "data/out"), ("/etc", "data/etc"), ("../../shelf", "data/inner/shelf")] {
            std::os::unix::fs::symlink(target, path.join(name)).expect("a link");
        }
        Files(folder)
    }

    /// `data/inner` is granted again, to be read only.
    fn grants(&self) -> Grants {
        let granted = [("data", true), ("data/inner", false), ("shelf", false)].map(|(name, write)| {
            let dir = Dir::open_ambient_dir(self.0.path().join(name), ambient_authority()).expect("a folder");
            Directory::new(name, dir, write).expect("a grant's name")
        });
        granted.into_iter().fold(Grants::new(), Grants::with_directory)
    }
}
