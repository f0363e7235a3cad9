//! What is before the cursor, as far as something can be said of it: a name behind names, and the call whose arguments are being typed.
//!
//! Owns what counts as one. What names there are, it doesn't know, but for Lua's own words.

use lunarium_contract::form::LUA_WORDS;

/// Bytes before the cursor in which the call is looked for. At the limit: none is found. The number: it is done at each key.
const LOOKED_AT: usize = 4 * 1024;

/// A name that isn't complete, and the names before it: `process.registry.re`, `ch:rec`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Where the name begins in the line.
    pub start: usize,
    /// The names before it.
    pub path: Vec<String>,
    /// What there is of it.
    pub prefix: String,
    /// A colon is before it: it is called as a method.
    pub is_method: bool,
}

impl Word {
    /// The word at the end of a text. None: there is none, or what is before it isn't a name.
    pub fn at_end_of(text: &str) -> Option<Self> {
        let start = text.trim_end_matches(is_of_name).len();
        let (before, prefix) = text.split_at_checked(start)?;
        let word = |path: Vec<String>, is_method| Self { start, path, prefix: prefix.to_owned(), is_method };
        let is_plain = !before.ends_with(['.', ':']) || before.ends_with("..") || before.ends_with("::");
        if is_plain {
            return (!prefix.is_empty() && !begins_with_digit(prefix)).then(|| word(Vec::new(), false));
        }
        let path = before.get(..before.len().checked_sub(1)?)?;
        let from = path.trim_end_matches(|c| is_of_name(c) || c == '.').len();
        let names: Vec<String> = path.get(from..)?.split('.').map(str::to_owned).collect();
        let is_path = names.iter().all(|name| !name.is_empty() && !begins_with_digit(name));
        is_path.then(|| word(names, before.ends_with(':')))
    }

    /// Lua's own words that begin so.
    pub fn keywords(&self) -> impl Iterator<Item = &'static str> {
        LUA_WORDS.into_iter().filter(|word| self.path.is_empty() && word.starts_with(&self.prefix))
    }
}

/// A call that isn't complete: `process.spawn("a:b", `.
#[derive(Debug, PartialEq, Eq)]
pub struct Call {
    /// What is called.
    pub name: Word,
    /// Arguments before the one that is being typed.
    pub before: usize,
    /// There is something of that one.
    pub is_begun: bool,
}

impl Call {
    /// The innermost call at the end of a text. None: there is none, what is called isn't a name, or a string or a remark is being typed.
    pub fn at_end_of(text: &str) -> Option<Self> {
        if text.len() > LOOKED_AT {
            return None;
        }
        // Where brackets are open, what they are, and the commas in them.
        let mut open: Vec<(usize, char, usize)> = Vec::new();
        let mut letters = text.char_indices();
        let mut begun = false;
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' | '\'' => {
                    loop {
                        match letters.next()?.1 {
                            '\\' => drop(letters.next()?),
                            end if end == letter => break,
                            _ => {}
                        }
                    }
                    begun = true;
                }
                '-' if text.get(at..)?.starts_with("--") => {
                    let is_line = !text.get(at..)?.starts_with("--[");
                    letters.find(|(_, letter)| is_line && *letter == '\n')?;
                }
                '(' | '[' | '{' => {
                    open.push((at, letter, 0));
                    begun = false;
                }
                ')' | ']' | '}' => {
                    open.pop();
                    begun = true;
                }
                ',' => {
                    open.last_mut()?.2 += 1;
                    begun = false;
                }
                letter => begun |= !letter.is_whitespace(),
            }
        }
        let (at, bracket, before) = open.pop()?;
        let name = Word::at_end_of(text.get(..at)?)?;
        let is_called = bracket == '(' && !name.prefix.is_empty() && !LUA_WORDS.contains(&name.prefix.as_str());
        is_called.then_some(Self { name, before, is_begun: begun })
    }
}

fn is_of_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn begins_with_digit(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{Call, Word};

    #[test]
    fn a_word_is_a_name_behind_names() {
        let shown = |text: &str| {
            Word::at_end_of(text).map(|word| {
                let sign = if word.is_method { ":" } else { "." };
                format!("{} {}{sign}{}", word.start, word.path.join("."), word.prefix)
            })
        };
        let cases = [
            ("pri", Some("0 .pri")),
            ("print(pro", Some("6 .pro")),
            ("x = process.registry.re", Some("21 process.registry.re")),
            ("process.", Some("8 process.")),
            ("ch:rec", Some("3 ch:rec")),
            ("a.b:", Some("4 a.b:")),
            ("é.x", None),
            ("f().x", None),
            ("1.5", None),
            ("12", None),
            ("", None),
            ("'a'..na", Some("5 .na")),
            ("::con", Some("2 .con")),
            ("x + ", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(shown(text).as_deref(), wanted, "{text}");
        }
        let word = Word::at_end_of("fun");
        assert_eq!(word.iter().flat_map(Word::keywords).collect::<Vec<_>>(), ["function"]);
    }
    #[test]
    fn a_call_is_what_is_open() {
        let shown = |text: &str| {
            Call::at_end_of(text).map(|call| {
                let sign = if call.name.is_method { ":" } else { "." };
                format!(
                    "{}{sign}{} {}{}",
                    call.name.path.join("."),
                    call.name.prefix,
                    call.before,
                    if call.is_begun { "+" } else { "" }
                )
            })
        };
        let cases = [
            ("print(", Some(".print 0")),
            ("x = process.spawn(", Some("process.spawn 0")),
            ("process.spawn('a:b'", Some("process.spawn 0+")),
            ("process.spawn('a, (b', ", Some("process.spawn 1")),
            ("process.spawn(f(1, 2), g", Some("process.spawn 1+")),
            ("process.spawn(f(1, ", Some(".f 1")),
            ("ch:send(", Some("ch:send 0")),
            ("ch:send({ 1, ", None),
            ("ch:send({ 1, 2 }", Some("ch:send 0+")),
            ("f('x", None),
            ("f(-- a remark", None),
            ("f(-- a remark\n", Some(".f 0")),
            ("f(1 - ", Some(".f 0+")),
            ("f('\\'', ", Some(".f 1")),
            ("f()", None),
            ("1, 2", None),
            ("function(", None),
            ("(", None),
            ("x)", None),
            ("f()(", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(shown(text).as_deref(), wanted, "{text}");
        }
        assert_eq!(Call::at_end_of(&format!("f({}", " ".repeat(5_000))), None);
    }
}
