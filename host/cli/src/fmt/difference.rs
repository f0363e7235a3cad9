//! How a source differs from its layout.
//!
//! Owns the form: pieces of lines as they are and as they should be, each below its place. The two have the same lines but for blank ones,
//! so that nothing has to be searched.

use std::fmt::Write as _;

/// Lines that are shown of one file. At the limit: the rest is counted.
const MOST: usize = 200;

/// The differing lines.
pub fn difference(shown: &str, before: &str, after: &str) -> String {
    let mut old = before.split_terminator('\n').enumerate().peekable();
    let mut new = after.split_terminator('\n').peekable();
    let mut all = Shown { shown, text: String::new(), left: MOST, more: 0, place: None };
    loop {
        match (old.peek().copied(), new.peek().copied()) {
            (None, None) => return all.finish(),
            (Some((_, line)), Some(other)) if line == other => {
                all.place = None;
                (_, _) = (old.next(), new.next());
            }
            // A blank line too many.
            (Some((place, line)), other) if is_blank(line) && other.is_none_or(|other| !is_blank(other)) => {
                all.line(place, '-', line);
                old.next();
            }
            (Some((place, line)), Some(other)) => {
                // What changes together stands together.
                let (mut lines, mut others) = (vec![(place, line)], vec![other]);
                (_, _) = (old.next(), new.next());
                while let (Some(&(place, line)), Some(&other)) = (old.peek(), new.peek())
                    && line != other
                    && is_blank(line) == is_blank(other)
                {
                    lines.push((place, line));
                    others.push(other);
                    (_, _) = (old.next(), new.next());
                }
                lines.into_iter().for_each(|(place, line)| all.line(place, '-', line));
                others.into_iter().for_each(|line| all.line(place, '+', line));
            }
            (Some((place, line)), None) => {
                all.line(place, '-', line);
                old.next();
            }
            (None, Some(line)) => {
                all.line(before.lines().count(), '+', line);
                new.next();
            }
        }
    }
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}

struct Shown<'s> {
    shown: &'s str,
    text: String,
    left: usize,
    more: usize,
    /// Something was shown right before.
    place: Option<usize>,
}

impl Shown<'_> {
    fn line(&mut self, place: usize, sign: char, line: &str) {
        let Some(left) = self.left.checked_sub(1) else {
            self.more += 1;
            return;
        };
        self.left = left;
        // A text can't fail.
        if self.place.is_none() {
            let _ = writeln!(self.text, "{}:{}", self.shown, place + 1);
        }
        self.place = Some(place);
        let _ = writeln!(self.text, "{sign}{line}");
    }

    fn finish(mut self) -> String {
        if self.text.is_empty() {
            // They differ in the end of the last line alone.
            let _ = writeln!(self.text, "{}: the last line has no end", self.shown);
        }
        if self.more > 0 {
            let _ = writeln!(self.text, "… {} more lines of {}", self.more, self.shown);
        }
        self.text
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::{MOST, difference};

    #[test]
    fn lines_that_differ_stand_below_their_place() {
        expect![[r#"
            a.lua:1
            -x=1
            +x = 1
            a.lua:3
            -
            a.lua:5
            - f( )
            -g( )
            +f()
            +g()
        "#]]
        .assert_eq(&difference("a.lua", "x=1\n\n\ny = 2\n f( )\ng( )\n", "x = 1\n\ny = 2\nf()\ng()\n"));
        expect![[r#"
            a.lua:2
            -
            -
        "#]]
        .assert_eq(&difference("a.lua", "x = 1\n\n\n", "x = 1\n"));
        expect![["a.lua: the last line has no end\n"]].assert_eq(&difference("a.lua", "x = 1", "x = 1\n"));
    }

    #[test]
    fn of_many_lines_the_rest_is_counted() {
        let text = difference("a.lua", &" x\n".repeat(MOST), &"x\n".repeat(MOST));
        assert_eq!(text.lines().count(), 1 + MOST + 1);
        assert_eq!(text.lines().last(), Some(format!("… {MOST} more lines of a.lua").as_str()));
    }
}
