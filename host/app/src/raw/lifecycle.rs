//! `lifecycle:` of a host or a service as written.
//!
//! Owns its keys. Follows no dependency and fills in no default.

use std::time::Duration;

use super::field::{Field, Name};
use super::fields::Fields;
use super::security::{self, RawSecurity};
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

/// The lifecycle, and the entry's security: `written` beside it, or (as in Wippy's files) inside of it.
pub(super) fn read(fields: &mut Fields<'_>, written: Option<RawSecurity>) -> (RawLifecycle, Option<RawSecurity>) {
    let Some(mut own) = fields.table("lifecycle") else { return (RawLifecycle::default(), written) };
    let mut depends_on = Vec::new();
    // `requires` is Wippy's word for what must be there.
    for key in ["depends_on", "requires"] {
        depends_on.extend(own.optional(key).into_iter().flat_map(|field| field.ids(Name::Noun("an id"))));
    }
    let security = match (own.optional("security"), written) {
        (Some(field), Some(_)) => {
            field.hinted("`security` stands beside `lifecycle` too", Some("keep one of them".to_owned()));
            None
        }
        (Some(_), None) => {
            own.is_foreign();
            security::read(&mut own)
        }
        (None, written) => written,
    };
    own.foreign(&[("stable_threshold", "write it under `restart:`")]);
    let lifecycle = RawLifecycle {
        auto_start: own.boolean("auto_start"),
        depends_on,
        start_timeout: own.duration("start_timeout"),
        stop_timeout: own.duration("stop_timeout"),
        restart: restart(&mut own),
        on_change: own.optional("on_change").and_then(on_change),
    };
    own.finish();
    (lifecycle, security)
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
