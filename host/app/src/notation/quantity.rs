//! Amounts as people write them in definitions and options.
//!
//! Owns `0.5` cores, budgets of more than 0, and the hints. Sizes and durations themselves are the engine's, which reads them in
//! scripts' arguments, too.

use std::ops::RangeInclusive;
use std::time::Duration;

use lunarium_engine::{Portion, parse_size};

/// Bytes that many may hold or use together, a [`parse_size`] of more than 0. `what` is what sets them.
///
/// Errors: the refusal's text.
pub fn parse_budget(what: &str, text: &str) -> Result<u64, String> {
    match parse_size(text) {
        Ok(0) => Err(format!("`{what}` must be more than 0")),
        Ok(size) => Ok(size),
        Err(error) => Err(format!("`{what}`: {error}")),
    }
}

/// What a part of the machine's cores can be.
pub(crate) fn cores_range() -> RangeInclusive<f64> {
    Portion::MOSTS.start().as_secs_f64()..=Portion::MOSTS.end().as_secs_f64()
}

/// CPU time in a second, of a number of cores such as `0.5`. `what` is what sets it.
///
/// Errors: the refusal's text.
pub fn parse_cores(what: &str, text: &str) -> Result<Duration, String> {
    let range = cores_range();
    let cores = text.trim().parse().ok().filter(|cores| range.contains(cores));
    let (least, most) = (range.start(), range.end());
    cores
        .map(Duration::from_secs_f64)
        .ok_or_else(|| format!("`{what}` must be a number of cores from {least} to {most}, not `{text}`"))
}

/// What a size looks like.
pub const SIZE_FORM: &str = "write it like `16MiB`, `500kB` or `4096` (bytes)";

/// What a duration looks like, for hints.
pub(crate) const DURATION_FORM: &str = "write it like `250ms`, `10s` or `1h30m`";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{parse_budget, parse_cores};

    #[test]
    fn a_budget_is_more_than_nothing_and_cores_are_a_part_of_a_machine() {
        assert_eq!(parse_budget("memory", "1KiB"), Ok(1024));
        assert_eq!(parse_budget("memory", "0MiB"), Err("`memory` must be more than 0".to_owned()));
        assert_eq!(parse_budget("memory", "-1"), Err("`memory`: `-1` is not a size".to_owned()));
        for (text, millis) in [("0.5", 500), ("1", 1000), (" 2.25 ", 2250), ("0.01", 10), ("1000", 1_000_000)] {
            assert_eq!(parse_cores("c", text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "0", "-1", "0.009", "1001", "NaN", "inf", "half"] {
            let refused = format!("`c` must be a number of cores from 0.01 to 1000, not `{text}`");
            assert_eq!(parse_cores("c", text), Err(refused));
        }
    }
}
