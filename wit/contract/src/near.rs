//! The nearest of the words that would have been right: what "did you mean" names, to scripts and in reports. Owns what counts as
//! near. Never guesses among things that have nothing in common with what was written.

/// Characters of a word that is compared. Comparing takes time with the square, and nobody misspells a longer name by a few letters.
const MOST: usize = 64;

/// The candidate that was probably meant, by the text of each. Of equally near ones the first.
///
/// A third of the letters may differ: `methd` finds `method`, `x` finds nothing. Large letters are as good as small ones.
pub fn nearest<T>(wrong: &str, candidates: impl IntoIterator<Item = T>, text: impl Fn(&T) -> &str) -> Option<T> {
    let wrong = Word::new(wrong)?;
    let budget = wrong.length.max(3) / 3;
    let mut best = None;
    let mut least = budget.saturating_add(1);
    for candidate in candidates {
        let Some(word) = Word::new(text(&candidate)) else { continue };
        // Each letter more or less is a difference: cheap to see, where the comparison is quadratic.
        if word.length.abs_diff(wrong.length) >= least {
            continue;
        }
        let distance = wrong.distance(&word);
        if distance < least {
            (best, least) = (Some(candidate), distance);
        }
    }
    best
}

/// A word of small letters.
struct Word {
    letters: [char; MOST],
    length: usize,
}

impl Word {
    /// None: it is too long.
    fn new(text: &str) -> Option<Self> {
        let mut word = Self { letters: ['\0'; MOST], length: 0 };
        for letter in text.chars() {
            *word.letters.get_mut(word.length)? = letter.to_lowercase().next().unwrap_or(letter);
            word.length = word.length.saturating_add(1);
        }
        Some(word)
    }

    fn letter(&self, place: usize) -> Option<char> {
        self.letters.get(..self.length)?.get(place).copied()
    }

    /// Letters to add, to leave out, to change, and neighbours to swap.
    #[expect(clippy::indexing_slicing, reason = "a row has one place more than a word has letters")]
    fn distance(&self, other: &Self) -> usize {
        let mut rows = [[0_usize; MOST + 1]; 3];
        let [before, above, row] = &mut rows;
        for (place, cost) in above.iter_mut().enumerate() {
            *cost = place;
        }
        for line in 1..=self.length {
            row[0] = line;
            for place in 1..=other.length {
                let (mine, theirs) = (self.letter(line - 1), other.letter(place - 1));
                let mut cost = above[place - 1] + usize::from(mine != theirs);
                cost = cost.min(above[place] + 1).min(row[place - 1] + 1);
                let swapped =
                    line > 1 && place > 1 && mine == other.letter(place - 2) && self.letter(line - 2) == theirs;
                if swapped {
                    cost = cost.min(before[place - 2] + 1);
                }
                row[place] = cost;
            }
            core::mem::swap(before, above);
            core::mem::swap(above, row);
        }
        above[other.length]
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    fn find<'w>(wrong: &str, words: &[&'w str]) -> Option<&'w str> {
        nearest(wrong, words.iter().copied(), |word| word)
    }

    #[test]
    fn slips_of_the_fingers_are_near() {
        for (wrong, right) in [
            ("pirnt", "print"),
            ("methd", "method"),
            ("spwan", "spawn"),
            ("Spawn", "spawn"),
            ("slep", "sleep"),
            ("über", "Über"),
        ] {
            assert_eq!(find(wrong, &["other", right, "else"]), Some(right), "{wrong}");
        }
    }

    #[test]
    fn other_words_are_not() {
        for wrong in ["x", "", "send", "a_name_that_nobody_has"] {
            assert_eq!(find(wrong, &["print", "spawn", "method"]), None, "{wrong}");
        }
        let long = ["a"; 65].concat();
        assert_eq!(find(&long, &[&long]), None);
    }

    #[test]
    fn the_nearest_is_found_wherever_it_stands() {
        assert_eq!(find("nmae", &["nave", "name", "nmas"]), Some("name"));
        assert_eq!(find("abcx", &["abcy", "abcz"]), Some("abcy"));
    }
}
