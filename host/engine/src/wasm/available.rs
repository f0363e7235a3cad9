//! How much memory there is for this program: the machine's, or less where its control group has less. Owns the reading of
//! what Linux says. What cannot be read doesn't limit.

use std::fs;
use std::path::{Path, PathBuf};

/// Bytes of memory that this program may use. None: nothing says.
pub(super) fn memory() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    let group = fs::read_to_string("/proc/self/cgroup").ok();
    let groups = group.iter().flat_map(|text| limits(text)).filter_map(|file| limit(&fs::read_to_string(file).ok()?));
    machine.into_iter().chain(groups).min()
}

/// `MemTotal:       16384000 kB`
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The files with the limits of the groups that `/proc/self/cgroup` names, and of those around them: a group has what all
/// of them allow. Version 2 has lines `0::/path`, version 1 `9:memory:/path`.
fn limits(cgroup: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in cgroup.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let (root, name) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            list if list.split(',').any(|controller| controller == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let around = Path::new(path.trim_start_matches('/')).ancestors();
        files.extend(around.map(|group| Path::new(root).join(group).join(name)));
    }
    files
}

/// A number, or `max`: none.
fn limit(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{limit, limits, memory, total};

    #[test]
    fn the_machines_memory_is_read() {
        assert_eq!(total("MemFree:  1 kB\nMemTotal:       16384 kB\n"), Some(16 << 20));
        assert_eq!(total("nothing"), None);
        assert!(memory().is_some_and(|bytes| bytes > 64 << 20), "this machine has some");
    }

    #[test]
    fn every_group_around_limits() {
        let files = |text| limits(text).iter().map(|file| file.display().to_string()).collect::<Vec<_>>();
        assert_eq!(
            files("0::/a/b\n"),
            ["/sys/fs/cgroup/a/b/memory.max", "/sys/fs/cgroup/a/memory.max", "/sys/fs/cgroup/memory.max"]
        );
        assert_eq!(
            files("3:cpu:/x\n9:cpuset,memory:/x\n"),
            ["/sys/fs/cgroup/memory/x/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        );
        assert_eq!((limit("max\n"), limit("1048576\n")), (None, Some(1 << 20)));
    }
}
