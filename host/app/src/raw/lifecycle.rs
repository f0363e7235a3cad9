//! `lifecycle:` of a host or a service as written.
//!
//! Owns its keys. Follows no dependency and fills in no default.

use std::time::Duration;

use super::field::{Field, Name};
use super::fields::Fields;
use crate::notation::{OnChange, hint};
use crate::source::At;

#[derive(Debug, Default)]
pub(crate) struct RawLifecycle {
    pub(crate) auto_start: Option<bool>,
    pub(crate) depends_on: Vec<At<String>>,
    pub(crate) start_timeout: Option<Duration>,
    pub(crate) stop_timeout: Option<Duration>,
    pub(crate) restart: RawRestart,
    pub(crate) on_change: Option<OnChange>,
}

#[derive(Debug, Default)]
pub(crate) struct RawRestart {
    pub(crate) initial_delay: Option<Duration>,
    pub(crate) max_delay: Option<Duration>,
    pub(crate) backoff_factor: Option<f64>,
    pub(crate) jitter: Option<f64>,
    pub(crate) max_attempts: Option<u32>,
    pub(crate) stable_threshold: Option<Duration>,
}

pub(super) fn read(fields: &mut Fields<'_>) -> RawLifecycle {
    let Some(mut own) = fields.table("lifecycle") else { return RawLifecycle::default() };
    let lifecycle = RawLifecycle {
        auto_start: own.boolean("auto_start"),
        depends_on: own.optional("depends_on").map(|field| field.ids(Name::Noun("an id"))).unwrap_or_default(),
        start_timeout: own.duration("start_timeout"),
        stop_timeout: own.duration("stop_timeout"),
        restart: restart(&mut own),
        on_change: own.optional("on_change").and_then(on_change),
    };
    own.finish();
    lifecycle
}

fn on_change(field: Field<'_>) -> Option<OnChange> {
    let text = field.text()?.value;
    let known = OnChange::ALL.into_iter().find(|known| known.as_str() == text);
    if known.is_none() {
        field.hinted(format!("`on_change` can't be `{text}`"), hint(&text, &OnChange::ALL.map(OnChange::as_str)));
    }
    known
}

fn restart(fields: &mut Fields<'_>) -> RawRestart {
    let Some(mut own) = fields.table("restart") else { return RawRestart::default() };
    let restart = RawRestart {
        initial_delay: own.duration("initial_delay"),
        max_delay: own.duration("max_delay"),
        backoff_factor: own.number("backoff_factor", 1.0..=1000.0),
        jitter: own.number("jitter", 0.0..=1.0),
        max_attempts: own.count("max_attempts", 0..=u32::MAX),
        stable_threshold: own.duration("stable_threshold"),
    };
    own.finish();
    restart
}
