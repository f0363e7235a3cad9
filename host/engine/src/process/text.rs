//! Which characters of a text people can see.
//!
//! Owns the rule that keeps a script's text what it looks like: nothing in it moves the cursor, turns the direction of what
//! follows, breaks the line for some readers only, or can't be seen at all. How such a character is spelled instead is up
//! to whoever shows the text.

use std::fmt::Write as _;

/// The general category Cf, format characters, in Unicode 17: it changes by a few characters in a decade.
const FORMAT: [(char, char); 21] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{2064}'),
    ('\u{2066}', '\u{206f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{fff9}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0001}', '\u{e0001}'),
    ('\u{e0020}', '\u{e007f}'),
];

/// The characters of a text, each with whether it can stand as it is.
///
/// It can't by its general category: Cc (control characters; tab and newline are two, which a caller may let stand), Cf
/// (format characters: changes of direction, zero-width ones, tags), Zl and Zp (line and paragraph separator). One
/// exception: the two joiners, U+200C and U+200D, stand after a character that is seen and isn't ASCII, where scripts such
/// as Persian and many emoji need them.
pub fn visibility(text: &str) -> impl Iterator<Item = (char, bool)> + '_ {
    text.chars().scan(None, |before: &mut Option<char>, character| {
        let joins = matches!(character, '\u{200c}' | '\u{200d}')
            && before.is_some_and(|before| !before.is_ascii() && !is_hidden(before));
        *before = Some(character);
        Some((character, joins || !is_hidden(character)))
    })
}

/// JSON in which everything that can't be seen is an escape: JSON lets more stand than ASCII's control characters. A newline stands,
/// as between the fields where it is written for people.
pub fn visible_json(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for (character, stands) in visibility(text) {
        if stands || character == '\n' {
            line.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String can't fail.
                let _ = write!(line, "\\u{unit:04x}");
            }
        }
    }
    line
}

fn is_hidden(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}')
        || FORMAT.iter().any(|(first, last)| (*first..=*last).contains(&character))
}

#[cfg(test)]
mod tests {
    use super::visibility;

    #[test]
    fn what_is_not_seen_can_not_stand() {
        let hidden = [
            ("controls", "\0\t\n\x1b\x7f\u{80}\u{9b}\u{9f}"),
            ("directions", "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2069}\u{206f}"),
            ("line and paragraph separator", "\u{2028}\u{2029}"),
            ("zero-width", "\u{200b}\u{2060}\u{feff}\u{ad}\u{180e}\u{2061}\u{2064}"),
            ("joiners without something to join", "\u{200c}\u{200d}"),
            ("annotations", "\u{fff9}\u{fffa}\u{fffb}"),
            ("musical and other format characters", "\u{1d173}\u{1d17a}\u{110bd}\u{13430}\u{1bca0}"),
            ("tags", "\u{e0001}\u{e0020}\u{e0041}\u{e007f}"),
        ];
        for (what, text) in hidden {
            let standing: Vec<char> = visibility(text).filter(|(_, stands)| *stands).map(|(c, _)| c).collect();
            assert!(standing.is_empty(), "{what}: {standing:?}");
        }
    }

    #[test]
    fn what_people_write_can_stand() {
        let seen = [
            ("ASCII", "a Z~\\\"'"),
            ("Latin with combining marks", "e\u{301} ß \u{a0}\u{202f}—"),
            ("right to left", "שלום سلام"),
            ("Persian with a non-joiner", "می\u{200c}خواهم"),
            ("Devanagari with a joiner", "क\u{94d}\u{200d}ष"),
            ("wide spaces", "日\u{3000}本"),
            ("emoji of several", "👩\u{200d}👩\u{200d}👧 ❤\u{fe0f}\u{200d}🔥"),
            ("replaced and private", "\u{fffd}\u{e000}\u{10ffff}"),
        ];
        for (what, text) in seen {
            let hidden: Vec<char> = visibility(text).filter(|(_, stands)| !*stands).map(|(c, _)| c).collect();
            assert!(hidden.is_empty(), "{what}: {hidden:?}");
        }
    }

    #[test]
    fn a_joiner_hides_nothing() {
        let hidden = |text| visibility(text).filter(|(_, stands)| !stands).count();
        assert_eq!(hidden("ad\u{200d}min"), 1);
        assert_eq!(hidden("é\u{200d}\u{200c}\u{200d}\u{200c}"), 3);
        assert_eq!(hidden("\u{202e}\u{200d}"), 2);
    }
}
