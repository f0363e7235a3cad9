//! Wall-clock time: the one place that asks the operating system for it.

use std::time::{SystemTime, UNIX_EPOCH};

use lunarium_kernel::Timestamp;

/// Now. A clock set before 1970 counts as 1970.
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX))
}
