//! The command line as written.
//!
//! Owns the names and the help of commands and options. Does not look at files: what `-x` can name is known later.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use lunarium_engine::Level;

use crate::admin::AdminOptions;
use crate::remote::arguments::Remote;

const AFTER_HELP: &str = "\
Exit codes: 0; 1 when the process ends abnormally or returns false, or a service was given up or didn't stop; a returned
integer from 0 to 255 is the code; 2 when the command line or the application is wrong; 130 and 143 after a second
interrupt or termination, or one after which nobody reads the output; 141 when nobody can read it any more.";

/// Runs Lua processes, each isolated in its own WebAssembly instance.
#[derive(Debug, Parser)]
#[command(name = "lunarium", version, after_help = AFTER_HELP)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run an application, one of its entries, or a single file
    ///
    /// An application is a folder with `_index.yaml` files. Its services run until an interrupt, or until neither a service
    /// nor another process is left; with `-x` one process runs, and the command ends with it. An application without
    /// services runs its only entry named `main`.
    Run(Box<Run>),
    /// Serve many tenants: applications, each on a node of its own
    ///
    /// The node's file, `node.yaml`, names the tenants and what each of them gets. SIGHUP reads it and the applications again;
    /// an interrupt stops all services, which may take 30 seconds. An option counts before its environment variable, and that
    /// before the file.
    Serve(Box<Serve>),
    /// Check an application, a single file or a node's file without running it
    ///
    /// Mistakes keep it from running. Warnings don't: globals that nobody defines, modules and fields of modules that aren't
    /// there, a `main` that was misspelt, entries that nothing uses, limits that change nothing.
    Check(Check),
    /// Run the tests of an application, or of a folder of Lua files
    ///
    /// Tests are cases in files whose names end with `_test.lua`. Each runs in a process and a node of its own, within limits, by
    /// a clock of its own: nothing waits for real time.
    Test(Test),
    /// Lay sources out: how far lines stand in, blanks, blank lines
    ///
    /// Line breaks and all that is no blank stay as they are, so the program stays the same. A file keeps its own step, two blanks, four or a tab; one
    /// that has none gets two blanks. What isn't Lua is told and left as it is.
    Fmt(Fmt),
    /// Evaluate what is typed, in a process
    ///
    /// A process of its own, which finds the libraries of an application and can start its entries; services are not started. What is typed is
    /// an expression, whose values are shown, or statements; what isn't complete goes on on the next line. Globals stay, locals are of one
    /// input. Ctrl+C ends what is evaluated; Ctrl+D or `exit` ends the command. Without a terminal each line of standard
    /// input is typed, and the exit code is 1 when one of them has failed.
    Repl(Box<Repl>),
    /// Make a small application to begin with
    ///
    /// The folder's name becomes the namespace. Beside the application it gets what an editor with the Lua language
    /// server needs to know the modules.
    New(New),
    /// Looks at a host that stays up, or changes it.
    #[command(flatten)]
    Remote(Remote),
    /// Write what a shell needs to complete commands and options
    ///
    /// For bash: `lunarium completions bash > ~/.local/share/bash-completion/completions/lunarium`.
    Completions(Completions),
    /// Write a page of the manual, for `man`
    ///
    /// `lunarium man run > lunarium-run.1; man ./lunarium-run.1`
    Man(Man),
}

/// Options of `run`.
#[derive(Debug, Args)]
pub struct Run {
    /// The application's folder, or a Lua file; `-` is a script from standard input
    #[arg(required_unless_present = "code")]
    pub path: Option<PathBuf>,

    /// Run this Lua in place of a file; all that follows are its arguments
    #[arg(short = 'e', long = "eval", value_name = "CODE", conflicts_with = "execute")]
    pub code: Option<String>,

    /// Run this entry and end with it
    #[arg(short = 'x', long = "execute", value_name = "NAMESPACE:NAME")]
    pub execute: Option<String>,

    /// The process host to run it on; the application's only one by default
    #[arg(long, value_name = "NAMESPACE:NAME")]
    pub host: Option<String>,

    #[command(flatten)]
    pub given: Given,

    /// Serve the application's endpoints at this address: `127.0.0.1:8080`, or a port of 127.0.0.1
    #[arg(long, value_name = "ADDRESS", conflicts_with = "execute")]
    pub http: Option<String>,

    /// How log lines are written
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// Run again whenever a source or index file changes; what runs is asked to end then, and killed two seconds later
    #[arg(long, conflicts_with = "code")]
    pub watch: bool,

    /// Arguments of the process, each a string; options stand before the first of them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
}

/// What one process is given, and what of the machine.
#[derive(Debug, Args)]
pub struct Given {
    /// Set a limit of what is run, instead of its entry's and its host's: `memory=64MiB`, `cpu=500ms`; repeatable
    #[arg(long = "limit", value_name = "NAME=VALUE")]
    pub limits: Vec<String>,

    /// Bytes that all processes may hold together: `1GiB`; half of what the machine has by default
    #[arg(long, value_name = "SIZE")]
    pub node_memory: Option<String>,

    /// The most CPU time of all processes together, in cores: `0.5`; all there is by default
    #[arg(long, value_name = "CORES")]
    pub node_cpu_max: Option<String>,

    /// The most processes at once; 8000 by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub node_processes: Option<u32>,

    /// Let what is run read this environment variable; repeatable
    #[arg(long = "grant-env", value_name = "NAME")]
    pub grant_env: Vec<String>,

    /// Let what is run read the files of this directory, or change them too, and fill it with so much: `data`, `data:rw`, `data:rw=64MiB`; repeatable
    #[arg(long = "grant-fs", value_name = "PATH[:rw[=SIZE]]")]
    pub grant_fs: Vec<String>,

    /// The directory of what outlives the run: the store of the module `kv`; made if it isn't there
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Bytes that the store may hold: `64MiB`; 1 GiB by default
    #[arg(long, value_name = "SIZE", requires = "data")]
    pub data_max: Option<String>,

    /// The least important log lines to show
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = LogLevel::Info)]
    pub log_level: LogLevel,

    /// Keep what the system allows this command
    ///
    /// Without this option the command gives up, for good and before anything runs: all files but the granted directories,
    /// starting programs, making sockets, core dumps, and every system call that it doesn't need.
    #[arg(long)]
    pub no_confine: bool,
}

/// Options of `repl`.
#[derive(Debug, Args)]
pub struct Repl {
    /// The application's folder, a folder of Lua files, or one file: what the prompt's process can require and start
    pub path: Option<PathBuf>,

    #[command(flatten)]
    pub given: Given,

    /// The file of what was typed; empty: none. By default `lunarium/history` in `$XDG_STATE_HOME` or `~/.local/state`
    #[arg(long, value_name = "FILE", env = "LUNARIUM_HISTORY", hide_env_values = true)]
    pub history: Option<OsString>,
}

/// Options of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// The node's file, or a folder with a `node.yaml`; the current folder by default, unless there is a `--tenant`
    #[arg(value_name = "NODE.YAML", env = "LUNARIUM_NODE", hide_env_values = true)]
    pub path: Option<PathBuf>,

    /// Serve the application in this folder, under this name; repeatable
    #[arg(long = "tenant", value_name = "NAME=PATH", env = "LUNARIUM_TENANT", hide_env_values = true)]
    pub tenants: Vec<String>,

    /// Bytes that all tenants may hold together: `4GiB`; half of what the machine has by default
    #[arg(long, value_name = "SIZE", env = "LUNARIUM_MEMORY", hide_env_values = true)]
    pub memory: Option<String>,

    /// The most processes of all tenants at once; 8000 by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), env = "LUNARIUM_PROCESSES", hide_env_values = true)]
    pub processes: Option<u32>,

    /// The directory of what outlives the host: stores, and what was deployed; made if it isn't there
    #[arg(long, value_name = "DIR", env = "LUNARIUM_DATA", hide_env_values = true)]
    pub data: Option<PathBuf>,

    /// Bytes that one tenant's store may hold: `64MiB`; 1 GiB by default
    #[arg(long, value_name = "SIZE", env = "LUNARIUM_DATA_MAX", hide_env_values = true)]
    pub data_max: Option<String>,

    #[command(flatten)]
    pub admin: AdminOptions,

    /// Where requests for tenants are taken: `ADDRESS:PORT`
    #[arg(long, value_name = "ADDRESS", env = "LUNARIUM_HTTP", hide_env_values = true)]
    pub http: Option<String>,

    /// The least important log lines to show; `info` by default
    #[arg(long, value_name = "LEVEL", value_enum, env = "LUNARIUM_LOG_LEVEL", hide_env_values = true)]
    pub log_level: Option<LogLevel>,

    /// How log lines are written; `text` by default
    #[arg(long, value_name = "FORMAT", value_enum, env = "LUNARIUM_LOG_FORMAT", hide_env_values = true)]
    pub log_format: Option<LogFormat>,

    /// Keep what the system allows this command: see `lunarium help run`
    #[arg(long)]
    pub no_confine: bool,

    /// Open sockets for the host at the other end of standard input, which is behind the wall
    #[arg(long, hide = true)]
    pub opener: bool,
}

/// Options of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The application's folder, a Lua file, or a node's file
    pub path: PathBuf,

    /// Check again whenever a source or index file changes
    #[arg(long)]
    pub watch: bool,

    /// End with a failure when there are only warnings
    #[arg(long)]
    pub deny_warnings: bool,

    /// Keep what the system allows this command: see `lunarium help run`
    #[arg(long)]
    pub no_confine: bool,
}

/// Options of `test`.
#[derive(Debug, Args)]
pub struct Test {
    /// The application's folder, a folder of Lua files, or one file with tests
    #[arg(default_value = ".")]
    pub path: PathBuf,

    /// Run only cases whose `file: name` contains this
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,

    /// What chance follows from, to repeat a run; another one each time by default
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,

    /// How results are written
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = TestFormat::Text)]
    pub format: TestFormat,

    /// Set a limit of each case's process: `memory=64MiB`, `cpu=500ms`; repeatable
    #[arg(long = "limit", value_name = "NAME=VALUE")]
    pub limits: Vec<String>,

    /// Test again whenever a source or index file changes
    #[arg(long)]
    pub watch: bool,

    /// How long a case may take, by the machine's clock
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub timeout: String,

    /// Keep what the system allows this command: see `lunarium help run`
    #[arg(long)]
    pub no_confine: bool,
}

/// Options of `fmt`.
#[derive(Debug, Args)]
pub struct Fmt {
    /// Lua files, and folders with all Lua files below them; `-` lays standard input out to standard output
    #[arg(default_value = ".", value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Write nothing, tell what differs, and end with 1 if something does
    #[arg(long)]
    pub check: bool,

    /// Keep what the system allows this command: see `lunarium help run`
    #[arg(long)]
    pub no_confine: bool,
}

/// How results of tests are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TestFormat {
    /// For people.
    Text,
    /// The Test Anything Protocol, version 14.
    Tap,
    /// XML as JUnit writes it, for services that collect results.
    Junit,
}

/// Options of `new`.
#[derive(Debug, Args)]
pub struct New {
    /// The folder to make: `shop`
    #[arg(value_name = "NAME")]
    pub path: PathBuf,
}

/// Options of `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// Which shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Options of `man`.
#[derive(Debug, Args)]
pub struct Man {
    /// The command it is about; that of all of them without
    pub command: Option<String>,
}

/// The least important log lines that are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// For whoever writes the script.
    Debug,
    /// Normal operation.
    Info,
    /// Something is odd.
    Warn,
    /// Something failed.
    Error,
}

impl From<LogLevel> for Level {
    fn from(level: LogLevel) -> Level {
        match level {
            LogLevel::Debug => Level::Debug,
            LogLevel::Info => Level::Info,
            LogLevel::Warn => Level::Warn,
            LogLevel::Error => Level::Error,
        }
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people: one line each.
    Text,
    /// For programs: one JSON object a line.
    Json,
}
