//! `lunarium deploy`, `reload`, `restart`, `rollback` and `remove`: what changes a tenant.

use serde_json::Value;

use super::arguments::{Deploy, OneTenant, Reload};
use super::http::{Refusal, tenant_path};
use super::show::{count, items, text};
use super::{Asking, Failed, pack, print, print_json};
use crate::terminal::{one_line, write_error};

/// `lunarium deploy`
pub fn deploy(options: &Deploy) -> Result<(), Failed> {
    let asking = Asking::new(&options.target)?;
    let tar = pack::folder(&options.path)?;
    let answer = asking.runtime.block_on(asking.client.put(&tenant_path(&options.tenant), tar))?;
    tell(&answer, options.target.json)
}

/// `lunarium reload`: one tenant, or the host with all of them. Of those each is tried, whatever becomes of the others.
pub fn reload(options: &Reload) -> Result<(), Failed> {
    let (asking, json) = (Asking::new(&options.target)?, options.target.json);
    if let Some(tenant) = &options.tenant {
        return tell(&asking.post(&(tenant_path(tenant) + "/reload"), None)?, json);
    }
    let answer = asking.post("/v1/host/reload", None)?;
    if json {
        print_json(&answer)?;
    }
    let kept = items(&answer, "kept").iter().map(|kept| match (text(kept, "key").as_str(), text(kept, "message")) {
        // They have changed all the same.
        ("grants", message) => Refusal::new(message),
        (key, message) => Refusal::new(format!("`{key}` stays as it is: {message}")),
    });
    let mut refused: Vec<Refusal> = kept.collect();
    for tenant in items(&answer, "tenants") {
        let name = one_line(&text(tenant, "tenant"));
        match (tenant.get("change"), tenant.get("error").and_then(Refusal::of)) {
            (_, Some(error)) => refused.push(error.of_tenant(&name)),
            (Some(change), None) if !json => tell(change, json)?,
            (None, None) if !json => match text(tenant, "step").as_str() {
                "waits" => print(&format!("{name} waits for a deployment"))?,
                step => print(&format!("{name} is {step}"))?,
            },
            _ => {}
        }
    }
    let Some(last) = refused.pop() else { return Ok(()) };
    refused.iter().for_each(|refused| write_error(&(crate::terminal::visible(&refused.to_string()) + "\n")));
    Err(last.into())
}

/// `lunarium restart`
pub fn restart(options: &OneTenant) -> Result<(), Failed> {
    let path = tenant_path(&options.tenant) + "/restart";
    tell(&Asking::new(&options.target)?.post(&path, None)?, options.target.json)
}

/// `lunarium rollback`
pub fn rollback(options: &OneTenant) -> Result<(), Failed> {
    let path = tenant_path(&options.tenant) + "/rollback";
    tell(&Asking::new(&options.target)?.post(&path, None)?, options.target.json)
}

/// `lunarium remove`
pub fn remove(options: &OneTenant) -> Result<(), Failed> {
    let asking = Asking::new(&options.target)?;
    let answer = asking.runtime.block_on(asking.client.delete(&tenant_path(&options.tenant)))?;
    if options.target.json { print_json(&answer) } else { print(&format!("{} is removed", one_line(&options.tenant))) }
}

/// What a change has done: a line, its services, and warnings.
fn tell(answer: &Value, json: bool) -> Result<(), Failed> {
    if json {
        return print_json(answer);
    }
    let warnings = text(answer, "warnings");
    if warnings != "-" {
        write_error(&(crate::terminal::visible(warnings.trim_end()) + "\n"));
    }
    let deployment = answer.get("deployment").cloned().unwrap_or_default();
    // Whoever has changed the folder is told that it isn't read.
    let origin = if text(&deployment, "origin") == "archive" { ", which was sent" } else { "" };
    print(&format!("{} runs deployment {}{origin}", one_line(&text(answer, "tenant")), count(&deployment, "number")))?;
    items(answer, "services")
        .iter()
        .try_for_each(|service| print(&format!("  {} {}", one_line(&text(service, "id")), text(service, "step"))))
}
