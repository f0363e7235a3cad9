//! How many connections were closed or refused, by why.

/// Connections that were closed or refused, by why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Away {
    /// Idle ones, for others.
    pub idle: u64,
    /// More than one address may have.
    pub beyond_address: u64,
    /// More of one address that don't read what they have asked for than it may have.
    pub unread: u64,
    /// Those that came when all places were in use.
    pub no_place: u64,
    /// How often none could be accepted, for want of descriptors or memory.
    pub unaccepted: u64,
}

impl Away {
    /// The counts, each with its name in the metrics.
    pub(crate) fn by_reason(&self) -> [(&'static str, u64); 5] {
        let Self { idle, beyond_address, unread, no_place, unaccepted } = *self;
        [
            ("idle", idle),
            ("address", beyond_address),
            ("unread", unread),
            ("no_place", no_place),
            ("unaccepted", unaccepted),
        ]
    }
}
