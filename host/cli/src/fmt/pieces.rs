//! A source as what a layout puts spaces between: tokens and comments, each with what was before it.
//!
//! Owns what a token is to its neighbours: whether it ends a value, stands before one, opens or closes something. Nothing nests here.

use lunarium_contract::form::LUA_WORDS;
use lunarium_contract::token::{Kind, Token, line_ends};

/// A token or a comment.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'t> {
    pub kind: Kind,
    pub text: &'t str,
    /// Ends of lines before it.
    pub lines: usize,
    /// Blanks before it on its line.
    pub blanks: usize,
    /// The first of them is a tab.
    pub is_tabbed: bool,
}

/// The pieces of a source.
///
/// Errors: what begins at this place is no Lua, or a string or a comment without an end.
pub fn pieces(text: &str) -> Result<Vec<Piece<'_>>, usize> {
    let bytes = text.as_bytes();
    let mut all: Vec<Piece<'_>> = Vec::new();
    let mut at = 0;
    while let Some(token) = Token::next(bytes, at) {
        let (gap, text) = text.get(at..token.start).zip(text.get(token.start..token.end)).ok_or(token.start)?;
        let line = gap.rsplit(['\n', '\r']).next().unwrap_or_default();
        let piece = Piece {
            kind: token.kind,
            text: if token.kind == Kind::Comment && !is_long(text) { text.trim_end() } else { text },
            lines: line_ends(gap.as_bytes()),
            blanks: line.len(),
            is_tabbed: line.starts_with('\t'),
        };
        // Shifts are two tokens each.
        let is_shift = matches!(text, "<" | ">") && gap.is_empty();
        match all.last_mut().filter(|last| is_shift && last.kind == Kind::Symbol && last.text == text) {
            Some(last) => last.text = if text == "<" { "<<" } else { ">>" },
            None => all.push(piece),
        }
        at = token.end;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    match rest.iter().position(|byte| !byte.is_ascii_whitespace() && *byte != 0x0b) {
        Some(place) => Err(at + place),
        None => Ok(all),
    }
}

/// Whether a comment is one between long brackets.
fn is_long(text: &str) -> bool {
    let Some(inner) = text.strip_prefix("--[") else { return false };
    inner.trim_start_matches('=').starts_with('[')
}

impl Piece<'_> {
    pub fn is_comment(&self) -> bool {
        self.kind == Kind::Comment
    }

    /// Whether it is this symbol, or one of Lua's own words.
    pub fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Symbol | Kind::Name) && self.text == text
    }

    pub fn is_any(&self, texts: &[&str]) -> bool {
        texts.iter().any(|text| self.is(text))
    }

    /// One of Lua's own words.
    pub fn is_word(&self) -> bool {
        self.kind == Kind::Name && LUA_WORDS.contains(&self.text)
    }

    /// A name that somebody gave.
    pub fn is_name(&self) -> bool {
        self.kind == Kind::Name && !self.is_word()
    }

    /// A string between long brackets.
    pub fn is_long_string(&self) -> bool {
        self.kind == Kind::String && self.text.starts_with('[')
    }

    /// What may stand before an operator, or before an argument.
    pub fn ends_value(&self) -> bool {
        match self.kind {
            Kind::Name => !self.is_word() || self.is_any(&["nil", "true", "false", "end"]),
            Kind::Number | Kind::String => true,
            Kind::Symbol => self.is_any(&[")", "]", "}", "..."]),
            Kind::Comment => false,
        }
    }

    /// What closes something: its line stands as far out as that began.
    pub fn closes(&self) -> bool {
        self.is_any(&[")", "]", "}", "end", "until", "else", "elseif"])
    }

    /// An operator between two values.
    pub fn is_operator(&self) -> bool {
        self.is_any(&[
            "+", "-", "*", "/", "//", "%", "^", "..", "==", "~=", "<", ">", "<=", ">=", "and", "or", "&", "|", "~",
            "<<", ">>", "=",
        ])
    }
}
