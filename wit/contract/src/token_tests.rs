//! Where tokens end.

extern crate std;

use std::string::String;
use std::vec::Vec;
use std::{format, vec};

use super::{Kind, Token, line_ends};

fn tokens(text: &str) -> Vec<String> {
    let (mut at, mut all) = (0, Vec::new());
    while let Some(token) = Token::next(text.as_bytes(), at) {
        let sign = match token.kind {
            Kind::Name => 'n',
            Kind::Number => '#',
            Kind::String => 's',
            Kind::Symbol => '.',
            Kind::Comment => '-',
        };
        all.push(format!("{sign}{}", text.get(token.start..token.end).unwrap_or_default()));
        at = token.end;
    }
    all
}

#[test]
fn numbers_end_as_in_lua() {
    assert_eq!(
        tokens("1e-5 0x1p-3 3. .5 0xA.8 1..2 a.b.5 1e 0xe-1"),
        ["#1e-5", "#0x1p-3", "#3.", "#.5", "#0xA.8", "#1..2", "na", "..", "nb", "#.5", "#1e", "#0xe", ".-", "#1"]
    );
}

#[test]
fn strings_and_comments_end_where_they_are_closed() {
    assert_eq!(
        tokens("#!lua\n'a\\'b' [[x]y]] [==[a]]b]=]]==] --[[a\nb]] c -- d\n--[=[e]]]=]f"),
        ["-#!lua", "s'a\\'b'", "s[[x]y]]", "s[==[a]]b]=]]==]", "---[[a\nb]]", "nc", "--- d", "---[=[e]]]=]", "nf"]
    );
    for open in ["'a", "'a\\", "[[a", "[[a]", "[=[a]]", "--[[a", "[=[]="] {
        assert_eq!(tokens(open), Vec::<String>::new(), "{open}");
    }
    assert_eq!(tokens("a[b[1]] [=1"), ["na", ".[", "nb", ".[", "#1", ".]", ".]", ".[", ".=", "#1"]);
}

#[test]
fn lines_end_as_in_lua() {
    for (text, count) in
        [("", 0), ("a", 0), ("\n", 1), ("\r\ra", 2), ("\r\n\r\n", 2), ("\n\r\n\ra", 2), ("a\r\r\n\n\rb\n", 4)]
    {
        assert_eq!(line_ends(text.as_bytes()), count, "{text:?}");
    }
    assert_eq!(tokens("#!lua\ra -- b\rc -- d\r\ne"), ["-#!lua", "na", "--- b", "nc", "--- d", "ne"]);
}

#[test]
fn symbols_are_as_long_as_they_can_be() {
    assert_eq!(
        tokens("a...b..c::d==e~=f<=g>=h//i<<j>>k->l!"),
        [
            "na", "....", "nb", "...", "nc", ".::", "nd", ".==", "ne", ".~=", "nf", ".<=", "ng", ".>=", "nh", ".//",
            "ni", ".<", ".<", "nj", ".>", ".>", "nk", ".->", "nl", ".!"
        ]
    );
}

#[test]
fn what_is_long_takes_no_longer_for_each_of_its_letters() {
    let brackets = "]=".repeat(200_000);
    assert_eq!(tokens(&format!("[==[{brackets}")), Vec::<String>::new());
    assert_eq!(tokens(&"[=".repeat(100_000)).len(), 0);
    assert_eq!(tokens(&"(".repeat(100_000)), vec![".("; 100_000]);
}
