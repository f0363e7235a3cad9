//! The programs of the four guides, word for word: each stands once in `programs.lua`, and the comments, all in which the
//! languages differ, in the columns of `comments.txt`. The guest's own tests include this file, too.
//!
//! Owns how a language's text is made of both. What begins with a comment that a guide lacks, a paragraph or a whole program,
//! isn't in that guide (the Spanish one has no pool of workers).

use expect_test::Expect;

const PROGRAMS: &str = include_str!("programs.lua");
const COMMENTS: &str = include_str!("comments.txt");
/// A line of this stands before each program.
const TITLE: &str = "-- block: ";
/// This document has neither indentation nor empty lines.
const FLAT: &str = "chinese";

pub struct Guide {
    pub language: &'static str,
    /// Titles and programs, in the guide's order.
    pub blocks: Vec<(&'static str, String)>,
}

impl Guide {
    /// A program as it stands there.
    pub fn block(&self, name: &str) -> Option<&str> {
        self.blocks.iter().find(|(title, _)| *title == name).map(|(_, text)| text.as_str())
    }
}

pub fn guides() -> Vec<Guide> {
    let languages = COMMENTS.lines().next().expect("languages").split(" | ").enumerate();
    languages.map(|(column, language)| Guide { language, blocks: blocks(column, language == FLAT) }).collect()
}

fn blocks(column: usize, flat: bool) -> Vec<(&'static str, String)> {
    let all = PROGRAMS.split(TITLE).filter_map(|block| block.split_once('\n'));
    all.filter(|(_, text)| stays(text, column)).map(|(title, text)| (title, translated(text, column, flat))).collect()
}

fn translated(text: &str, column: usize, flat: bool) -> String {
    let paragraphs = text.split("\n\n").filter(|paragraph| stays(paragraph, column)).map(|paragraph| {
        let lines = paragraph.split('\n').map(|line| {
            let (indentation, line) = line.split_at(line.len() - line.trim_start().len());
            let line = comment(line, column).map_or(line.to_owned(), |comment| format!("-- {comment}"));
            if flat { line } else { indentation.to_owned() + &line }
        });
        lines.collect::<Vec<_>>().join("\n")
    });
    paragraphs.collect::<Vec<_>>().join(if flat { "\n" } else { "\n\n" })
}

fn stays(text: &str, column: usize) -> bool {
    let first = text.lines().next().unwrap_or_default();
    comment(first.trim_start(), column) != Some("")
}

/// A comment in the language of a column, empty where its guide lacks it; None for a line that isn't one.
fn comment(line: &str, column: usize) -> Option<&'static str> {
    let original = line.strip_prefix("-- ")?;
    let mut rows = COMMENTS.lines().skip(1).map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    let row = rows.find(|row| row[0] == original).unwrap_or_else(|| panic!("no row for `{original}`"));
    Some(row.get(column).copied().unwrap_or_default())
}

/// Runs something with each guide that has the program, and expects the same of all.
pub fn with_each_guide(name: &str, expect: Expect, run: impl Fn(&str) -> String) {
    let mut languages = Vec::new();
    for guide in guides() {
        let Some(text) = guide.block(name) else { continue };
        expect.assert_eq(&run(text));
        languages.push(guide.language);
    }
    assert!(languages.len() >= 3, "{name} is in the guides of {languages:?}");
}
