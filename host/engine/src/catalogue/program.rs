//! What a process runs, within what. Owns what entry, process host and whoever starts it have to say together. A start,
//! an upgrade and whatever begins an incarnation later need the same.

use std::sync::Arc;

use bytes::Bytes;
use lunarium_kernel::{Holding, Limits, LimitsOverride};

use super::{Code, Grants, ProcessHost};

/// What an incarnation begins with.
pub(crate) struct Program {
    pub(crate) code: Arc<Code>,
    pub(crate) limits: Limits,
    /// The entry's and the host's.
    pub(crate) grants: Arc<Grants>,
    /// Taken when it begins.
    pub(crate) arguments: Arguments,
}

/// What a method is called with, and what that is charged to as long as it is here.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    payload: Bytes,
    _holding: Option<Holding>,
}

impl Arguments {
    /// `payload` is an array with the values, and `holding` holds [`Arguments::bytes`] for it.
    pub(crate) fn new(payload: Bytes, holding: Option<Holding>) -> Arguments {
        Arguments { payload, _holding: holding }
    }

    /// What a payload is charged.
    pub(crate) fn bytes(payload: &Bytes) -> u64 {
        u64::try_from(payload.len()).unwrap_or(u64::MAX)
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }
}

impl Program {
    /// Limits: host, then entry, then who started it from outside. Grants: the entry's and the host's.
    pub(crate) fn new(
        code: Arc<Code>,
        host: &ProcessHost,
        wish: Option<&LimitsOverride>,
        arguments: Arguments,
    ) -> Program {
        let limits = Limits::resolve(host.limits(), &code.definition.limits, wish);
        let grants = Grants::union(&code.definition.grants, host.grants());
        Program { code, limits, grants, arguments }
    }
}
