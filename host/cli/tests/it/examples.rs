//! Every example runs and prints what its `expected.txt` says.

use std::path::Path;

use crate::lunarium;

#[test]
fn every_example_prints_what_it_should() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut names: Vec<_> = std::fs::read_dir(&examples)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .collect();
    names.sort_by_key(|entry| entry.file_name());
    assert!(names.len() >= 10, "{names:?}");
    for example in names {
        let path = example.path();
        let name = example.file_name();
        // Of a service that fails to show how it comes back a warning tells.
        let arguments = ["run".as_ref(), "--log-level".as_ref(), "error".as_ref(), name.as_os_str()];
        let output = lunarium(&examples, &arguments).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*error), (Some(0), ""), "{path:?}");
        let mut printed = String::from_utf8(output.stdout).unwrap();
        let mut expected = std::fs::read_to_string(path.join("expected.txt")).unwrap();
        let index = std::fs::read_to_string(path.join("_index.yaml")).unwrap();
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
