//! Making a failing script short. Owns which steps are left out. Does not know what a step means.

/// The shortest script found that still fails: leaves out halves, quarters, … and at last single steps, until no
/// single step can be left out.
pub fn shrink<S: Clone>(script: &[S], fails: impl Fn(&[S]) -> bool) -> Vec<S> {
    let mut short = script.to_vec();
    let mut chunk = short.len().div_ceil(2);
    while chunk > 0 {
        let before = short.len();
        let mut start = 0;
        while start < short.len() {
            let mut candidate = short.clone();
            candidate.drain(start..short.len().min(start + chunk));
            if fails(&candidate) {
                short = candidate;
            } else {
                start += chunk;
            }
        }
        // A step may become needless when a later one is gone: single steps are tried until nothing changes.
        if chunk > 1 || short.len() == before {
            chunk /= 2;
        }
    }
    short
}
