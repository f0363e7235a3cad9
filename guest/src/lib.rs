//! The guest: one Lua process inside its own wasm instance. Owns what a script sees (`prelude/` and `api/`), the
//! scheduler and the payload codec. Never blocks in a host call: when every coroutine waits, it returns to the host.
//!
//! ```text
//! vm (wasm's exports) ──► turn ──► prelude/*.lua ──► api ──► host (wasm's imports)
//!                          └──────► codec ◄───────────┘
//! ```
//! ARCHITECTURE.md lists the folders in the order in which one may use the other.
//!
//! Natively the same code runs with a fake host: that is how most of it is tested.

#![cfg_attr(not(any(test, target_family = "wasm")), allow(dead_code, reason = "only wasm has the exports that use it"))]

mod api;
mod codec;
mod host;
mod lua;
mod state;
#[cfg(test)]
mod tests;
mod time;
mod turn;
mod vm;
