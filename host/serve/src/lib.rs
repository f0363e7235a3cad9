//! A host that stays up: many tenants on one engine, seen and changed from outside while they run.
//!
//! Its folders use each other in one direction only, each those above it here:
//!
//! | folder | owns |
//! |---|---|
//! | `endpoint` | requests from outside |

pub mod endpoint;
