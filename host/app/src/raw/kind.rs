//! The kinds of entries.
//!
//! Owns their spelling. What each holds is its own reader's.

use std::fmt;

const FUNCTION: &str = "function.lua";
const TERMINAL: &str = "terminal.host";

/// What an entry is, as `kind` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Process,
    Library,
    Host,
    Service,
    Policy,
    Variable,
    Endpoint,
}

impl Kind {
    pub(super) const ALL: [Self; 7] =
        [Self::Process, Self::Library, Self::Host, Self::Service, Self::Policy, Self::Variable, Self::Endpoint];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Process => "process.lua",
            Self::Library => "library.lua",
            Self::Host => "process.host",
            Self::Service => "process.service",
            Self::Policy => "security.policy",
            Self::Variable => "env.variable",
            Self::Endpoint => "http.endpoint",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).or(match text {
            // Wippy's: what is called by `exec`, and where a command runs.
            FUNCTION => Some(Self::Process),
            TERMINAL => Some(Self::Host),
            _ => None,
        })
    }

    /// Whether the spelling is Wippy's alone.
    pub(super) fn is_foreign(text: &str) -> bool {
        text == FUNCTION || text == TERMINAL
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
