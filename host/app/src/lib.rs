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

mod node;

mod application;

mod resolve;
mod review;

mod explain;
mod load;
mod own;
mod services;
mod sources;
mod testing;

pub use application::{App, DEFAULT_HOST, Endpoint, EndpointAction, Host, Lifecycle, Service};
pub use explain::{Cause, Explained, reached_limit};
pub use limits::{LimitError, LimitSource, limit_in_force, parse_limit};
pub use load::{Compiler, Draft};
pub use lunarium_kernel::RestartPolicy;
pub use node::{AdminFile, Allowance, HttpFile, NODE_FILE, NodeFile, TenantBudget, TenantFile, VariableFile, Written};
pub use notation::{
    DurationError, HttpMethod, NAMESPACE_FORM, OnChange, PathPattern, SIZE_FORM, Segment, SizeError, TENANT_FORM, hint,
    is_namespace, is_tenant, parse_budget, parse_cores, parse_duration, parse_size,
};
pub use report::{Mistake, Report};
pub use resolve::{Authority, NoAuthority};
pub use services::{
    Running, ServiceAction, ServiceChange, ServiceEvent, ServiceNote, ServiceState, ServiceStatus, Services, given_up,
};
pub use source::{MAX_FILE, SourceFile};
pub use sources::Sources;
pub use testing::{TEST_ENDING, TestFile};
