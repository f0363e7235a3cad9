//! How `top` looks.
//!
//! Owns the layout. Draws no text that could drive the terminal: all of it is made visible before.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Row, Table, TableState};

use super::state::State;
use crate::terminal::one_line;

const KEYS: &str = "↑↓ choose  Enter open  Esc back  s sort  r reverse  / search  k end a process  q quit";

/// Draws all of it.
pub fn draw(frame: &mut Frame<'_>, state: &mut State) {
    let areas =
        Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Min(1), Constraint::Length(1)]);
    let [title, place, body, foot] = areas.areas(frame.area());
    frame.render_widget(Paragraph::new(state.title.as_str()).style(bold()), title);
    frame.render_widget(Paragraph::new(where_it_is(state)), place);
    if state.process.is_some() {
        let lines: Vec<Line<'_>> = state.lines.iter().skip(state.chosen).map(|line| Line::raw(line.as_str())).collect();
        frame.render_widget(Paragraph::new(lines), body);
    } else {
        table(frame, state, body);
    }
    let told = match (&state.asks, &state.trouble) {
        (Some(pid), _) => format!("ask {} to end, and end it by force after 10 s? y/n", one_line(pid)),
        (None, Some(trouble)) => trouble.clone(),
        (None, None) if state.writes => format!("search: {}▏", one_line(&state.search)),
        (None, None) => KEYS.to_owned(),
    };
    let style = if state.trouble.is_some() { bold() } else { Style::new() };
    frame.render_widget(Paragraph::new(told).style(style), foot);
}

fn bold() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

fn where_it_is(state: &State) -> String {
    let search = if state.search.is_empty() { String::new() } else { format!("   /{}", one_line(&state.search)) };
    match (&state.tenant, &state.process) {
        (None, _) => format!("{} tenants", state.rows.len()),
        (Some(tenant), None) => format!("{} › {} processes{search}", one_line(tenant), state.rows.len()),
        (Some(tenant), Some(pid)) => format!("{} › {}", one_line(tenant), one_line(pid)),
    }
}

fn table(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let (heads, sorted) = state.heads();
    let head = |(place, head): (usize, &&str)| {
        let arrow = if sorted.descending { "▼" } else { "▲" };
        if place == sorted.column { format!("{head}{arrow}") } else { (*head).to_owned() }
    };
    let heads: Vec<String> = heads.iter().enumerate().map(head).collect();
    // Only what can be seen is measured and drawn.
    let height = usize::from(area.height.saturating_sub(1)).max(1);
    let first = state.chosen.saturating_sub(height.saturating_sub(1));
    let shown: Vec<_> = state.rows.iter().skip(first).take(height).collect();
    let width = |place: usize| {
        let cells = shown.iter().filter_map(|row| row.cells.get(place)).map(|cell| cell.chars().count());
        cells.chain(heads.get(place).map(|head| head.chars().count())).max().unwrap_or(1).min(60)
    };
    let widths = (0..heads.len()).map(|place| Constraint::Length(u16::try_from(width(place)).unwrap_or(60)));
    let rows = shown.iter().map(|row| Row::new(row.cells.iter().map(String::as_str)));
    let table = Table::new(rows, widths)
        .header(Row::new(heads.iter().map(String::as_str)).style(bold()))
        .column_spacing(2)
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut choice = TableState::new().with_selected(state.chosen.checked_sub(first));
    frame.render_stateful_widget(table, area, &mut choice);
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
    use serde_json::{Value, json};

    use super::draw;
    use crate::top::state::{Action, State, View};

    fn screen(state: &mut State) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(110, 7)).unwrap();
        terminal.draw(|frame| draw(frame, state)).unwrap();
        let buffer = terminal.backend().buffer().clone();
        let line = |y| (0..110).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
        (0..7).map(line).collect()
    }

    fn press(state: &mut State, code: KeyCode) -> Action {
        state.press(KeyEvent::new(code, KeyModifiers::NONE))
    }

    fn host() -> Value {
        json!({"version": "1.2.3", "uptime_seconds": 61.0, "cpu_seconds": 2.5,
            "budgets": [{"name": "engine.memory", "used": 3 << 20, "limit": 1 << 30}],
            "tenants": {"running": 2, "starting": 0, "failed": 1}})
    }

    fn tenants(cpu: f64) -> Value {
        let tenant = |name: &str, cpu: f64, used: u64| {
            json!({"name": name, "state": "running", "processes": 3, "cpu_seconds": cpu, "messages": 7, "why": null,
                "budgets": [{"name": "node.memory", "used": used, "limit": 8 << 20}]})
        };
        json!({"host": host(), "view": "tenants", "shown": {"tenants": [tenant("shop", cpu, 1 << 20), tenant("bank", 1.0, 2 << 20)]}})
    }

    fn processes() -> Value {
        let columns = [
            "pid",
            "entry",
            "state",
            "cpu_seconds",
            "memory",
            "messages",
            "links",
            "monitors",
            "uptime_seconds",
            "names",
        ];
        json!({"host": host(), "view": "processes", "shown": {"tenant": "shop", "columns": columns, "rows": [
            ["{app:a|0x00001}", "app:a", "waiting", 0.5, 4096, 2, 1, 0, 90.0, ["<script>\u{1b}[2J\u{202e}"]],
            ["{app:a|0x00002}", "app:b", "running", 1.5, 8192, 0, 0, 3, 60.0, []]]}})
    }

    fn process(tenant: &str, pid: &str) -> Value {
        json!({"host": host(), "view": "process", "shown": {"tenant": tenant, "pid": pid}})
    }

    #[test]
    fn tenants_are_shown_sorted_with_what_they_use_now() {
        let mut state = State::new(None);
        state.take(&tenants(1.0), 0.0);
        state.take(&tenants(2.0), 2.0);
        let shown = screen(&mut state);
        assert_eq!(
            shown[0],
            "lunarium 1.2.3   up 1m01s   cpu 2.50s   memory 3.0 MiB of 1.0 GiB   tenants: 2 running, 0 starting, 1 failed"
        );
        assert_eq!(shown[2], "NAME▲  STATE    PROCESSES  CPU%  CPU    MEMORY   LIMIT    MESSAGES  WHY");
        assert_eq!(shown[3], "bank   running  3          0.0   1.00s  2.0 MiB  8.0 MiB  7         -");
        assert_eq!(shown[4], "shop   running  3          50.0  2.00s  1.0 MiB  8.0 MiB  7         -");
        for _ in 0..3 {
            assert_eq!(press(&mut state, KeyCode::Char('s')), Action::Look);
        }
        press(&mut state, KeyCode::Char('r'));
        let shown = screen(&mut state);
        assert!(shown[2].contains("CPU%▼") && shown[3].starts_with("shop"), "{shown:?}");
    }

    #[test]
    fn what_scripts_have_made_is_text() {
        let mut state = State::new(Some("shop"));
        state.take(&processes(), 0.0);
        let shown = screen(&mut state).join("\n");
        assert!(shown.contains("<script>\\x1b[2J\\u{202e}"), "{shown}");
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'));
        state.fail(&"gone\u{1b}[1m\nfor good");
        assert_eq!(screen(&mut state)[6], "gone\\x1b[1m\\nfor good");
    }

    #[test]
    fn keys_lead_to_a_process_and_back_and_end_one_after_a_yes() {
        let mut state = State::new(None);
        state.take(&tenants(1.0), 0.0);
        assert_eq!(press(&mut state, KeyCode::Char('k')), Action::None);
        assert_eq!(state.asks, None, "a tenant isn't ended by a key");
        press(&mut state, KeyCode::Down);
        assert_eq!(press(&mut state, KeyCode::Enter), Action::Look);
        let wish = |search: &str| View::Processes {
            tenant: "shop".to_owned(),
            sort: "cpu_seconds",
            descending: true,
            search: search.to_owned(),
        };
        assert_eq!(state.wish(), wish(""));
        state.take(&tenants(9.0), 1.0);
        assert!(state.rows.is_empty(), "what was asked before the key is dropped");
        state.take(&processes(), 1.0);
        let kill = Action::Kill { tenant: "shop".to_owned(), pid: "{app:a|0x00001}".to_owned() };
        assert_eq!(
            (press(&mut state, KeyCode::Char('k')), press(&mut state, KeyCode::Char('n'))),
            (Action::None, Action::None)
        );
        assert_eq!(press(&mut state, KeyCode::Char('k')), Action::None);
        assert!(screen(&mut state)[6].starts_with("ask {app:a|0x00001} to end"));
        assert_eq!(press(&mut state, KeyCode::Char('y')), kill);
        press(&mut state, KeyCode::Char('/'));
        for character in "ax".chars() {
            assert_eq!(press(&mut state, KeyCode::Char(character)), Action::Look);
        }
        press(&mut state, KeyCode::Backspace);
        press(&mut state, KeyCode::Enter);
        assert_eq!(state.wish(), wish("a"));
        assert_eq!(press(&mut state, KeyCode::Enter), Action::Look);
        assert_eq!(state.wish(), View::Process { tenant: "shop".to_owned(), pid: "{app:a|0x00001}".to_owned() });
        for (tenant, pid) in [("shop", "{app:a|0x00002}"), ("bank", "{app:a|0x00001}")] {
            state.take(&process(tenant, pid), 2.0);
            assert!(state.lines.is_empty(), "{pid} of {tenant} isn't the one that was chosen");
        }
        state.take(&process("shop", "{app:a|0x00001}"), 2.0);
        assert_eq!(state.lines[0], "pid               {app:a|0x00001}");
        press(&mut state, KeyCode::Esc);
        assert_eq!(state.wish(), wish("a"));
        press(&mut state, KeyCode::Esc);
        assert_eq!(state.wish(), wish(""));
        press(&mut state, KeyCode::Esc);
        assert_eq!((state.wish(), press(&mut state, KeyCode::Esc)), (View::Tenants, Action::None));
        assert_eq!(press(&mut state, KeyCode::Char('q')), Action::Quit);
        let control = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(state.press(control), Action::Quit);
    }
}
