//! What a process may do: actors, scopes, policies and their conditions. Owns nothing but the way in: each file of the room
//! owns its part, and all are pure functions of what they are given.

pub mod action;
mod attribute;
mod condition;
mod policy;
mod security;

pub use attribute::Attribute;
pub use condition::{Condition, ConditionError, Field, FieldError, Operand, Operator};
pub use policy::{Pattern, PatternError, Policy, PolicyEffect};
pub use security::{Actor, ActorError, Decision, Denied, Security};
