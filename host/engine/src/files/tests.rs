//! Paths, grants and every attack on them, on real directories.

mod quota;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use expect_test::{Expect, expect};
use lunarium_kernel::Refusal;
use tempfile::TempDir;

use super::*;

const LIMIT: u32 = 1_000;

/// A folder with `granted` (writable, known as `data`), `shelf` (to be read only) and `secret` (not granted).
struct World {
    folder: TempDir,
    granted: Vec<Directory>,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        for name in ["granted", "shelf", "secret"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let mut world = World { folder, granted: Vec::new() };
        world.grant("data", "granted", true);
        world.grant("shelf", "shelf", false);
        world.put("secret/key", "the secret");
        world
    }

    fn grant(&mut self, name: &str, real: &str, write: bool) {
        let dir = Dir::open_ambient_dir(self.path(real), ambient_authority()).unwrap();
        self.granted.push(Directory::new(name, dir, write).unwrap());
    }

    /// The same directory, opened anew, writable as `data`.
    fn grant_again(&self, real: &str) -> Directory {
        Directory::new("data", Dir::open_ambient_dir(self.path(real), ambient_authority()).unwrap(), true).unwrap()
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path)
    }

    fn put(&self, path: &str, text: &str) {
        fs::write(self.path(path), text).unwrap();
    }

    fn find(&self, access: Access, path: &str) -> Result<Place, FileError> {
        Place::find(&self.granted, access, path)
    }

    fn act(&self, access: Access, path: &str, operation: Operation) -> String {
        let task = self.find(access, path).and_then(|place| Task::new(&self.granted, place, operation, LIMIT));
        match task.and_then(|task| task.run()) {
            Ok(payload) => show(&Value::decode(&payload).unwrap()),
            Err(error) => format!("{}: {error}", error.kind()),
        }
    }

    fn read(&self, path: &str) -> String {
        self.act(Access::Read, path, Operation::Read { offset: 0, length: None })
    }

    fn write(&self, path: &str, text: &str) -> String {
        self.act(Access::Write, path, Operation::Write(text.into()))
    }

    fn append(&self, path: &str, text: &str) -> String {
        self.act(Access::Write, path, Operation::Append(text.into()))
    }

    fn list(&self, path: &str) -> String {
        self.act(Access::Read, path, Operation::List)
    }

    fn remove(&self, path: &str) -> String {
        self.act(Access::Write, path, Operation::Remove)
    }

    fn mkdir(&self, path: &str) -> String {
        self.act(Access::Write, path, Operation::MakeDirectory)
    }

    fn rename(&self, from: &str, to: &str) -> String {
        match self.find(Access::Write, to) {
            Ok(to) => self.act(Access::Write, from, Operation::Rename(to)),
            Err(error) => format!("{}: {error}", error.kind()),
        }
    }
}

fn show(value: &Value) -> String {
    match value {
        Value::String(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Array(items) => items.iter().map(show).collect::<Vec<_>>().join(", "),
        Value::Map(pairs) => pairs.iter().map(|(_, value)| show(value)).collect::<Vec<_>>().join(" "),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        other => format!("{other:?}"),
    }
}

fn check(lines: &[String], expected: Expect) {
    expected.assert_eq(&(lines.join("\n") + "\n"));
}

#[test]
fn paths_are_compared_in_their_normal_form() {
    let normal = |path: &str| normalise(path).map_err(|error| error.to_string());
    for (path, expected) in [
        ("a", "a"),
        ("./a//b/./c/", "a/b/c"),
        ("a/../b", "b"),
        ("a/..", ""),
        (".", ""),
        ("/", "/"),
        ("/../etc//passwd", "/etc/passwd"),
        ("//a", "/a"),
        ("a\\..\\b", "a\\..\\b"),
        ("...", "..."),
    ] {
        assert_eq!(normal(path).as_deref(), Ok(expected), "{path}");
    }
    assert_eq!(normal(""), Err("path is empty".into()));
    assert_eq!(normal("a\0b"), Err("path contains a NUL".into()));
    assert_eq!(normal("a/../../b"), Err("path `a/../../b` leads out of where it begins".into()));
    assert_eq!(normal(&"x".repeat(4096)), Err("path has 4096 bytes, above the limit of 4095".into()));
}

#[test]
fn the_longest_grant_counts() {
    let mut world = World::new();
    let belongs = |world: &World, path: &str| {
        let place = world.find(Access::Read, path).unwrap();
        format!("{} {}", place.directory.name(), place.inside())
    };
    world.grant("data/inner", "shelf", false);
    assert_eq!(belongs(&world, "data/x"), "data x");
    assert_eq!(belongs(&world, "data/inner"), "data/inner .");
    assert_eq!(belongs(&world, "data/inner/a/b"), "data/inner a/b");
    assert_eq!(belongs(&world, "data/innermost"), "data innermost");
    assert!(world.find(Access::Read, "database").is_err());
    assert!(world.find(Access::Read, "/data/x").is_err());
    world.grant(".", "granted", false);
    world.grant("/", "granted", false);
    world.grant("/srv", "granted", false);
    assert_eq!(belongs(&world, "database"), ". database");
    assert_eq!(belongs(&world, "/data/x"), "/ data/x");
    assert_eq!(belongs(&world, "/srv/x"), "/srv x");
    // The same name twice: the power to write is not taken away by a second grant without it.
    world.grant("data", "granted", false);
    assert!(world.find(Access::Write, "data/x").is_ok());
}

#[test]
fn what_was_written_is_read() {
    let world = World::new();
    check(
        &[
            world.write("data/a", "one"),
            world.append("data/a", " two"),
            world.append("data/new", "made"),
            world.read("./data//a"),
            world.read("data/sub/../new"),
            world.write("data/a", "1"),
            world.read("data/a"),
            world.mkdir("data/sub"),
            world.write("data/sub/deep", ""),
            world.list("data"),
            world.list("data/sub/"),
            world.act(Access::Read, "data/a", Operation::Stat).split("Ext").next().unwrap().to_owned(),
            world.rename("data/a", "data/sub/deep"),
            world.read("data/sub/deep"),
            world.remove("data/sub"),
            world.remove("data/sub/deep"),
            world.remove("data/sub"),
            world.list("data"),
        ],
        expect![[r#"
            true
            true
            true
            one two
            made
            true
            1
            true
            true
            a file, new file, sub directory
            deep file
            file 1 
            true
            1
            Invalid: fs.write on `data/sub` failed: directory not empty
            true
            true
            new file
        "#]],
    );
}

#[test]
fn pieces_of_a_file_are_read_by_offset_and_length() {
    let world = World::new();
    world.put("granted/big", &"0123456789".repeat(200));
    let piece = |offset, length| world.act(Access::Read, "data/big", Operation::Read { offset, length });
    check(
        &[
            piece(5, Some(10)),
            piece(1_995, None),
            piece(1_995, Some(1_000)),
            piece(2_000, None),
            piece(9_999, Some(3)),
            piece(0, Some(0)),
            piece(u64::MAX, Some(1)),
            piece(999, None),
            piece(0, Some(1_001)),
            world.read("data/big"),
        ],
        expect![[r#"
            5678901234
            56789
            56789



            Invalid: fs.read on `data/big` failed: invalid input parameter
            Invalid: fs.read on `data/big` failed: 1001 bytes exceed the message limit of 1000
            Invalid: fs.read on `data/big` failed: 1001 bytes exceed the message limit of 1000
            Invalid: fs.read on `data/big` failed: 2000 bytes exceed the message limit of 1000
        "#]],
    );
    assert_eq!(piece(1_000, None).len(), 1_000);
}

#[test]
fn what_is_not_granted_is_refused_by_its_name() {
    let world = World::new();
    world.put("shelf/book", "text");
    let secret = world.path("secret/key");
    check(
        &[
            world.read("/etc/passwd"),
            world.read("/proc/self/environ"),
            world.read(secret.to_str().unwrap()).replace(world.folder.path().to_str().unwrap(), "FOLDER"),
            world.read("secret/key"),
            world.read("."),
            world.list("/"),
            world.read("data/../secret/key"),
            world.read("data/../../etc/passwd"),
            world.read("../secret/key"),
            world.read("data/../shelf/book"),
            world.read(""),
            world.read("data/a\0b"),
            world.write("shelf/book", "changed"),
            world.append("shelf/./book", "changed"),
            world.remove("shelf/book"),
            world.mkdir("shelf/x"),
            world.rename("shelf/book", "shelf/b"),
            world.rename("shelf/book", "data/b"),
            world.rename("data/b", "shelf/book"),
            world.read("shelf/book"),
        ],
        expect![[r#"
            PermissionDenied: fs.read on `/etc/passwd` is not granted
            PermissionDenied: fs.read on `/proc/self/environ` is not granted
            PermissionDenied: fs.read on `FOLDER/secret/key` is not granted
            PermissionDenied: fs.read on `secret/key` is not granted
            PermissionDenied: fs.read on `.` is not granted
            PermissionDenied: fs.read on `/` is not granted
            PermissionDenied: fs.read on `secret/key` is not granted
            PermissionDenied: fs.read on `data/../../etc/passwd` is not granted
            PermissionDenied: fs.read on `../secret/key` is not granted
            text
            Invalid: path is empty
            Invalid: path contains a NUL
            PermissionDenied: fs.write on `shelf/book` is not granted: `shelf` is granted for reading only
            PermissionDenied: fs.write on `shelf/book` is not granted: `shelf` is granted for reading only
            PermissionDenied: fs.write on `shelf/book` is not granted: `shelf` is granted for reading only
            PermissionDenied: fs.write on `shelf/x` is not granted: `shelf` is granted for reading only
            PermissionDenied: fs.write on `shelf/b` is not granted: `shelf` is granted for reading only
            PermissionDenied: fs.write on `shelf/book` is not granted: `shelf` is granted for reading only
            PermissionDenied: fs.write on `shelf/book` is not granted: `shelf` is granted for reading only
            text
        "#]],
    );
}

#[test]
fn links_are_followed_inside_of_the_grant_and_never_out() {
    let world = World::new();
    world.put("granted/file", "inside");
    fs::create_dir(world.path("granted/folder")).unwrap();
    let link = |target: &Path, name: &str| symlink(target, world.path("granted").join(name)).unwrap();
    link(Path::new("file"), "to-file");
    link(Path::new("folder"), "to-folder");
    link(Path::new("../granted/file"), "out-and-in");
    link(Path::new("../secret/key"), "to-secret");
    link(Path::new("../secret"), "to-secrets");
    link(&world.path("secret/key"), "absolute");
    link(Path::new("/proc/self/root"), "magic");
    link(Path::new("to-secrets"), "twice");
    link(Path::new("circle"), "circle");
    link(Path::new("../secret/new"), "dangling");
    link(Path::new("nowhere"), "hanging");
    check(
        &[
            world.read("data/to-file"),
            world.write("data/to-folder/new", "through a link"),
            world.read("data/folder/new"),
            world.read("data/out-and-in"),
            world.read("data/to-secret"),
            world.read("data/to-secret/"),
            world.write("data/to-secret", "changed"),
            world.append("data/to-secret", "changed"),
            world.list("data/to-secrets"),
            world.list("data/to-secrets/"),
            world.read("data/to-secrets/key"),
            world.remove("data/to-secrets/key"),
            world.mkdir("data/to-secrets/made"),
            world.rename("data/file", "data/to-secrets/file"),
            world.rename("data/to-secrets/key", "data/key"),
            world.read("data/absolute"),
            world.list("data/magic"),
            world.read("data/magic/etc/passwd"),
            world.read("data/twice/key"),
            world.read("data/circle"),
            world.write("data/dangling", "made outside"),
            world.mkdir("data/dangling"),
            world.act(Access::Read, "data/to-secret", Operation::Stat),
            world.read("data/hanging"),
            world.list("data"),
            world.remove("data/to-secrets"),
            world.remove("data/to-folder"),
            world.list("data/folder"),
        ],
        expect![[r#"
            inside
            true
            through a link
            PermissionDenied: fs.read on `data/out-and-in` is not granted: a link leads out of the granted directory
            PermissionDenied: fs.read on `data/to-secret` is not granted: a link leads out of the granted directory
            PermissionDenied: fs.read on `data/to-secret` is not granted: a link leads out of the granted directory
            PermissionDenied: fs.write on `data/to-secret` is not granted: a link leads out of the granted directory
            PermissionDenied: fs.write on `data/to-secret` is not granted: a link leads out of the granted directory
            PermissionDenied: fs.read on `data/to-secrets` is not granted: a link leads out of the granted directory
            PermissionDenied: fs.read on `data/to-secrets` is not granted: a link leads out of the granted directory
            PermissionDenied: fs.read on `data/to-secrets/key` is not granted: a link leads out of the granted directory
            PermissionDenied: fs.write on `data/to-secrets/key` is not granted: a link leads out of the granted directory
            PermissionDenied: fs.write on `data/to-secrets/made` is not granted: a link leads out of the granted directory
            PermissionDenied: fs.write on `data/file` is not granted: a link leads out of the granted directory
            PermissionDenied: fs.write on `data/to-secrets/key` is not granted: a link leads out of the granted directory
            PermissionDenied: fs.read on `data/absolute` is not granted: a link leads out of the granted directory
            PermissionDenied: fs.read on `data/magic` is not granted: a link leads out of the granted directory
            PermissionDenied: fs.read on `data/magic/etc/passwd` is not granted: a link leads out of the granted directory
            PermissionDenied: fs.read on `data/twice/key` is not granted: a link leads out of the granted directory
            Invalid: fs.read on `data/circle` failed: filesystem loop or indirection limit (e.g. symlink loop)
            PermissionDenied: fs.write on `data/dangling` is not granted: a link leads out of the granted directory
            AlreadyExists: fs.write on `data/dangling` failed: entity already exists
            PermissionDenied: fs.read on `data/to-secret` is not granted: a link leads out of the granted directory
            NotFound: fs.read on `data/hanging` failed: entity not found
            absolute link, circle link, dangling link, file file, folder directory, hanging link, magic link, out-and-in link, to-file link, to-folder link, to-secret link, to-secrets link, twice link
            true
            true
            new file
        "#]],
    );
    assert_eq!(fs::read_to_string(world.path("secret/key")).unwrap(), "the secret");
    assert_eq!(fs::read_dir(world.path("secret")).unwrap().count(), 1);
}

#[test]
fn a_hard_link_is_the_file() {
    let world = World::new();
    fs::hard_link(world.path("secret/key"), world.path("granted/key")).unwrap();
    assert_eq!(world.read("data/key"), "the secret");
}

#[test]
fn only_plain_files_are_opened() {
    let mut world = World::new();
    let pipe = world.path("granted/pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(world.path("granted/socket")).unwrap();
    world.grant("/dev", "/dev", true);
    check(
        &[
            world.read("data/pipe"),
            world.write("data/pipe", "x"),
            world.append("data/pipe", "x"),
            world.read("data/socket"),
            world.read("/dev/zero"),
            world.write("/dev/null", "x"),
            world.read("data"),
            world.write("data", "x"),
            world.list("data"),
            world.remove("data/pipe"),
        ],
        expect![[r#"
            Invalid: fs.read on `data/pipe` failed: it is neither a file nor a directory
            Invalid: fs.write on `data/pipe` failed: it is neither a file nor a directory
            Invalid: fs.write on `data/pipe` failed: it is neither a file nor a directory
            Invalid: fs.read on `data/socket` failed: it is neither a file nor a directory
            Invalid: fs.read on `/dev/zero` failed: it is neither a file nor a directory
            Invalid: fs.write on `/dev/null` failed: it is neither a file nor a directory
            Invalid: fs.read on `data` failed: it is a directory
            Invalid: fs.write on `data` failed: it is a directory
            pipe other, socket other
            true
        "#]],
    );
}

#[test]
fn a_pipe_that_takes_a_files_place_does_not_block() {
    let world = World::new();
    let pipe = world.path("granted/pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    // Past the look before it, as when the pipe came in between.
    let options = &mut OpenOptions::new();
    let opened = world.granted[0].dir().open_with("pipe", options.read(true).custom_flags(nonblocking()));
    assert!(!opened.unwrap().metadata().unwrap().is_file());
}

#[test]
fn errors_tell_what_and_not_where() {
    let world = World::new();
    world.put("granted/file", "x");
    fs::create_dir_all(world.path("granted/full/inner")).unwrap();
    world.put("granted/large", &"x".repeat(1_001));
    check(
        &[
            world.read("data/nothing"),
            world.read("data/file/below"),
            world.list("data/file"),
            world.list("data/nothing"),
            world.write("data/no/folder", "x"),
            world.mkdir("data/file"),
            world.mkdir("data"),
            world.mkdir("data/no/folder"),
            world.remove("data/nothing"),
            world.remove("data/full"),
            world.remove("data"),
            world.rename("data/nothing", "data/x"),
            world.rename("data/full", "data/full/inner/x"),
            world.rename("data/file", "data"),
            world.rename("data", "data/x"),
            world.write(&format!("data/{}", "n".repeat(256)), "x"),
            world.write("data/x", &"x".repeat(1_001)),
            world.read("data/large"),
        ],
        expect![[r#"
            NotFound: fs.read on `data/nothing` failed: entity not found
            Invalid: fs.read on `data/file/below` failed: not a directory
            Invalid: fs.read on `data/file` failed: not a directory
            NotFound: fs.read on `data/nothing` failed: entity not found
            NotFound: fs.write on `data/no/folder` failed: entity not found
            AlreadyExists: fs.write on `data/file` failed: entity already exists
            AlreadyExists: fs.write on `data` failed: entity already exists
            NotFound: fs.write on `data/no/folder` failed: entity not found
            NotFound: fs.write on `data/nothing` failed: entity not found
            Invalid: fs.write on `data/full` failed: directory not empty
            Invalid: fs.write on `data` failed: it is a granted directory itself
            NotFound: fs.write on `data/nothing` failed: entity not found
            Invalid: fs.write on `data/full` failed: invalid input parameter
            Invalid: fs.write on `data/file` failed: it is a granted directory itself
            Invalid: fs.write on `data` failed: it is a granted directory itself
            Invalid: fs.write on `data/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn` failed: invalid filename
            Invalid: fs.write on `data/x` failed: 1001 bytes exceed the message limit of 1000
            Invalid: fs.read on `data/large` failed: 1001 bytes exceed the message limit of 1000
        "#]],
    );
}

#[test]
fn a_rename_stays_within_one_grant() {
    let mut world = World::new();
    world.grant("other", "secret", true);
    world.put("granted/file", "x");
    assert_eq!(
        world.rename("data/file", "other/file"),
        "Invalid: fs.write on `data/file` failed: `other/file` lies in another granted directory"
    );
    assert_eq!(world.rename("data/file", "data/moved"), "true");
}

#[test]
fn a_listing_is_bounded() {
    let world = World::new();
    for number in 0..30 {
        world.put(&format!("granted/{number:0>50}"), "");
    }
    assert_eq!(
        world.list("data"),
        "ResourceExhausted: fs.read on `data` failed: the list of 2043 bytes exceeds the message limit of 1000"
    );
    for number in 0..=length::LISTED {
        world.put(&format!("shelf/{number}"), "");
    }
    assert_eq!(
        world.list("shelf"),
        "ResourceExhausted: fs.read on `shelf` failed: the directory has more than 10000 entries"
    );
}

#[test]
fn what_the_system_makes_up_is_read_within_the_limit() {
    let mut world = World::new();
    world.grant("/proc", "/proc", false);
    // Its size is said to be 0.
    assert!(world.read("/proc/sys/kernel/ostype").starts_with("Linux"));
    assert!(world.read("/proc/kallsyms").contains("exceed the message limit"));
}

#[test]
fn times_before_1970_are_told_too() {
    let world = World::new();
    world.put("granted/old", "");
    let file = fs::File::options().write(true).open(world.path("granted/old")).unwrap();
    file.set_modified(std::time::UNIX_EPOCH - std::time::Duration::from_millis(1_500)).unwrap();
    let told = modified(&world.find(Access::Read, "data/old").unwrap().metadata().unwrap()).unwrap();
    assert_eq!(told.as_time(), Some(std::time::UNIX_EPOCH - std::time::Duration::from_millis(1_500)));
}

#[test]
fn what_holds_a_granted_directory_is_not_renamed() {
    let mut world = World::new();
    fs::create_dir_all(world.path("granted/sub/shut")).unwrap();
    world.put("granted/sub/shut/book", "as it was");
    world.put("granted/sub/file", "text");
    world.grant("data/sub/shut", "granted/sub/shut", false);
    let holds = "failed: the granted directory `data/sub/shut` lies inside of it";
    assert_eq!(world.rename("data/sub", "data/open"), format!("Invalid: fs.write on `data/sub` {holds}"));
    assert_eq!(world.rename("data/sub/file", "data/file"), "true");
    assert_eq!(
        world.act(Access::Write, "data/sub/shut/book", Operation::Remove),
        "PermissionDenied: fs.write on \
         `data/sub/shut/book` is not granted: `data/sub/shut` is granted for reading only"
    );
    assert_eq!(fs::read_to_string(world.path("granted/sub/shut/book")).unwrap(), "as it was");
}
