//! Truths about the whole, each with the real guest.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod argument;
mod at_rest;
mod channel;
mod check;
mod coroutine;
mod counts;
mod end;
mod errors;
mod fairness;
mod guest_module;
mod guides;
mod identity;
mod isolation;
mod limits;
mod link;
mod listener;
mod mailbox;
mod message;
mod monitor;
mod options;
mod output;
mod payload;
mod registry;
mod require;
mod sandbox;
mod select;
mod spawn;
mod spawner;
mod style;
mod tamper;
mod terminate;
mod time;
mod wait;
