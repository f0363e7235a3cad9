//! What becomes of a service whose code has changed.
//!
//! Owns the words.

/// What becomes of a service that runs when its code, its libraries, its limits or its grants have changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnChange {
    /// It ends as it would with the application, and starts anew; the default.
    #[default]
    Restart,
    /// It goes on as the new program: it keeps its pid, names and unread messages, and loses what it has in memory.
    Upgrade,
    /// It runs on as it is: the new program counts when it is started again for another reason.
    Keep,
}

impl OnChange {
    pub(crate) const ALL: [Self; 3] = [Self::Restart, Self::Upgrade, Self::Keep];

    /// The word for it: `restart`, `upgrade` or `keep`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Upgrade => "upgrade",
            Self::Keep => "keep",
        }
    }
}
