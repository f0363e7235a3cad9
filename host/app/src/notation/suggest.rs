//! "Did you mean": the nearest of the words that would have been right.
//!
//! Owns what counts as near. Never guesses among things that have nothing in common with what was written.

/// The candidate that was probably meant.
fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the letters may differ: `methd` finds `method`, `x` finds nothing.
    let length = wrong.chars().count();
    let budget = length.max(3) / 3;
    candidates
        .into_iter()
        // Each letter more or less is a difference: cheap to see, where the comparison is quadratic.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= budget)
        .map(|candidate| (strsim::damerau_levenshtein(&wrong.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= budget)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A hint for a wrong word: the nearest right one, else all of them when they are few.
pub fn hint(wrong: &str, candidates: &[&str]) -> Option<String> {
    nearest_hint(wrong, candidates.iter().copied()).or_else(|| all(candidates))
}

/// A hint for a wrong word where the right ones are many: the nearest, or none.
pub(crate) fn nearest_hint<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // Longer words would cost a quadratic comparison, and nobody misspells a name of this length by two letters.
    let candidate = if wrong.len() <= 255 { nearest(wrong, candidates) } else { None };
    candidate.map(|candidate| format!("did you mean `{candidate}`?"))
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
