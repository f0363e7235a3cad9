//! How a source is laid out: how far lines stand in, where blanks are and where blank lines.
//!
//! Owns the house's style. Line breaks are the author's, and so is every token: a source has the same ones before and after, so that it is the
//! same program, and what would change that is refused. One pass without recursion, so that no source is too deep.

use lunarium_app::MAX_FILE;
use lunarium_contract::token::{Kind, line_ends};

use super::pieces::{Piece, pieces};

/// Blanks of one step where a source doesn't say.
const STEP: usize = 2;
/// Steps that a line can stand in. The number: Lua compiles nothing that is nested deeper.
const DEEPEST: usize = 200;

/// What a file in UTF-8 may begin with; it stays.
const MARK: &str = "\u{feff}";

/// Why there is no layout.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// It can't be read.
    #[error("line {0}: no Lua, or a string or a comment that has no end")]
    Unreadable(usize),
    /// It would be no source any more.
    #[error("it would have more than {MAX_FILE} bytes, the limit")]
    TooLong,
    /// The layout is wrong.
    #[error("the formatter would have changed the program: this is a fault of the formatter's")]
    Changed,
}

/// The source as it should be.
///
/// Errors: it isn't Lua, or would be too long.
pub fn laid_out(source: &str) -> Result<String, LayoutError> {
    let (mark, source) = match source.strip_prefix(MARK) {
        Some(rest) => (MARK, rest),
        None => ("", source),
    };
    let line_of = |at: usize| line_ends(source.as_bytes().get(..at).unwrap_or_default()) + 1;
    let before = pieces(source).map_err(|at| LayoutError::Unreadable(line_of(at)))?;
    let mut layout = Layout::new(&before);
    for place in 0..before.len() {
        layout.add(place);
    }
    let text = layout.render(mark)?;
    let after = pieces(text.get(mark.len()..).unwrap_or_default()).map_err(|_| LayoutError::Changed)?;
    let is_same =
        before.iter().map(|piece| (piece.kind, piece.text)).eq(after.iter().map(|piece| (piece.kind, piece.text)));
    if is_same { Ok(text) } else { Err(LayoutError::Changed) }
}

/// Something that is open: what is in it stands one step further in than what it began on.
#[derive(Debug, Clone, Copy)]
struct Open {
    level: usize,
    what: What,
    /// What is in it begins on a line of its own.
    is_broken: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Block,
    Bracket,
    /// A function, before and behind its parameters.
    Function,
    /// The parenthesis of a function's parameters.
    Parameters,
}

/// `if`, `elseif`, `while` or `for`, before its `then` or `do`.
#[derive(Debug, Clone, Copy)]
struct Head {
    level: usize,
    /// What was open there.
    depth: usize,
}

/// A line of the result.
#[derive(Debug)]
struct Line {
    level: usize,
    is_after_blank: bool,
    text: String,
    /// How it stood in.
    blanks: usize,
    is_tabbed: bool,
}

struct Layout<'p, 't> {
    pieces: &'p [Piece<'t>],
    /// For each piece the next one from it on that is no comment.
    tokens: Vec<Option<usize>>,
    /// There are annotations of types.
    is_typed: bool,
    lines: Vec<Line>,
    open: Vec<Open>,
    heads: Vec<Head>,
    /// The last token, which is no comment.
    last: Option<usize>,
    /// It stands before a value: `-x`, `not x`.
    is_sign: bool,
    /// What comes next is the first of a block or in brackets.
    is_first: bool,
    /// Names of local variables are listed, which may have attributes.
    is_local: bool,
}

impl<'p, 't> Layout<'p, 't> {
    fn new(pieces: &'p [Piece<'t>]) -> Self {
        let mut tokens = Vec::with_capacity(pieces.len());
        let mut next = None;
        for (place, piece) in pieces.iter().enumerate().rev() {
            next = if piece.is_comment() { next } else { Some(place) };
            tokens.push(next);
        }
        tokens.reverse();
        let mut layout = Self {
            pieces,
            tokens,
            is_typed: false,
            lines: Vec::new(),
            open: Vec::new(),
            heads: Vec::new(),
            last: None,
            is_sign: false,
            is_first: false,
            is_local: false,
        };
        let mut colons = pieces.iter().enumerate().filter(|(_, piece)| piece.is(":"));
        layout.is_typed = colons.any(|(place, _)| !layout.calls(place + 1));
        layout
    }

    fn add(&mut self, place: usize) {
        let Some(piece) = self.pieces.get(place).copied() else { return };
        if self.is_first
            && piece.lines > 0
            && !piece.is_comment()
            && let Some(open) = self.open.last_mut()
        {
            open.is_broken = true;
        }
        match self.lines.last() {
            Some(_) if piece.lines == 0 => {
                let blanks = self.blanks(place);
                if let Some(line) = self.lines.last_mut() {
                    line.text.extend(std::iter::repeat_n(' ', blanks));
                    line.text.push_str(piece.text);
                }
            }
            before => {
                let is_first = self.is_first && !self.is_behind_comment(place);
                let is_after_blank = before.is_some() && piece.lines > 1 && !is_first && !piece.closes();
                let (blanks, is_tabbed) = (piece.blanks, piece.is_tabbed);
                let text = piece.text.to_owned();
                self.lines.push(Line { level: self.level(place), is_after_blank, text, blanks, is_tabbed });
            }
        }
        if !piece.is_comment() {
            self.step(place, piece);
        }
    }

    fn is_behind_comment(&self, place: usize) -> bool {
        place.checked_sub(1).and_then(|before| self.pieces.get(before)).is_some_and(Piece::is_comment)
    }

    /// The next token from a place on that is no comment.
    fn token(&self, from: usize) -> Option<(usize, Piece<'t>)> {
        let place = (*self.tokens.get(from)?)?;
        Some((place, *self.pieces.get(place)?))
    }

    fn last(&self) -> Option<Piece<'t>> {
        self.pieces.get(self.last?).copied()
    }

    /// The level of what is in what is open.
    fn inner(&self) -> usize {
        self.open.last().map_or(0, |open| open.level + 1)
    }

    /// The level of the line that is being written.
    fn here(&self) -> usize {
        self.lines.last().map_or(0, |line| line.level)
    }

    // ---- Lines

    /// How far in a line stands that begins with this piece.
    fn level(&self, place: usize) -> usize {
        let Some(piece) = self.pieces.get(place) else { return 0 };
        if !piece.is_comment() {
            return self.level_of_token(piece);
        }
        // As what it is about; at the end of a block as that.
        match self.token(place) {
            Some((_, next)) if next.closes() || self.is_of_head(&next) => self.inner(),
            Some((_, next)) => self.level_of_token(&next),
            None => self.inner(),
        }
    }

    fn level_of_token(&self, piece: &Piece<'t>) -> usize {
        if piece.closes() {
            return self.open.last().map_or(0, |open| open.level);
        }
        if let Some(head) = self.heads.last().filter(|_| self.is_of_head(piece)) {
            return head.level;
        }
        self.inner() + usize::from(self.goes_on(piece))
    }

    /// `then` or `do` of what was begun last.
    fn is_of_head(&self, piece: &Piece<'t>) -> bool {
        piece.is_any(&["then", "do"]) && self.heads.last().is_some_and(|head| head.depth == self.open.len())
    }

    /// Whether a token goes on with what the line before has begun.
    fn goes_on(&self, piece: &Piece<'t>) -> bool {
        let Some(last) = self.last() else { return false };
        if let Some(Open { what: What::Bracket | What::Parameters, is_broken, .. }) = self.open.last() {
            return *is_broken && !self.is_first && !last.is_any(&[",", ";"]);
        }
        if self.is_first || last.is(";") {
            return false;
        }
        let wants_more = last.is_operator()
            || last.is_any(&[
                ",", ".", ":", "not", "#", "~", "local", "function", "for", "in", "if", "elseif", "while", "until",
                "return", "goto",
            ]);
        let is_more = piece.is_operator()
            || piece.is_any(&[",", ".", ":", "in", "{", "["])
            || matches!(piece.kind, Kind::String | Kind::Number);
        // The attribute of a local variable, `<const>`, is no comparison that wants more.
        let is_attribute = last.is(">") && self.is_local;
        (wants_more && !is_attribute) || is_more
    }

    /// Takes what a token opens and closes.
    fn step(&mut self, place: usize, piece: Piece<'t>) {
        let here = self.here();
        let before = self.last();
        self.is_first = false;
        self.is_sign = piece.is_any(&["not", "#"])
            || piece.is_any(&["-", "~"]) && !before.is_some_and(|before| before.ends_value());
        let stays_local = piece.is_name() || piece.is_any(&[",", "<", ">", ":"]);
        self.is_local = piece.is("local") && !self.token(place + 1).is_some_and(|(_, next)| next.is("function"))
            || self.is_local && stays_local;
        match piece.text {
            _ if !matches!(piece.kind, Kind::Symbol) && !piece.is_word() => {}
            "function" => self.opens(here, What::Function),
            "(" if matches!(self.open.last(), Some(Open { what: What::Function, .. })) && self.is_of_function() => {
                self.opens(here, What::Parameters);
                self.is_first = true;
            }
            "(" | "[" | "{" => {
                self.opens(here, What::Bracket);
                self.is_first = true;
            }
            ")" | "]" | "}" => {
                let closed = self.open.pop();
                if let Some(Open { what: What::Parameters, .. }) = closed {
                    self.is_first = true;
                    // What follows is the body.
                    if let Some(function) = self.open.last_mut() {
                        function.what = What::Block;
                    }
                }
            }
            "if" | "while" | "for" => self.heads.push(Head { level: here, depth: self.open.len() }),
            "elseif" => {
                let level = self.open.pop().map_or(here, |open| open.level);
                self.heads.push(Head { level, depth: self.open.len() });
            }
            "then" | "do" => {
                let level = match self.heads.pop_if(|head| head.depth == self.open.len()) {
                    Some(head) => head.level,
                    None => here,
                };
                self.opens(level, What::Block);
                self.is_first = true;
            }
            "else" => {
                let level = self.open.pop().map_or(here, |open| open.level);
                self.opens(level, What::Block);
                self.is_first = true;
            }
            "repeat" => {
                self.opens(here, What::Block);
                self.is_first = true;
            }
            "until" | "end" => drop(self.open.pop()),
            _ => {}
        }
        self.last = Some(place);
    }

    fn opens(&mut self, level: usize, what: What) {
        self.open.push(Open { level, what, is_broken: false });
    }

    /// Whether a parenthesis behind the last token is that of a function's parameters: between them and `function` stands a name at most.
    fn is_of_function(&self) -> bool {
        self.last().is_some_and(|last| last.is("function") || last.is_name())
    }

    // ---- Blanks

    /// How many stand before a piece that isn't the first of its line.
    fn blanks(&self, place: usize) -> usize {
        let Some(piece) = self.pieces.get(place) else { return 0 };
        // Comments may be lined up.
        if piece.is_comment() {
            return piece.blanks.max(1);
        }
        usize::from(self.is_behind_comment(place) || self.is_spaced(place, piece))
    }

    fn is_spaced(&self, place: usize, next: &Piece<'t>) -> bool {
        let Some(last) = self.last() else { return false };
        // Blanks that only annotations of types have are the author's.
        let is_angle = self.is_typed && (last.is_any(&["<", ">"]) || next.is_any(&["<", ">"]));
        if last.is("::") || next.is("::") || next.is_any(&["?", "!", "@"]) || last.is("@") || is_angle {
            return next.blanks > 0;
        }
        if next.is_any(&[",", ";"]) || last.is("(") || next.is(")") {
            return false;
        }
        // Where brackets would become long ones, they don't touch.
        if last.is("[") {
            return next.is_long_string();
        }
        if next.is("]") {
            return last.is_long_string();
        }
        if last.is("{") {
            return !next.is("}");
        }
        if last.is(".") || next.is(".") || next.is(":") {
            return false;
        }
        if last.is(":") {
            return !self.calls(place);
        }
        if self.is_local && (last.is("<") || next.is(">")) {
            return false;
        }
        if self.is_sign {
            // Two of them would begin a comment.
            return last.is("not") || next.is("-") && last.is("-");
        }
        if next.is("(") {
            return !takes_arguments(&last);
        }
        !next.is("[") || !last.ends_value()
    }

    /// Whether the name behind a colon is a method that is called or made.
    fn calls(&self, place: usize) -> bool {
        let behind = self.token(place).and_then(|(place, name)| self.token(place + 1).filter(|_| name.is_name()));
        behind.is_some_and(|(_, next)| next.is_any(&["(", "{"]) || next.kind == Kind::String)
    }

    // ---- The text

    fn render(self, mark: &str) -> Result<String, LayoutError> {
        let step = self.step_text();
        let most = usize::try_from(MAX_FILE).unwrap_or(usize::MAX);
        let mut text = mark.to_owned();
        for line in &self.lines {
            if line.is_after_blank {
                text.push('\n');
            }
            for _ in 0..line.level.min(DEEPEST) {
                text.push_str(&step);
            }
            text.push_str(&line.text);
            text.push('\n');
            if text.len() > most {
                return Err(LayoutError::TooLong);
            }
        }
        Ok(text)
    }

    /// One step: that of the first line that stands in and should.
    fn step_text(&self) -> String {
        let told = self.lines.iter().find(|line| line.level > 0 && line.blanks > 0);
        match told {
            Some(line) if line.is_tabbed => "\t".to_owned(),
            Some(line) if line.blanks.is_multiple_of(line.level.min(DEEPEST)) => {
                let step = line.blanks.checked_div(line.level.min(DEEPEST)).unwrap_or(STEP);
                " ".repeat(if matches!(step, 2..=8) { step } else { STEP })
            }
            _ => " ".repeat(STEP),
        }
    }
}

/// Whether a parenthesis behind this is that of a call or of parameters.
fn takes_arguments(last: &Piece<'_>) -> bool {
    last.is("function") || last.ends_value() && !last.is_word() && !last.is("...") && last.kind != Kind::Number
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
