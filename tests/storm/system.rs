//! What the system says of this program: memory, threads, files. Owns the reading of `/proc/self`.

use std::fs;
use std::path::Path;

/// Bytes of memory that are in use.
pub fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// Open files below a folder.
pub fn handles_below(folder: &Path) -> usize {
    let handles = fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    handles.filter(|target| target.starts_with(folder)).count()
}

/// Threads whose names begin so.
pub fn threads(name: &str) -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|found| found.starts_with(name)).count()
}
