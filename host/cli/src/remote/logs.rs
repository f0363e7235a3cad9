//! `lunarium logs`: what processes print and log.

use lunarium_engine::{Level, visible_json};
use serde_json::Value;

use super::arguments::Logs;
use super::http::encoded;
use super::show::{count, text};
use super::{Asking, Failed, print};
use crate::terminal::{one_line, push_field};

/// `lunarium logs`
pub fn logs(options: &Logs) -> Result<(), Failed> {
    let asking = Asking::new(&options.target)?;
    let level = Level::from(options.level).as_str();
    let mut path = format!("/v1/logs?level={level}&lines={}&follow={}", options.lines, options.follow);
    let named = [("tenant", &options.tenant), ("pid", &options.process)];
    for (name, value) in named {
        path.extend(value.as_deref().map(|value| format!("&{name}={}", encoded(value))));
    }
    asking.runtime.block_on(async {
        let mut stream = asking.client.stream(&path).await?;
        while let Some((kind, data)) = stream.next().await? {
            if options.target.json {
                print(&visible_json(&data.to_string()))?;
            } else if kind == "missed" {
                print(&format!(
                    "({}: {} lines are lost: they came faster than they were read)",
                    text(&data, "tenant"),
                    count(&data, "missed")
                ))?;
            } else {
                print(&shown(&data, options.tenant.is_none()))?;
            }
        }
        Ok(())
    })
}

/// A line, with its tenant where there may be several.
pub fn shown(line: &Value, with_tenant: bool) -> String {
    let level = text(line, "level");
    let tenant = if with_tenant { format!("{} ", text(line, "tenant")) } else { String::new() };
    let frame = match line.get("frame").and_then(Value::as_str) {
        Some(frame) => format!("{frame} {} ", text(line, "pid")),
        None => String::new(),
    };
    let mut shown = format!("{} {:5} {tenant}{frame}", text(line, "at"), level.to_uppercase());
    shown.push_str(line.get("text").and_then(Value::as_str).unwrap_or_default());
    let fields = line.get("fields").and_then(Value::as_object).into_iter().flatten();
    for (name, value) in fields {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        push_field(&mut shown, name, &text);
    }
    one_line(&shown)
}
