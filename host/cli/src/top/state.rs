//! What `top` knows and shows, and what a key changes of it.
//!
//! Owns views, order, choice and search; time is an argument. Asks nobody and draws nothing.

use std::collections::HashMap;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use serde_json::Value;

use crate::remote::details;
use crate::remote::show::{count, cpu, held, items, list, number, rows, size, span, text};
use crate::terminal::one_line;

/// Rows that a page is.
const PAGE: usize = 20;

/// What is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    Tenants,
    Processes { tenant: String, sort: &'static str, descending: bool, search: String },
    Process { tenant: String, pid: String },
}

impl View {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Tenants => "tenants",
            Self::Processes { .. } => "processes",
            Self::Process { .. } => "process",
        }
    }
}

/// What a key asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    None,
    Quit,
    /// At the host, now.
    Look,
    Kill {
        tenant: String,
        pid: String,
    },
}

/// A row, with what it is sorted by.
#[derive(Debug, Clone)]
pub struct Row {
    /// A tenant's name or a pid.
    pub key: String,
    pub cells: Vec<String>,
    order: Vec<Order>,
}

#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Order {
    Text(String),
    Figure(f64),
}

/// The columns of tenants.
pub const TENANTS: [&str; 9] = ["NAME", "STATE", "PROCESSES", "CPU%", "CPU", "MEMORY", "LIMIT", "MESSAGES", "WHY"];
/// The columns of processes, with the host's names of them; the CPU time of the last moment is sorted here.
pub const PROCESSES: [(&str, &str); 11] = [
    ("PID", "pid"),
    ("ENTRY", "entry"),
    ("STATE", "state"),
    ("CPU%", "cpu_seconds"),
    ("CPU", "cpu_seconds"),
    ("MEMORY", "memory"),
    ("MESSAGES", "messages"),
    ("LINKS", "links"),
    ("MONITORS", "monitors"),
    ("AGE", "uptime_seconds"),
    ("NAMES", "names"),
];
/// The place of `CPU%` in both.
const MOMENT: usize = 3;

/// A view's order.
#[derive(Debug, Clone, Copy)]
pub struct Sorted {
    pub column: usize,
    pub descending: bool,
}

pub struct State {
    /// Whose processes are shown, and which process of them.
    pub tenant: Option<String>,
    pub process: Option<String>,
    pub rows: Vec<Row>,
    /// Of one process.
    pub lines: Vec<String>,
    pub chosen: usize,
    pub tenants: Sorted,
    pub processes: Sorted,
    pub search: String,
    /// The search is being written.
    pub writes: bool,
    /// A process that is to be ended, if the answer is yes.
    pub asks: Option<String>,
    pub title: String,
    pub trouble: Option<String>,
    /// CPU seconds of each row when it was last looked at, and when that was.
    before: (HashMap<String, f64>, f64),
}

impl State {
    pub fn new(tenant: Option<&str>) -> Self {
        Self {
            tenant: tenant.map(str::to_owned),
            process: None,
            rows: Vec::new(),
            lines: Vec::new(),
            chosen: 0,
            tenants: Sorted { column: 0, descending: false },
            processes: Sorted { column: MOMENT, descending: true },
            search: String::new(),
            writes: false,
            asks: None,
            title: String::new(),
            trouble: None,
            before: (HashMap::new(), 0.0),
        }
    }

    /// What the host is to be asked for.
    pub fn wish(&self) -> View {
        match (&self.tenant, &self.process) {
            (Some(tenant), Some(pid)) => View::Process { tenant: tenant.clone(), pid: pid.clone() },
            (Some(tenant), None) => View::Processes {
                tenant: tenant.clone(),
                sort: PROCESSES.get(self.processes.column).map_or("pid", |(_, name)| name),
                descending: self.processes.descending,
                search: self.search.clone(),
            },
            (None, _) => View::Tenants,
        }
    }

    /// The columns' heads, and the order.
    pub fn heads(&self) -> (Vec<&'static str>, Sorted) {
        match self.tenant {
            Some(_) => (PROCESSES.iter().map(|(head, _)| *head).collect(), self.processes),
            None => (TENANTS.to_vec(), self.tenants),
        }
    }

    /// What the host has answered, so many seconds after the start.
    pub fn take(&mut self, answer: &Value, now: f64) {
        let (host, shown) = (answer.get("host").unwrap_or(&Value::Null), answer.get("shown").unwrap_or(&Value::Null));
        let view = text(answer, "view");
        // An answer to what was asked before a key was pressed is of no use.
        if view != self.wish().name() || !self.is_of_choice(&view, shown) {
            return;
        }
        self.trouble = None;
        self.title = title(host);
        if view == "process" {
            self.lines = details(shown);
            return;
        }
        let chosen = self.rows.get(self.chosen).map(|row| row.key.clone());
        let processes = rows(shown);
        let all = if view == "tenants" { items(shown, "tenants") } else { processes.as_slice() };
        let (used, then) = std::mem::take(&mut self.before);
        let make = if view == "tenants" { tenant_row } else { process_row };
        let mut totals = HashMap::new();
        for one in all {
            totals.insert(text(one, if view == "tenants" { "name" } else { "pid" }), number(one, "cpu_seconds"));
        }
        let moment = |key: &str| {
            let (before, total) = (used.get(key)?, totals.get(key)?);
            (now > then).then(|| (total - before).max(0.0) / (now - then) * 100.0)
        };
        self.rows = all.iter().map(|one| make(one, &moment)).collect();
        self.before = (totals, now);
        self.sort();
        // The same one stays chosen, wherever it is now.
        let place = chosen.and_then(|key| self.rows.iter().position(|row| row.key == key));
        self.chosen = place.unwrap_or(self.chosen).min(self.rows.len().saturating_sub(1));
    }

    /// Whether it is the tenant's, and the process's, that was chosen.
    fn is_of_choice(&self, view: &str, shown: &Value) -> bool {
        let is = |name: &str, chosen: &Option<String>| chosen.as_deref() == Some(&*text(shown, name));
        match view {
            "tenants" => true,
            "processes" => is("tenant", &self.tenant),
            _ => is("tenant", &self.tenant) && is("pid", &self.process),
        }
    }

    /// The host can't be asked.
    pub fn fail(&mut self, refusal: &dyn std::fmt::Display) {
        self.trouble = Some(one_line(&refusal.to_string()));
    }

    fn sort(&mut self) {
        let (_, Sorted { column, descending }) = self.heads();
        self.rows.sort_by(|a, b| {
            let order = a.order.get(column).partial_cmp(&b.order.get(column)).unwrap_or(std::cmp::Ordering::Equal);
            let order = if descending { order.reverse() } else { order };
            order.then_with(|| a.key.cmp(&b.key))
        });
    }

    /// A key was pressed.
    pub fn press(&mut self, key: KeyEvent) -> Action {
        if key.kind == KeyEventKind::Release {
            return Action::None;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
            return Action::Quit;
        }
        if let Some(pid) = self.asks.take() {
            let tenant = self.tenant.clone().unwrap_or_default();
            return if key.code == KeyCode::Char('y') { Action::Kill { tenant, pid } } else { Action::None };
        }
        if self.writes {
            return self.write(key.code);
        }
        match key.code {
            KeyCode::Char('q') => return Action::Quit,
            KeyCode::Char('s') => return self.sort_by(|sorted, count| sorted.column = (sorted.column + 1) % count),
            KeyCode::Char('r') => return self.sort_by(|sorted, _| sorted.descending = !sorted.descending),
            KeyCode::Char('/') if self.tenant.is_some() && self.process.is_none() => self.writes = true,
            KeyCode::Char('k') => self.asks = self.chosen_process(),
            KeyCode::Enter => return self.enter(),
            KeyCode::Esc | KeyCode::Backspace => return self.leave(),
            KeyCode::Up => self.chosen = self.chosen.saturating_sub(1),
            KeyCode::Down => self.chosen = self.chosen.saturating_add(1),
            KeyCode::PageUp => self.chosen = self.chosen.saturating_sub(PAGE),
            KeyCode::PageDown => self.chosen = self.chosen.saturating_add(PAGE),
            KeyCode::Home => self.chosen = 0,
            KeyCode::End => self.chosen = usize::MAX,
            _ => {}
        }
        let count = if self.process.is_some() { self.lines.len() } else { self.rows.len() };
        self.chosen = self.chosen.min(count.saturating_sub(1));
        Action::None
    }

    fn chosen_process(&self) -> Option<String> {
        let tenant = self.tenant.as_ref()?;
        debug_assert!(!tenant.is_empty());
        self.process.clone().or_else(|| self.rows.get(self.chosen).map(|row| row.key.clone()))
    }

    fn write(&mut self, code: KeyCode) -> Action {
        match code {
            KeyCode::Enter => self.writes = false,
            KeyCode::Esc => {
                self.writes = false;
                self.search.clear();
            }
            KeyCode::Backspace => drop(self.search.pop()),
            KeyCode::Char(character) if self.search.len() < 100 => self.search.push(character),
            _ => return Action::None,
        }
        Action::Look
    }

    fn sort_by(&mut self, change: impl FnOnce(&mut Sorted, usize)) -> Action {
        match self.tenant {
            Some(_) => change(&mut self.processes, PROCESSES.len()),
            None => change(&mut self.tenants, TENANTS.len()),
        }
        self.sort();
        Action::Look
    }

    fn enter(&mut self) -> Action {
        let Some(row) = self.rows.get(self.chosen) else { return Action::None };
        match (&self.tenant, &self.process) {
            (None, _) => {
                self.tenant = Some(row.key.clone());
                self.rows.clear();
                self.before = (HashMap::new(), 0.0);
            }
            (Some(_), None) => {
                self.process = Some(row.key.clone());
                self.lines.clear();
            }
            (Some(_), Some(_)) => return Action::None,
        }
        self.chosen = 0;
        Action::Look
    }

    fn leave(&mut self) -> Action {
        if self.process.take().is_none() {
            if !self.search.is_empty() {
                self.search.clear();
            } else if self.tenant.take().is_some() {
                self.rows.clear();
                self.before = (HashMap::new(), 0.0);
            } else {
                return Action::None;
            }
        }
        self.chosen = 0;
        Action::Look
    }
}

fn title(host: &Value) -> String {
    let tenants = host.get("tenants").unwrap_or(&Value::Null);
    let (used, limit) = held(host, "engine.memory");
    let limit = limit.map(|limit| format!(" of {}", size(limit))).unwrap_or_default();
    format!(
        "lunarium {}   up {}   cpu {}   memory {}{limit}   tenants: {} running, {} starting, {} failed",
        text(host, "version"),
        span(number(host, "uptime_seconds")),
        cpu(number(host, "cpu_seconds")),
        size(used),
        count(tenants, "running"),
        count(tenants, "starting"),
        count(tenants, "failed"),
    )
}

/// `-` until there were two looks.
fn percent(moment: Option<f64>) -> String {
    moment.map_or_else(|| "-".to_owned(), |moment| format!("{moment:.1}"))
}

#[allow(clippy::cast_precision_loss, reason = "what is sorted is shown in three digits")]
fn figure(count: u64) -> Order {
    Order::Figure(count as f64)
}

fn tenant_row(tenant: &Value, moment: &dyn Fn(&str) -> Option<f64>) -> Row {
    let name = text(tenant, "name");
    let moment = moment(&name);
    let (used, limit) = held(tenant, "node.memory");
    let (processes, messages) = (count(tenant, "processes"), count(tenant, "messages"));
    let seconds = number(tenant, "cpu_seconds");
    let why = text(tenant, "why").lines().next().unwrap_or_default().to_owned();
    let state = text(tenant, "state");
    let cells = [
        name.clone(),
        state.clone(),
        processes.to_string(),
        percent(moment),
        cpu(seconds),
        size(used),
        limit.map_or_else(|| "-".to_owned(), size),
        messages.to_string(),
        why.clone(),
    ];
    let order = vec![
        Order::Text(name.clone()),
        Order::Text(state),
        figure(processes),
        Order::Figure(moment.unwrap_or(0.0)),
        Order::Figure(seconds),
        figure(used),
        figure(limit.unwrap_or(u64::MAX)),
        figure(messages),
        Order::Text(why),
    ];
    Row { key: name, cells: cells.iter().map(|cell| one_line(cell)).collect(), order }
}

fn process_row(process: &Value, moment: &dyn Fn(&str) -> Option<f64>) -> Row {
    let pid = text(process, "pid");
    let moment = moment(&pid);
    let (entry, state, names) = (text(process, "entry"), text(process, "state"), list(process, "names").join(" "));
    let (memory, messages) = (count(process, "memory"), count(process, "messages"));
    let (links, monitors) = (count(process, "links"), count(process, "monitors"));
    let (seconds, age) = (number(process, "cpu_seconds"), number(process, "uptime_seconds"));
    let cells = [
        pid.clone(),
        entry.clone(),
        state.clone(),
        percent(moment),
        cpu(seconds),
        size(memory),
        messages.to_string(),
        links.to_string(),
        monitors.to_string(),
        span(age),
        names.clone(),
    ];
    let order = vec![
        // Older ones first: their numbers grow with time.
        Order::Figure(-age),
        Order::Text(entry),
        Order::Text(state),
        Order::Figure(moment.unwrap_or(0.0)),
        Order::Figure(seconds),
        figure(memory),
        figure(messages),
        figure(links),
        figure(monitors),
        Order::Figure(age),
        Order::Text(names),
    ];
    Row { key: pid, cells: cells.iter().map(|cell| one_line(cell)).collect(), order }
}
