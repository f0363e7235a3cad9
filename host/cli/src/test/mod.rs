//! `lunarium test`: every case of every test file, one after the other, and what came of them.
//!
//! Owns the order of a run: read, build the wall, list, run, tell. What a case is stands in `case`, how it is told in `report`.

mod capture;
mod case;
mod diff;
mod module;
mod report;

use std::path::{Path, PathBuf};
use std::time::Duration;

use lunarium_app::{App, Draft, TEST_ENDING, parse_duration};
use lunarium_engine::{Engine, EngineConfig, Node, NodeConfig, Outcome, Value};
use tokio::runtime::Builder;

use self::case::{Cases, End, LIST, RUN, Ran};
use self::report::{Report, Told};
use crate::arguments::Test;
use crate::modules::Modules;
use crate::terminal::has_colours;
use crate::verdict::{FAILURE, SUCCESS};
use crate::wall::{Sockets, Wall};
use crate::{FEW_PROCESSES, Refused, Silence, finished, limits, open};

/// How many processes there can be in one case, if the application doesn't say.
const PROCESSES: u32 = 1000;

/// CPU time of one case's process, if no limit is given: who never waits meets its limit earlier, and who waits now and then this one.
const CPU_TOTAL: Duration = Duration::from_secs(30);

/// Runs the tests and returns the exit code.
///
/// Errors: the command line or the application is wrong, there is no test, or the machine refuses.
pub fn run(options: &Test) -> Result<u8, Refused> {
    let mut limits = limits(&options.limits)?;
    limits.cpu_total.get_or_insert(CPU_TOTAL);
    let timeout = parse_duration(&options.timeout)
        .map_err(|error| Refused::usage(format!("`--timeout`: {error}"), Some("`60s`, `5m`".to_owned())))?;
    let place = Place::of(&options.path)?;
    let modules = Modules::new().all;
    let draft = open::tests(&place.folder, place.file.as_deref(), &modules);
    let draft = draft.map_err(|error| Refused::usage(error.to_string(), None))?;
    let seed = options.seed.unwrap_or_else(random);
    // Modules are the tests' own: nobody needs a socket.
    Wall::build(!options.no_confine, draft.directories(), Sockets::None)?;
    let max_processes = draft.max_processes().unwrap_or(PROCESSES).saturating_add(FEW_PROCESSES);
    let machine = |error: &dyn std::fmt::Display| Refused::machine(error.to_string());
    // One worker: processes take turns in an order that a seed repeats.
    let engine = Engine::new(EngineConfig::new(max_processes).with_workers(1)).map_err(|error| machine(&error))?;
    let runtime = Builder::new_current_thread().enable_time().build().map_err(|error| machine(&error))?;
    runtime.block_on(async {
        let app = compiled(&engine, draft).await?;
        let cases = Cases { engine: &engine, app: &app, limits: &limits, timeout, max_processes };
        all(&cases, options, seed).await
    })
}

/// The folder of the application that a path of tests belongs to.
///
/// Errors: there is none.
pub fn folder(path: &Path) -> Result<PathBuf, Refused> {
    Ok(Place::of(path)?.folder)
}

/// Where tests are: a folder, and one file of it if that was named.
struct Place {
    folder: PathBuf,
    file: Option<String>,
}

impl Place {
    /// A file belongs to the application of the nearest folder above it that has an index file; to its own folder where there is none.
    fn of(path: &Path) -> Result<Self, Refused> {
        let missing = || Refused::usage(format!("there is no file or folder `{}`", path.display()), None);
        let kind = std::fs::metadata(path).map_err(|_| missing())?;
        if kind.is_dir() {
            return Ok(Self { folder: path.to_owned(), file: None });
        }
        let named = path.to_str().is_some_and(|path| path.ends_with(TEST_ENDING));
        if !kind.is_file() || !named {
            let message = format!("`{}` is no file with tests", path.display());
            return Err(Refused::usage(message, Some(format!("the names of such files end with `{TEST_ENDING}`"))));
        }
        let own = path.parent().unwrap_or(Path::new(""));
        let root = own.ancestors().find(|folder| folder.join("_index.yaml").is_file()).unwrap_or(own);
        let inside = path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
        Ok(Self { folder: open::folder(root).to_owned(), file: Some(inside) })
    }
}

/// From the operating system, and short enough to be typed.
fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one("lunarium test") % 1_000_000_000
}

async fn compiled(engine: &Engine, mut draft: Draft) -> Result<App, Refused> {
    let config = NodeConfig::new(std::sync::Arc::new(Silence)).with_max_processes(FEW_PROCESSES);
    let node = Node::start_on(engine, config).map_err(|error| Refused::machine(error.to_string()))?;
    draft.compile(&node).await;
    node.shutdown(Duration::ZERO).await;
    finished(draft, has_colours())
}

/// Runs what was asked for, and tells it as it comes.
async fn all(cases: &Cases<'_>, options: &Test, seed: u64) -> Result<u8, Refused> {
    let mut report = Report::new(cases.app, options.format, seed, has_colours());
    for file in cases.app.tests() {
        let ran = cases.run(file, LIST, Vec::new(), seed_of(seed, file.path, "")).await?;
        let names = match listed(&ran) {
            Some(names) => names,
            None => {
                report.tell(Told { file: file.path, name: None, ran: &ran });
                continue;
            }
        };
        for (place, (name, skipped)) in names.into_iter().enumerate() {
            let full = format!("{}: {name}", file.path);
            if options.filter.as_ref().is_some_and(|filter| !full.contains(filter.as_str())) {
                report.leave_out();
                continue;
            }
            let number = i64::try_from(place).unwrap_or(i64::MAX).saturating_add(1);
            let ran = if skipped {
                None
            } else {
                Some(cases.run(file, RUN, vec![Value::Integer(number)], seed_of(seed, file.path, &name)).await?)
            };
            match &ran {
                Some(ran) => report.tell(Told { file: file.path, name: Some(&name), ran }),
                None => report.skip(file.path, &name),
            }
        }
    }
    if report.is_empty() {
        let message = match &options.filter {
            Some(filter) => format!("no case's file and name contain `{filter}`"),
            None => format!("there is no test in `{}`", options.path.display()),
        };
        let hint = format!("cases are `test.case(name, function)` in files whose names end with `{TEST_ENDING}`");
        return Err(Refused::usage(message, Some(hint)));
    }
    match report.finish() {
        Ok(passed) => Ok(if passed { SUCCESS } else { FAILURE }),
        Err(error) => Refused::output(&error),
    }
}

/// The cases of a file, each with whether it is left out. None: the file has failed.
fn listed(ran: &Ran) -> Option<Vec<(String, bool)>> {
    let End::Outcome(Outcome::Completed(payload)) = &ran.end else { return None };
    let cases = match Value::decode(payload).ok()? {
        Value::Array(cases) => cases,
        // A table without anything.
        _ => Vec::new(),
    };
    let case = |case: Value| {
        let name = case.get("name")?.as_str()?.to_owned();
        Some((name, matches!(case.get("skipped"), Some(Value::Boolean(true)))))
    };
    Some(cases.into_iter().filter_map(case).collect())
}

/// A case's own chance: the same whichever others run. FNV-1a.
fn seed_of(seed: u64, file: &str, name: &str) -> u64 {
    let bytes = file.bytes().chain([0]).chain(name.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
