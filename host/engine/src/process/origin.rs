//! What a process is made of: what it has for life, and what it begins as.

use std::sync::Arc;

use bytes::Bytes;
use lunarium_kernel::{Limits, LimitsOverride, Pid, Security};

use crate::catalogue::{Code, ProcessHost};

/// What a process has from its spawn to its end, whatever it becomes.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) host: Arc<ProcessHost>,
    /// Limits that who started it from outside has set, for all its incarnations.
    pub(crate) wish: Option<LimitsOverride>,
    /// What `ctx` gives, as the guest encoded it. Shared with those who inherit it.
    pub(crate) context: Option<Bytes>,
    pub(crate) security: Arc<Security>,
}

/// What a process begins as.
pub(crate) struct Beginning {
    /// What it runs.
    pub(crate) code: Arc<Code>,
    /// The limits of its first incarnation.
    pub(crate) limits: Limits,
    /// A time of the node's clock.
    pub(crate) began: u64,
    /// Who has started it. None: somebody outside.
    pub(crate) parent: Option<Pid>,
    /// Somebody outside reads it.
    pub(crate) is_mailbox: bool,
    /// It doesn't begin behind others.
    pub(crate) hurries: bool,
}
