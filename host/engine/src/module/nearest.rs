//! "Did you mean": the nearest of the words that would have been right.
//!
//! Owns what counts as near. Never guesses among things that have nothing in common with what was written.

/// Longer words cost a quadratic comparison, and nobody misspells a name of this length by two letters.
const MOST: usize = 255;

/// The question that names the candidate that was probably meant.
pub fn did_you_mean<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(wrong, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// The candidate that was probably meant.
pub(crate) fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if wrong.len() > MOST {
        return None;
    }
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
