//! `process.service` as written.
//!
//! Owns its keys.

use lunarium_engine::Value;

use super::field::Name;
use super::fields::Fields;
use super::lifecycle::{self, RawLifecycle};
use super::security::{self, RawSecurity};
use super::value::value;
use crate::source::At;

#[derive(Debug)]
pub(crate) struct RawService {
    pub(crate) process: Option<At<String>>,
    pub(crate) host: Option<At<String>>,
    pub(crate) input: Vec<Value>,
    pub(crate) security: Option<RawSecurity>,
    pub(crate) lifecycle: RawLifecycle,
}

pub(super) fn read(fields: &mut Fields<'_>) -> RawService {
    let process = fields.required_id("process");
    let host = fields.required_id("host");
    let input = fields.optional("input").map(|field| field.items(Name::Noun("an argument")));
    let own_security = security::read(fields);
    let (lifecycle, security) = lifecycle::read(fields, own_security);
    RawService {
        process,
        host,
        input: input.into_iter().flatten().map(|item| value(item.node)).collect(),
        security,
        lifecycle,
    }
}
