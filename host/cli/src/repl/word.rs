//! The word before the cursor, as far as it can be completed: a name behind names.
//!
//! Owns what counts as one. What names there are, it doesn't know, but for Lua's own words.

/// Lua's own words.
const KEYWORDS: [&str; 22] = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil",
    "not", "or", "repeat", "return", "then", "true", "until", "while",
];

/// A name that isn't complete, and the names before it: `process.registry.re`, `ch:rec`.
#[derive(Debug, PartialEq, Eq)]
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
        KEYWORDS.into_iter().filter(|word| self.path.is_empty() && word.starts_with(&self.prefix))
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
    use super::Word;

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
}
