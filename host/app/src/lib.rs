//! From `_index.yaml` to running services.
//!
//! Owns the format of an application: its files, kinds, keys and references; every mistake is reported at once, with
//! its place and a hint. Owns the order in which services start and stop. Has no power of its own: it reads below the
//! directory it is given and starts processes on the node it is given. What its grants give of the world outside, it
//! takes from an [`Authority`] that it is given. It prints nothing.
//!
//! Each folder uses those above it in this list, and none below.

mod notation;
mod source;

mod limits;
mod report;

mod raw;

mod application;

mod resolve;
mod review;

mod explain;
mod load;
mod services;
mod testing;

pub use application::{App, DEFAULT_HOST, Host, Lifecycle, OWN_CHUNK, Service};
pub use explain::{Cause, Explained, reached_limit};
pub use limits::{LimitError, LimitSource, limit_in_force, parse_limit};
pub use load::{Compiler, Draft};
pub use lunarium_kernel::RestartPolicy;
pub use notation::{
    DurationError, NAMESPACE_FORM, SIZE_FORM, SizeError, hint, is_namespace, parse_budget, parse_cores, parse_duration,
    parse_size,
};
pub use report::{Mistake, Report};
pub use resolve::{Authority, NoAuthority};
pub use services::{ServiceChange, ServiceEvent, Services};
pub use source::{MAX_FILE, SourceFile};
pub use testing::{TEST_ENDING, TestFile};
