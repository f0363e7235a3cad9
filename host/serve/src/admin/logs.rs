//! What tenants' processes print and log: the last lines, and those that follow.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use axum::extract::State;
use axum::response::Response;
use futures_lite::Stream as _;
use lunarium_engine::{Level, Pid};
use serde_derive::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::Failed;
use super::body::Parameters;
use super::events;
use super::host::at_most;
use super::json::{time, to_json};
use super::routes::Route;
use super::stream::{Source, event, poll_each, stream};
use super::{Shared, tenants};
use crate::host::{LogEvent, LogFilter, LogLine, LogReader, Tenant};

/// Of the last lines of each tenant where nothing else is asked for, and of all of them at most.
const LINES: (usize, usize) = (100, 10_000);

pub(crate) fn routes() -> Vec<Route> {
    vec![Route::get("/v1/logs", logs)]
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Least {
    Debug,
    Info,
    Warn,
    Error,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    tenant: Option<String>,
    pid: Option<String>,
    level: Option<Least>,
    lines: Option<usize>,
    follow: Option<bool>,
}

/// A line as it is told.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    tenant: String,
    at: String,
    pid: Option<String>,
    frame: Option<String>,
    entry: Option<String>,
    level: &'static str,
    text: String,
    fields: BTreeMap<String, Value>,
}

impl Line {
    pub(crate) fn new(tenant: &str, line: &LogLine) -> Self {
        let process = line.process.as_ref();
        let level = match line.level {
            _ if line.printed => "print",
            level => level.as_str(),
        };
        Self {
            tenant: tenant.to_owned(),
            at: time(line.time),
            pid: process.map(|process| process.pid.to_string()),
            frame: process.map(|process| process.frame.to_string()),
            entry: process.map(|process| process.entry.to_string()),
            level,
            text: line.message.clone(),
            fields: line.fields.iter().map(|field| (field.name().to_owned(), to_json(&field.value()))).collect(),
        }
    }
}

async fn logs(State(shared): State<Arc<Shared>>, Parameters(wish): Parameters<Wish>) -> Result<Response, Failed> {
    let lines = at_most("lines", wish.lines, LINES.0, 0, LINES.1)?;
    let pid = events::pid(&shared, wish.tenant.as_deref(), wish.pid.as_deref())?;
    if let Some(name) = &wish.tenant {
        tenants::find(&shared, name)?;
    }
    let level = match wish.level {
        None | Some(Least::Debug) => Level::Debug,
        Some(Least::Info) => Level::Info,
        Some(Least::Warn) => Level::Warn,
        Some(Least::Error) => Level::Error,
    };
    let mut told = Told {
        shared: Arc::clone(&shared),
        tenant: wish.tenant,
        pid,
        level,
        lines,
        follows: wish.follow.unwrap_or(true),
        first: VecDeque::new(),
        readers: BTreeMap::new(),
        ended: BTreeMap::new(),
    };
    told.begin();
    stream(&shared, told)
}

/// What the stream reads from.
struct Told {
    shared: Arc<Shared>,
    tenant: Option<String>,
    pid: Option<Pid>,
    level: Level,
    lines: usize,
    follows: bool,
    /// The last lines of all tenants, in the order of their times.
    first: VecDeque<(String, Arc<LogLine>)>,
    readers: BTreeMap<String, LogReader>,
    /// Readers that have read all, for as long as their tenants are still in the table: read again they would begin anew.
    ended: BTreeMap<String, LogReader>,
}

/// How many of the last lines each of so many tenants may tell: the same, however much the others have written.
fn part(tenants: usize) -> usize {
    LINES.1.checked_div(tenants).unwrap_or(LINES.1).max(1)
}

impl Told {
    fn begin(&mut self) {
        let tenants = self.tenants();
        let most = self.lines.min(part(tenants.len()));
        for tenant in tenants {
            let mut reader = self.reader(&tenant, most);
            let name = tenant.name();
            // What is there already, and no more: a tenant that writes all the time would have no end. It is read again from where this ends.
            let mut context = Context::from_waker(Waker::noop());
            let mut lines = 0;
            while lines < most
                && let Poll::Ready(Some(told)) = Pin::new(&mut reader).poll_next(&mut context)
            {
                let LogEvent::Line(line) = told else { continue };
                self.first.push_back((name.to_owned(), line));
                lines = lines.saturating_add(1);
            }
            self.readers.insert(name.to_owned(), reader);
        }
        self.first.make_contiguous().sort_by_key(|(_, line)| line.time);
        if !self.follows {
            self.readers.clear();
        }
    }

    fn tenants(&self) -> Vec<Tenant> {
        match &self.tenant {
            Some(name) => self.shared.host.tenant(name).into_iter().collect(),
            None => self.shared.host.tenants(),
        }
    }

    fn reader(&self, tenant: &Tenant, lines: usize) -> LogReader {
        let filter = LogFilter::default().above(self.level);
        let filter = self.pid.iter().cloned().fold(filter, LogFilter::of);
        tenant.logs().follow(lines, filter)
    }
}

impl Source for Told {
    /// Tenants that have come since.
    fn look(&mut self, _out: &mut String) {
        if !self.follows {
            return;
        }
        let tenants = self.tenants();
        self.ended.retain(|name, reader| {
            tenants.iter().any(|tenant| tenant.name() == name && reader.follows(&tenant.logs()))
        });
        for tenant in tenants {
            let name = tenant.name();
            if !self.readers.contains_key(name) && !self.ended.contains_key(name) {
                let reader = self.reader(&tenant, self.lines);
                self.readers.insert(name.to_owned(), reader);
            }
        }
    }

    fn poll_next(&mut self, context: &mut Context<'_>, out: &mut String) -> Poll<bool> {
        if let Some((tenant, line)) = self.first.pop_front() {
            event(out, "line", &Line::new(&tenant, &line));
            return Poll::Ready(true);
        }
        if !self.follows {
            return Poll::Ready(false);
        }
        let (told, ended) = poll_each(&mut self.readers, context, |tenant, told| match told {
            LogEvent::Line(line) => event(out, "line", &Line::new(tenant, &line)),
            LogEvent::Missed(missed) => event(out, "missed", &json!({"tenant": tenant, "missed": missed})),
        });
        self.ended.extend(ended);
        told
    }
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn each_tenant_has_the_same_part_of_the_last_lines() {
        assert_eq!([0, 1, 3, 10_000, 20_000].map(part), [10_000, 10_000, 3_333, 1, 1]);
    }
}
