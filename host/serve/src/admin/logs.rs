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
use serde_json::json;

use super::answer::Failed;
use super::body::Parameters;
use super::events;
use super::host::at_most;
use super::json::time;
use super::routes::Route;
use super::stream::{Source, event, stream};
use super::{Shared, tenants};
use crate::{LogEvent, LogFilter, LogLine, LogReader, Tenant};

/// Of the last lines where nothing else is asked for, and at most.
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
    fields: BTreeMap<String, String>,
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
            fields: line.fields.iter().cloned().collect(),
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
}

impl Told {
    fn begin(&mut self) {
        for tenant in self.tenants() {
            let mut reader = self.reader(&tenant);
            let name = tenant.name();
            // What is there already: it is read again from where this ends.
            while let Poll::Ready(Some(told)) = Pin::new(&mut reader).poll_next(&mut Context::from_waker(Waker::noop()))
            {
                let LogEvent::Line(line) = told else { continue };
                self.first.push_back((name.to_owned(), line));
                // A tenant that writes all the time would have no end.
                if self.first.len() >= LINES.1 {
                    break;
                }
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

    fn reader(&self, tenant: &Tenant) -> LogReader {
        let filter = LogFilter::default().above(self.level);
        let filter = self.pid.iter().cloned().fold(filter, LogFilter::of);
        tenant.logs().follow(self.lines, filter)
    }
}

impl Source for Told {
    /// Tenants that have come since.
    fn look(&mut self, _out: &mut String) {
        if !self.follows {
            return;
        }
        for tenant in self.tenants() {
            if !self.readers.contains_key(tenant.name()) {
                let reader = self.reader(&tenant);
                self.readers.insert(tenant.name().to_owned(), reader);
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
        let (mut told, mut ended) = (false, Vec::new());
        for (tenant, reader) in &mut self.readers {
            match Pin::new(reader).poll_next(context) {
                Poll::Ready(Some(LogEvent::Line(line))) => {
                    told = true;
                    event(out, "line", &Line::new(tenant, &line));
                }
                Poll::Ready(Some(LogEvent::Missed(missed))) => {
                    told = true;
                    event(out, "missed", &json!({"tenant": tenant, "missed": missed}));
                }
                Poll::Ready(None) => ended.push(tenant.clone()),
                Poll::Pending => {}
            }
        }
        for tenant in ended {
            self.readers.remove(&tenant);
        }
        if told { Poll::Ready(true) } else { Poll::Pending }
    }
}
