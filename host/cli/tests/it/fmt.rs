//! `lunarium fmt`: what it writes, what it only tells, and that nothing is lost. How sources are laid out is the formatter's own test.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use expect_test::expect;
use tempfile::TempDir;

use crate::full_disk::namespace;
use crate::{fed, folder, lunarium, run, transcript};

const UGLY: &str = "local  function main( )\n      print( 'x' )\nend\n\n\nreturn {main=main}";
const NICE: &str = "local function main()\n      print('x')\nend\n\nreturn { main = main }\n";

/// All that is in a folder, hidden files as well.
fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn read(folder: &TempDir, path: &str) -> String {
    fs::read_to_string(folder.path().join(path)).unwrap()
}

#[test]
fn sources_are_laid_out_in_place() {
    let folder = folder(&[
        ("a.lua", UGLY),
        ("b.lua", NICE),
        ("app/c.lua", "return{}"),
        ("app/notes.txt", "x=1"),
        (".hidden/d.lua", "x=1"),
        (".e.lua", "x=1"),
    ]);
    let path = folder.path().join("a.lua");
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    expect![[r#"
        exit code: 0
        --- stdout
        formatted .e.lua
        formatted a.lua
        formatted app/c.lua
    "#]]
    .assert_eq(&run(&folder, &["fmt"]));
    assert_eq!((read(&folder, "a.lua").as_str(), read(&folder, "app/c.lua").as_str()), (NICE, "return {}\n"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!((read(&folder, "app/notes.txt").as_str(), read(&folder, ".hidden/d.lua").as_str()), ("x=1", "x=1"));
    assert_eq!(names(&folder), [".e.lua", ".hidden", "a.lua", "app", "b.lua"]);
    assert_eq!(run(&folder, &["fmt", ".", "a.lua"]), "exit code: 0\n");
    assert_eq!(run(&folder, &["run", "a.lua"]), "exit code: 0\n--- stdout\nx\n");
}

#[test]
fn a_check_writes_nothing_and_tells_what_differs() {
    let folder = folder(&[("app/a.lua", UGLY), ("app/b.lua", NICE), ("c.lua", "return 1")]);
    expect![[r#"
        exit code: 1
        --- stdout
        c.lua: the last line has no end
        app/a.lua:1
        -local  function main( )
        -      print( 'x' )
        +local function main()
        +      print('x')
        app/a.lua:5
        -
        -return {main=main}
        +return { main = main }
        --- stderr
        error: 2 files differ from the layout that `lunarium fmt` gives
    "#]]
    .assert_eq(&run(&folder, &["fmt", "--check", "app", "c.lua"]));
    assert_eq!((read(&folder, "app/a.lua").as_str(), names(&folder).len()), (UGLY, 2));
    assert_eq!(run(&folder, &["fmt", "--check", "app/b.lua"]), "exit code: 0\n");
}

#[test]
fn standard_input_becomes_standard_output() {
    let folder = folder(&[]);
    let typed = |arguments: &[&str], text: &[u8]| transcript(&fed(lunarium(folder.path(), arguments), text));
    assert_eq!(typed(&["fmt", "-"], b"x=1"), "exit code: 0\n--- stdout\nx = 1\n");
    assert_eq!(typed(&["fmt", "-"], b""), "exit code: 0\n");
    expect![[r#"
        exit code: 1
        --- stdout
        standard input:1
        -x=1
        +x = 1
        --- stderr
        error: 1 file differs from the layout that `lunarium fmt` gives
    "#]]
    .assert_eq(&typed(&["fmt", "-", "--check"], b"x=1\n"));
    expect![[r#"
        exit code: 2
        --- stderr
        error: standard input:2: unexpected symbol near '='
    "#]]
    .assert_eq(&typed(&["fmt", "-"], b"local x = 1\n= 2"));
    let not_utf8 = typed(&["fmt", "-"], b"x = '\xff'");
    assert_eq!(not_utf8, "exit code: 2\n--- stderr\nerror: the script on standard input is not UTF-8\n");
    let large = typed(&["fmt", "-"], &vec![b'\n'; 1_048_577]);
    assert_eq!(
        large,
        "exit code: 2\n--- stderr\nerror: the script on standard input has more than 1048576 bytes, the limit\n"
    );
}

#[test]
fn what_cannot_be_laid_out_is_told_and_the_rest_is_done() {
    let folder = folder(&[
        ("a.lua", "x=1"),
        ("broken.lua", "local x = 1\nif x then\n"),
        ("folder.lua/x.txt", ""),
        ("open.lua", "x = 'a\n"),
        ("readonly.lua", "x=1"),
        ("text.lua", "hello  world"),
        ("z.lua", "y=1"),
    ]);
    fs::write(folder.path().join("bytes.lua"), b"x = 1\ny = '\xff'\n").unwrap();
    fs::write(folder.path().join("large.lua"), vec![b'\n'; 1_048_577]).unwrap();
    fs::set_permissions(folder.path().join("readonly.lua"), Permissions::from_mode(0o444)).unwrap();
    symlink("a.lua", folder.path().join("link.lua")).unwrap();
    symlink("nothing", folder.path().join("nowhere.lua")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.path().join("pipe.lua")).status().unwrap().success());
    expect![[r#"
        exit code: 2
        --- stdout
        formatted a.lua
        formatted z.lua
        --- stderr
        error: broken.lua:3: 'end' expected (to close 'if' at line 2) near <eof>
        error: `bytes.lua` is not UTF-8: the first bad byte is in line 2
        error: `folder.lua` is not a file
        error: `large.lua` has 1048577 bytes, above the limit of 1048576
        error: `link.lua` is a link: name the file that it leads to
        error: `nowhere.lua` is a link: name the file that it leads to
        error: open.lua:1: unfinished string near ''a'
        error: `pipe.lua` is not a file
        error: `readonly.lua` is read-only
        error: text.lua:1: syntax error near 'world'
    "#]]
    .assert_eq(&run(&folder, &["fmt"]));
    assert_eq!(read(&folder, "text.lua"), "hello  world");
    assert_eq!(read(&folder, "readonly.lua"), "x=1");
}

#[test]
fn a_link_that_was_named_stays_one() {
    let folder = folder(&[("real/a.lua", "x=1")]);
    symlink("real/a.lua", folder.path().join("link.lua")).unwrap();
    let told = run(&folder, &["fmt", "link.lua"]);
    assert!(told.starts_with("exit code: 0\n--- stdout\nformatted ") && told.ends_with("/real/a.lua\n"), "{told}");
    assert!(folder.path().join("link.lua").is_symlink());
    assert_eq!(read(&folder, "real/a.lua"), "x = 1\n");
}

#[test]
fn bad_arguments_are_told_and_nothing_is_written() {
    let folder = folder(&[("a.lua", "x=1"), ("app/_index.yaml", "")]);
    let told = |arguments: &[&str]| run(&folder, arguments);
    assert_eq!(
        told(&["fmt", "a.lua", "b.lua"]),
        "exit code: 2\n--- stderr\nerror: there is no file or folder `b.lua`\n"
    );
    assert_eq!(told(&["fmt", "-", "a.lua"]), "exit code: 2\n--- stderr\nerror: `-`, standard input, stands alone\n");
    assert_eq!(
        told(&["fmt", "app/_index.yaml"]),
        "exit code: 2\n--- stderr\nerror: `app/_index.yaml` is a part of an application: name its folder\n"
    );
    assert_eq!(
        told(&["fmt", "/dev/null"]),
        "exit code: 2\n--- stderr\nerror: `/dev/null` is neither a file nor a folder\n"
    );
    assert!(told(&["fmt", "--chek"]).contains("unexpected argument '--chek'"));
    assert_eq!(read(&folder, "a.lua"), "x=1");
}

#[test]
fn who_reads_no_more_ends_it() {
    let folder = folder(&[("a.lua", UGLY)]);
    let mut command = lunarium(folder.path(), &["fmt", "--check"]);
    // A pipe whose reader is gone.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(transcript(&output), "exit code: 141\n");
}

#[test]
fn a_full_disk_leaves_the_file_as_it_was() {
    let Some(options) = namespace() else {
        println!("NOT TRIED: nobody here may mount a file system, so there is no full disk");
        return;
    };
    let folder = folder(&[("a.lua", UGLY), ("disk/mount", "")]);
    let script = "mount -t tmpfs -o size=64k tmpfs disk && cp a.lua disk || exit 3; cat /dev/zero 2>/dev/null >disk/all
        \"$@\" fmt disk; echo code $?; cat disk/a.lua; ls -A disk";
    let mut command = Command::new("unshare");
    command.args([options, "sh", "-c", script, "sh", env!("CARGO_BIN_EXE_lunarium")]).current_dir(folder.path());
    let told = transcript(&command.output().unwrap());
    let wanted = format!(
        "exit code: 0\n--- stdout\ncode 2\n{UGLY}a.lua\nall\n--- stderr\n\
         error: `disk/a.lua` is as it was: No space left on device (os error 28)\n"
    );
    assert_eq!(told, wanted);
}

#[test]
fn no_source_brings_it_down() {
    let many = 70_000;
    let repeated = |before: &str, piece: &str, after: &str| format!("{before}{}{after}", piece.repeat(many));
    // What Lua compiles is laid out, however long.
    let fine = [repeated("x = 1", "+1", "\n"), repeated("x = f", "()", "\n"), repeated("", ";", "\n")];
    // What it doesn't is told.
    let deep = [
        repeated("x = ", "(", ""),
        repeated("x = ", "{", ""),
        repeated("", "do ", ""),
        repeated("x = ", "function()", ""),
        repeated("x = ", "- ", "1"),
        repeated("x = ", "'a'..", "'a'"),
        repeated("x = ", "2^", "2"),
        repeated("", "if x then else", ""),
        repeated("x = ", "[", ""),
        repeated("local a", " <const>", ""),
        repeated("--[", "=", "["),
    ];
    for (source, code) in fine.iter().map(|source| (source, 0)).chain(deep.iter().map(|source| (source, 2))) {
        let output = fed(lunarium(Path::new("/"), &["fmt", "-"]), source.as_bytes());
        let shown = source.get(..20).unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{shown}: {told}");
        assert_eq!(told.starts_with("error: standard input"), code == 2, "{shown}: {told}");
    }
}

#[test]
fn what_we_ship_is_laid_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let paths = ["examples", "guest/prelude", "host/cli/src", "host/cli/template", "docs/library"];
    let output = lunarium(&root, &[["fmt", "--check"].as_slice(), &paths].concat()).output().unwrap();
    assert_eq!(transcript(&output), "exit code: 0\n");
}
