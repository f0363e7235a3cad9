//! `_index.yaml`: whatever stands in it, reading it ends with an application or with a report that can be shown.

use std::fs;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use lunarium_app::{Draft, NoAuthority};

use crate::fuzz;

/// The examples', and what they don't have.
const SAMPLES: [&[u8]; 8] = [
    include_bytes!("../../examples/services/_index.yaml"),
    include_bytes!("../../examples/policies/_index.yaml"),
    include_bytes!("../../examples/files/_index.yaml"),
    include_bytes!("../../examples/upgrade/_index.yaml"),
    b"version: \"1.0\"\nnamespace: app\nentries:\n  - &a {name: x, kind: process.lua, source: 'return 1', limits: {cpu: 1s}}\n  - *a\n",
    b"version: \"1.0\"\nnamespace: a.b\nsecurity: {strict: true}\nentries:\n  - name: h\n    kind: process.host\n    host: {max_processes: 4, memory: 1MiB, reserve: 5kB, log_bytes: 9}\n",
    b"version: '1.0'\nnamespace: app\nentries:\n  - {name: v, kind: env.variable, variable: V, default: d}\n  - {name: l, kind: library.lua, source: file://l.lua, imports: {a: l}}\n",
    b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nversion: !!str 1\n? [k]\n: v\n",
];

#[test]
fn indexes() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["main.lua", "ledger.lua", "plugin.lua", "counter.lua", "l.lua"] {
        fs::write(folder.path().join(name), "return function() end").unwrap();
    }
    let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
    fuzz(2_000, &SAMPLES, |bytes| {
        fs::write(folder.path().join("_index.yaml"), bytes).unwrap();
        let draft = Draft::of_folder(&dir, Path::new("app"), &NoAuthority);
        let _ = draft.max_processes();
        match draft.finish() {
            Ok(app) => assert!(app.definitions().iter().all(|definition| definition.entry.as_str().contains(':'))),
            Err(report) => {
                assert!(!report.is_empty());
                assert!(!report.render(false).is_empty() && !report.render(true).is_empty());
            }
        }
        let review = Draft::of_folder(&dir, Path::new("app"), &NoAuthority).review();
        let _ = review.render(false);
    });
}
