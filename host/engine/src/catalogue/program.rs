//! What a process runs, within what. Owns what entry, process host and whoever starts it have to say together. A start,
//! an upgrade and whatever begins an incarnation later need the same.

use std::sync::Arc;

use bytes::Bytes;
use lunarium_kernel::{Limits, LimitsOverride};

use super::{Code, Grants, ProcessHost};

/// What an incarnation begins with.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) code: Arc<Code>,
    pub(crate) limits: Limits,
    /// The entry's and the host's.
    pub(crate) grants: Arc<Grants>,
    /// A payload: an array with the values.
    pub(crate) arguments: Bytes,
}

impl Program {
    /// Limits: host, then entry, then who started it from outside. Grants: the entry's and the host's.
    pub(crate) fn new(code: Arc<Code>, host: &ProcessHost, wish: Option<&LimitsOverride>, arguments: Bytes) -> Program {
        let limits = Limits::resolve(host.limits(), &code.definition.limits, wish);
        let grants = Grants::union(&code.definition.grants, &host.grants);
        Program { code, limits, grants, arguments }
    }
}
