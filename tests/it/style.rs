//! The house's rules that a machine can hold.

use std::fs;
use std::path::{Path, PathBuf};

/// Files longer than this are two files.
const MOST_LINES: usize = 600;

fn sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for folder in ["host", "guest", "tests", "wit", "examples"] {
        collect(&root.join(folder), &mut found);
    }
    assert!(found.len() > 50, "the sources moved");
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "wit") {
            found.push(path);
        }
    }
}

#[test]
fn every_file_opens_with_what_it_owns() {
    let bare: Vec<_> = sources()
        .into_iter()
        .filter(|path| {
            let text = fs::read_to_string(path).expect("text");
            let first = text.lines().find(|line| !line.starts_with("package ") && !line.is_empty()).unwrap_or_default();
            !first.starts_with("//!") && !first.starts_with("///")
        })
        .collect();
    assert!(bare.is_empty(), "no header: {bare:?}");
}

#[test]
fn files_stay_readable() {
    let long: Vec<_> = sources()
        .into_iter()
        .filter(|path| fs::read_to_string(path).expect("text").lines().count() > MOST_LINES)
        .collect();
    assert!(long.is_empty(), "longer than {MOST_LINES} lines: {long:?}");
}

/// The engine's folders, each of which may use those before it.
const ENGINE: [&str; 9] = ["value", "wasm", "files", "catalogue", "process", "module", "node", "syscall", "api"];

/// The guest's.
const GUEST: [&str; 8] = ["host", "time", "lua", "state", "codec", "turn", "api", "vm"];

/// The serving crate's.
const SERVE: [&str; 5] = ["clients", "host", "metrics", "endpoint", "admin"];

#[test]
fn arrows_between_rooms_go_down_only() {
    let crates = [("host/engine/src", &ENGINE[..]), ("guest/src", &GUEST[..]), ("host/serve/src", &SERVE[..])];
    for (source, rooms) in crates {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(source);
        let upward: Vec<_> = (0..rooms.len()).flat_map(|place| upward_from(&root, rooms, place)).collect();
        assert!(upward.is_empty(), "upward, or past the rooms: {upward:#?}");
    }
}

fn upward_from(root: &Path, rooms: &[&str], place: usize) -> Vec<String> {
    let mut files = Vec::new();
    collect(&root.join(rooms[place]), &mut files);
    let mut upward = Vec::new();
    for file in files.iter().filter(|file| !file.ends_with("tests.rs")) {
        let text = fs::read_to_string(file).expect("text");
        let text = text.split("#[cfg(test)]\nmod").next().unwrap_or_default();
        // Of anything else that is for tests alone one line is left out.
        let before = [""].into_iter().chain(text.lines());
        let code = text.lines().zip(before).filter(|(_, before)| !before.contains("#[cfg(test)]"));
        let code = code.map(|(line, _)| line).filter(|line| !line.trim_start().starts_with("//"));
        let used = code.flat_map(|line| line.match_indices("crate::").map(move |(at, _)| &line[at + 7..]));
        let is_of = |path: &str, room: &str| path.strip_prefix(room).is_some_and(|rest| rest.starts_with([':', ';']));
        let known = |path: &str| rooms.iter().position(|other| is_of(path, other));
        upward.extend(
            used.filter(|path| known(path).is_none_or(|other| other > place))
                .map(|path| format!("{}: crate::{path}", file.display())),
        );
    }
    upward
}

/// Where the wall clock is read: for a time that people or scripts see, or that outlives the program. Somebody may set it at any moment, so
/// nothing waits, expires or is measured by it.
const WALL_CLOCK: [&str; 8] = [
    "host/cli/src/terminal.rs",
    "host/engine/src/node/wall.rs",
    "host/modules/src/kv/store.rs",
    "host/serve/src/admin/audit.rs",
    "host/serve/src/admin/events.rs",
    "host/serve/src/admin/mod.rs",
    "host/serve/src/host/logs.rs",
    "host/serve/src/host/tenant.rs",
];

#[test]
fn the_wall_clock_is_read_where_a_time_is_shown_or_kept() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join("host")).expect("a folder") {
        collect(&entry.expect("an entry").path().join("src"), &mut files);
    }
    let reads = |path: &PathBuf| {
        let text = fs::read_to_string(path).expect("text");
        text.contains("SystemTime::now") || text.contains("Timestamp::now") || text.contains("Zoned::now")
    };
    let mut reading: Vec<_> = files.into_iter().filter(reads).collect();
    reading.sort();
    let expected: Vec<_> = WALL_CLOCK.iter().map(|path| root.join(path)).collect();
    assert_eq!(reading, expected);
}

#[test]
fn the_kernel_knows_no_world() {
    let manifest = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../host/kernel/Cargo.toml")).expect("text");
    let dependencies = manifest.split("[dependencies]").nth(1).expect("dependencies");
    let dependencies = dependencies.split("\n[").next().expect("a section").trim();
    let lines = dependencies.lines().filter(|line| !line.starts_with('#'));
    let names: Vec<_> = lines.filter_map(|line| line.split(['=', '.']).next()).map(str::trim).collect();
    assert_eq!(names, ["bytes", "lunarium-contract", "parking_lot", "regex", "thiserror"]);
}
