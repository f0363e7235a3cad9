//! The command lines of a host's clients.

use std::convert::Infallible;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Commands that look at a host or change it.
#[derive(Debug, Subcommand)]
pub enum Remote {
    /// Show the tenants of a host
    Tenants(Tenants),
    /// Show the processes of a tenant, or one with everything about it
    Ps(Ps),
    /// Watch tenants and processes
    ///
    /// Keys: up, down and Enter choose a tenant or a process, Esc goes back, `s` and `r` sort, `/` searches, `k` asks a process to
    /// end, `q` ends.
    Top(Top),
    /// Lead a browser to a host: prints an address of this machine that counts once
    ///
    /// The page shows tenants, processes, the graph of them and the last ten minutes, until the command is ended.
    Observe(Observe),
    /// Show what processes have printed and logged
    Logs(Logs),
    /// Send a message to a process
    Send(Send),
    /// Call a function of a process and print what it returns
    Call(Call),
    /// End a process: asked by a CANCEL event, by force when it is still there
    Kill(Kill),
    /// Deploy an application's folder: makes the tenant if there is none
    ///
    /// It is checked first and switched at once; one with mistakes changes nothing.
    Deploy(Deploy),
    /// Read the node's file and applications again
    ///
    /// One with mistakes changes nothing.
    Reload(Reload),
    /// End all that a tenant runs, and start its application anew
    Restart(OneTenant),
    /// Go back to the deployment before
    Rollback(OneTenant),
    /// Stop a tenant and forget it
    Remove(OneTenant),
}

/// Which host, and how its answer is shown.
#[derive(Debug, Args)]
pub struct Target {
    /// The host: the path of its socket, or `http://ADDRESS:PORT`; by default the socket of `lunarium serve`
    #[arg(long, value_name = "SOCKET|URL", env = "LUNARIUM_ADMIN", hide_env_values = true)]
    pub node: Option<String>,

    /// Where a host listens: an option of `serve` alone
    #[arg(long, hide = true, value_name = "ADDRESS", value_parser = no_admin)]
    #[allow(dead_code, reason = "there is no value of it")]
    pub admin: Option<Infallible>,

    /// The file with the token of a host that is reached by a URL
    #[arg(long, value_name = "FILE", env = "LUNARIUM_ADMIN_TOKEN_FILE", hide_env_values = true)]
    pub token_file: Option<PathBuf>,

    /// Print JSON, as the host answers it
    #[arg(long)]
    pub json: bool,
}

fn no_admin(_: &str) -> Result<Infallible, &'static str> {
    Err("that is where `lunarium serve` listens; `--node SOCKET|URL` says which host is asked")
}

/// Options of `tenants`.
#[derive(Debug, Args)]
pub struct Tenants {
    #[command(flatten)]
    pub target: Target,
}

/// Options of `ps`.
#[derive(Debug, Args)]
pub struct Ps {
    /// The tenant; all by default
    pub tenant: Option<String>,

    /// One process: its pid, the pid's number (`0x00001`) or a registered name
    pub process: Option<String>,

    /// The column to sort by
    #[arg(long, value_name = "COLUMN", value_enum, default_value_t = Column::Pid)]
    pub sort: Column,

    /// Largest first
    #[arg(long)]
    pub reverse: bool,

    /// Processes of a tenant at most
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,

    /// Only those whose pid, parent, entry, host, actor or name holds this text
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,

    #[command(flatten)]
    pub target: Target,
}

/// A column of processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Column {
    /// In the order of their starts.
    Pid,
    /// What they run.
    Entry,
    /// What they do.
    State,
    /// CPU time.
    Cpu,
    /// Memory.
    Memory,
    /// Unread messages.
    Messages,
    /// Links.
    Links,
    /// Age.
    Uptime,
}

impl Column {
    /// Its name for the host.
    pub fn field(self) -> &'static str {
        match self {
            Self::Pid => "pid",
            Self::Entry => "entry",
            Self::State => "state",
            Self::Cpu => "cpu_seconds",
            Self::Memory => "memory",
            Self::Messages => "messages",
            Self::Links => "links",
            Self::Uptime => "uptime_seconds",
        }
    }
}

/// Options of `top`.
#[derive(Debug, Args)]
pub struct Top {
    /// Begin with the processes of this tenant
    pub tenant: Option<String>,

    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub interval: u32,

    #[command(flatten)]
    pub target: Target,
}

/// Options of `observe`.
#[derive(Debug, Args)]
pub struct Observe {
    /// The port; a free one by default
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    pub port: u16,

    #[command(flatten)]
    pub target: Target,
}

/// Options of `logs`.
#[derive(Debug, Args)]
pub struct Logs {
    /// The tenant; all by default
    pub tenant: Option<String>,

    /// Only of this process: its pid, the pid's number or a registered name
    pub process: Option<String>,

    /// Go on with what follows
    #[arg(short, long)]
    pub follow: bool,

    /// Of the last lines at most so many of each tenant
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(..=10_000))]
    pub lines: u32,

    /// The least important lines to show; what is printed counts as `info`
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = crate::arguments::LogLevel::Debug)]
    pub level: crate::arguments::LogLevel,

    #[command(flatten)]
    pub target: Target,
}

/// Options of `send`.
#[derive(Debug, Args)]
pub struct Send {
    /// The tenant
    pub tenant: String,

    /// Its pid, the pid's number or a registered name
    pub process: String,

    /// What the message is about
    pub topic: String,

    /// JSON: `5`, `true`, `{"id": 7}`, `'"a text"'`; nil by default
    #[arg(allow_negative_numbers = true)]
    pub value: Option<String>,

    /// The value is a text as it stands, no JSON
    #[arg(short = 's', long)]
    pub string: bool,

    #[command(flatten)]
    pub target: Target,
}

/// Options of `call`.
#[derive(Debug, Args)]
pub struct Call {
    /// The tenant
    pub tenant: String,

    /// Its pid, the pid's number or a registered name
    pub process: String,

    /// The function of its table
    pub method: String,

    /// JSON each: `5`, `true`, `{"id": 7}`, `'"a text"'`
    #[arg(allow_negative_numbers = true)]
    pub arguments: Vec<String>,

    /// The arguments are texts as they stand, no JSON
    #[arg(short = 's', long)]
    pub string: bool,

    /// How long to wait for the results
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub timeout: String,

    #[command(flatten)]
    pub target: Target,
}

/// Options of `kill`.
#[derive(Debug, Args)]
pub struct Kill {
    /// The tenant
    pub tenant: String,

    /// Its pid, the pid's number or a registered name
    pub process: String,

    /// How long it may take to end after its CANCEL event
    #[arg(long, value_name = "DURATION", default_value = "10s", conflicts_with = "now")]
    pub within: String,

    /// End it by force at once
    #[arg(long)]
    pub now: bool,

    #[command(flatten)]
    pub target: Target,
}

/// Options of `deploy`.
#[derive(Debug, Args)]
pub struct Deploy {
    /// The tenant
    pub tenant: String,

    /// The application's folder
    pub path: PathBuf,

    #[command(flatten)]
    pub target: Target,
}

/// Options of `reload`.
#[derive(Debug, Args)]
pub struct Reload {
    /// The tenant, whose entry and application are read again; by default the node's file and the applications of all
    pub tenant: Option<String>,

    #[command(flatten)]
    pub target: Target,
}

/// Options of commands for one tenant.
#[derive(Debug, Args)]
pub struct OneTenant {
    /// The tenant
    pub tenant: String,

    #[command(flatten)]
    pub target: Target,
}
