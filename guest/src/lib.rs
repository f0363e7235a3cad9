//! The guest: one Lua process inside its own wasm instance. Owns what a script sees (`prelude/` and `api/`), the
//! scheduler and the payload codec. Never blocks in a host call: when every coroutine waits, it returns to the host.
//!
//! ```text
//! component (wasm's exports) ──► vm ──► turn ──► prelude/*.lua ──► api/* ──► host (wasm's imports)
//!                                         ├──► channel      codec ◄──┘
//!                                         └──► outcome
//! ```
//! Natively the same code runs with a fake host: that is how most of it is tested.

#![cfg_attr(not(any(test, target_family = "wasm")), allow(dead_code, reason = "only wasm has the exports that use it"))]

mod api;
mod buffer;
mod channel;
mod codec;
#[cfg(target_family = "wasm")]
mod component;
mod context;
mod error;
mod globals;
mod host;
mod lua;
mod memory;
mod outcome;
mod prelude;
mod request;
mod slots;
#[cfg(test)]
mod tests;
mod trace;
mod turn;
mod upgrade;
mod vm;
mod wait;

#[allow(missing_docs, clippy::crate_in_macro_def, reason = "generated; documented in wit/")]
mod bindings {
    wit_bindgen::generate!({
        world: "lua-process",
        path: "../wit",
        pub_export_macro: true,
        // What a call hands over lies in Lua's memory: no copies on the way.
        ownership: Borrowing { duplicate_if_necessary: true },
        default_bindings_module: "crate::bindings",
    });
}
