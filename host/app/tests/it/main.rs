//! What an `_index.yaml` may say, and what is said about the ones that may not.
//!
//! Owns the texts of the reports, and what is told of services that run. Sources aren't compiled for the reports: the
//! CLI's tests do it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod application;
mod documentation;
mod elsewhere;
mod endpoints;
mod failure;
mod grants;
mod limits;
mod reference;
mod report;
mod security;
mod services;
mod settings;
mod source;
mod syntax;

use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use cap_tempfile::TempDir;
use expect_test::Expect;
use lunarium_app::{App, Draft, NoAuthority, Report};

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = cap_tempfile::tempdir(ambient_authority()).unwrap();
    for (path, text) in files {
        if let Some(parent) = Path::new(path).parent() {
            dir.create_dir_all(parent).unwrap();
        }
        dir.write(path, text).unwrap();
    }
    dir
}

fn read(dir: &Dir) -> Result<App, Report> {
    Draft::of_folder(dir, Path::new("shop"), &NoAuthority).finish()
}

/// The report of an application with one index file.
fn check(entries: &str, expected: Expect) {
    let index = format!("version: \"1.0\"\nnamespace: app\nentries:\n{entries}");
    check_files(&[("_index.yaml", &index)], expected);
}

fn check_files(files: &[(&str, &str)], expected: Expect) {
    expected.assert_eq(&read(&folder(files)).unwrap_err().to_string());
}

fn app(files: &[(&str, &str)]) -> App {
    read(&folder(files)).unwrap_or_else(|report| panic!("{report}"))
}

const HELLO: (&str, &str) = ("hello.lua", "return function() print('hello') end\n");

fn process(namespace: &str, source: &str) -> String {
    format!(
        "version: \"1.0\"\nnamespace: {namespace}\nentries:\n  - {{name: job, kind: process.lua, source: \"{source}\"}}\n"
    )
}
