//! Tenants with the real guest: how they start, change and end.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]
mod admin;
mod changes;
mod metrics;
mod page;
mod tenants;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use lunarium_engine::{Level, LogField, Module};
use lunarium_serve::{
    Folder, Host, HostConfig, HostError, LogEvent, LogFilter, LogLine, Surroundings, Tenant, TenantConfig,
};
use tempfile::TempDir;

/// Nothing comes from outside, and nobody reads.
struct Nowhere;

impl Surroundings for Nowhere {
    fn modules(&self, _tenant: &TenantConfig) -> Result<Vec<Module>, HostError> {
        Ok(Vec::new())
    }

    fn line(&self, _tenant: &str, _line: &LogLine) {}

    fn note(&self, _level: Level, _message: &str, _fields: &[LogField]) {}
}

/// A folder of an application: its index's entries, and other files.
fn write(folder: &Path, entries: &[&str], files: &[(&str, &str)]) {
    let mut index = String::from("version: \"1.0\"\nnamespace: app\nentries:\n");
    entries.iter().for_each(|entry| writeln!(index, "  - {entry}").unwrap());
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("_index.yaml"), index).unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.join(name), text).unwrap());
}

/// A service that says a word and waits.
fn service(word: &str) -> String {
    format!("return {{ main = function() print('{word}') process.events():receive() end }}")
}

const ENTRIES: [&str; 2] = [
    "{name: worker, kind: process.lua, source: 'file://worker.lua'}",
    "{name: service, kind: process.service, process: worker, host: 'app:processes'}",
];

fn folder(path: &Path) -> Option<Result<Folder, String>> {
    let dir = Dir::open_ambient_dir(path, ambient_authority()).unwrap();
    Some(Ok(Folder { dir, shown: path.file_name().unwrap().into() }))
}

fn tenant(name: &str, root: &TempDir) -> TenantConfig {
    let mut config = TenantConfig::new(name);
    config.folder = folder(&root.path().join(name));
    config
}

fn config() -> HostConfig {
    let mut config = HostConfig::new(Arc::new(Nowhere));
    config.max_processes = 100;
    config
}

async fn start(tenants: Vec<TenantConfig>) -> Host {
    let mut config = config();
    config.tenants = tenants;
    Host::start(config).await.unwrap()
}

/// Waits for a line of a tenant's log that holds a text.
async fn said(tenant: &Tenant, text: &str) {
    let mut reader = tenant.logs().follow(usize::MAX, LogFilter::default());
    while let Some(event) = reader.next().await {
        if matches!(&event, LogEvent::Line(line) if line.message.contains(text)) {
            return;
        }
    }
    panic!("`{text}` was never said");
}
