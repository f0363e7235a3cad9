//! What happens on the tenants' nodes, to the tenants, and by this interface: one stream.
//!
//! Owns the form of an event. Refuses to hold up anybody: who is too slow is told how much it has missed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use axum::extract::State;
use axum::response::Response;
use lunarium_engine::{Ending, ErrorKind, Events, NodeEvent, Pid, ServiceStep};
use serde_derive::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::answer::Failed;
use super::audit::Record;
use super::body::Parameters;
use super::json::time;
use super::routes::Route;
use super::stream::{Source, event, poll_each, stream};
use super::{Shared, process, tenants};
use crate::host::TenantState;

pub(crate) fn routes() -> Vec<Route> {
    vec![Route::get("/v1/events", events)]
}

/// The kinds, which are also the names of the server-sent events.
const KINDS: [&str; 9] =
    ["spawned", "ended", "upgraded", "refused", "limit_reached", "service", "missed", "tenant", "change"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    tenant: Option<String>,
    kind: Option<String>,
    pid: Option<String>,
}

async fn events(State(shared): State<Arc<Shared>>, Parameters(wish): Parameters<Wish>) -> Result<Response, Failed> {
    let kinds = wish.kind.as_deref().map(kinds).transpose()?;
    let pid = pid(&shared, wish.tenant.as_deref(), wish.pid.as_deref())?;
    if let Some(name) = &wish.tenant {
        tenants::find(&shared, name)?;
    }
    let filter = Filter { tenant: wish.tenant, kinds, pid: pid.as_ref().map(Pid::number) };
    let audit = shared.audit.next();
    let mut happening =
        Happening { shared: Arc::clone(&shared), filter, nodes: BTreeMap::new(), states: BTreeMap::new(), audit };
    // As it is now is no event.
    happening.attend(&mut String::new());
    stream(&shared, happening)
}

fn kinds(text: &str) -> Result<BTreeSet<&'static str>, Failed> {
    let known = |word: &str| {
        let known = KINDS.into_iter().find(|kind| *kind == word);
        known.ok_or_else(|| {
            let word: String = word.chars().take(40).collect();
            Failed::invalid(format!("parameter: there is no kind `{word}` of events; there are {}", KINDS.join(", ")))
        })
    };
    text.split(',').map(known).collect()
}

/// A process to look at alone.
///
/// Errors: no tenant is named, or it has no such process.
pub(crate) fn pid(shared: &Shared, tenant: Option<&str>, pid: Option<&str>) -> Result<Option<Pid>, Failed> {
    match (tenant, pid) {
        (_, None) => Ok(None),
        (None, Some(_)) => {
            Err(Failed::invalid("parameter: `pid` needs `tenant`: each tenant counts its processes by itself"))
        }
        // One that has ended may have left lines.
        (Some(tenant), Some(pid)) => match Pid::parse(pid) {
            Some(pid) => Ok(Some(pid)),
            None => process::find(shared, tenant, pid).map(|(_, _, pid)| Some(pid)),
        },
    }
}

struct Filter {
    tenant: Option<String>,
    kinds: Option<BTreeSet<&'static str>>,
    pid: Option<u64>,
}

impl Filter {
    fn wants_tenant(&self, name: &str) -> bool {
        self.tenant.as_deref().is_none_or(|tenant| tenant == name)
    }

    fn wants(&self, kind: &str, pid: Option<u64>) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(kind))
            && self.pid.is_none_or(|wanted| pid == Some(wanted))
    }
}

/// What the stream reads from.
struct Happening {
    shared: Arc<Shared>,
    filter: Filter,
    nodes: BTreeMap<String, Events>,
    /// The state of each tenant when it was last looked at.
    states: BTreeMap<String, TenantState>,
    /// The next record of the audit log.
    audit: u64,
}

impl Happening {
    /// Reads the nodes that have come, and tells which tenants are in another state.
    fn attend(&mut self, out: &mut String) {
        let mut gone: BTreeSet<String> = self.states.keys().cloned().collect();
        for tenant in self.shared.host.tenants() {
            let (name, state) = (tenant.name(), tenant.state());
            if !self.filter.wants_tenant(name) {
                continue;
            }
            gone.remove(name);
            if !self.nodes.contains_key(name)
                && let Some(node) = tenant.node()
            {
                self.nodes.insert(name.to_owned(), node.events());
            }
            if self.states.get(name) != Some(&state) {
                self.tell_state(out, name, state.as_str(), tenants::why(&state));
                self.states.insert(name.to_owned(), state);
            }
        }
        for name in gone {
            self.states.remove(&name);
            self.nodes.remove(&name);
            self.tell_state(out, &name, "removed", None);
        }
    }

    fn tell_state(&self, out: &mut String, tenant: &str, state: &str, why: Option<&str>) {
        if self.filter.wants("tenant", None) {
            let now = time(SystemTime::now());
            event(out, "tenant", &json!({"kind": "tenant", "tenant": tenant, "at": now, "state": state, "why": why}));
        }
    }
}

#[derive(Serialize)]
struct Change<'r> {
    kind: &'static str,
    tenant: Option<&'r str>,
    at: &'r str,
    change: &'r Record,
}

impl Source for Happening {
    fn look(&mut self, out: &mut String) {
        self.attend(out);
        let (records, next) = self.shared.audit.since(self.audit);
        self.audit = next;
        for record in records {
            let tenant = record.tenant.as_deref();
            let is_of = self.filter.tenant.is_none() || self.filter.tenant.as_deref() == tenant;
            if is_of && self.filter.wants("change", None) {
                event(out, "change", &Change { kind: "change", tenant, at: &record.at, change: &record });
            }
        }
    }

    fn poll_next(&mut self, context: &mut Context<'_>, out: &mut String) -> Poll<bool> {
        let filter = &self.filter;
        // One that has ended is looked for again.
        let (told, _) = poll_each(&mut self.nodes, context, |tenant, happened| {
            let Some((kind, pid, fields)) = described(&happened) else { return };
            let is_missed = matches!(happened, NodeEvent::Missed { .. });
            if filter.wants(kind, pid) || (is_missed && filter.kinds.is_none()) {
                tell(out, kind, tenant, fields);
            }
        });
        told
    }
}

fn tell(out: &mut String, kind: &str, tenant: &str, fields: Value) {
    let mut all = Map::new();
    all.insert("kind".to_owned(), json!(kind));
    all.insert("tenant".to_owned(), json!(tenant));
    all.insert("at".to_owned(), json!(time(SystemTime::now())));
    if let Value::Object(fields) = fields {
        all.extend(fields);
    }
    event(out, kind, &Value::Object(all));
}

fn kind_of(kind: ErrorKind) -> &'static str {
    if kind == ErrorKind::Unknown { "Unknown" } else { kind.as_str() }
}

fn ending(ending: &Ending) -> Value {
    match ending {
        Ending::Failed { kind, message, limit } => {
            json!({"completed": false, "kind": kind_of(*kind), "message": &**message, "limit": limit})
        }
        _ => json!({"completed": true, "kind": null, "message": null, "limit": null}),
    }
}

fn text(pid: Option<&Pid>) -> Option<&str> {
    pid.map(Pid::as_str)
}

/// An event's kind, whom it is about, and its fields. None: one that this interface doesn't know.
fn described(happened: &NodeEvent) -> Option<(&'static str, Option<u64>, Value)> {
    Some(match happened {
        NodeEvent::Spawned { pid, entry, parent } => {
            let fields = json!({"pid": pid.as_str(), "entry": entry.as_str(), "parent": text(parent.as_ref())});
            ("spawned", Some(pid.number()), fields)
        }
        NodeEvent::Ended { pid, entry, ending: how } => {
            let fields = json!({"pid": pid.as_str(), "entry": entry.as_str(), "ending": ending(how)});
            ("ended", Some(pid.number()), fields)
        }
        NodeEvent::Upgraded { pid, from, to } => {
            let fields = json!({"pid": pid.as_str(), "from": from.as_str(), "to": to.as_str()});
            ("upgraded", Some(pid.number()), fields)
        }
        NodeEvent::Refused { by, action, target, kind, message, limit } => {
            let fields = json!({
                "by": text(by.as_ref()), "action": action, "target": target, "error": kind_of(*kind), "message": message,
                "limit": limit,
            });
            ("refused", by.as_ref().map(Pid::number), fields)
        }
        NodeEvent::LimitReached { pid, limit } => {
            ("limit_reached", Some(pid.number()), json!({"pid": pid.as_str(), "limit": limit}))
        }
        NodeEvent::Service { service, change } => {
            let (pid, fields) = step(service.as_str(), change);
            ("service", pid, fields)
        }
        NodeEvent::Missed { events } => ("missed", None, json!({"events": events})),
        _ => return None,
    })
}

fn step(service: &str, change: &ServiceStep) -> (Option<u64>, Value) {
    let (name, pid, how, delay, attempt, needs) = match change {
        ServiceStep::Started { pid } => ("started", Some(pid), None, None, None, None),
        ServiceStep::Done { pid } => ("done", Some(pid), None, None, None, None),
        ServiceStep::Restarting { pid, ending, delay, attempt } => {
            ("restarting", pid.as_ref(), Some(ending), Some(delay.as_millis()), Some(attempt), None)
        }
        ServiceStep::GivenUp { pid, ending, attempts } => {
            ("given_up", pid.as_ref(), Some(ending), None, Some(attempts), None)
        }
        ServiceStep::NotStarted { needs } => ("not_started", None, None, None, None, Some(needs.as_str())),
        ServiceStep::Stopped { pid, ending } => ("stopped", Some(pid), Some(ending), None, None, None),
        _ => ("changed", None, None, None, None, None),
    };
    let delay = delay.map(|delay| u64::try_from(delay).unwrap_or(u64::MAX));
    let fields = json!({
        "service": service, "step": name, "pid": text(pid), "ending": how.map(ending), "delay_ms": delay,
        "attempt": attempt, "needs": needs,
    });
    (pid.map(Pid::number), fields)
}
