//! Truths about the whole, each with the real guest.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod at_rest;
mod fairness;
mod guest_module;
mod isolation;
mod limits;
mod style;
