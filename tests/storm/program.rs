//! Makes Lua programs out of `moves.lua`. Owns what the words in it stand for. A program depends on the dice alone.

use std::fmt::Write;

use lunarium_tests::Dice;

/// Programs of a node: `app:p1` and so on; the library they share is `app:library`.
pub const PROGRAMS: u64 = 12;
/// Process hosts of a node: `app:h0` and so on.
pub const HOSTS: u64 = 4;
/// What they have in common.
pub const LIBRARY: &str = include_str!("library.lua");
const MOVES: &str = include_str!("moves.lua");

/// The moves, each as often as it weighs.
pub struct Moves(Vec<&'static str>);

impl Moves {
    pub fn read() -> Moves {
        let mut moves = Vec::new();
        for part in MOVES.split("\n---- ").skip(1) {
            let (weight, text) = part.split_once('\n').unwrap();
            let weight: usize = weight.trim().parse().unwrap();
            moves.extend(std::iter::repeat_n(text.trim_end(), weight));
        }
        Moves(moves)
    }

    /// A program. One of many doesn't even compile, has no `main`, or is nothing but a bomb for the parser.
    pub fn program(&self, dice: &mut Dice) -> String {
        match dice.below(40) {
            0 => "return { main = function( }".to_owned(),
            1 => "return { other = function() end }".to_owned(),
            2 => format!("return {}1{}", "{".repeat(5_000), "}".repeat(5_000)),
            3 => "error({})".to_owned(),
            _ => {
                let count = dice.between(2, 30);
                let moves = self.some(dice, count, 0);
                format!(
                    "local S = require(\"storm\")\nreturn {{ main = function(seq, depth, parent)\n\
                     S.begin(seq, depth, parent)\n{moves}end }}\n"
                )
            }
        }
    }

    fn some(&self, dice: &mut Dice, count: u64, depth: u32) -> String {
        let mut text = String::new();
        for _ in 0..count {
            let template = *dice.pick(&self.0);
            let one = self.fill(dice, template, depth);
            // Most failures are caught, so that the program goes on.
            let written = match dice.below(12) {
                0 => writeln!(text, "do {one} end"),
                _ => writeln!(text, "S.try(function() {one} end)"),
            };
            written.unwrap();
        }
        text
    }

    fn fill(&self, dice: &mut Dice, template: &str, depth: u32) -> String {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('$') {
            text.push_str(before);
            let word = WORDS.iter().find(|(word, _)| after.starts_with(word)).unwrap_or_else(|| panic!("${after}"));
            text.push_str(&match word.1 {
                Some(make) => make(dice),
                None if depth < 3 => {
                    let count = dice.between(1, 3);
                    self.some(dice, count, depth + 1)
                }
                None => String::new(),
            });
            rest = &after[word.0.len()..];
        }
        text.push_str(rest);
        text
    }
}

type Make = fn(&mut Dice) -> String;

/// None: further moves.
const WORDS: [(&str, Option<Make>); 15] = [
    ("moves", None),
    ("target", Some(target)),
    ("value", Some(value)),
    ("topic", Some(|dice| format!("\"t{}\"", dice.below(6)))),
    ("name", Some(|dice| format!("\"n{}\"", dice.below(8)))),
    ("entry", Some(entry)),
    ("host", Some(host)),
    ("few", Some(|dice| dice.between(1, 8).to_string())),
    ("some", Some(|dice| dice.between(1, 30).to_string())),
    ("many", Some(|dice| dice.between(1, 400).to_string())),
    ("huge", Some(|dice| dice.between(1, 20_000).to_string())),
    ("ms", Some(|dice| dice.below(20).to_string())),
    ("flag", Some(|dice| dice.once_in(2).to_string())),
    ("seed", Some(|dice| dice.below(1 << 40).to_string())),
    // Lua's own.
    ("$", Some(|_| "$".to_owned())),
];

fn entry(dice: &mut Dice) -> String {
    match dice.below(20) {
        0 => "\"app:nothing\"".to_owned(),
        _ => format!("\"app:p{}\"", dice.between(1, PROGRAMS)),
    }
}

fn host(dice: &mut Dice) -> String {
    format!("\"app:h{}\"", dice.below(HOSTS + 1).min(dice.below(HOSTS + 1)))
}

/// Somebody, most often.
fn target(dice: &mut Dice) -> String {
    match dice.below(12) {
        0..=4 => format!("S.peer({})", dice.below(16)),
        5..=6 => format!("\"n{}\"", dice.below(8)),
        7 => "process.pid()".to_owned(),
        8..=9 => format!("\"{{app:h{}|0x{:05x}}}\"", dice.below(HOSTS), dice.between(1, 300)),
        10 => "\"nobody\"".to_owned(),
        _ => dice.pick(&["(\"x\"):rep(300)", "42", "nil", "{}", "\"{app:h9|0x00001}\"", "\"{|}\""]).to_string(),
    }
}

fn value(dice: &mut Dice) -> String {
    const VALUES: [&str; 22] = [
        "nil",
        "true",
        "0",
        "-1",
        "1 << 62",
        "0.5",
        "1/0",
        "0/0",
        "\"\"",
        "\"text\"",
        "(\"x\"):rep(3000)",
        "{}",
        "{ 1, 2, { 3 }, k = { v = \"w\" } }",
        "S.deep(99)",
        "S.deep(101)",
        "S.cycle(20)",
        "S.wide(50, \"k\")",
        "S.empty(200)",
        "S.collide(300)",
        "time.now()",
        "{ time.SECOND, errors.new(\"e\"), json.null }",
        "print",
    ];
    dice.pick(&VALUES).to_string()
}
