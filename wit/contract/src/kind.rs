//! The kinds of error a script can see. Owns their spelling, for scripts and people, and the order of WIT's `error-kind`.

use core::fmt;

/// A kind of error, in the order of WIT's `error-kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// Absent, ended, or another tenant's.
    NotFound,
    /// It is there already.
    AlreadyExists,
    /// The arguments can't be used.
    Invalid,
    /// A policy or an owner forbids it.
    PermissionDenied,
    /// Stopped, for now.
    Unavailable,
    /// A script's error, and what follows from it.
    Internal,
    /// Ended by request.
    Canceled,
    /// Somebody else changed it first.
    Conflict,
    /// Time ran out.
    Timeout,
    /// Too much at once; later it may work.
    RateLimited,
    /// A limit is reached.
    ResourceExhausted,
    /// No kind was given.
    Unknown,
}

impl ErrorKind {
    /// Every kind, in order.
    pub const ALL: [Self; 12] = [
        Self::NotFound,
        Self::AlreadyExists,
        Self::Invalid,
        Self::PermissionDenied,
        Self::Unavailable,
        Self::Internal,
        Self::Canceled,
        Self::Conflict,
        Self::Timeout,
        Self::RateLimited,
        Self::ResourceExhausted,
        Self::Unknown,
    ];

    /// The kind as a script sees it; `Unknown` is empty.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "NotFound",
            Self::AlreadyExists => "AlreadyExists",
            Self::Invalid => "Invalid",
            Self::PermissionDenied => "PermissionDenied",
            Self::Unavailable => "Unavailable",
            Self::Internal => "Internal",
            Self::Canceled => "Canceled",
            Self::Conflict => "Conflict",
            Self::Timeout => "Timeout",
            Self::RateLimited => "RateLimited",
            Self::ResourceExhausted => "ResourceExhausted",
            Self::Unknown => "",
        }
    }

    /// The name of its constant in the module `errors`.
    pub const fn constant(self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::Invalid => "INVALID",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
            Self::Canceled => "CANCELED",
            Self::Conflict => "CONFLICT",
            Self::Timeout => "TIMEOUT",
            Self::RateLimited => "RATE_LIMITED",
            Self::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The kind that is spelled so, or none.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
