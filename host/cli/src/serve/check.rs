//! `lunarium check` of a node's file: every mistake of it and of its tenants' applications, at once.
//!
//! Owns what is looked at. Starts nothing but compilers.

use std::env;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use lunarium_app::{Draft, NODE_FILE, NodeFile, Report, TenantFile, VariableFile};
use lunarium_engine::{Module, NodeConfig};
use lunarium_modules::http::Http;
use lunarium_modules::kv;
use lunarium_serve::{Folder, TenantConfig};
use tokio::runtime::Builder;

use super::requests;
use super::settings::{directories, open_node};
use crate::admin::TOKEN_VARIABLE;
use crate::arguments::Check;
use crate::remote::place;
use crate::wall::{Sockets, Wall};
use crate::{FEW_PROCESSES, Refused, Silence, modules, reported, start_node};

/// Whether a path names a node's file: a file that isn't an application's or Lua, or a folder with one and without an application.
pub fn is_node(path: &Path) -> bool {
    let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    let is_index = path.file_name().is_some_and(|name| name == "_index.yaml");
    let is_folder = path.join(NODE_FILE).is_file() && !path.join("_index.yaml").exists();
    (is_yaml && !is_index) || is_folder
}

/// Checks a node's file.
pub fn check(options: &Check) -> Result<u8, Refused> {
    let (dir, shown, name) = open_node(&options.path)?;
    let (node, mut report) = NodeFile::draft(&dir, &shown, &name);
    let modules = modules::for_tenants(Http::new(), kv::Slot::default());
    let mut drafts = Vec::new();
    for tenant in &node.tenants {
        tenant.allowance.faults(&modules).into_iter().for_each(|fault| report.add(fault));
        drafts.extend(draft(tenant, &shown, &modules, &mut report));
    }
    requests::check(&node, &mut report);
    admin(&node, &shown, &mut report);
    Wall::build(!options.no_confine, [], Sockets::None)?;
    let engine = start_node(NodeConfig::new(Arc::new(Silence)), Some(FEW_PROCESSES), modules)?;
    let runtime = Builder::new_current_thread().build().map_err(|error| Refused::machine(error.to_string()))?;
    for mut draft in drafts {
        runtime.block_on(draft.compile(&engine));
        report.join(draft.review());
    }
    Ok(reported(&report, options.deny_warnings))
}

/// Looks for what the admin interface needs: its token, where there must be one, and a place for its socket.
fn admin(node: &NodeFile, folder: &Path, report: &mut Report) {
    let Some(admin) = &node.admin else { return };
    let address = admin.address.as_str();
    match &admin.token_file {
        Some(file) if address.starts_with("tcp:") => {
            if let Err(refused) = place::token(&folder.join(file.as_str())) {
                let (message, hint) = refused.parts();
                report.add(file.mistake(message.to_owned(), hint.map(str::to_owned)));
            }
        }
        None if address.starts_with("tcp:") && env::var_os(TOKEN_VARIABLE).is_none() => {
            let hint = "write it like `admin: {address: …, token_file: PATH}`".to_owned();
            report.add(admin.address.mistake("over TCP it needs a `token_file`".to_owned(), Some(hint)));
        }
        _ => {}
    }
    if let Some(path) = address.strip_prefix("unix:")
        && folder.join(path).symlink_metadata().is_ok_and(|metadata| !metadata.file_type().is_socket())
    {
        report.add(admin.address.mistake(format!("`{path}` is there, and isn't a socket"), None));
    }
}

/// Reads a tenant's application, if it has a folder; and looks for what its entry names.
fn draft(tenant: &TenantFile, folder: &Path, modules: &[Module], report: &mut Report) -> Option<Draft> {
    let mut config = TenantConfig::new(tenant.name.as_str());
    config.allowance = tenant.allowance.clone();
    for (name, value) in &tenant.env {
        if let VariableFile::File(path) = value
            && !folder.join(path.as_str()).is_file()
        {
            report.add(path.mistake(format!("there is no file `{}` for the variable `{name}`", path.as_str()), None));
        }
        // What it is doesn't matter here.
        config.env.insert(name.clone(), Ok(String::new()));
    }
    config.directories = directories(tenant);
    let path = tenant.path.as_ref()?;
    let at = folder.join(path.as_str());
    match Dir::open_ambient_dir(&at, ambient_authority()) {
        Ok(dir) => Some(config.draft(&Folder { dir, shown: at }, modules)),
        Err(error) => {
            report.add(path.mistake(format!("folder `{}` can't be opened: {error}", at.display()), None));
            None
        }
    }
}
