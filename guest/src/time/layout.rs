//! Go's layouts of times, `2006-01-02 15:04:05`: recognised, so that who writes one is told what it is called here. Owns what
//! counts as one, and its translation to strftime's language. Formats nothing.

/// What stands for what; longer ones before their beginnings.
const PARTS: [(&str, &str); 30] = [
    ("January", "%B"),
    ("Monday", "%A"),
    ("2006", "%Y"),
    ("Z07:00", "%:z"),
    ("-07:00", "%:z"),
    ("Z0700", "%z"),
    ("-0700", "%z"),
    (".000000000", "%.9f"),
    (".999999999", "%.f"),
    (".000000", "%.6f"),
    (".999999", "%.f"),
    (".000", "%.3f"),
    (".999", "%.f"),
    ("Jan", "%b"),
    ("Mon", "%a"),
    ("MST", "%Z"),
    ("15", "%H"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("_2", "%e"),
    ("PM", "%p"),
    ("pm", "%P"),
    ("1", "%-m"),
    ("2", "%-d"),
    ("3", "%-I"),
    ("4", "%-M"),
];

/// Parts that nobody writes for themselves: one of them, and it is a layout.
const SURE: [&str; 8] = ["2006", "January", "Jan", "Monday", "Mon", "MST", "15:04", "3:04"];

/// What the layout is as a pattern of strftime's; none: it isn't one.
pub fn strftime(text: &str) -> Option<String> {
    if text.contains('%') || !SURE.iter().any(|part| text.contains(part)) {
        return None;
    }
    let mut pattern = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let part = PARTS.iter().find(|(part, _)| rest.starts_with(part));
        let (length, meant) = part.map_or((first.len_utf8(), None), |(part, meant)| (part.len(), Some(*meant)));
        let (taken, after) = rest.split_at(length);
        pattern.push_str(meant.unwrap_or(taken));
        rest = after;
    }
    Some(pattern)
}
