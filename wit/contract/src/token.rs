//! Lua's source as tokens, comments among them. Owns where one ends; what a sequence of them means is the readers'. Nothing nests here, so
//! that no source is too deep. `->`, `!` and the like, which only annotations of types have, are symbols, too; `<<` and `>>` are two symbols
//! each, as the second may close what two open.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name, or one of Lua's own words.
    Name,
    /// A number.
    Number,
    /// A string of either form.
    String,
    /// Anything else.
    Symbol,
    /// A comment without the end of its line; a first line for the shell.
    Comment,
}

/// A token, by its place in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where its first byte is.
    pub start: usize,
    /// Where the byte behind its last one is.
    pub end: usize,
}

impl Token {
    /// The next one from a place on. None: there is none, or a string or a comment has no end.
    pub fn next(text: &[u8], mut at: usize) -> Option<Self> {
        while matches!(byte(text, at), b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c) {
            at += 1;
        }
        let (kind, end) = match *text.get(at)? {
            b'-' if byte(text, at + 1) == b'-' => (Kind::Comment, comment(text, at + 2)?),
            b'#' if at == 0 => (Kind::Comment, line_end(text, at)),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => (Kind::Name, at + run(text, at, is_of_name)),
            b'0'..=b'9' => (Kind::Number, number(text, at)),
            b'.' if byte(text, at + 1).is_ascii_digit() => (Kind::Number, number(text, at)),
            b'"' | b'\'' => (Kind::String, short_string(text, at)?),
            b'[' if level(text, at).is_some() => (Kind::String, long_string(text, at)?),
            _ => (Kind::Symbol, at + symbol(text, at)),
        };
        Some(Self { kind, start: at, end })
    }

    /// What it is made of.
    pub fn bytes<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or_default()
}

fn run(text: &[u8], at: usize, matches: fn(u8) -> bool) -> usize {
    text.iter().skip(at).take_while(|byte| matches(**byte)).count()
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// As Lua reads it: whatever touches it belongs to it.
fn number(text: &[u8], start: usize) -> usize {
    let is_hex = byte(text, start) == b'0' && matches!(byte(text, start + 1), b'x' | b'X');
    let exponent = if is_hex { b'p' } else { b'e' };
    let mut at = start + 1;
    loop {
        let here = byte(text, at);
        if !is_of_name(here) && here != b'.' {
            return at;
        }
        at += 1;
        if here.to_ascii_lowercase() == exponent && matches!(byte(text, at), b'+' | b'-') {
            at += 1;
        }
    }
}

fn symbol(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let long: [&[u8]; 9] = [b"...", b"::", b"->", b"..", b"==", b"~=", b"<=", b">=", b"//"];
    long.iter().find(|symbol| rest.starts_with(symbol)).map_or(1, |symbol| symbol.len())
}

fn line_end(text: &[u8], at: usize) -> usize {
    at + run(text, at, |byte| !is_line_end(byte))
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// How many lines end in a text, as Lua counts them: by a newline, a carriage return, or both in either order.
pub fn line_ends(text: &[u8]) -> usize {
    let (mut at, mut count) = (0, 0);
    loop {
        at = line_end(text, at);
        let Some(end) = text.get(at) else { return count };
        let next = byte(text, at + 1);
        at += if is_line_end(next) && next != *end { 2 } else { 1 };
        count += 1;
    }
}

fn comment(text: &[u8], at: usize) -> Option<usize> {
    let is_long = byte(text, at) == b'[' && level(text, at).is_some();
    if is_long { long_string(text, at) } else { Some(line_end(text, at)) }
}

fn short_string(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match *text.get(at)? {
            b'\\' => at += 2,
            end if end == byte(text, start) => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// How many `=` stand between the brackets that open a long string.
fn level(text: &[u8], at: usize) -> Option<usize> {
    let equals = run(text, at + 1, |byte| byte == b'=');
    (byte(text, at + 1 + equals) == b'[').then_some(equals)
}

fn long_string(text: &[u8], at: usize) -> Option<usize> {
    let equals = level(text, at)?;
    let mut at = at + equals + 2;
    loop {
        at += run(text, at, |byte| byte != b']');
        let found = run(text, at + 1, |byte| byte == b'=');
        let close = at + 1 + found;
        if *text.get(close)? == b']' && found == equals {
            return Some(close + 1);
        }
        at = close;
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
