//! Requests from outside: HTTP in, a process or a call for each, HTTP out.
//!
//! Owns the server, which request is whose, and that each is answered whatever its script does: what a client or a script sends is
//! bounded, waits are, too, and a client that is slow or gone holds no process. Its server doesn't know tenants: it is given sites, which can
//! be exchanged while it runs (`tenants` makes them of a host's), and sockets that listen already.
//!
//! The way of one request: `server` accepts a connection, for which `crowd` has a place, hyper reads a head, `forward`
//! finds the site (`site`), asks its `traffic` whether there is room, finds the endpoint (`routes`), reads the body (`body`), makes the
//! table (`request`), runs a process or a call, and reads the answer (`answer`). What goes wrong is a `refusal`.

mod answer;
mod body;
mod config;
mod crowd;
mod forward;
mod path;
mod proxy;
mod refusal;
mod request;
mod routes;
mod server;
mod site;
mod tenants;
mod timer;
mod traffic;

pub use config::ServerConfig;
pub use crowd::Notes;
pub use proxy::{Network, NetworkError};
pub use server::{Drained, Server};
pub use site::{HOST_FORM, Site, SiteError, Sites, host_name};
pub use tenants::TenantSites;
pub use traffic::{LATENCIES, Traffic, TrafficLimits, TrafficUsage};
