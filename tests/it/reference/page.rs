//! The page of a module, made from its stubs. Owns how the reference looks.

use std::fmt::Write;

use super::stub::{Entry, Item, Module, Named, Subject};

/// The whole page.
pub fn page(module: &Module) -> String {
    let mut page = format!("<!-- Made from docs/library/{0}.lua: change that. -->\n\n# {0}\n", module.name);
    let sections = module.items.iter().any(|item| matches!(item, Item::Section(_)));
    let mut first = true;
    for item in &module.items {
        match item {
            Item::Section(title) => {
                let _ = write!(page, "\n## {title}\n");
            }
            Item::Entry(entry) => {
                // The first is the module itself, under the page's title.
                if !std::mem::take(&mut first) {
                    let _ = write!(page, "\n{} {}\n", if sections { "###" } else { "##" }, title(entry));
                }
                body(entry, &mut page);
            }
        }
    }
    page
}

/// What the index says of a module: the first sentence of its text.
pub fn summary(module: &Module) -> String {
    let text = module.entries().next().expect("a module is documented").text.join(" ");
    match text.split_once(". ") {
        Some((sentence, _)) => format!("{sentence}."),
        None => text,
    }
}

fn title(entry: &Entry) -> String {
    match &entry.subject {
        Subject::Nothing => String::new(),
        Subject::Function { .. } => format!("`{}`", signature(entry)),
        Subject::Class { name, variable, global: true } if name.contains('.') => format!("`{variable}`"),
        Subject::Class { name, .. } | Subject::Alias { name } => format!("Type `{name}`"),
    }
}

/// `process.cancel(destination [, deadline])`
pub fn signature(entry: &Entry) -> String {
    let Subject::Function { name, parameters } = &entry.subject else { return String::new() };
    let mut text = format!("{name}(");
    let mut open = 0;
    for (place, parameter) in parameters.iter().enumerate() {
        let optional = entry.parameters.iter().any(|known| known.name == format!("{parameter}?"));
        let comma = if place == 0 { "" } else { ", " };
        if optional {
            text.push_str(if place == 0 { "[" } else { " [" });
            open += 1;
        }
        text.push_str(comma);
        text.push_str(parameter);
    }
    text.push_str(&"]".repeat(open));
    text.push(')');
    text
}

fn body(entry: &Entry, page: &mut String) {
    if !entry.text.is_empty() {
        let _ = write!(page, "\n{}\n", entry.text.join("\n"));
    }
    let literals = matches!(entry.subject, Subject::Alias { .. });
    rows(page, "parameter", &entry.parameters);
    rows(page, if literals { "value" } else { "field" }, &entry.fields);
    rows(page, "result", &entry.results);
    if !entry.errors.is_empty() {
        page.push_str("\n| error | when |\n|---|---|\n");
        for (kind, when) in &entry.errors {
            let _ = writeln!(page, "| {kind} | {} |", cell(when));
        }
    }
    if let Some(permission) = &entry.permission {
        let _ = write!(page, "\nPermission: {permission}\n");
    }
    if let Some(example) = &entry.example {
        let _ = write!(page, "\n```lua\n{example}```\n");
    }
}

fn rows(page: &mut String, what: &str, rows: &[Named]) {
    if rows.is_empty() {
        return;
    }
    let typed = rows.iter().any(|row| !row.kind.is_empty());
    page.push_str(&if typed {
        format!("\n| {what} | type | |\n|---|---|---|\n")
    } else {
        format!("\n| {what} | |\n|---|---|\n")
    });
    for row in rows {
        let _ = write!(page, "| `{}` | ", cell(row.name.trim_end_matches('?')));
        if typed {
            let _ = write!(page, "{} | ", kind(row));
        }
        let text = cell(&row.text);
        let _ = writeln!(page, "{text}{}|", if text.is_empty() { "" } else { " " });
    }
}

/// A type in words: `string or nil`.
fn kind(row: &Named) -> String {
    let optional = row.name.ends_with('?');
    let (bare, nil) = match row.kind.strip_suffix('?') {
        Some(bare) => (bare, " or nil"),
        None => (row.kind.as_str(), ""),
    };
    let parts: Vec<_> = alternatives(bare).iter().map(|part| format!("`{}`", cell(part))).collect();
    format!("{}{nil}{}", parts.join(" or "), if optional { ", optional" } else { "" })
}

/// The parts between `|`s that stand in no brackets.
fn alternatives(kind: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0_usize, 0, Vec::new());
    for (place, letter) in kind.char_indices() {
        match letter {
            '(' | '{' | '<' | '[' => depth += 1,
            ')' | '}' | '>' | ']' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => {
                parts.push(&kind[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    parts.push(&kind[start..]);
    parts
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
