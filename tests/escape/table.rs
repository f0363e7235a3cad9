//! The table of what happened, for a terminal and as Markdown. Owns its form.

use std::fmt::Write as _;
use std::time::Duration;

use crate::runner::Row;

pub fn heading(title: &str) -> String {
    format!("{title}\n{:<58} {:<44} {:>9} {:>8}  left behind", "tried", "what must happen", "neighbour", "took")
}

/// One line; a second and a third where something else happened.
pub fn line(row: &Row) -> String {
    let mut text = format!("{:<58} {:<44} {:>9} {:>8}  {}", row.tried, row.must, late(row), time(row.took), left(row));
    if !row.passed {
        write!(text, "\n    FAILED: {}", row.happened).expect("text");
    }
    text
}

pub fn markdown(results: &[(&str, Vec<Row>)]) -> String {
    let mut text = String::new();
    for (title, rows) in results {
        write!(
            text,
            "\n## {title}\n\n| tried | what must happen | what happened | neighbour's worst delay | left behind |\n"
        )
        .expect("text");
        text.push_str("|---|---|---|---|---|\n");
        for row in rows {
            let happened = if row.passed { happened(row) } else { format!("**{}**", row.happened) };
            let cells =
                [row.tried, &code(row.must), &happened, &late(row), &left(row)].map(|cell| cell.replace('|', "\\|"));
            writeln!(text, "| {} |", cells.join(" | ")).expect("text");
        }
    }
    text
}

/// Where only one thing may happen, that it did says all.
fn happened(row: &Row) -> String {
    if row.must == row.happened { "that".to_owned() } else { format!("`{}`", row.happened) }
}

fn code(must: &str) -> String {
    must.split(" or ").map(|end| format!("`{end}`")).collect::<Vec<_>>().join(" or ")
}

fn late(row: &Row) -> String {
    row.late.map_or_else(|| "gone".to_owned(), time)
}

fn left(row: &Row) -> String {
    if row.left.is_empty() { "nothing".to_owned() } else { row.left.clone() }
}

fn time(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
