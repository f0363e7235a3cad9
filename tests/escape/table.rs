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

/// The whole page, `docs/escape.md`.
pub fn markdown(results: &[(&str, Vec<Row>)]) -> String {
    let count: usize = results.iter().map(|(_, rows)| rows.len()).sum();
    let mut text = format!("{}\n{}\n", HEAD.replace("{count}", &count.to_string()), summary(results));
    for (title, rows) in results {
        text.push_str(&format!("## {title}\n\n"));
        text.push_str("| tried | what must happen | what happened | neighbour's worst delay | left behind |\n");
        text.push_str("|---|---|---|---|---|\n");
        for row in rows {
            let cells = [row.tried, &code(row.must), &happened(row), &late(row), &left(row)];
            text.push_str(&format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")));
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}

const HEAD: &str = "\
# The escape corpus

{count} attacks on a node: by scripts, by hostile components in the guest's place, and by what an embedder's code does. `cargo test`
runs each and requires that it ends as the table says, that a process of another node on the same engine ticked on, and that all is
back where it was: processes, links, names and what is charged on its node; heap, file handles and threads of the program.

The delays are measured and required of nobody: by how much the neighbour, which ticks every five milliseconds, was late at worst.
This page is written by `just escape-page`, on two cores, with a build for tests. `just escape` prints the tables, `just escape WORD`
those of the attacks that have this word.

A case of your own takes five lines in `tests/escape/attacks`, a hostile component in `tests/escape/hostile`.
";

/// How many there were of each kind, and the worst delay.
fn summary(results: &[(&str, Vec<Row>)]) -> String {
    let mut text = "| attacks | | as they must | neighbour's median and worst delay |\n|---|---|---|---|\n".to_owned();
    for (title, rows) in results {
        let passed = rows.iter().filter(|row| row.passed).count();
        let mut delays: Vec<Duration> = rows.iter().filter_map(|row| row.late).collect();
        delays.sort_unstable();
        let median = delays.get(delays.len() / 2).copied().unwrap_or_default();
        let worst = delays.last().copied().unwrap_or_default();
        text.push_str(&format!("| {title} | {} | {passed} | {}, {} |\n", rows.len(), time(median), time(worst)));
    }
    text
}

/// Where only one thing may happen, that it did says all.
fn happened(row: &Row) -> String {
    match (row.passed, row.must == row.happened) {
        (true, true) => "that".to_owned(),
        (true, false) => format!("`{}`", row.happened),
        (false, _) => format!("**`{}`**", row.happened),
    }
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
