//! "Did you mean": the nearest of the words that would have been right.
//!
//! Owns the words. What counts as near is the engine's, which says the same to scripts.

use lunarium_engine::did_you_mean;

/// A hint for a wrong word: the nearest right one, else all of them when they are few.
pub fn hint(wrong: &str, candidates: &[&str]) -> Option<String> {
    did_you_mean(wrong, candidates.iter().copied()).or_else(|| all(candidates))
}

/// How many words a hint lists.
const LISTED: usize = 12;

fn all(candidates: &[&str]) -> Option<String> {
    match candidates {
        [] => None,
        [only] => Some(format!("there is only `{only}`")),
        _ if candidates.len() <= LISTED => Some(format!("there are {}", list(candidates))),
        _ => {
            let shown = candidates.get(..LISTED).unwrap_or_default();
            Some(format!("there are {} and {} more", list(shown), candidates.len().saturating_sub(LISTED)))
        }
    }
}

fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
