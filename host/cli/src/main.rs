//! The command `lunarium`.
//!
//! Owns arguments, terminal, signals and exit codes, and is the only place with ambient authority: it opens and makes
//! the paths it was given and reads `NO_COLOR`, `TERM` and what is granted. Everything below gets what it may use as a
//! value.

mod admin;
mod arguments;
mod endpoints;
mod fmt;
mod given;
mod grant;
mod interrupt;
mod library;
mod lossy;
mod manual;
mod modules;
mod new;
mod open;
mod plan;
mod remote;
mod repl;
mod run;
mod serve;
mod services;
mod socket;
mod stdin;
mod stream;
mod terminal;
mod test;
mod top;
mod verdict;
mod wall;
mod watch;

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use lunarium_app::{App, Draft, Report, SIZE_FORM, parse_budget, parse_limit};
use lunarium_engine::{Level, LimitsOverride, LogField, Module, Node, NodeConfig, Output, ProcessLabel};
use tokio::runtime::Builder;

use crate::arguments::{Arguments, Check, Command, LogFormat};
use crate::terminal::{has_colours, own_line, visible, write_error};
use crate::verdict::{FAILURE, OUTPUT_CLOSED, SUCCESS, USAGE, Verdict};
use crate::wall::{Sockets, Wall};

/// Why nothing was run: what to print, without its last newline, and the exit code.
#[derive(Debug, Clone)]
struct Refused {
    text: String,
    code: u8,
}

impl Refused {
    /// The command line asks for something that isn't there.
    fn usage(message: String, hint: Option<String>) -> Self {
        let hint = hint.map(|hint| format!("\nhelp: {hint}")).unwrap_or_default();
        Self { text: visible(&format!("error: {message}{hint}")), code: USAGE }
    }

    /// Something that was read is wrong.
    fn report(report: &Report, styled: bool) -> Self {
        Self { text: report.render(styled).trim_end().to_owned(), code: USAGE }
    }

    /// The machine doesn't give what a run needs.
    fn machine(message: String) -> Self {
        Self { text: visible(&format!("error: {message}")), code: FAILURE }
    }

    /// The same, with what to do about it.
    fn with_hint(self, hint: &str) -> Self {
        Self { text: self.text + &visible(&format!("\nhelp: {hint}")), ..self }
    }

    /// What is wrong, without what stands before it in a terminal.
    fn message(&self) -> &str {
        self.text.strip_prefix("error: ").unwrap_or(&self.text)
    }

    /// The same, and what to do about it.
    fn parts(&self) -> (&str, Option<&str>) {
        match self.message().split_once("\nhelp: ") {
            Some((message, hint)) => (message, Some(hint)),
            None => (self.message(), None),
        }
    }

    /// Signals can't be waited for.
    fn deaf(error: io::Error) -> Self {
        Self::machine(format!("cannot wait for signals: {error}"))
    }

    /// The system gives no thread.
    fn no_thread(error: io::Error) -> Self {
        Self::machine(format!("cannot start a thread: {error}"))
    }

    /// Standard output can't be written. A reader that has read enough is no failure to speak of: that is an exit code.
    fn output(error: &io::Error) -> Result<u8, Self> {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Ok(OUTPUT_CLOSED),
            _ => Err(Self::machine(format!("standard output can't be written: {error}"))),
        }
    }
}

impl From<Refused> for Verdict {
    fn from(refused: Refused) -> Self {
        Self { code: refused.code, message: Some(refused.text) }
    }
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() && wants_json() => {
            write_error(&(own_line(LogFormat::Json, Level::Error, &error.render().to_string()) + "\n"));
            return ExitCode::from(USAGE);
        }
        Err(error) => error.exit(),
    };
    let format = match &arguments.command {
        Command::Run(options) => options.log_format,
        Command::Serve(options) => options.log_format.unwrap_or(LogFormat::Text),
        _ => LogFormat::Text,
    };
    let result = match arguments.command {
        Command::Run(options) if options.watch => match options.path.as_deref() {
            Some(path) if path != Path::new("-") => watch::run(path, format),
            _ => Err(Refused::usage("`--watch` needs a file or a folder".to_owned(), None)),
        },
        Command::Check(options) if options.watch => watch::run(&options.path, format),
        Command::Test(options) if options.watch => {
            test::folder(&options.path).and_then(|folder| watch::run(&folder, format))
        }
        Command::Run(options) => run::run(*options),
        Command::Serve(options) => serve::serve(*options),
        Command::Check(options) if serve::is_node(&options.path) => serve::check(&options),
        Command::Check(options) => check(&options),
        Command::Test(options) => test::run(&options),
        Command::Fmt(options) => fmt::run(&options),
        Command::Repl(options) => repl::run(&options),
        Command::New(options) => make(&options.path),
        Command::Remote(command) => remote::run(command),
        Command::Completions(options) => manual::completions(options.shell),
        Command::Man(options) => manual::page(options.command.as_deref()),
    };
    let code = result.unwrap_or_else(|refused| {
        write_error(&(own_line(format, Level::Error, &refused.text) + "\n"));
        refused.code
    });
    ExitCode::from(code)
}

/// Whether a command line that can't be read asks for JSON, as far as can be told.
fn wants_json() -> bool {
    let arguments: Vec<_> = std::env::args_os().collect();
    let is_pair =
        |pair: &[std::ffi::OsString]| matches!(pair, [option, form] if option == "--log-format" && form == "json");
    arguments.iter().any(|argument| argument == "--log-format=json") || arguments.windows(2).any(is_pair)
}

/// `lunarium check`: nothing is said when nothing is wrong. Warnings alone are no failure, unless they were made one.
fn check(options: &Check) -> Result<u8, Refused> {
    let modules = modules::Modules::new().all;
    let mut draft = read(&options.path, &modules)?;
    // Nothing runs, so nothing needs what is granted.
    Wall::build(!options.no_confine, [], Sockets::None)?;
    // Programs are compiled one at a time, each in an instance of its own.
    let node = start_node(NodeConfig::new(Arc::new(Silence)), Some(FEW_PROCESSES), modules)?;
    // Without a driver: there is nothing to wait for but the engine.
    let runtime = Builder::new_current_thread().build().map_err(|error| Refused::machine(error.to_string()))?;
    runtime.block_on(draft.compile(&node));
    Ok(reported(&draft.review(), options.deny_warnings))
}

/// Writes what is wrong, if anything is, and tells the exit code.
fn reported(report: &Report, deny_warnings: bool) -> u8 {
    if report.is_empty() {
        return SUCCESS;
    }
    write_error(&report.render(has_colours()));
    let is_wrong = report.mistakes().len() > report.warning_count();
    if is_wrong || deny_warnings { USAGE } else { SUCCESS }
}

/// `lunarium new`
fn make(path: &Path) -> Result<u8, Refused> {
    new::make(path).map_err(|error| Refused::usage(error.to_string(), error.hint()))?;
    new::tell(path);
    Ok(SUCCESS)
}

/// Enough to compile, which takes an instance at a time.
const FEW_PROCESSES: u32 = 4;

fn read(path: &Path, modules: &[Module]) -> Result<Draft, Refused> {
    open::read(path, modules).map_err(|error| Refused::usage(error.to_string(), None))
}

/// The application, or the report.
fn finished(draft: Draft, styled: bool) -> Result<App, Refused> {
    draft.finish().map_err(|report| Refused::report(&report, styled))
}

/// A node as large as what is wanted of it, and no larger than it may be: a start is refused where the machine has too
/// few mappings for every process there could be. It has the modules.
fn start_node(mut config: NodeConfig, max_processes: Option<u32>, modules: Vec<Module>) -> Result<Node, Refused> {
    if let Some(wanted) = max_processes {
        config.max_processes = wanted.max(FEW_PROCESSES).min(config.max_processes);
    }
    let node = Node::start(config).map_err(|error| Refused::machine(error.to_string()))?;
    // What the engine has reserved goes with this program. To give it back piece by piece before takes a millisecond.
    std::mem::forget(node.engine().clone());
    for module in modules {
        node.add_module(module).map_err(|error| Refused::machine(error.to_string()))?;
    }
    Ok(node)
}

fn limits(given: &[String]) -> Result<LimitsOverride, Refused> {
    let mut limits = LimitsOverride::default();
    for limit in given {
        parse_limit(limit, &mut limits).map_err(|error| Refused::usage(error.to_string(), error.hint()))?;
    }
    Ok(limits)
}

/// The size that an option is.
fn size(option: &str, given: Option<&str>) -> Result<Option<u64>, Refused> {
    let size = given.map(|text| parse_budget(option, text)).transpose();
    size.map_err(|message| Refused::usage(message, Some(SIZE_FORM.to_owned())))
}

/// Where nothing runs, nothing prints.
struct Silence;

impl Output for Silence {
    fn print(&self, _process: &ProcessLabel, _line: &str) -> bool {
        true
    }

    fn on_ready(&self, waker: std::task::Waker) {
        waker.wake();
    }

    fn log(&self, _process: &ProcessLabel, _level: Level, _message: &str, _fields: &[LogField]) {}
}
