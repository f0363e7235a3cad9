//! What archives are refused for, and that what is taken is what was packed.

use std::fs;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use tar::{Builder, EntryType, Header};
use tempfile::{TempDir, tempdir};

use super::{MAX_ARCHIVE, MAX_ENTRIES, unpack};

fn header(path: &[u8], kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path);
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o777);
    header.set_cksum();
    header
}

fn archive(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, kind, bytes) in entries {
        builder.append(&header(path.as_bytes(), *kind, bytes.len() as u64), *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn file<'b>(path: &'b str, bytes: &'b [u8]) -> (&'b str, EntryType, &'b [u8]) {
    (path, EntryType::Regular, bytes)
}

fn into() -> (TempDir, Dir) {
    let folder = tempdir().unwrap();
    let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
    (folder, dir)
}

fn refused(archive: &[u8]) -> String {
    let (_folder, dir) = into();
    unpack(archive, &dir).unwrap_err().to_string()
}

#[test]
fn what_was_packed_is_there() {
    let (folder, dir) = into();
    let sent = archive(&[
        ("./", EntryType::Directory, b""),
        file("./_index.yaml", b"version"),
        ("lib/", EntryType::Directory, b""),
        file("lib/deep/er.lua", b"return 1"),
    ]);
    unpack(&sent, &dir).unwrap();
    assert_eq!(fs::read(folder.path().join("_index.yaml")).unwrap(), b"version");
    assert_eq!(fs::read(folder.path().join("lib/deep/er.lua")).unwrap(), b"return 1");
}

#[test]
fn nothing_leaves_the_folder() {
    for path in ["../a", "a/../../b", "/etc/passwd", "a/..", ".."] {
        let text = refused(&archive(&[file(path, b"x")]));
        assert!(text.contains(&format!("`{path}` leaves the folder")), "{text}");
    }
    let text = refused(&archive(&[("..", EntryType::Directory, b"")]));
    assert!(text.contains("leaves the folder"), "{text}");
}

#[test]
fn links_devices_pipes_and_holes_are_refused() {
    let kinds = [
        (EntryType::Symlink, "a symbolic link"),
        (EntryType::Link, "a link"),
        (EntryType::Char, "a device"),
        (EntryType::Block, "a device"),
        (EntryType::Fifo, "a pipe"),
    ];
    for (kind, noun) in kinds {
        let text = refused(&archive(&[("a", kind, b"")]));
        assert!(text.contains(&format!("`a` is {noun}, neither a file nor a folder")), "{text}");
    }
    let mut sparse = header(b"holes", EntryType::GNUSparse, 0);
    sparse.as_gnu_mut().unwrap().set_real_size(1 << 40);
    sparse.set_cksum();
    let mut builder = Builder::new(Vec::new());
    builder.append(&sparse, &b""[..]).unwrap();
    let (_folder, dir) = into();
    assert!(unpack(&builder.into_inner().unwrap(), &dir).is_err());
}

#[test]
fn half_an_archive_is_refused_wherever_it_was_cut() {
    let whole = archive(&[file("a", &[7; 700]), file("b", b"b")]);
    // The end is two blocks of zeros, of which one tells enough.
    let enough = whole.len() - 512;
    let lengths = (0..enough).step_by(64).chain([1, 511, 513, enough - 1]);
    for length in lengths {
        let (_folder, dir) = into();
        let result = unpack(&whole[..length], &dir);
        // An archive of nothing but a part of the end's zeros can't be told from one of no files; it holds no application.
        assert!(result.is_err(), "{length} of {}", whole.len());
    }
    let (_folder, dir) = into();
    unpack(&whole[..enough], &dir).unwrap();
}

#[test]
fn a_size_that_is_a_lie_is_refused() {
    let mut builder = Builder::new(Vec::new());
    let lie = header(b"a", EntryType::Regular, 1 << 33);
    builder.get_mut().extend_from_slice(lie.as_bytes());
    let mut sent = builder.into_inner().unwrap();
    sent.extend_from_slice(&[0; 2048]);
    assert!(refused(&sent).contains("in the middle of `a`"), "{}", refused(&sent));
}

#[test]
fn what_comes_twice_or_is_two_things_is_refused() {
    assert!(refused(&archive(&[file("a", b"1"), file("./a", b"2")])).contains("`a` comes twice"));
    let both = refused(&archive(&[file("a", b"1"), file("a/b", b"2")]));
    assert!(both.contains("archive can't be used"), "{both}");
}

#[test]
fn bounds_hold() {
    let many = vec![("./", EntryType::Directory, &b""[..]); MAX_ENTRIES + 1];
    assert!(refused(&archive(&many)).contains("more than 10000 files and folders"));
    // Folders that no entry is for count, too.
    let paths: Vec<String> = (0..MAX_ENTRIES / 8).map(|number| format!("{number}/{}f", "d/".repeat(8))).collect();
    let hidden: Vec<_> = paths.iter().map(|path| file(path, b"")).collect();
    assert!(refused(&archive(&hidden)).contains("more than 10000 files and folders"));
    assert!(refused(&vec![0; MAX_ARCHIVE + 1]).contains("above the limit"));
    assert!(refused(&[0x1f, 0x8b, 8, 0]).contains("without gzip"));
    let deep = "d/".repeat(40);
    assert!(refused(&archive(&[file(&format!("{deep}f"), b"")])).contains("nested deeper than 32 folders"));
    let long = "x".repeat(2_000);
    let mut builder = Builder::new(Vec::new());
    let mut header = Header::new_gnu();
    header.set_size(1);
    header.set_cksum();
    builder.append_data(&mut header, &long, &b"1"[..]).unwrap();
    assert!(refused(&builder.into_inner().unwrap()).contains("longer than 1024 bytes"));
}

/// An archive of one file, with an entry before it that tells something of it.
fn told(kind: EntryType, told: &[u8], bytes: &[u8]) -> Vec<u8> {
    archive(&[("././@LongLink", kind, told), file("a", bytes)])
}

/// A record of a pax header.
fn pax(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let length = |digits: usize| rest.len() + digits;
    let digits = (1..9).find(|digits| length(*digits).to_string().len() == *digits).unwrap();
    format!("{}{rest}", length(digits)).into_bytes()
}

#[test]
fn what_an_archive_tells_of_its_files_is_not_believed() {
    let long = "x".repeat(1 << 20);
    let (longer, leaves) = ("longer than 1024 bytes", "`../a` leaves the folder");
    for (sent, expected) in [
        (told(EntryType::GNULongName, long.as_bytes(), b"1"), longer),
        (told(EntryType::XHeader, &pax("path", &long), b"1"), longer),
        (told(EntryType::GNULongName, b"../a", b"1"), leaves),
        (told(EntryType::XHeader, &pax("path", "../a"), b"1"), leaves),
        (told(EntryType::XHeader, &pax("size", "1099511627776"), b"1"), "in the middle of `a`"),
    ] {
        let text = refused(&sent);
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let twice = [("l", EntryType::GNULongName, &b"b"[..]); 2];
    assert!(refused(&archive(&twice)).contains("no whole tar"));
    // Of a file with holes what is in the archive is written, and no more.
    let holes = [pax("GNU.sparse.major", "1"), pax("GNU.sparse.realsize", "1099511627776")].concat();
    let (folder, dir) = into();
    unpack(&told(EntryType::XHeader, &holes, b"1"), &dir).unwrap();
    assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"1");
}
