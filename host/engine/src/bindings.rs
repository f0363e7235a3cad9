//! The WIT contract as Rust types and traits, generated.

#![allow(missing_docs, reason = "the WIT files hold the documentation")]
#![allow(clippy::all, clippy::pedantic, reason = "generated code")]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "lua-process",
    exports: { default: async },
    ownership: Borrowing { duplicate_if_necessary: true },
});
