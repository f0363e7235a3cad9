//! Results and details as Rust types.
//!
//! Owns the methods that the engine's plain data has here: by serde, with the one error type of this crate.

use lunarium_engine::{Ending, Failure, Outcome, from_payload};
use serde::de::DeserializeOwned;

use crate::Error;

/// What an [`Outcome`] has beyond its two cases.
pub trait OutcomeExt {
    /// What the process returned as a Rust type: nothing or nil as `()` or `None`.
    ///
    /// Errors: it failed, and how; the result isn't of the type.
    fn value<T: DeserializeOwned>(&self) -> Result<T, Error>;
}

impl OutcomeExt for Outcome {
    fn value<T: DeserializeOwned>(&self) -> Result<T, Error> {
        match self {
            Outcome::Completed(payload) => Ok(from_payload(payload)?),
            Outcome::Failed(failure) => Err((**failure).clone().into()),
        }
    }
}

/// What a [`Failure`] has beyond its fields.
pub trait FailureExt {
    /// Its details as a Rust type; none of a failure without any is `None` or `()`.
    ///
    /// Errors: they aren't of the type.
    fn details<T: DeserializeOwned>(&self) -> Result<T, Error>;

    /// The limit or budget that was reached, by its name (`cpu`, `node.memory`): its details' `limit`. A script's own error may claim one,
    /// too.
    fn limit(&self) -> Option<String>;
}

impl FailureExt for Failure {
    fn details<T: DeserializeOwned>(&self) -> Result<T, Error> {
        /// A payload of nil.
        const NIL: &[u8] = &[0xc0];
        Ok(from_payload(self.details.as_deref().unwrap_or(NIL))?)
    }

    fn limit(&self) -> Option<String> {
        match Ending::failed(self) {
            Ending::Failed { limit, .. } => limit,
            _ => None,
        }
    }
}
