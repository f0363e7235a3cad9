//! Files from Wippy: what is accepted, what is warned of, and what each other kind and key is told.

use std::path::Path;

use expect_test::{Expect, expect};
use lunarium_app::{Draft, NoAuthority};

use crate::folder;

/// The report, with what is warned of before anything is compiled.
fn check(entries: &str, expected: Expect) {
    let index = format!("version: \"1.0\"\nnamespace: app\nentries:\n{entries}");
    let dir = folder(&[("_index.yaml", &index)]);
    expected.assert_eq(&Draft::of_folder(&dir, Path::new("shop"), &NoAuthority).review().to_string());
}

#[test]
fn kinds_of_elsewhere_are_told_what_to_write() {
    check(
        r#"  - {name: a, kind: workflow.lua}
  - {name: b, kind: http.service}
  - {name: c, kind: store.memory}
  - {name: d, kind: security.policy.expr}
  - {name: e, kind: env.storage.os}
  - {name: f, kind: nothing.like.it}
"#,
        expect![],
    );
}

#[test]
fn what_means_nothing_here_is_warned_of() {
    check(
        r#"  - {name: processes, kind: terminal.host, host: {workers: 4, queue_size: 100}}
  - name: call
    kind: function.lua
    pool: {size: 3}
    modules: [json, tiem, sql]
    source: "return { main = function() return 1 end }"
  - name: service
    kind: process.service
    process: call
    host: processes
    lifecycle: {requires: [processes], security: {actor: {id: ada}}, stable_threshold: 5s}
  - {name: home, kind: env.variable, variable: HOME, storage: "app:os", read_only: true}
"#,
        expect![],
    );
}

#[test]
fn security_stands_in_one_place() {
    check(
        r#"  - {name: processes, kind: process.host, security: {actor: {id: a}}, lifecycle: {security: {actor: {id: b}}}}
"#,
        expect![],
    );
}
