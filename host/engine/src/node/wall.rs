//! Wall-clock time: the one place that asks the operating system for it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lunarium_kernel::Timestamp;

/// Now. A clock set before 1970 counts as 1970.
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX))
}

/// A time as the standard library has it; one before 1970 is 1970.
pub(crate) fn system_time(at: Timestamp) -> SystemTime {
    let since_epoch = Duration::from_nanos(u64::try_from(at.as_nanos()).unwrap_or(0));
    UNIX_EPOCH.checked_add(since_epoch).unwrap_or(UNIX_EPOCH)
}
