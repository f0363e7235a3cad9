//! Truths about the whole, each with the real guest.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod argument;
mod at_rest;
mod bounds;
mod channel;
mod check;
mod coroutine;
mod counts;
mod end;
mod env;
mod errors;
mod exec;
mod fairness;
mod fs;
mod guest_module;
mod guides;
mod identity;
mod isolation;
mod json;
mod limits;
mod link;
mod listener;
mod logger;
mod mailbox;
mod message;
mod monitor;
mod options;
mod output;
mod payload;
mod reference;
mod registry;
mod require;
mod sandbox;
mod security;
mod select;
mod silence;
mod spawn;
mod spawner;
mod start;
mod style;
mod tamper;
mod terminate;
mod time;
mod upgrade;
mod wait;
