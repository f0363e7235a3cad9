//! `http.endpoint` as written.
//!
//! Owns its keys, and which of them go together. Whether what it names is there, and whether two want the same request, is `resolve`'s.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::field::{Field, Name};
use super::fields::Fields;
use super::security::{self, RawSecurity};
use crate::notation::{HttpMethod, PATTERN_FORM, PathPattern, hint};
use crate::report::Mistake;
use crate::source::At;

/// How long an answer may take. Longer than an hour no client waits, and what is shorter than a millisecond nobody keeps.
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(3600);

#[derive(Debug)]
pub(crate) struct RawEndpoint {
    pub(crate) path: Option<At<PathPattern>>,
    pub(crate) methods: Vec<HttpMethod>,
    /// What runs for each request.
    pub(crate) process: Option<At<String>>,
    /// Where.
    pub(crate) host: Option<At<String>>,
    pub(crate) security: Option<RawSecurity>,
    /// The service that is called.
    pub(crate) call: Option<At<String>>,
    /// Which function of it.
    pub(crate) function: Option<String>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) max_body: Option<At<u64>>,
}

pub(super) fn read(fields: &mut Fields<'_>) -> RawEndpoint {
    let path = fields.required("path").and_then(path);
    let methods = fields.optional("methods").map(methods).unwrap_or_default();
    let (process, call) = (fields.optional("process"), fields.optional("call"));
    let (host, function) = (fields.optional("host"), fields.optional("function"));
    match (process, call) {
        (Some(_), Some(call)) => {
            call.mistake("an endpoint has either `process` or `call`");
        }
        (None, None) => {
            let hint = "`process: id` starts a process for each request, `call: id` calls a function of a service";
            fields.lacks("`process` or `call`", Some(hint.to_owned()));
        }
        _ => {}
    }
    if let (Some(_), Some(host)) = (call, host) {
        host.mistake("`host` belongs to `process`: a service is where it is");
    }
    if let (Some(_), Some(function)) = (process, function) {
        let hint = "which function a process runs, its entry's `method` says".to_owned();
        function.hinted("`function` belongs to `call`", Some(hint));
    }
    let security = security::read(fields);
    if let (Some(call), Some(_)) = (call, &security) {
        call.mistake("`security` belongs to `process`: a service has its own");
    }
    RawEndpoint {
        path,
        methods,
        process: process.and_then(Field::id),
        host: host.and_then(Field::id),
        security,
        call: call.and_then(Field::id),
        function: function.and_then(self::function),
        timeout: timeout(fields),
        max_body: fields.placed_size("max_body"),
    }
}

fn path(field: Field<'_>) -> Option<At<PathPattern>> {
    let At { value, place } = field.text()?;
    match PathPattern::parse(&value) {
        Ok(value) => Some(At { value, place }),
        Err(message) => {
            field.hinted(message, Some(PATTERN_FORM.to_owned()));
            None
        }
    }
}

fn methods(field: Field<'_>) -> Vec<HttpMethod> {
    let items: Vec<Field<'_>> = field.items(Name::ItemOf("methods")).collect();
    if items.is_empty() && matches!(&field.node.shape, crate::source::Shape::List(_)) {
        field.mistake("`methods` is empty");
    }
    let mut methods: Vec<HttpMethod> = items.into_iter().filter_map(method).collect();
    methods.sort_unstable();
    methods.dedup();
    methods
}

fn method(field: Field<'_>) -> Option<HttpMethod> {
    let name = field.text()?.value;
    let method = HttpMethod::parse(&name);
    if method.is_none() {
        let known = HttpMethod::ALL.map(HttpMethod::as_str);
        field.hinted(format!("`{name}` is no method that an endpoint can have"), hint(&name.to_uppercase(), &known));
    }
    method
}

fn function(field: Field<'_>) -> Option<String> {
    let name = field.text()?.value;
    if name.is_empty() || name.len() > lunarium_contract::length::METHOD {
        field.mistake(format!("`function` has from 1 to {} bytes", lunarium_contract::length::METHOD));
        return None;
    }
    Some(name)
}

fn timeout(fields: &mut Fields<'_>) -> Option<Duration> {
    let timeout = fields.duration("timeout")?;
    if TIMEOUTS.contains(&timeout) {
        return Some(timeout);
    }
    let (field, least, most) = (fields.optional("timeout")?, TIMEOUTS.start(), TIMEOUTS.end());
    let message = format!("`timeout` of {timeout:?} is not from {least:?} to {most:?}");
    fields.push(Mistake::new(message).at(&field.place()));
    None
}
