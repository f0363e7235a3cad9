//! `lunarium deploy`, `reload`, `rollback` and `remove`: what changes a tenant.

use serde_json::Value;

use super::arguments::{Deploy, OneTenant, Reload};
use super::http::{Refusal, encoded};
use super::show::{count, text};
use super::{Asking, Failed, look, pack, print, print_json};
use crate::terminal::{one_line, write_error};

/// `lunarium deploy`
pub fn deploy(options: &Deploy) -> Result<(), Failed> {
    let asking = Asking::new(&options.target)?;
    let tar = pack::folder(&options.path)?;
    let path = format!("/v1/tenants/{}", encoded(&options.tenant));
    let answer = asking.runtime.block_on(asking.client.put(&path, tar))?;
    tell(&answer, options.target.json)
}

/// `lunarium reload`: of all tenants each is tried, whatever becomes of the others.
pub fn reload(options: &Reload) -> Result<(), Failed> {
    let asking = Asking::new(&options.target)?;
    let reload = |tenant: &str| asking.post(&format!("/v1/tenants/{}/reload", encoded(tenant)), None);
    if let Some(tenant) = &options.tenant {
        return tell(&reload(tenant)?, options.target.json);
    }
    let mut refused: Option<Refusal> = None;
    for tenant in look::names(&asking.get("/v1/tenants")?) {
        match reload(&tenant) {
            Ok(answer) => tell(&answer, options.target.json)?,
            Err(error) => {
                if let Some(before) = refused.replace(error) {
                    write_error(&(crate::terminal::visible(&before.to_string()) + "\n"));
                }
            }
        }
    }
    refused.map_or(Ok(()), |refused| Err(refused.into()))
}

/// `lunarium rollback`
pub fn rollback(options: &OneTenant) -> Result<(), Failed> {
    let path = format!("/v1/tenants/{}/rollback", encoded(&options.tenant));
    tell(&Asking::new(&options.target)?.post(&path, None)?, options.target.json)
}

/// `lunarium remove`
pub fn remove(options: &OneTenant) -> Result<(), Failed> {
    let asking = Asking::new(&options.target)?;
    let path = format!("/v1/tenants/{}", encoded(&options.tenant));
    let answer = asking.runtime.block_on(asking.client.delete(&path))?;
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
    print(&format!("{} runs deployment {}", one_line(&text(answer, "tenant")), count(&deployment, "number")))?;
    let services = answer.get("services").and_then(Value::as_array).into_iter().flatten();
    services
        .into_iter()
        .try_for_each(|service| print(&format!("  {} {}", one_line(&text(service, "id")), text(service, "step"))))
}
