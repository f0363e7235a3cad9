//! What an entry runs: a table without the function that was meant.
//!
//! Owns when that is likely. A table without `main` is a service of calls, and no mistake: only what looks like a slip of the fingers is told.
//! An entry that says what it runs has to have that.

use std::collections::BTreeMap;

use lunarium_engine::{Globals, Named};

use crate::application::{App, MAIN, Program};
use crate::report::Mistake;

/// Functions of a table that are named.
const NAMED: usize = 5;

/// A warning for each entry whose table lacks what it runs, and has what was probably meant.
pub(crate) fn misspelt(app: &App, checked: &[(&Program, &Globals)]) -> Vec<Mistake> {
    let by_chunk: BTreeMap<&str, _> =
        checked.iter().map(|(program, globals)| (&*program.chunk.name, (*program, *globals))).collect();
    let warning = |definition: &lunarium_engine::Definition| {
        let (program, globals) = by_chunk.get(&*definition.chunk.name)?;
        let fields = &globals.returned;
        let method = definition.method.as_deref().unwrap_or(MAIN);
        if fields.is_empty() || fields.iter().any(|field| field.name == method) {
            return None;
        }
        let id = &definition.entry;
        let meant = |found: &Named| format!("`{}` may be meant to be `{method}`", found.name);
        let (found, message, hint) = match &definition.method {
            None => {
                let found = fields.iter().find(|field| is_slip_of_main(&field.name))?;
                let message = format!("`{id}` has no function `main`: it serves calls, and does nothing by itself");
                (found, message, meant(found))
            }
            Some(method) => {
                let near = nearest(method, fields);
                let found = near.or_else(|| fields.first())?;
                let named: Vec<_> = fields.iter().take(NAMED).map(|field| format!("`{}`", field.name)).collect();
                let there = || format!("its table has {}", named.join(", "));
                let message = format!("`{id}` has no function `{method}` to run");
                (found, message, near.map_or_else(there, meant))
            }
        };
        let warning = Mistake::warning(message).hint(Some(hint));
        Some(super::at(program, found.line, &found.name, warning))
    };
    app.definitions().iter().filter_map(warning).collect()
}

fn nearest<'f>(method: &str, fields: &'f [Named]) -> Option<&'f Named> {
    lunarium_contract::nearest(method, fields, |field| &field.name)
}

/// Its letters in another order, or with one doubled, or large ones: no word of a language is any of these, as `mail` and `min` are
/// that are as near.
fn is_slip_of_main(name: &str) -> bool {
    let mut letters: Vec<char> = name.to_lowercase().chars().filter(|letter| *letter != '_').collect();
    letters.sort_unstable();
    letters.dedup();
    name.len() <= MAIN.len() + 1 && letters == ['a', 'i', 'm', 'n']
}

#[cfg(test)]
mod tests {
    use super::is_slip_of_main;

    #[test]
    fn words_are_no_slips() {
        for slip in ["mian", "Main", "MAIN", "amin", "mani", "maain", "mainn", "main_", "_main"] {
            assert!(is_slip_of_main(slip), "{slip}");
        }
        for word in ["min", "mail", "man", "name", "aim", "gain", "maintain", "domain", "animation", "a", ""] {
            assert!(!is_slip_of_main(word), "{word}");
        }
    }
}
