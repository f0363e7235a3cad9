//! What a case is: what is tried, how it must end, and what it has to do it with. Owns the defaults, and how an end is
//! written in the table.

use std::time::Duration;

use lunarium_engine::{ErrorKind, Limits, NodeConfig, Outcome, Value};
use lunarium_tests::{Lab, show};

use crate::hostile::Hostile;
use crate::neighbour::Neighbour;

/// One attack. The least is what `Case::body` takes: see `attacks/`.
pub struct Case {
    /// What is tried.
    pub tried: &'static str,
    /// How it must end, as [`written`] writes it, or up to a colon in that; several ways stand with ` or ` between them.
    pub ends: &'static str,
    pub attack: Attack,
    pub limits: Limits,
    /// Processes that its node may have.
    pub processes: u32,
    /// What else its node has.
    pub node: fn(NodeConfig) -> NodeConfig,
    /// The neighbour's ticks after which the attacker is terminated from outside.
    pub ticks: Option<u64>,
    /// `data`, to be written, and `shelf`, to be read, are granted.
    pub granted: bool,
}

#[derive(Clone, Copy)]
pub enum Attack {
    /// Lua, in the notation of a `Lab`: `app:main` attacks.
    Script(&'static str),
    /// A hostile component, by its place in the table of `hostile/`; twice: it has run once before.
    Component { place: usize, twice: bool },
    /// One that is a component by itself, on an engine of its own: the neighbour is on another one.
    Apart(usize),
    /// What an embedder does, or has done to it. Gives how it ended.
    Embedder(fn(&Lab, &Neighbour) -> String),
}

impl Case {
    fn new(tried: &'static str, ends: &'static str, attack: Attack) -> Case {
        Case {
            tried,
            ends,
            attack,
            // Where the CPU limit isn't the point, a busy machine must not make it one.
            limits: Limits { memory: 8 << 20, cpu: Duration::from_secs(60), ..Limits::default() },
            processes: 500,
            node: |config| config,
            ticks: None,
            granted: false,
        }
    }

    /// A whole script.
    pub fn script(tried: &'static str, ends: &'static str, script: &'static str) -> Case {
        Case::new(tried, ends, Attack::Script(script))
    }

    /// The body of `main`.
    pub fn body(tried: &'static str, ends: &'static str, body: &str) -> Case {
        // As long as the program: there is one table.
        let script = format!("return {{ main = function(...) {body} end }}").leak();
        Case::script(tried, ends, script)
    }

    /// A hostile component, at its place in the table.
    pub fn hostile(hostile: &'static Hostile, place: usize) -> Case {
        let attack = match hostile.apart {
            Some(_) => Attack::Apart(place),
            None => Attack::Component { place, twice: hostile.twice },
        };
        let case = Case::new(hostile.tried, hostile.ends, attack);
        Case { ticks: hostile.ticks, granted: true, ..case }.with_cpu(hostile.cpu)
    }

    pub fn embedder(tried: &'static str, ends: &'static str, act: fn(&Lab, &Neighbour) -> String) -> Case {
        Case::new(tried, ends, Attack::Embedder(act))
    }

    pub fn with_cpu(mut self, milliseconds: u64) -> Case {
        self.limits.cpu = Duration::from_millis(milliseconds);
        self
    }

    pub fn with_memory(mut self, memory: u64) -> Case {
        self.limits.memory = memory;
        self
    }

    pub fn with_processes(self, processes: u32) -> Case {
        Case { processes, ..self }
    }

    pub fn on_node(self, node: fn(NodeConfig) -> NodeConfig) -> Case {
        Case { node, ..self }
    }

    pub fn ended_after(self, ticks: u64) -> Case {
        Case { ticks: Some(ticks), ..self }
    }

    pub fn with_files(self) -> Case {
        Case { granted: true, ..self }
    }

    /// Whether it may end so.
    pub fn allows(&self, end: &str) -> bool {
        let is = |allowed| end.strip_prefix(allowed).is_some_and(|rest: &str| rest.is_empty() || rest.starts_with(':'));
        self.ends.split(" or ").any(is)
    }
}

/// An end in one line: `=> value`, `Kind limit` or `Kind: message`.
pub fn written(outcome: &Outcome) -> String {
    let text = match outcome {
        Outcome::Completed(result) => match Value::decode(result) {
            Ok(value) => format!("=> {}", show(&value)),
            Err(_) => "=> what is no payload".to_owned(),
        },
        Outcome::Failed(failure) => {
            let details = failure.details.as_deref().and_then(|details| Value::decode(details).ok());
            match details.as_ref().and_then(limit) {
                Some(limit) => format!("{} {limit}", failure.kind),
                None if failure.kind == ErrorKind::Unknown => format!("no kind: {}", failure.message),
                None => format!("{}: {}", failure.kind, failure.message),
            }
        }
    };
    text.lines().next().unwrap_or_default().chars().take(160).collect()
}

fn limit(details: &Value) -> Option<String> {
    let Value::Map(pairs) = details else { return None };
    let (_, limit) = pairs.iter().find(|(key, _)| *key == Value::from("limit"))?;
    match limit {
        Value::String(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    }
}
