//! For how long an entry stays: a duration as scripts write it everywhere, of more than 0.

use std::time::Duration;

use lunarium::Value;
use serde::de::{Deserialize, Deserializer, Error};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ttl(pub(super) Duration);

impl<'de> Deserialize<'de> for Ttl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Ttl, D::Error> {
        match Value::deserialize(deserializer)?.to_duration() {
            Ok(Duration::ZERO) => Err(D::Error::custom("a time of 0: kv.delete takes a key away")),
            Ok(time) => Ok(Ttl(time)),
            Err(error) => Err(D::Error::custom(error)),
        }
    }
}
