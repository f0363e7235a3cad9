//! Pointers.

use super::Hostile;

pub(super) const TABLE: &[Hostile] = &[];
