//! How people write things: ids, sizes, durations, paths of requests; and what they may have meant.
//!
//! Owns the forms of single words, wherever they stand. Knows no file and no key.

mod change;
mod identifier;
mod quantity;
mod route;
mod suggest;

pub use change::OnChange;
pub(crate) use identifier::{NAME_FORM, full_id, is_name, too_long, unfit_alias, unfit_variable};
pub use identifier::{NAMESPACE_FORM, TENANT_FORM, is_namespace, is_tenant};
pub use lunarium_engine::{DurationError, SizeError, parse_duration, parse_size};
pub(crate) use quantity::{DURATION_FORM, cores_range};
pub use quantity::{SIZE_FORM, parse_budget, parse_cores};
pub(crate) use route::PATTERN_FORM;
pub use route::{HttpMethod, PathPattern, Segment};
pub use suggest::hint;
