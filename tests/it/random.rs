//! Chance: each process has its own, and each program of it.

use std::collections::BTreeSet;

use lunarium_tests::{Lab, show_outcome};

/// What it draws in all ways there are, then the same as another program.
const DRAWS: &str = r#"
return { main = function(before)
  local drawn = table.concat({ math.random(1 << 60), (base64.encode(random.bytes(24))), (uuid.v4()) }, " ")
  if not before then process.upgrade(nil, drawn) end
  return before .. " " .. drawn
end }"#;

#[test]
fn no_process_draws_what_another_draws_and_no_program_what_it_drew_before() {
    let lab = Lab::default();
    lab.define(DRAWS);
    let mut seen = BTreeSet::new();
    for _ in 0..50 {
        let shown = show_outcome(&lab.spawn("main", Vec::new()).wait_blocking());
        let drawn: Vec<&str> = shown.trim_matches(['=', '>', ' ', '"']).split(' ').collect();
        assert_eq!(drawn.len(), 6, "{shown}");
        for one in drawn {
            assert!(seen.insert(one.to_owned()), "{one} twice");
        }
    }
}
