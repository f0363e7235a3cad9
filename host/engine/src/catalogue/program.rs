//! What a process runs, within what. Owns what entry, process host and whoever starts it have to say together. A start,
//! an upgrade and whatever begins an incarnation later need the same.

use std::sync::Arc;

use bytes::Bytes;
use lunarium_kernel::{Exhausted, Holding, Limits, LimitsOverride};

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
    /// `payload` is an array with the values. Errors: a budget.
    pub(crate) fn new(payload: Bytes, mut holding: Holding) -> Result<Arguments, Exhausted> {
        holding.grow(u64::try_from(payload.len()).unwrap_or(u64::MAX))?;
        Ok(Arguments { payload, _holding: Some(holding) })
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
        let grants = Grants::union(&code.definition.grants, &host.grants);
        Program { code, limits, grants, arguments }
    }
}
