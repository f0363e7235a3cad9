//! A host of many tenants that stays up: each tenant an application on a node of its own, all on one engine.
//!
//! Owns what is common to all of them: who they are, how they start, change and end, and how they are seen from outside. Has no
//! power of its own: folders, variables and modules come in as values, sockets open. It prints nothing.
//!
//! Each folder uses those above it in this list, and none below.
//!
//! | folder | owns |
//! |---|---|
//! | `clients` | connections, whatever is spoken: who is idle, who doesn't read, how many are whose |
//! | `host` | tenants: start, reload, deployments, logs |
//! | `metrics` | a host in numbers, for Prometheus and for curves |
//! | `endpoint` | requests from outside, for tenants and for whoever else has a node |
//! | `admin` | the admin interface: HTTP, who may use it, what it shows and changes |

mod admin;
mod clients;
pub mod endpoint;
mod host;
pub mod metrics;

pub use admin::{Admin, AdminConfig, AdminSocket, OPENAPI, Token, TokenError, Way, observe};
pub use host::{
    Change, Deployment, Folder, Host, HostChange, HostConfig, HostError, LogEvent, LogFilter, LogLine, LogReader, Logs,
    MAX_ARCHIVE, Origin, ReloadRequest, Reloader, Surroundings, Tenant, TenantChange, TenantChanges, TenantConfig,
    TenantState,
};
pub use metrics::Metrics;
