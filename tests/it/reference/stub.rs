//! A stub file of `docs/library`, read. Owns the notation: doc comments (`---`) before one line of code, LuaLS tags, a
//! list after `Errors:`, an example in a fence. Does not judge: whether what it says is true is `reference.rs`'s.

/// One stub file.
pub struct Module {
    pub name: String,
    pub items: Vec<Item>,
}

/// What stands in a file, in its order.
pub enum Item {
    /// A line `-- # Title`: what follows belongs together.
    Section(String),
    Entry(Entry),
}

/// Something documented.
#[derive(Default)]
pub struct Entry {
    pub subject: Subject,
    /// Markdown, line by line, without what the other fields hold.
    pub text: Vec<String>,
    pub parameters: Vec<Named>,
    pub results: Vec<Named>,
    pub fields: Vec<Named>,
    /// A kind of error, and when it is returned.
    pub errors: Vec<(String, String)>,
    pub permission: Option<String>,
    pub example: Option<String>,
}

/// What is documented.
#[derive(Default)]
pub enum Subject {
    #[default]
    Nothing,
    /// `process.send`, or `message:topic`, which is a method of the class of `message`.
    Function { name: String, parameters: Vec<String> },
    /// A class, and the variable that stands for it: a global table, or a local one for an object.
    Class { name: String, variable: String, global: bool },
    /// A type that is a list of literals, which are the fields.
    Alias { name: String },
}

/// A parameter, a result or a field. A parameter's name ends with `?` when it may be left out.
pub struct Named {
    pub name: String,
    pub kind: String,
    pub text: String,
}

/// Reads a file.
pub fn parse(source: &str) -> Module {
    let mut module = Module { name: String::new(), items: Vec::new() };
    let mut block = Vec::new();
    for line in source.lines().chain([""]) {
        if let Some(title) = line.strip_prefix("-- # ") {
            module.items.push(Item::Section(title.to_owned()));
        } else if let Some(name) = line.strip_prefix("---@meta ") {
            module.name = name.to_owned();
        } else if let Some(comment) = line.strip_prefix("---") {
            block.push(comment);
        } else if !block.is_empty() {
            module.items.push(Item::Entry(entry(&std::mem::take(&mut block), line)));
        } else {
            assert!(line.is_empty() || line.starts_with("return "), "code without a comment: {line}");
        }
    }
    assert!(!module.name.is_empty(), "a stub file begins with `---@meta name`");
    module
}

fn entry(block: &[&str], code: &str) -> Entry {
    let mut entry = Entry::default();
    let mut class = None;
    let mut prose = Vec::new();
    for line in block {
        match line.strip_prefix('@').or_else(|| line.starts_with('|').then_some(*line)) {
            Some(tag) => {
                if let Some(name) = tagged(tag, &mut entry) {
                    class = Some(name);
                }
            }
            None => prose.push(line.strip_prefix(' ').unwrap_or(line)),
        }
    }
    read_prose(&prose, &mut entry);
    if let Some(subject) = subject(code, class) {
        entry.subject = subject;
    }
    assert!(!matches!(entry.subject, Subject::Nothing), "nothing is documented by {block:?}");
    entry
}

/// Reads one tag; gives the name of a class.
fn tagged(tag: &str, entry: &mut Entry) -> Option<String> {
    let (tag, rest) = tag.split_once(' ').unwrap_or((tag, ""));
    match tag {
        "class" => return Some(rest.split(':').next().unwrap_or_default().trim().to_owned()),
        "alias" => entry.subject = Subject::Alias { name: rest.to_owned() },
        "param" => {
            let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            entry.parameters.push(named(name.to_owned(), rest));
        }
        "field" => {
            let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            entry.fields.push(named(name.to_owned(), rest));
        }
        "return" => {
            let (kind, rest) = split_type(rest);
            let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
            entry.results.push(Named { name: name.to_owned(), kind, text: text.trim_start_matches("# ").to_owned() });
        }
        "|" => {
            let (value, text) = rest.split_once(" # ").unwrap_or((rest, ""));
            entry.fields.push(Named { name: value.to_owned(), kind: String::new(), text: text.to_owned() });
        }
        // For editors only.
        "overload" | "nodiscard" | "generic" | "operator" | "diagnostic" | "see" => {}
        other => panic!("unknown tag @{other}"),
    }
    None
}

fn named(name: String, rest: &str) -> Named {
    let (kind, text) = split_type(rest);
    Named { name, kind, text: text.to_owned() }
}

/// The type at the beginning, which goes on inside brackets and after a colon or comma, and the rest.
fn split_type(text: &str) -> (String, &str) {
    let mut depth = 0_usize;
    let mut quoted = false;
    for (place, letter) in text.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '(' | '{' | '<' | '[' => depth += 1,
            ')' | '}' | '>' | ']' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 && !quoted && !text[..place].ends_with([':', ',']) => {
                return (text[..place].to_owned(), text[place..].trim_start());
            }
            _ => {}
        }
    }
    (text.to_owned(), "")
}

/// Sorts the prose: an example, a list of errors, a permission; the rest is text.
fn read_prose(prose: &[&str], entry: &mut Entry) {
    let mut lines = prose.iter().peekable();
    while let Some(line) = lines.next() {
        if *line == "```lua" {
            let mut example = String::new();
            for line in lines.by_ref().take_while(|line| **line != "```") {
                example.push_str(line);
                example.push('\n');
            }
            assert!(entry.example.is_none(), "a second example: {example}");
            entry.example = Some(example);
        } else if *line == "Errors:" {
            while let Some(item) = lines.next_if(|line| line.starts_with("* ") || line.starts_with("  ")) {
                match item.strip_prefix("* ") {
                    Some(item) => {
                        let (kind, when) = item.split_once(": ").expect("an error is `KIND`: when");
                        entry.errors.push((kind.to_owned(), when.to_owned()));
                    }
                    None => {
                        let last = entry.errors.last_mut().expect("a list begins with *");
                        last.1.push(' ');
                        last.1.push_str(item.trim());
                    }
                }
            }
        } else if let Some(permission) = line.strip_prefix("Permission: ") {
            let mut permission = permission.to_owned();
            while let Some(more) = lines.next_if(|line| !line.is_empty() && !line.starts_with("```")) {
                permission.push(' ');
                permission.push_str(more);
            }
            entry.permission = Some(permission);
        } else {
            entry.text.push((*line).to_owned());
        }
    }
    entry.text.dedup_by(|a, b| a.is_empty() && b.is_empty());
    while entry.text.last().is_some_and(String::is_empty) {
        entry.text.pop();
    }
}

fn subject(code: &str, class: Option<String>) -> Option<Subject> {
    if let Some(rest) = code.strip_prefix("function ") {
        let (name, rest) = rest.split_once('(').expect("parameters");
        let parameters = rest.strip_suffix(") end").expect("`) end` closes a stub");
        let parameters = parameters.split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect();
        return Some(Subject::Function { name: name.to_owned(), parameters });
    }
    let name = class?;
    let (variable, _) = code.split_once(" = ").unwrap_or((code, ""));
    Some(match variable.strip_prefix("local ") {
        Some(variable) => Subject::Class { name, variable: variable.to_owned(), global: false },
        None => Subject::Class { name, variable: variable.to_owned(), global: !variable.is_empty() },
    })
}

impl Module {
    /// What is documented, without the sections.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.items.iter().filter_map(|item| match item {
            Item::Section(_) => None,
            Item::Entry(entry) => Some(entry),
        })
    }
}
