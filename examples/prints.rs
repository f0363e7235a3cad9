//! Each program here prints what its `expected.txt` says, where `_` stands for a number that isn't always the same.

use std::path::Path;
use std::process::Command;

#[test]
fn embed_plugin() {
    prints("embed-plugin", env!("CARGO_BIN_EXE_embed-plugin"));
}

#[test]
fn embed_tenants() {
    prints("embed-tenants", env!("CARGO_BIN_EXE_embed-tenants"));
}

fn prints(name: &str, program: &str) {
    let output = Command::new(program).output().expect("it runs");
    let printed = String::from_utf8(output.stdout).expect("text");
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join(name).join("expected.txt");
    let expected = std::fs::read_to_string(expected).expect("what it prints");
    assert_eq!((without_measures(&printed), output.status.code()), (expected, Some(0)), "{printed}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// Times and what memory is held: `_` before `ms` and `KiB`.
fn without_measures(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| {
            let words: Vec<_> = line.split(' ').collect();
            let is_measured = |place: usize| {
                words.get(place + 1).is_some_and(|next| next.starts_with("ms") || next.starts_with("KiB"))
            };
            let shown = words.iter().enumerate().map(|(place, word)| if is_measured(place) { "_" } else { word });
            shown.collect::<Vec<_>>().join(" ")
        })
        .collect()
}
