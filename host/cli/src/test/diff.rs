//! What differs between two texts, line by line.
//!
//! Owns the longest common part, and what is too large to look for one. Knows no colours.

/// Lines of a side. At the limit: both sides are shown one after the other.
const MOST: usize = 400;

/// A line of a diff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'a> {
    Same(&'a str),
    /// Wanted, and isn't there.
    Missing(&'a str),
    /// There, and wasn't wanted.
    Extra(&'a str),
}

/// From what was wanted to what came.
pub fn diff<'a>(want: &'a str, got: &'a str) -> Vec<Change<'a>> {
    let (want, got): (Vec<&str>, Vec<&str>) = (want.split('\n').collect(), got.split('\n').collect());
    let missing = |lines: &[&'a str]| lines.iter().map(|line| Change::Missing(line)).collect::<Vec<_>>();
    if want.len() > MOST || got.len() > MOST {
        return missing(&want).into_iter().chain(got.iter().map(|line| Change::Extra(line))).collect();
    }
    let common = common(&want, &got);
    let length = |w: usize, g: usize| common.get(w).and_then(|row| row.get(g)).copied().unwrap_or_default();
    let (mut w, mut g, mut changes) = (0, 0, Vec::new());
    loop {
        match (want.get(w), got.get(g)) {
            (Some(wanted), Some(came)) if wanted == came => {
                changes.push(Change::Same(wanted));
                (w, g) = (w + 1, g + 1);
            }
            (Some(wanted), Some(_)) if length(w + 1, g) >= length(w, g + 1) => {
                changes.push(Change::Missing(wanted));
                w += 1;
            }
            (Some(wanted), None) => {
                changes.push(Change::Missing(wanted));
                w += 1;
            }
            (_, Some(came)) => {
                changes.push(Change::Extra(came));
                g += 1;
            }
            (None, None) => return changes,
        }
    }
}

/// How many lines the rests have in common, from each pair of places on.
fn common(want: &[&str], got: &[&str]) -> Vec<Vec<usize>> {
    let mut rows = vec![vec![0; got.len() + 1]];
    for wanted in want.iter().rev() {
        let below = rows.last().cloned().unwrap_or_default();
        let mut row = vec![0; got.len() + 1];
        for (place, came) in got.iter().enumerate().rev() {
            let at = |row: &[usize], place: usize| row.get(place).copied().unwrap_or_default();
            let best =
                if wanted == came { at(&below, place + 1) + 1 } else { at(&below, place).max(at(&row, place + 1)) };
            if let Some(slot) = row.get_mut(place) {
                *slot = best;
            }
        }
        rows.push(row);
    }
    rows.reverse();
    rows
}

#[cfg(test)]
mod tests {
    use super::Change::{Extra, Missing, Same};
    use super::{MOST, diff};

    #[test]
    fn what_both_have_stays_and_the_rest_is_told() {
        assert_eq!(diff("a\nb\nc", "a\nx\nc\nd"), [Same("a"), Missing("b"), Extra("x"), Same("c"), Extra("d")]);
        assert_eq!(diff("a", "a"), [Same("a")]);
        assert_eq!(diff("a\nb", "b"), [Missing("a"), Same("b")]);
    }

    #[test]
    fn what_is_too_long_is_told_one_after_the_other() {
        let long = "x\n".repeat(MOST);
        assert_eq!(diff(&long, "x").last(), Some(&Extra("x")));
    }
}
