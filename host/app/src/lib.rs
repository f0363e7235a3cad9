//! From `_index.yaml` to running services.
//!
//! Owns the format of an application: its files, kinds, keys and references; every mistake is reported at once, with
//! its place and a hint. Owns the order in which services start and stop. Has no power of its own: it reads below the
//! directory it is given and starts processes on the node it is given. What its grants give of the world outside, it
//! takes from an [`Authority`] that it is given. It prints nothing.

mod application;
mod excess;
mod failure;
mod fields;
mod files;
mod globals;
mod grants;
mod graph;
mod identifier;
mod limits;
mod lines;
mod load;
mod program;
mod quantity;
mod raw;
mod report;
mod resolve;
mod security;
mod services;
mod suggest;
mod unused;
mod yaml;

pub use application::{App, DEFAULT_HOST, Host, Lifecycle, Service};
pub use failure::{Explained, reached_limit};
pub use grants::{Authority, NoAuthority};
pub use identifier::{NAMESPACE_FORM, is_namespace};
pub use limits::{LimitError, parse_limit};
pub use load::{Compiler, Draft};
pub use lunarium_kernel::RestartPolicy;
pub use quantity::{DurationError, SizeError, parse_duration, parse_size};
pub use report::{Mistake, Report, SourceFile};
pub use services::{ServiceChange, ServiceEvent, Services};
pub use suggest::hint;
