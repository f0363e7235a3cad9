//! What a server may take of the machine, and what it believes.
//!
//! Owns the numbers that count for all sites, and where they come from. Those of one site are its traffic's.

use std::time::Duration;

use super::crowd::Notes;
use super::proxy::Network;

/// Bytes of a request's head: request line and headers. At the limit: 431. As other servers have it.
pub(super) const MOST_HEAD: usize = 16 << 10;

/// Bytes that are read ahead of a connection: a head, and what is sent with it.
pub(super) const MOST_BUFFER: usize = 32 << 10;

/// What a server may take, and what it believes. Made by [`ServerConfig::default`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Threads that read and write, beside the engine's workers; a quarter of the cores by default, one at least: the work is the scripts'.
    pub threads: usize,
    /// Connections at once; 10,000 by default. One takes up to 32 KiB while a head is read. At the limit: those that have been idle for the
    /// longest time are closed, and where none is idle, those that come wait to be accepted.
    pub max_connections: u32,
    /// Connections at once of one address (of a network of 64 bits for IPv6); 1,000 by default. At the limit: those that come are closed.
    /// A proxy that is believed has as many as there are.
    pub max_connections_per_address: u32,
    /// How long a connection may be idle, and how long a head may take; 15 s by default. At the limit: the connection is closed.
    pub head_timeout: Duration,
    /// How long a body may take; 30 s by default. At the limit: 408.
    pub body_timeout: Duration,
    /// In which time a reader has to take 64 KiB of an answer, or all of it; 30 s by default. At the limit: the connection is closed.
    pub stall_timeout: Duration,
    /// Proxies whose `x-forwarded-for` is believed; none by default.
    pub proxies: Vec<Network>,
    /// Where it is told, every ten seconds at most, that connections were closed for others or refused; nowhere by default.
    pub notes: Notes,
}

impl Default for ServerConfig {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            threads: (cores / 4).max(1),
            max_connections: 10_000,
            max_connections_per_address: 1_000,
            head_timeout: Duration::from_secs(15),
            body_timeout: Duration::from_secs(30),
            stall_timeout: Duration::from_secs(30),
            proxies: Vec::new(),
            notes: Notes::default(),
        }
    }
}
