//! Every example that is an application runs and prints what its `expected.txt` says. Those in Rust have a test of their own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::{fs, thread};

use tempfile::TempDir;

use crate::{folder, lunarium, run};

pub(crate) fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// The names of those with an index, sorted.
pub(crate) fn applications() -> Vec<String> {
    let folders = fs::read_dir(examples()).unwrap().map(|entry| entry.unwrap());
    let applications = folders.filter(|folder| folder.path().join("_index.yaml").exists());
    let mut names: Vec<_> = applications.map(|folder| folder.file_name().into_string().unwrap()).collect();
    names.sort();
    assert!(names.len() >= 10, "{names:?}");
    names
}

#[test]
fn every_example_prints_what_it_should() {
    let examples = examples();
    // One needs a server (see below), one is a server (`endpoints.rs`).
    for name in applications().iter().filter(|name| !["http-kv", "webhook"].contains(&name.as_str())) {
        let path = examples.join(name);
        // Of a service that fails to show how it comes back a warning tells.
        let arguments = ["run", "--log-level", "error", name];
        let output = lunarium(&examples, &arguments).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*error), (Some(0), ""), "{path:?}");
        let mut printed = String::from_utf8(output.stdout).unwrap();
        let mut expected = fs::read_to_string(path.join("expected.txt")).unwrap();
        let index = fs::read_to_string(path.join("_index.yaml")).unwrap();
        if index.contains("output: unordered") {
            printed = sorted(&printed);
            expected = sorted(&expected);
        }
        assert_eq!(printed, expected, "{path:?}");
    }
}

fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    lines.sort_unstable();
    lines.concat()
}

/// The port in the example's files.
const PORT: &str = "8642";

#[test]
fn http_kv_asks_its_server_once_and_goes_on_without_it() {
    let source = examples().join("http-kv");
    let text = |path: &str| fs::read_to_string(source.join(path)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let application = ["_index.yaml", "main.lua", "prices.lua"].map(|path| (path, text(path).replace(PORT, &port)));
    let folder = folder(&application.each_ref().map(|(path, text)| (*path, text.as_str())));
    let run = |folder: &TempDir| run(folder, &["run", "--data", "data", "."]).replace(&port, PORT);
    let expected = |path: &str| format!("exit code: 0\n--- stdout\n{}", text(path));

    let site = source.join("site");
    let server = thread::spawn(move || serve(&listener, &site));
    assert_eq!(run(&folder), expected("expected.txt"));
    assert_eq!(server.join().unwrap(), ["/prices/tea.json", "/prices/cup.json", "/prices/gold.json"]);
    // Now its port is closed.
    assert_eq!(run(&folder), expected("expected_again.txt"));
}

/// Answers three requests with files of a folder, and tells for which.
fn serve(listener: &TcpListener, site: &Path) -> Vec<String> {
    let answer = |stream: std::io::Result<std::net::TcpStream>| {
        let mut stream = stream.unwrap();
        let head = BufReader::new(&stream).lines().map(|line| line.unwrap());
        let head: Vec<_> = head.take_while(|line| !line.is_empty()).collect();
        let path = head[0].split(' ').nth(1).unwrap().to_owned();
        let (status, body) = match fs::read_to_string(site.join(&path[1..])) {
            Ok(body) => ("200 OK", body),
            Err(_) => ("404 Not Found", String::new()),
        };
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
        path
    };
    listener.incoming().take(3).map(answer).collect()
}

#[test]
fn the_tests_of_examples_pass() {
    let examples = examples();
    let with_tests = |name: &String| {
        let files = fs::read_dir(examples.join(name)).unwrap().map(|entry| entry.unwrap().file_name());
        files.into_iter().any(|file| file.to_string_lossy().ends_with("_test.lua"))
    };
    let mut tested: Vec<_> = applications();
    tested.retain(with_tests);
    assert!(tested.len() >= 5, "{tested:?}");
    for name in tested {
        let output = lunarium(&examples, &["test", &name]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && told.contains(" 0 failed; ") && !told.contains("note:"), "{name}: {told}");
    }
}
