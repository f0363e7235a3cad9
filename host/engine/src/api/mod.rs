//! The embedding API: an engine, its nodes, and handles of their processes.
//!
//! Owns what an embedder calls, and how everything ends when it is dropped. Decides nothing.

mod config;
mod engine;
mod handle;
mod mailbox;
mod node;

pub use config::NodeConfig;
pub use engine::{Delays, Engine, EngineConfig, Slots};
pub use handle::Handle;
pub use mailbox::{Mailbox, Received, ReceivedCall, ReceivedMessage};
pub use node::{DeliverError, Node, UpgradeError, WeakNode};
