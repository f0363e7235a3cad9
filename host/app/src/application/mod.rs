//! A checked application: everything that can run, resolved.
//!
//! Owns the resolved forms and their defaults; nothing here is optional that a default can answer.

mod app;
mod endpoint;
mod host;
mod install;
mod program;
mod service;

pub use app::App;
pub(crate) use app::{Grouped, MAIN, TestChunk, own_library};
pub use endpoint::{Endpoint, EndpointAction};
pub use host::{DEFAULT_HOST, Host};
pub(crate) use program::{Program, Programs};
pub use service::{Lifecycle, Service};
