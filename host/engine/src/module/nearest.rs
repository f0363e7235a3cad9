//! "Did you mean", as a question. Owns the sentence; what counts as near is the contract's, as scripts are told the same.

/// The question that names the candidate that was probably meant.
pub fn did_you_mean<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(wrong, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// The candidate that was probably meant.
pub fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    lunarium_contract::nearest(wrong, candidates, |candidate| candidate)
}
