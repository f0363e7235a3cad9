//! Entries: versions, conditions, numbers, expiry, the quota, pages.

use super::super::table::{ENTRY, EXPIRY, Found, Range, SWEEP, Written};
use super::disk::Disk;
use super::{Clock, add, check_sums, everything, new, put, refusal, remove, start, value, write};

#[test]
fn versions_go_up_over_all_keys_and_are_never_given_twice() {
    let disk = Disk::new();
    let store = new(&disk);
    assert_eq!(write(&store, put("a", b"1")), Ok(Written::Set(1)));
    assert_eq!(write(&store, put("b", b"1")), Ok(Written::Set(2)));
    assert_eq!(write(&store, remove("a")), Ok(Written::Deleted(true)));
    assert_eq!(write(&store, remove("a")), Ok(Written::Deleted(false)));
    drop(store);
    let store = new(&disk);
    assert_eq!(write(&store, put("a", b"2")), Ok(Written::Set(3)));
    assert_eq!(store.get("a").unwrap().unwrap().version, 3);
    check_sums(&store);
}

#[test]
fn a_condition_is_the_present_version() {
    let store = new(&Disk::new());
    assert_eq!(refusal(&store, put("a", b"1").if_version(7)), "there is no such key");
    assert_eq!(write(&store, put("a", b"1").if_version(0)), Ok(Written::Set(1)));
    assert_eq!(refusal(&store, put("a", b"2").if_version(0)), "the key has version 1");
    assert_eq!(write(&store, put("a", b"2").if_version(1)), Ok(Written::Set(2)));
    assert_eq!(refusal(&store, remove("a").if_version(1)), "the key has version 2");
    assert_eq!(refusal(&store, add("a", 1).if_version(1)), "the key has version 2");
    assert_eq!(value(&store, "a"), Some(b"2".to_vec()));
    assert_eq!(write(&store, remove("a").if_version(2)), Ok(Written::Deleted(true)));
    check_sums(&store);
}

#[test]
fn what_is_refused_is_no_transaction() {
    let disk = Disk::new();
    let store = new(&disk);
    write(&store, put("a", b"1")).unwrap();
    let before = disk.operations();
    for _ in 0..10 {
        refusal(&store, put("a", b"2").if_version(7));
        write(&store, remove("b")).unwrap();
    }
    assert_eq!(disk.operations(), before);
}

#[test]
fn numbers_are_counted_up_to_their_ends() {
    let store = new(&Disk::new());
    assert_eq!(write(&store, add("n", 5)), Ok(Written::Incremented(5, 1)));
    assert_eq!(write(&store, add("n", -7)), Ok(Written::Incremented(-2, 2)));
    assert_eq!(write(&store, add("n", i64::MIN + 2)), Ok(Written::Incremented(i64::MIN, 3)));
    let overflow = "integer overflow: -9223372036854775808 and -1 is more than an integer can be";
    assert_eq!(refusal(&store, add("n", -1)), overflow);
    write(&store, add("m", i64::MAX)).unwrap();
    assert!(refusal(&store, add("m", 1)).starts_with("integer overflow"));
    // As MessagePack writes 300 in three ways, and -1; a float, a text, nine bytes of something.
    for (payload, number) in
        [(&[0xcd, 1, 44][..], 301), (&[0xd1, 1, 44], 301), (&[0xff], 0), (&[0xcf, 0, 0, 0, 0, 0, 0, 1, 44], 301)]
    {
        write(&store, put("x", payload)).unwrap();
        assert!(matches!(write(&store, add("x", 1)), Ok(Written::Incremented(sum, _)) if sum == number));
    }
    for payload in
        [&[0xcb, 0x40, 0, 0, 0, 0, 0, 0, 0][..], b"\xa15", &[0xcf, 0xff, 0, 0, 0, 0, 0, 0, 0], &[0xd3; 11], &[]]
    {
        write(&store, put("x", payload)).unwrap();
        assert_eq!(refusal(&store, add("x", 1)), "the value is no integer");
    }
}

#[test]
fn what_has_expired_is_gone_at_once_and_swept_in_pieces() {
    let (disk, clock) = (Disk::new(), Clock::default());
    clock.set(1000);
    let store = start(&disk, 1 << 30, &clock).unwrap();
    for number in 0..3 * SWEEP {
        write(&store, put(&format!("t{number:04}"), b"1").ttl(500)).unwrap();
    }
    write(&store, put("stays", b"1")).unwrap();
    let count = (3 * SWEEP) as u64;
    assert_eq!(store.sums().unwrap().entries, count + 1);
    clock.set(1499);
    assert_eq!(value(&store, "t0000"), Some(b"1".to_vec()));
    clock.set(1500);
    assert_eq!(value(&store, "t0000"), None);
    assert_eq!(store.list(&everything()).unwrap().entries.len(), 1);
    // It is as if it weren't there, and a further one has a time of its own.
    assert_eq!(write(&store, put("t0700", b"2").if_version(0)), Ok(Written::Set(count + 2)));
    let left = store.sums().unwrap().entries;
    // Whole pieces are gone: how many, is the writer's, which goes on by itself.
    assert!(left <= 2 + 2 * SWEEP as u64 && left % SWEEP as u64 <= 2, "{left}");
    while store.sums().unwrap().entries > 2 {
        std::thread::yield_now();
    }
    check_sums(&store);
    assert_eq!(value(&store, "t0700"), Some(b"2".to_vec()));
}

#[test]
fn a_time_is_replaced_with_the_value_and_kept_by_a_count() {
    let (disk, clock) = (Disk::new(), Clock::default());
    clock.set(1000);
    let store = start(&disk, 1 << 30, &clock).unwrap();
    write(&store, put("a", b"1").ttl(100)).unwrap();
    write(&store, put("a", b"1")).unwrap();
    write(&store, add("n", 1).ttl(100)).unwrap();
    clock.set(1090);
    assert_eq!(write(&store, add("n", 1).ttl(100)), Ok(Written::Incremented(2, 4)));
    clock.set(1100);
    assert_eq!(value(&store, "a"), Some(b"1".to_vec()));
    assert_eq!(write(&store, add("n", 1)), Ok(Written::Incremented(1, 5)));
    clock.set(u64::MAX);
    assert_eq!(value(&store, "n"), Some(vec![1]));
    // A clock that is set back: what was swept doesn't come back.
    write(&store, put("b", b"1").ttl(u64::MAX)).unwrap();
    assert_eq!(value(&store, "b"), None);
    clock.set(0);
    write(&store, put("c", b"1").ttl(0)).unwrap();
    clock.set(1);
    assert_eq!(value(&store, "c"), None);
}

#[test]
fn the_quota_counts_keys_values_and_a_share_of_the_pages() {
    let (disk, clock) = (Disk::new(), Clock::default());
    let store = start(&disk, 3 * (ENTRY + 1 + 10), &clock).unwrap();
    for key in ["a", "b", "c"] {
        write(&store, put(key, &[0; 10])).unwrap();
    }
    assert_eq!(refusal(&store, put("d", b"")), "the store is full: 65 bytes more than its 225");
    assert_eq!(refusal(&store, put("a", &[0; 11])), "the store is full: 1 bytes more than its 225");
    write(&store, put("a", &[1; 10])).unwrap();
    write(&store, put("a", &[1; 9])).unwrap();
    assert_eq!(refusal(&store, add("n", 1)), "the store is full: 65 bytes more than its 225");
    write(&store, remove("b")).unwrap();
    write(&store, put("d", &[0; 11])).unwrap();
    assert_eq!(store.sums().unwrap().bytes, 225);
    check_sums(&store);
    // One that expires stands in a second place.
    write(&store, remove("d")).unwrap();
    write(&store, remove("c")).unwrap();
    write(&store, put("e", b"").ttl(1000)).unwrap();
    assert_eq!(store.sums().unwrap().bytes, (ENTRY + 10) + (ENTRY + EXPIRY + 2));
    drop(store);
    // A quota that was made smaller refuses only what takes more.
    let store = start(&disk, 10, &clock).unwrap();
    write(&store, put("a", &[2; 9])).unwrap();
    refusal(&store, put("a", &[2; 10]));
}

#[test]
fn a_list_comes_in_pages() {
    let store = new(&Disk::new());
    for number in 0..10 {
        write(&store, put(&format!("k/{number}"), &[number; 100])).unwrap();
    }
    write(&store, put("k", b"")).unwrap();
    write(&store, put("l", b"")).unwrap();
    let range = Range { prefix: "k/", after: None, entries: 4, bytes: 1 << 20, values: true };
    let keys = |entries: &[Found]| entries.iter().map(|found| found.key.clone()).collect::<Vec<_>>();
    let first = store.list(&range).unwrap();
    assert_eq!(keys(&first.entries), ["k/0", "k/1", "k/2", "k/3"]);
    assert_eq!(first.entries[2].value.as_ref(), [2; 100]);
    assert_eq!(first.next.as_deref(), Some("k/3"));
    let last = store.list(&Range { after: Some("k/7"), ..range.clone() }).unwrap();
    assert_eq!((keys(&last.entries), last.next), (vec!["k/8".to_owned(), "k/9".to_owned()], None));
    // Exactly as many as there are: no further page.
    assert_eq!(store.list(&Range { entries: 10, ..range.clone() }).unwrap().next, None);
    // A key before the prefix begins nowhere else, and one behind it gives nothing.
    assert_eq!(store.list(&Range { after: Some("a"), ..range.clone() }).unwrap(), first);
    assert_eq!(store.list(&Range { after: Some("z"), ..range.clone() }).unwrap().entries, []);
    // By bytes; the first is given whatever it has.
    assert_eq!(store.list(&Range { bytes: 300, ..range.clone() }).unwrap().entries.len(), 2);
    assert_eq!(store.list(&Range { bytes: 1, ..range.clone() }).unwrap().entries.len(), 1);
    let names = store.list(&Range { values: false, bytes: 300, ..range }).unwrap();
    assert_eq!((names.entries.len(), names.entries[0].value.len()), (4, 0));
}

#[test]
fn what_is_large_is_looked_at_and_swept_in_pieces() {
    let (disk, clock) = (Disk::new(), Clock::default());
    clock.set(1);
    let store = start(&disk, 1 << 30, &clock).unwrap();
    for number in 0..20 {
        write(&store, put(&format!("{number:02}"), &[7; 1 << 20]).ttl(1_000_000)).unwrap();
    }
    let names = Range { values: false, ..everything() };
    let page = store.list(&names).unwrap();
    assert_eq!((page.entries.len(), page.next.as_deref()), (8, Some("07")));
    let page = store.list(&Range { after: Some("15"), ..names }).unwrap();
    assert_eq!((page.entries.len(), page.next), (4, None));
    let before = store.sums().unwrap().commits;
    clock.set(2_000_000);
    write(&store, put("z", b"1")).unwrap();
    while store.sums().unwrap().entries > 1 {
        std::thread::yield_now();
    }
    // Eight and eight and four.
    assert_eq!(store.sums().unwrap().commits - before, 3);
}

#[test]
fn a_page_looks_at_so_many_that_have_expired_and_no_more() {
    let (disk, clock) = (Disk::new(), Clock::default());
    clock.set(1);
    let store = start(&disk, 1 << 30, &clock).unwrap();
    for number in 0..2000 {
        write(&store, put(&format!("{number:04}"), b"").ttl(1_000_000_000)).unwrap();
    }
    write(&store, put("z", b"")).unwrap();
    clock.set(2_000_000_000);
    let (mut pages, mut after, mut found) = (0, None, 0);
    loop {
        let page = store.list(&Range { after: after.as_deref(), ..everything() }).unwrap();
        (pages, found, after) = (pages + 1, found + page.entries.len(), page.next);
        if after.is_none() {
            break;
        }
    }
    assert_eq!((pages, found), (2, 1));
}

#[test]
fn the_file_is_not_much_larger_than_what_its_entries_count() {
    let sizes = [(8, 1, 20_000), (60, 100, 5_000), (40, 3_000, 500), (40, 70_000, 50)];
    for ((key, value, count), expires) in sizes.into_iter().flat_map(|size| [(size, false), (size, true)]) {
        let disk = Disk::new();
        let store = new(&disk);
        let put = |number: u64| {
            let write = put(&format!("{:0key$}", number.wrapping_mul(2_654_435_761) % 100_000_000), &vec![7; value]);
            if expires { write.ttl(1 << 40 | number) } else { write }
        };
        super::wait(async {
            for chunk in 0..count / 50 {
                let writes = (0..50).map(|number| Box::pin(store.write("a", put(chunk * 50 + number))));
                super::all(writes.collect()).await;
            }
        });
        let (counted, file) = (store.sums().unwrap().bytes, disk.length());
        assert!(file < 4 * counted, "{key} {value} {expires}: {file} for {counted}");
    }
}
