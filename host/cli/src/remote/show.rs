//! Tables, and figures as people read them.
//!
//! Owns that a cell is one line in which nothing is invisible: much of what is shown was made by scripts.

use serde_json::Value;

use crate::terminal::one_line;

/// Rows below their heads, in columns as wide as they need; what is a figure stands on the right.
pub fn table(heads: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| one_line(cell)).collect()).collect();
    let width = |place: usize| {
        let cells = rows.iter().filter_map(|row| row.get(place)).map(|cell| cell.chars().count());
        cells.chain(heads.get(place).map(|head| head.len())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let is_figure = |place: usize| {
        let mut cells = rows.iter().filter_map(|row| row.get(place)).filter(|cell| *cell != "-").peekable();
        cells.peek().is_some() && cells.all(|cell| cell.starts_with(|first: char| first.is_ascii_digit()))
    };
    let figures: Vec<bool> = (0..heads.len()).map(is_figure).collect();
    let line = |cells: Vec<&str>| {
        let cells = cells.iter().zip(&widths).zip(&figures).map(|((cell, width), figure)| {
            let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
            if *figure { padding + cell } else { (*cell).to_owned() + &padding }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head = line(heads.to_vec());
    std::iter::once(head).chain(rows.iter().map(|row| line(row.iter().map(String::as_str).collect()))).collect()
}

/// A field that is a text; `-` where there is none.
pub fn text(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(text)) if !text.is_empty() => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => "-".to_owned(),
    }
}

/// A field that is a count.
pub fn count(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or(0)
}

/// A field that is a number of seconds.
pub fn number(value: &Value, name: &str) -> f64 {
    value.get(name).and_then(Value::as_f64).unwrap_or(0.0)
}

/// A field that is a list; nothing where there is none.
pub fn items<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Texts of a list.
pub fn list(value: &Value, name: &str) -> Vec<String> {
    items(value, name).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Bytes in the largest unit of which there is one at least.
pub fn size(bytes: u64) -> String {
    const UNITS: [(&str, u32); 4] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    match UNITS.iter().find(|(_, shift)| bytes >> shift > 0) {
        Some((unit, shift)) => {
            let tenths = bytes.checked_shr(shift.saturating_sub(4)).unwrap_or(0).saturating_mul(10) >> 4;
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
        None => format!("{bytes} B"),
    }
}

/// A time span in its two largest units.
pub fn span(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{:.1}s", seconds.max(0.0));
    }
    let whole = std::time::Duration::from_secs_f64(seconds.min(1e12)).as_secs();
    let (days, hours, minutes) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes}m{:02}s", whole % 60),
        (0, _) => format!("{hours}h{minutes:02}m"),
        _ => format!("{days}d{hours:02}h"),
    }
}

/// CPU time.
pub fn cpu(seconds: f64) -> String {
    if seconds < 60.0 { format!("{seconds:.2}s") } else { span(seconds) }
}

/// A budget: `12.0 MiB of 64.0 MiB`.
pub fn held(tenant: &Value, budget: &str) -> (u64, Option<u64>) {
    let held = items(tenant, "budgets").iter().find(|held| held.get("name").and_then(Value::as_str) == Some(budget));
    let held = held.cloned().unwrap_or_default();
    (count(&held, "used"), held.get("limit").and_then(Value::as_u64))
}

/// The rows of a table of processes as objects.
pub fn rows(answer: &Value) -> Vec<Value> {
    let columns = list(answer, "columns");
    let rows = items(answer, "rows").iter().filter_map(Value::as_array);
    rows.map(|row| Value::Object(columns.iter().cloned().zip(row.iter().cloned()).collect())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{cpu, rows, size, span, table};

    #[test]
    fn columns_are_as_wide_as_they_need_and_nothing_in_them_is_invisible() {
        let cell = str::to_owned;
        let rows = [vec![cell("a\x1b[2J\n"), cell("5")], vec![cell("long name"), cell("10")]];
        assert_eq!(table(&["NAME", "N"], &rows), ["NAME         N", "a\\x1b[2J\\n   5", "long name   10"]);
        assert_eq!(table(&["NAME"], &[]), ["NAME"]);
    }

    #[test]
    fn figures_are_short() {
        let sizes = [0, 1023, 1024, 1536, (1 << 20) - 1, 64 << 20, u64::MAX].map(size);
        assert_eq!(sizes, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1023.9 KiB", "64.0 MiB", "16777215.9 TiB"]);
        let spans = [0.0, 59.94, 60.0, 3_599.0, 3_600.0, 90_000.0, -1.0, f64::MAX].map(span);
        assert_eq!(spans[..7], ["0.0s", "59.9s", "1m00s", "59m59s", "1h00m", "1d01h", "0.0s"]);
        assert_eq!((cpu(0.125), cpu(61.0)), ("0.12s".to_owned(), "1m01s".to_owned()));
    }

    #[test]
    fn rows_have_the_names_of_their_columns() {
        let answer = json!({"columns": ["pid", "names"], "rows": [["{a|0x1}", ["x"]]]});
        assert_eq!(rows(&answer), [json!({"pid": "{a|0x1}", "names": ["x"]})]);
    }
}
