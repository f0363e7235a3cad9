//! The page `docs/applications.md`: what it shows is accepted, and every key there is stands on it.

use std::collections::BTreeSet;

use crate::app;

const PAGES: [&str; 2] =
    [include_str!("../../../../docs/applications.md"), include_str!("../../../../docs/permissions.md")];

#[test]
fn whole_files_on_the_page_are_accepted() {
    let mut files = 0;
    for page in PAGES {
        for block in page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            if block.starts_with("version:") {
                app(&[("_index.yaml", block), ("worker.lua", "return { main = print }\n")]);
                files += 1;
            }
        }
    }
    assert!(files > 0, "no file is shown");
}

/// The keys that `source` reads: `.text("name"`, `.duration("name"` and so on.
fn keys_in(source: &str) -> BTreeSet<&str> {
    const READERS: [&str; 8] =
        ["optional", "required", "text", "required_text", "boolean", "count", "number", "duration"];
    let calls = READERS.iter().flat_map(|reader| {
        source
            .match_indices(reader)
            .filter_map(move |(place, _)| source.get(place..)?.strip_prefix(reader)?.strip_prefix("(\""))
    });
    calls.filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn every_key_is_on_a_page() {
    // What one file says is read by these, a file a kind.
    let sources = [
        include_str!("../../src/raw/entry.rs"),
        include_str!("../../src/raw/field.rs"),
        include_str!("../../src/raw/fields.rs"),
        include_str!("../../src/raw/grants.rs"),
        include_str!("../../src/raw/host.rs"),
        include_str!("../../src/raw/kind.rs"),
        include_str!("../../src/raw/lifecycle.rs"),
        include_str!("../../src/raw/limits.rs"),
        include_str!("../../src/raw/mod.rs"),
        include_str!("../../src/raw/policy.rs"),
        include_str!("../../src/raw/program.rs"),
        include_str!("../../src/raw/security.rs"),
        include_str!("../../src/raw/service.rs"),
        include_str!("../../src/raw/value.rs"),
    ];
    let keys: BTreeSet<_> = sources.into_iter().flat_map(keys_in).collect();
    assert!(keys.contains("namespace") && keys.contains("stop_timeout"), "keys are read in another way now");
    let words: BTreeSet<_> =
        PAGES.iter().flat_map(|page| page.split(|c: char| !c.is_alphanumeric() && c != '_')).collect();
    let absent: Vec<_> = keys.difference(&words).collect();
    assert!(absent.is_empty(), "not documented: {absent:?}");
}
