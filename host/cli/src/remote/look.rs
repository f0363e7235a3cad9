//! `lunarium tenants` and `lunarium ps`: what there is.

use std::time::Duration;

use serde_json::Value;

use super::arguments::{Ps, Tenants};
use super::http::{process_path, processes_path};
use super::show::{count, cpu, held, items, list, number, rows, size, span, table, text};
use super::{Asking, Failed, print, print_json};
use crate::terminal::one_line;

/// `lunarium tenants`
pub fn tenants(options: &Tenants) -> Result<(), Failed> {
    let answer = Asking::new(&options.target)?.get("/v1/tenants")?;
    if options.target.json {
        return print_json(&answer);
    }
    let rows: Vec<Vec<String>> = items(&answer, "tenants").iter().map(row).collect();
    let heads = ["NAME", "STATE", "PROCESSES", "CPU", "MEMORY", "LIMIT", "DEPLOYMENT", "SINCE", "WHY"];
    table(&heads, &rows).iter().try_for_each(|line| print(line))
}

fn row(tenant: &Value) -> Vec<String> {
    let (used, limit) = held(tenant, "node.memory");
    let deployment = tenant.get("deployment").cloned().unwrap_or_default();
    // Of a report the first line: `lunarium tenants --json` has all of it.
    let why = text(tenant, "why").lines().next().unwrap_or_default().to_owned();
    vec![
        text(tenant, "name"),
        text(tenant, "state"),
        count(tenant, "processes").to_string(),
        cpu(number(tenant, "cpu_seconds")),
        size(used),
        limit.map_or_else(|| "-".to_owned(), size),
        text(&deployment, "number"),
        text(&deployment, "since"),
        why,
    ]
}

/// `lunarium ps`
pub fn processes(options: &Ps) -> Result<(), Failed> {
    let asking = Asking::new(&options.target)?;
    if let (Some(tenant), Some(process)) = (&options.tenant, &options.process) {
        let answer = asking.get(&process_path(tenant, process))?;
        return match options.target.json {
            true => print_json(&answer),
            false => details(&answer).iter().try_for_each(|line| print(line)),
        };
    }
    let tenants = match &options.tenant {
        Some(tenant) => vec![tenant.clone()],
        None => names(&asking.get("/v1/tenants")?),
    };
    let (sort, search) = (options.sort.field(), options.search.as_deref().unwrap_or_default());
    let ask = |tenant: &String| asking.get(&processes_path(tenant, sort, options.reverse, options.limit, search));
    let answers = tenants.iter().map(ask).collect::<Result<Vec<Value>, _>>()?;
    if options.target.json {
        return match (&options.tenant, answers.as_slice()) {
            (Some(_), [answer]) => print_json(answer),
            _ => print_json(&Value::Array(answers)),
        };
    }
    let shown: Vec<Vec<String>> = answers
        .iter()
        .flat_map(|answer| {
            let tenant = text(answer, "tenant");
            rows(answer).into_iter().map(move |process| process_row(&tenant, &process))
        })
        .collect();
    let heads = ["TENANT", "PID", "ENTRY", "STATE", "CPU", "MEMORY", "MESSAGES", "LINKS", "MONITORS", "AGE", "NAMES"];
    table(&heads, &shown).iter().try_for_each(|line| print(line))?;
    for answer in &answers {
        let (matched, had) = (count(answer, "matched"), items(answer, "rows").len());
        if u64::try_from(had).is_ok_and(|had| had < matched) {
            print(&format!("{}: {had} of {matched} are shown: `--limit N` shows more", text(answer, "tenant")))?;
        }
    }
    Ok(())
}

/// The names of the tenants in an answer.
pub fn names(answer: &Value) -> Vec<String> {
    items(answer, "tenants").iter().map(|tenant| text(tenant, "name")).collect()
}

fn process_row(tenant: &str, process: &Value) -> Vec<String> {
    vec![
        tenant.to_owned(),
        text(process, "pid"),
        text(process, "entry"),
        text(process, "state"),
        cpu(number(process, "cpu_seconds")),
        size(count(process, "memory")),
        count(process, "messages").to_string(),
        count(process, "links").to_string(),
        count(process, "monitors").to_string(),
        span(number(process, "uptime_seconds")),
        list(process, "names").join(" "),
    ]
}

/// What is held of a limit, in its unit.
fn amount(limit: &str, held: u64) -> String {
    match limit {
        "memory" | "mailbox_bytes" => size(held),
        "cpu" | "cpu_total" | "lifetime" => cpu(Duration::from_nanos(held).as_secs_f64()),
        _ => held.to_string(),
    }
}

/// Everything about one process.
pub fn details(process: &Value) -> Vec<String> {
    let definition = process.get("definition").cloned().unwrap_or_default();
    let current = definition.get("is_current").and_then(Value::as_bool);
    let file = match current {
        Some(false) => format!("{} (of an earlier deployment)", text(&definition, "file")),
        _ => text(&definition, "file"),
    };
    let joined = |name: &str| {
        let all = list(process, name);
        if all.is_empty() { "-".to_owned() } else { all.join(" ") }
    };
    let messages = format!("{} ({})", count(process, "messages"), size(count(process, "message_bytes")));
    let fields = [
        ("pid", text(process, "pid")),
        ("tenant", text(process, "tenant")),
        ("entry", text(process, "entry")),
        ("file", file),
        ("host", text(process, "host")),
        ("state", text(process, "state")),
        ("names", joined("names")),
        ("parent", text(process, "parent")),
        ("actor", text(process, "actor")),
        ("scope", joined("scope")),
        ("age", span(number(process, "uptime_seconds"))),
        ("cpu", cpu(number(process, "cpu_seconds"))),
        ("memory", size(count(process, "memory"))),
        ("unread messages", messages),
        ("unanswered calls", count(process, "calls").to_string()),
        ("linked with", joined("linked")),
        ("monitors", joined("monitoring")),
        ("monitored by", joined("monitored_by")),
    ];
    let mut lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name:<17} {}", one_line(value))).collect();
    lines.push("limits:".to_owned());
    lines.extend(items(process, "usage").iter().map(|held| {
        let name = text(held, "name");
        let limit = held.get("limit").and_then(Value::as_u64);
        let limit = limit.map_or_else(|| "-".to_owned(), |limit| amount(&name, limit));
        format!("  {name:<17} {} of {limit}", amount(&name, count(held, "used")))
    }));
    lines.push("last lines:".to_owned());
    lines.extend(items(process, "log").iter().map(|line| format!("  {}", super::logs::shown(line, false))));
    lines
}
