//! How the conformance tests read: a script, and what comes out.
//!
//! Owns the cast (small entries that many tests spawn) and the words their scripts share. Knows no subject.

use expect_test::Expect;
use lunarium_tests::{Lab, transcript, transcript_in};

/// Stands before a body, on its first line, so that line numbers in messages are those of the body's text.
const WORDS: &str = concat!(
    // A child that must start.
    "local function spawn(name, ...) return (assert(process.spawn('app:' .. name, 'app:processes', ...))) end ",
    // The EXIT of a child that does nothing but end.
    "local function exit_of(name, ...) ",
    "assert(process.spawn_monitored('app:' .. name, 'app:processes', ...)) ",
    "return (process.events():receive()) end ",
    // What a call that can fail returned: the kind instead of the error object.
    "local function kind(value, err) return value, err and err:kind() end ",
    // What a call raised, without its position.
    "local function raised(f, ...) local ok, err = pcall(f, ...) ",
    "return ok and 'no error' or (tostring(err):gsub('^[^:]+:%d+: ', '')) end ",
    "return { main = function(...) ",
);

/// Entries every test may spawn.
const CAST: &str = r#"
-- entry: waits
return { main = function() return (process.inbox():receive():payload()) end }
-- entry: gives
return { main = function(...) return ... end }
-- entry: fails
return { main = function(why) error(why or "boom", 0) end }
-- entry: loops
return { main = function() while true do end end }
"#;

/// Runs a whole program as `app:main`.
pub fn check(script: &str, expect: Expect) {
    expect.assert_eq(&transcript(script));
}

/// Runs the body of `main`, which may use `WORDS` and spawn `CAST`. Other entries may follow it.
pub fn check_main(body: &str, expect: Expect) {
    check_main_in(&Lab::default(), body, expect);
}

/// The same in a lab that was prepared.
pub fn check_main_in(lab: &Lab, body: &str, expect: Expect) {
    lab.define(CAST);
    expect.assert_eq(&transcript_in(lab, &program(body)));
}

/// What the body of a `main` prints, and how it ends.
pub fn run_main(body: &str) -> String {
    let lab = Lab::default();
    lab.define(CAST);
    transcript_in(&lab, &program(body))
}

/// The program around the body of `main`.
pub fn program(body: &str) -> String {
    let (main, rest) = match body.find("-- entry: ") {
        Some(place) => body.split_at(place),
        None => (body, ""),
    };
    format!("{WORDS}{main} end }}\n{rest}")
}
