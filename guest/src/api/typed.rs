//! Typed Lua: annotations of types, which other runtimes check and which mean nothing here. Owns where they stand, and that what is left
//! has every other letter where it was: an annotation becomes blanks. Looks at nothing that compiles as it is, and reads no
//! type further than to its end.
//!
//! Known are types of local variables, of loops, of parameters and results, generic parameters, `type X = …`, casts (`x :: T`, `x as T`)
//! and `x!`. A source that has something else stays what Lua says of it.

use lunarium_contract::form::LUA_WORDS;
use lunarium_contract::token::{Kind, Token, line_ends};

/// Bytes of a source that is looked at. At the limit: Lua's own message stands. The number: programs that people write.
const LONGEST: usize = 1 << 20;
/// Types inside each other.
const DEEPEST: usize = 100;

/// The source without annotations; none: there are none.
pub fn without_types(source: &str) -> Option<Vec<u8>> {
    if source.len() > LONGEST {
        return None;
    }
    let mut text = Source { text: source.as_bytes(), blank: None };
    let mut before = None;
    let mut at = 0;
    while let Some(token) = text.token(at) {
        at = text.statement(&token, before.as_ref()).unwrap_or(token.end);
        before = Some(if at == token.end { token } else { text.last_before(at, &token) });
    }
    text.blank
}

struct Source<'s> {
    text: &'s [u8],
    /// What it becomes, once there is an annotation.
    blank: Option<Vec<u8>>,
}

// ---- Words

impl Source<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or_default()
    }

    fn word(&self, token: &Token) -> &[u8] {
        token.bytes(self.text)
    }

    /// The next token from here on that is no comment; none: there is none, or a string or comment has no end.
    fn token(&self, mut at: usize) -> Option<Token> {
        loop {
            let token = Token::next(self.text, at)?;
            if token.kind != Kind::Comment {
                return Some(token);
            }
            at = token.end;
        }
    }

    fn is(&self, token: Option<&Token>, text: &[u8]) -> bool {
        token.is_some_and(|token| token.kind != Kind::String && self.word(token) == text)
    }

    /// A name that is no keyword.
    fn is_name(&self, token: Option<&Token>) -> bool {
        token.is_some_and(|token| {
            let word = self.word(token);
            token.kind == Kind::Name && LUA_WORDS.iter().all(|other| other.as_bytes() != word)
        })
    }

    /// The last token that ends at or before `end`, from `first` on.
    fn last_before(&self, end: usize, first: &Token) -> Token {
        let mut last = *first;
        while let Some(next) = self.token(last.end).filter(|next| next.end <= end) {
            last = next;
        }
        last
    }

    fn same_line(&self, one: &Token, other: &Token) -> bool {
        line_ends(self.text.get(one.end..other.start).unwrap_or_default()) == 0
    }

    fn erase(&mut self, from: usize, to: usize) {
        let blank = self.blank.get_or_insert_with(|| self.text.to_vec());
        for byte in blank.get_mut(from..to).unwrap_or_default() {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
    }
}

// ---- Where annotations stand

impl Source<'_> {
    /// What begins with this token, as far as it may have annotations: where it ends.
    fn statement(&mut self, token: &Token, before: Option<&Token>) -> Option<usize> {
        let next = self.token(token.end);
        match (token.kind, self.word(token)) {
            (Kind::Name, b"local") if !self.is(next.as_ref(), b"function") => Some(self.names(token.end)),
            (Kind::Name, b"for") => Some(self.names(token.end)),
            (Kind::Name, b"function") => self.function(token.end),
            (Kind::Name, b"type") => self.alias(token, &next?),
            (Kind::Name, b"export") if self.is(next.as_ref(), b"type") => {
                let word = next?;
                let end = self.alias(&word, &self.token(word.end)?)?;
                self.erase(token.start, token.end);
                Some(end)
            }
            (Kind::Name, b"as") => {
                let next = next?;
                let begins = self.is_name(Some(&next)) || matches!(self.word(&next), b"{" | b"(");
                let casts = begins && self.ends_value(before, token) && self.same_line(token, &next);
                if casts { self.erased_type(token.start, token.end) } else { None }
            }
            (Kind::Symbol, b"::") => {
                if self.ends_value(before, token) {
                    return self.erased_type(token.start, token.end);
                }
                // A label.
                let close = self.token(next?.end)?;
                Some(close.end)
            }
            (Kind::Symbol, b"!") if self.byte(token.end) != b'=' && before.is_some() => {
                self.erase(token.start, token.end);
                Some(token.end)
            }
            _ => None,
        }
    }

    /// Whether a value ends right before this token, on its line.
    fn ends_value(&self, before: Option<&Token>, token: &Token) -> bool {
        let Some(before) = before.filter(|before| self.same_line(before, token)) else { return false };
        match before.kind {
            Kind::Name => {
                self.is_name(Some(before)) || matches!(self.word(before), b"nil" | b"true" | b"false" | b"end")
            }
            Kind::Symbol => matches!(self.word(before), b")" | b"]" | b"}" | b"..." | b"!"),
            _ => true,
        }
    }

    /// Names with their types: `a: number, b <const>`.
    fn names(&mut self, mut at: usize) -> usize {
        loop {
            let Some(name) = self.token(at).filter(|token| self.is_name(Some(token))) else { return at };
            at = name.end;
            if let Some(open) = self.token(at).filter(|token| self.is(Some(token), b"<")) {
                let close = self.token(open.end).and_then(|word| self.token(word.end));
                let Some(close) = close.filter(|close| self.is(Some(close), b">")) else { return at };
                at = close.end;
            }
            at = self.annotation(at);
            match self.token(at).filter(|token| self.is(Some(token), b",")) {
                Some(comma) => at = comma.end,
                None => return at,
            }
        }
    }

    /// A colon and a type, if there is one here: behind it.
    fn annotation(&mut self, at: usize) -> usize {
        let colon = self.token(at).filter(|token| self.is(Some(token), b":"));
        colon.and_then(|colon| self.erased_type(colon.start, colon.end)).unwrap_or(at)
    }

    /// A function's head, from behind `function`: name, generic parameters, parameters, results.
    fn function(&mut self, mut at: usize) -> Option<usize> {
        let mut token = self.token(at)?;
        while self.is_name(Some(&token)) || matches!(self.word(&token), b"." | b":") {
            at = token.end;
            token = self.token(at)?;
        }
        if self.is(Some(&token), b"<") {
            let end = self.balanced(&token, b"<", b">")?;
            self.erase(token.start, end);
            token = self.token(end)?;
        }
        if !self.is(Some(&token), b"(") {
            return None;
        }
        at = token.end;
        loop {
            let parameter = self.token(at)?;
            at = parameter.end;
            if self.is(Some(&parameter), b")") {
                break;
            }
            if let Some(mark) = self.token(at).filter(|token| self.is(Some(token), b"?")) {
                self.erase(mark.start, mark.end);
                at = mark.end;
            }
            at = self.annotation(at);
        }
        let results = self.annotation(at);
        // Several without parentheses.
        let mut end = results;
        while results > at
            && let Some(comma) = self.token(end).filter(|token| self.is(Some(token), b","))
        {
            end = self.erased_type(comma.start, comma.end)?;
        }
        Some(end)
    }

    /// `type X = …`, and `type X<T> = …`.
    fn alias(&mut self, word: &Token, name: &Token) -> Option<usize> {
        if !self.is_name(Some(name)) || !self.same_line(word, name) {
            return None;
        }
        let mut equals = self.token(name.end)?;
        if self.is(Some(&equals), b"<") {
            equals = self.token(self.balanced(&equals, b"<", b">")?)?;
        }
        if !self.is(Some(&equals), b"=") {
            return None;
        }
        self.erased_type(word.start, equals.end)
    }

    /// Erases from here, where a type begins behind it, to its end.
    fn erased_type(&mut self, from: usize, begins: usize) -> Option<usize> {
        let end = self.type_end(begins, 0)?;
        self.erase(from, end);
        Some(end)
    }
}

// ---- Types

impl Source<'_> {
    /// Where the type ends that begins here.
    fn type_end(&self, at: usize, depth: usize) -> Option<usize> {
        if depth > DEEPEST {
            return None;
        }
        let mut at = at;
        // A union may begin with its bar.
        if let Some(bar) = self.token(at).filter(|token| self.is(Some(token), b"|")) {
            at = bar.end;
        }
        loop {
            at = self.one_type_end(at, depth)?;
            match self
                .token(at)
                .filter(|token| matches!(self.word(token), b"|" | b"&" | b"->") && token.kind == Kind::Symbol)
            {
                Some(joint) => at = joint.end,
                None => return Some(at),
            }
        }
    }

    /// The same for a part of a union.
    fn one_type_end(&self, at: usize, depth: usize) -> Option<usize> {
        let first = self.token(at)?;
        let mut end = match (first.kind, self.word(&first)) {
            (Kind::String | Kind::Number, _) => first.end,
            (Kind::Symbol, b"{") => self.balanced(&first, b"{", b"}")?,
            (Kind::Symbol, b"(") => self.balanced(&first, b"(", b")")?,
            (Kind::Symbol, b"...") => self.one_type_end(first.end, depth + 1)?,
            (Kind::Symbol, b"-") => self.token(first.end).filter(|number| number.kind == Kind::Number)?.end,
            (Kind::Name, b"asserts") => {
                let subject = self.token(first.end).filter(|subject| self.is_name(Some(subject)))?;
                match self.token(subject.end).filter(|word| self.is(Some(word), b"is")) {
                    Some(word) => self.type_end(word.end, depth + 1)?,
                    None => subject.end,
                }
            }
            (Kind::Name, b"nil" | b"true" | b"false" | b"function") => first.end,
            (Kind::Name, _) if self.is_name(Some(&first)) => self.named_type_end(&first)?,
            _ => return None,
        };
        // What may follow one: `?`, `[]`, `@min(0)`.
        while let Some(mark) = self.token(end).filter(|mark| mark.kind == Kind::Symbol) {
            end = match self.word(&mark) {
                b"?" => mark.end,
                b"[" => match self.token(mark.end).filter(|close| self.is(Some(close), b"]")) {
                    Some(close) => close.end,
                    None => return Some(end),
                },
                b"@" => {
                    let name = self.token(mark.end).filter(|name| self.is_name(Some(name)))?;
                    match self.token(name.end).filter(|open| self.is(Some(open), b"(")) {
                        Some(open) => self.balanced(&open, b"(", b")")?,
                        None => name.end,
                    }
                }
                _ => return Some(end),
            };
        }
        Some(end)
    }

    /// `a.b.C<T>`, `typeof(x)`.
    fn named_type_end(&self, first: &Token) -> Option<usize> {
        let mut end = first.end;
        while let Some(dot) = self.token(end).filter(|dot| self.is(Some(dot), b".")) {
            end = self.token(dot.end).filter(|name| self.is_name(Some(name)))?.end;
        }
        match self.token(end) {
            Some(open) if self.is(Some(&open), b"<") => self.balanced(&open, b"<", b">"),
            Some(open) if self.is(Some(&open), b"(") && self.word(first) == b"typeof" => {
                self.balanced(&open, b"(", b")")
            }
            _ => Some(end),
        }
    }

    /// Behind the bracket that closes this one.
    fn balanced(&self, open: &Token, opens: &[u8], closes: &[u8]) -> Option<usize> {
        let (mut depth, mut at) = (1usize, open.end);
        while depth > 0 {
            let token = self.token(at)?;
            if self.is(Some(&token), opens) {
                depth += 1;
            } else if self.is(Some(&token), closes) {
                depth -= 1;
            }
            at = token.end;
        }
        Some(at)
    }
}
