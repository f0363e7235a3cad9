//! What is acknowledged stays: through power loss, full disks, failed writes and reads, two nodes, damaged files.

use std::collections::BTreeMap;

use lunarium::is_disk_full;

use super::super::fault::{Fault, OpenError, WriteError};
use super::super::store::{FILE, Opened, Store};
use super::super::table::Written;
use super::disk::{Disk, Fail};
use super::{Clock, check_sums, dice, everything, new, put, remove, start, value, wait, write};

type Content = BTreeMap<String, Vec<u8>>;

fn content(store: &Store) -> Content {
    let page = store.list(&everything()).unwrap();
    page.entries.into_iter().map(|found| (found.key, found.value.to_vec())).collect()
}

/// Writes one after the other until one fails: what is acknowledged, and what may be there as well.
fn work(store: &Store, mut chance: impl FnMut() -> u64) -> (Content, Option<Content>) {
    let mut there = Content::new();
    for _ in 0..40 {
        let key = format!("k{}", chance() % 12);
        let mut next = there.clone();
        let what = if chance().is_multiple_of(4) {
            next.remove(&key);
            remove(&key)
        } else {
            // Sometimes more than a page.
            let length = if chance().is_multiple_of(5) { 20_000 } else { 50 };
            let bytes = vec![u8::try_from(chance() % 256).unwrap(); length];
            next.insert(key.clone(), bytes.clone());
            put(&key, &bytes)
        };
        match write(store, what) {
            Ok(_) => there = next,
            Err(WriteError::Fault(_)) => return (there, Some(next)),
            Err(other) => panic!("{other}"),
        }
    }
    (there, None)
}

#[test]
fn power_loss_at_any_operation_loses_nothing_acknowledged() {
    let whole = Disk::new();
    let store = new(&whole);
    // The file is made under another name.
    let begun = whole.operations();
    work(&store, dice(1));
    drop(store);
    let operations = whole.operations() - begun;
    assert!(operations > 100, "{operations}");
    let (mut lost, mut kept) = (0, 0);
    for seed in 0..200 {
        let mut chance = dice(seed + 1);
        let at = begun + usize::try_from(chance()).unwrap() % operations;
        let disk = Disk::new();
        let store = new(&disk);
        disk.fail(Some(Fail::OffAt(at)));
        let (acknowledged, other) = work(&store, dice(1));
        drop(store);
        // Twice: what an opening after a loss does may be lost as well.
        let mut disk = disk.after_power_loss(&mut chance);
        let operations = disk.operations();
        disk.fail(Some(Fail::OffAt(operations + usize::try_from(chance()).unwrap() % 8)));
        drop(start(&disk, 1 << 30, &Clock::default()));
        disk = disk.after_power_loss(&mut chance);
        let store = new(&disk);
        let found = content(&store);
        match other {
            Some(other) if found == other && found != acknowledged => kept += 1,
            _ => {
                assert_eq!(found, acknowledged, "seed {seed}, off at {at}");
                lost += 1;
            }
        }
        check_sums(&store);
        write(&store, put("after", b"1")).unwrap();
    }
    // Both happen, or the disk isn't one.
    assert!(lost > 0 && lost + kept == 200, "{lost} {kept}");
}

#[test]
fn a_disk_that_is_full_for_one_operation_fails_one_write() {
    let whole = Disk::new();
    let store = new(&whole);
    let begun = whole.operations();
    work(&store, dice(1));
    let operations = whole.operations();
    let mut failed = 0;
    for at in (begun..operations).step_by(3) {
        let disk = Disk::new();
        let store = new(&disk);
        disk.fail(Some(Fail::FullAt(at)));
        let (acknowledged, other) = work(&store, dice(1));
        failed += usize::from(other.is_some());
        assert_eq!(content(&store), acknowledged, "full at {at}");
        assert!(matches!(write(&store, put("after", b"1")), Ok(Written::Set(_))), "full at {at}");
        check_sums(&store);
        drop(store);
        assert_eq!(value(&new(&disk), "after"), Some(b"1".to_vec()));
    }
    assert!(failed > 10, "{failed}");
}

#[test]
fn a_full_disk_is_told_and_reads_and_deletes_go_on() {
    let disk = Disk::new();
    let store = new(&disk);
    disk.hold(4 << 20);
    let mut there = 0;
    let error = loop {
        match write(&store, put(&format!("{there:04}"), &[7; 50_000])) {
            Ok(_) => there += 1,
            Err(error) => break error,
        }
        assert!(there < 1000);
    };
    assert_eq!(error, WriteError::Fault(Fault::NoSpace));
    assert_eq!(error.to_string(), "the disk is full");
    assert!(there > 10, "{there}");
    for number in 0..there {
        assert_eq!(value(&store, &format!("{number:04}")), Some(vec![7; 50_000]));
    }
    write(&store, put("small", b"1")).unwrap();
    for number in 0..there / 2 {
        write(&store, remove(&format!("{number:04}"))).unwrap();
    }
    write(&store, put("large", &[7; 50_000])).unwrap();
    disk.hold(64 << 20);
    for number in 0..there {
        write(&store, put(&format!("more{number:04}"), &[7; 50_000])).unwrap();
    }
    check_sums(&store);
}

#[test]
fn after_a_failed_sync_the_store_stops() {
    let disk = Disk::new();
    let store = new(&disk);
    write(&store, put("a", b"1")).unwrap();
    disk.fail(Some(Fail::Sync));
    for _ in 0..3 {
        assert_eq!(write(&store, put("a", b"2")), Err(WriteError::Fault(Fault::Stopped)));
    }
    disk.fail(None);
    assert_eq!(write(&store, put("a", b"2")), Err(WriteError::Fault(Fault::Stopped)));
    assert_eq!(store.get("a"), Err(Fault::Stopped));
    drop(store);
    // As the kernel may have forgotten what it couldn't write.
    let store = new(&disk.after_power_loss(dice(3)));
    assert!(value(&store, "a").is_some());
}

#[test]
fn a_failed_read_is_one_read() {
    let disk = Disk::new();
    let store = new(&disk);
    // More than is kept in memory.
    for number in 0..40 {
        write(&store, put(&format!("{number:04}"), &[7; 1_000_000])).unwrap();
    }
    disk.fail(Some(Fail::Read));
    // The second time it is read again, or it is opened again in between.
    let mut failed = 0;
    while store.get("0000").is_err() {
        failed += 1;
        std::thread::yield_now();
    }
    assert!(failed < 100_000);
    write(&store, put("0000", b"1")).unwrap();
    assert_eq!(value(&store, "0000"), Some(b"1".to_vec()));
}

#[test]
fn a_write_that_nobody_waits_for_any_more_is_not_begun() {
    let disk = Disk::new();
    let store = new(&disk);
    // A future that was polled once has queued its write; the writer may have taken it by then.
    let mut written = 0;
    for number in 0..50 {
        let key = format!("{number}");
        wait(async {
            let write = std::pin::pin!(store.write("a", put(&key, b"1")));
            let _ = futures_once(write).await;
        });
        written += usize::from(value(&store, &key).is_some());
    }
    write(&store, put("after", b"1")).unwrap();
    check_sums(&store);
    assert!(written <= 50);
}

/// Polls once.
async fn futures_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> bool {
    std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context).is_ready())).await
}

#[test]
fn writes_that_wait_for_a_sync_are_one_transaction() {
    let disk = Disk::new();
    let store = new(&disk);
    let before = store.sums().unwrap().commits;
    let stopped = disk.stop_syncs();
    wait(async {
        let names: Vec<_> = (0..1000).map(|n| format!("p{n}")).collect();
        let mut writes: Vec<_> = names.iter().map(|name| Box::pin(store.write(name, put(name, b"1")))).collect();
        for write in &mut writes {
            // None is answered before it is on the disk.
            assert!(!futures_once(write.as_mut()).await);
        }
        assert_eq!(store.get("p0").unwrap(), None);
        drop(stopped);
        super::all(writes).await;
    });
    let sums = store.sums().unwrap();
    assert_eq!(sums.entries, 1000);
    // The first may have gone alone, and some of those that came next.
    assert!(sums.commits - before <= 3, "{}", sums.commits - before);
    check_sums(&store);
}

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn two_nodes_never_have_one_file() {
    let directory = directory();
    let first = Opened::in_directory(directory.path()).unwrap();
    let error = Opened::in_directory(directory.path()).err().unwrap().to_string();
    let path = directory.path().join(FILE);
    assert_eq!(error, format!("`{}` is in use by another node: each needs a directory of its own", path.display()));
    let store = first.start(1 << 30, |_| {}).unwrap();
    write(&store, put("a", b"1")).unwrap();
    assert!(Opened::in_directory(directory.path()).is_err());
    drop(store);
    let store = Opened::in_directory(directory.path()).unwrap().start(1 << 30, |_| {}).unwrap();
    assert_eq!(value(&store, "a"), Some(b"1".to_vec()));
}

#[test]
fn a_file_of_something_else_is_told_by_its_name() {
    let directory = directory();
    let path = directory.path().join(FILE);
    std::fs::write(&path, "something else entirely, and longer than the head of a database\n".repeat(200)).unwrap();
    let error = Opened::in_directory(directory.path()).unwrap().start(1 << 30, |_| {}).err().unwrap().to_string();
    let (begin, end) = (
        format!("`{}` is no store, or is damaged (", path.display()),
        "): put a backup in its place, or move it away to begin with an empty one",
    );
    assert!(error.starts_with(&begin) && error.ends_with(end), "{error}");
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("something else"));

    std::fs::remove_file(&path).unwrap();
    drop(Opened::in_directory(directory.path()).unwrap().start(1 << 30, |_| {}).unwrap());
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    drop(file);
    let error = Opened::in_directory(directory.path()).unwrap().start(1 << 30, |_| {}).err().unwrap().to_string();
    assert!(error.starts_with(&begin) && error.ends_with(end), "{error}");

    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Opened::in_directory(&file).err().unwrap().to_string();
    assert!(error.starts_with(&format!("`{}` can't be opened: ", file.display())), "{error}");
}

#[test]
fn a_damaged_file_ends_nobody() {
    let disk = Disk::new();
    let store = new(&disk);
    for number in 0..200 {
        write(&store, put(&format!("{number:04}"), &[7; 300])).unwrap();
    }
    drop(store);
    let length = usize::try_from(disk.length()).unwrap();
    let mut chance = dice(5);
    let mut told = 0;
    for _ in 0..150 {
        let damaged = disk.after_power_loss(|| 0);
        for _ in 0..8 {
            damaged.damage(usize::try_from(chance()).unwrap() % length);
        }
        match start(&damaged, 1 << 30, &Clock::default()) {
            Err(_) => told += 1,
            // What was hit may be free, or be noticed when it is read: a fault then, and no panic.
            Ok(store) => {
                let _ = store.list(&everything());
                let _ = write(&store, put("a", b"1"));
            }
        }
    }
    assert!(told > 0);
}

#[test]
fn a_store_for_which_there_is_no_room_says_what_to_do() {
    let disk = Disk::new();
    disk.hold(0);
    let Err(OpenError::Io { error, .. }) = start(&disk, 1 << 30, &Clock::default()).map(drop) else {
        panic!("there is no room for it")
    };
    assert!(is_disk_full(&error));
    assert_eq!(error.to_string(), "the disk is full: make room on it, and try again");
    // And when there is some, it begins.
    disk.hold(1 << 30);
    write(&new(&disk), put("a", b"b")).unwrap();
}
