//! Checked definitions: what an entry runs and within which limits.
//!
//! Owns the resolved form that a spawn reads. Refuses files, YAML and names that are not full ids: whoever builds a
//! definition has read and checked its sources already.

use std::sync::Arc;
use std::time::Duration;

use lunarium_kernel::{EntryId, HostId, Limits, LimitsOverride};

use super::{Grants, SecuritySpec};
use lunarium_schedule::Portion;

/// A piece of Lua source with the name that error messages show. Made by [`Chunk::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chunk {
    /// Lua's chunk name: `@path` for a file (shown as `path:line:`), `=text` otherwise.
    pub name: Arc<str>,
    /// Lua 5.4 source text.
    pub source: Arc<str>,
}

/// What `require(alias)` finds. Made by [`Import::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Import {
    /// The name given to `require`.
    pub alias: Arc<str>,
    /// The id of a library of the same definition.
    pub entry: EntryId,
}

/// A `library.lua` entry that a definition, or one of its libraries, imports. Made by [`Library::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Library {
    /// The library's id.
    pub entry: EntryId,
    /// Its source.
    pub chunk: Chunk,
    /// What it may require itself.
    pub imports: Vec<Import>,
}

/// A `process.lua` entry: everything a spawn of it needs. Made by [`Definition::new`].
///
/// A change replaces the whole definition, and processes that run keep the one they started with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Definition {
    /// The entry's id.
    pub entry: EntryId,
    /// The function of the chunk's table that runs. None, the default: `main`; where there is no `main` but another function, the
    /// process serves calls until it is ended.
    pub method: Option<Arc<str>>,
    /// The chunk may return nothing: then it was the program itself, with the arguments in `...`. False, the default: that is a
    /// failure, as most often a `return` was forgotten.
    pub plain: bool,
    /// The program.
    pub chunk: Chunk,
    /// What the program may require.
    pub imports: Vec<Import>,
    /// Every library reachable through imports, each once.
    pub libraries: Vec<Library>,
    /// The entry's own limits, applied below its host's.
    pub limits: LimitsOverride,
    /// What it may reach outside of the node, besides what its host grants; nothing by default.
    pub grants: Arc<Grants>,
}

/// A `process.host` entry. Made by [`HostDefinition::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostDefinition {
    /// The host's id, `app:processes` by default.
    pub id: HostId,
    /// How many processes live in it at most; the node's maximum when larger.
    pub max_processes: u32,
    /// Bytes that all its processes may hold together; the node's when larger, as by default. Counted is whatever they can
    /// choose the size of. At the limit: `spawn` and `send` are refused, and memory doesn't grow: a Lua error.
    pub memory: u64,
    /// Bytes of the node's memory that stay free for it whatever the other hosts hold; 0 by default.
    pub reserve: u64,
    /// Bytes that all its processes may log in a second; the node's when larger, as by default. Half is for whoever comes
    /// first, the other half for all who log, in equal parts. At the limit: lines are dropped and counted.
    pub log_bytes: u64,
    /// Its part of the node's CPU time beside the other hosts, one of [`Portion::WEIGHTS`]; 100 by default. While two hosts have
    /// more to run than the node gets, one of twice the weight gets twice the time, however many processes each has.
    pub cpu_weight: u32,
    /// CPU time of all its processes in a second at most, one of [`Portion::MOSTS`]: 500 ms is half a core. None, the default:
    /// as much as the node has. At the limit: they rest until the allowance has grown again; who has used nothing for a
    /// while has that of 100 ms saved up.
    pub cpu_max: Option<Duration>,
    /// The limits of its processes; an entry's can be lower, never higher.
    pub limits: Limits,
    /// What each of its processes may reach outside of the node; nothing by default.
    pub grants: Arc<Grants>,
    /// What a process starts with that gets nothing else: one without a parent, or whose parent has neither actor nor
    /// scope.
    pub security: Option<SecuritySpec>,
}

impl Chunk {
    /// A source under a name: `@path` for a file, `=text` otherwise.
    pub fn new(name: impl Into<Arc<str>>, source: impl Into<Arc<str>>) -> Chunk {
        Chunk { name: name.into(), source: source.into() }
    }
}

impl Import {
    /// The library `entry` under the name `alias`.
    pub fn new(alias: impl Into<Arc<str>>, entry: EntryId) -> Import {
        Import { alias: alias.into(), entry }
    }
}

impl Library {
    /// A library that may require these.
    pub fn new(entry: EntryId, chunk: Chunk, imports: Vec<Import>) -> Library {
        Library { entry, chunk, imports }
    }
}

impl Definition {
    /// A definition that runs `main` of this program, with no imports, no limits of its own and no grants.
    pub fn new(entry: EntryId, chunk: Chunk) -> Definition {
        Definition {
            entry,
            method: None,
            plain: false,
            chunk,
            imports: Vec::new(),
            libraries: Vec::new(),
            limits: LimitsOverride::default(),
            grants: Arc::default(),
        }
    }

    /// The same with another function to run.
    #[must_use]
    pub fn with_method(self, method: impl Into<Arc<str>>) -> Definition {
        Definition { method: Some(method.into()), ..self }
    }

    /// The same, and the chunk may be the program itself, from top to bottom.
    #[must_use]
    pub fn with_plain(self) -> Definition {
        Definition { plain: true, ..self }
    }

    /// The same with what the program may require, and every library that is reachable so.
    #[must_use]
    pub fn with_imports(self, imports: Vec<Import>, libraries: Vec<Library>) -> Definition {
        Definition { imports, libraries, ..self }
    }

    /// The same within these limits of its own.
    #[must_use]
    pub fn with_limits(self, limits: LimitsOverride) -> Definition {
        Definition { limits, ..self }
    }

    /// The same with these grants.
    #[must_use]
    pub fn with_grants(self, grants: impl Into<Arc<Grants>>) -> Definition {
        Definition { grants: grants.into(), ..self }
    }
}

impl HostDefinition {
    /// A host with the default limits and room for as many processes as the node has; its processes have no grants, and
    /// neither actor nor scope.
    pub fn new(id: HostId) -> HostDefinition {
        HostDefinition {
            id,
            max_processes: u32::MAX,
            memory: u64::MAX,
            reserve: 0,
            log_bytes: u64::MAX,
            cpu_weight: Portion::WEIGHT,
            cpu_max: None,
            limits: Limits::default(),
            grants: Arc::default(),
            security: None,
        }
    }

    /// The same with room for this many processes.
    #[must_use]
    pub fn with_max_processes(self, max_processes: u32) -> HostDefinition {
        HostDefinition { max_processes, ..self }
    }

    /// The same with this many bytes for all of its processes, some of them kept free for it.
    #[must_use]
    pub fn with_memory(self, memory: u64, reserve: u64) -> HostDefinition {
        HostDefinition { memory, reserve, ..self }
    }

    /// The same with this many bytes of log lines in a second.
    #[must_use]
    pub fn with_log_bytes(self, log_bytes: u64) -> HostDefinition {
        HostDefinition { log_bytes, ..self }
    }

    /// The same with this weight beside other hosts.
    #[must_use]
    pub fn with_cpu_weight(self, cpu_weight: u32) -> HostDefinition {
        HostDefinition { cpu_weight, ..self }
    }

    /// The same with this much CPU time in a second at most.
    #[must_use]
    pub fn with_cpu_max(self, cpu_max: Duration) -> HostDefinition {
        HostDefinition { cpu_max: Some(cpu_max), ..self }
    }

    /// The same with these limits for each of its processes.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> HostDefinition {
        HostDefinition { limits, ..self }
    }

    /// The same with these grants for each of its processes.
    #[must_use]
    pub fn with_grants(self, grants: impl Into<Arc<Grants>>) -> HostDefinition {
        HostDefinition { grants: grants.into(), ..self }
    }

    /// The same with what its processes act with that get nothing else.
    #[must_use]
    pub fn with_security(self, security: SecuritySpec) -> HostDefinition {
        HostDefinition { security: Some(security), ..self }
    }
}
