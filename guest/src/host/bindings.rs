//! The types and calls of `wit/`, generated.

#![allow(missing_docs, clippy::crate_in_macro_def, reason = "generated; documented in wit/")]

wit_bindgen::generate!({
    world: "lua-process",
    path: "../wit",
    pub_export_macro: true,
    // What a call hands over lies in Lua's memory: no copies on the way.
    ownership: Borrowing { duplicate_if_necessary: true },
    default_bindings_module: "crate::host::bindings",
});
