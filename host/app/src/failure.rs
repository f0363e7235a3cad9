//! A process's failure as people read it: what, where in their files, and how it came there.
//!
//! Owns the way from Lua's positions (`chunk:line:`) to files and lines as the user named them. Refuses to say who
//! failed and what could be done: whoever ran the process knows.

use std::fmt::Write as _;

use annotate_snippets::{Renderer, normalize_untrusted_str};
use lunarium_engine::{ErrorKind, Failure, LimitName, Value};

use crate::application::App;
use crate::program::{Program, Programs};
use crate::report::{Mistake, Place, visible};

/// Bytes of a failure's details that are shown. They are for programs; people see how they begin.
const SHOWN_DETAILS: usize = 400;

/// A failure as people read it.
#[derive(Debug)]
pub struct Explained {
    mistake: Mistake,
    traceback: Vec<String>,
}

impl App {
    /// Finds a failure's places in the application's files. `who` failed stands before the message.
    pub fn explain(&self, who: &str, failure: &Failure, hint: Option<String>) -> Explained {
        let stack = failure.stack.as_deref().unwrap_or_default();
        let raised = self.programs.raised(&failure.message);
        let place = match &raised {
            Some((_, position)) => position.place(),
            None => stack.lines().find_map(|line| self.programs.locate(line.trim_start())?.place()),
        };
        let text = match raised {
            // The place is shown below.
            Some((before, position)) if place.is_some() => format!("{before}{}", position.rest.trim_start()),
            _ => failure.message.clone(),
        };
        let kind = failure.kind.as_str();
        let kind = if kind.is_empty() { String::new() } else { format!(" ({kind})") };
        let mut mistake = Mistake::new(format!("{who}{}{kind}", text.trim_end()));
        mistake.note = details(failure);
        mistake.hint = hint;
        if let Some(place) = place {
            mistake = mistake.at(place);
        }
        let traceback = stack.lines().skip(1).filter_map(|line| self.programs.frame(line.trim_start())).collect();
        Explained { mistake, traceback }
    }
}

impl Explained {
    /// True when there is nothing to say beyond the message.
    pub fn is_bare(&self) -> bool {
        self.mistake.is_bare() && self.traceback.is_empty()
    }

    /// The text, without its last newline: the message with its place and source line, then the traceback.
    ///
    /// `styled` adds terminal colours. Control characters become visible.
    pub fn render(&self, styled: bool) -> String {
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        let mut text = self.mistake.render(&renderer);
        if !self.traceback.is_empty() {
            text.push_str("\nstack traceback:");
        }
        for frame in &self.traceback {
            // Writing to a String can't fail.
            let _ = write!(text, "\n    {}", normalize_untrusted_str(&visible(frame)));
        }
        text
    }
}

/// The limit that ended the process, if one did.
pub fn reached_limit(failure: &Failure) -> Option<LimitName> {
    let details = failure.details.as_ref().filter(|_| failure.kind == ErrorKind::ResourceExhausted)?;
    let Ok(Value::Map(pairs)) = Value::decode(details) else { return None };
    let (_, name) = pairs.iter().find(|(key, _)| key.as_str() == Some("limit"))?;
    LimitName::parse(name.as_str()?)
}

/// What else the error says, as Lua would write it; a limit's name is in the message already.
fn details(failure: &Failure) -> Option<String> {
    let value = Value::decode(failure.details.as_ref()?).ok()?;
    if reached_limit(failure).is_some() && matches!(&value, Value::Map(pairs) if pairs.len() == 1) {
        return None;
    }
    let mut text = String::from("details: ");
    write_value(&mut text, &value);
    if text.len() > SHOWN_DETAILS {
        text.truncate(text.floor_char_boundary(SHOWN_DETAILS));
        text.push('…');
    }
    Some(text)
}

fn write_value(text: &mut String, value: &Value) {
    // More wouldn't be shown.
    if text.len() > SHOWN_DETAILS {
        return;
    }
    // Writing to a String can't fail.
    let _ = match value {
        Value::Nil => write!(text, "nil"),
        Value::Boolean(value) => write!(text, "{value}"),
        Value::Integer(value) => write!(text, "{value}"),
        Value::Float(value) => write!(text, "{value:?}"),
        Value::String(bytes) => write!(text, "{:?}", String::from_utf8_lossy(bytes)),
        Value::Extension(..) => write!(text, "…"),
        Value::Array(items) => {
            text.push('{');
            for (number, item) in items.iter().enumerate() {
                text.push_str(if number == 0 { "" } else { ", " });
                write_value(text, item);
            }
            write!(text, "}}")
        }
        Value::Map(pairs) => {
            let mut fields: Vec<String> = pairs.iter().map(|(key, item)| field(key, item)).collect();
            // Lua's own order is another in every process.
            fields.sort();
            write!(text, "{{{}}}", fields.join(", "))
        }
    };
}

fn field(key: &Value, item: &Value) -> String {
    let mut text = match key.as_str() {
        Some(key) => key.to_owned(),
        None => {
            let mut text = "[".to_owned();
            write_value(&mut text, key);
            text.push(']');
            text
        }
    };
    text.push_str(" = ");
    write_value(&mut text, item);
    text
}

/// A position that Lua has written before a text.
struct Position<'t> {
    program: &'t Program,
    line: u32,
    rest: &'t str,
}

impl Position<'_> {
    fn place(&self) -> Option<Place> {
        self.program.nearest_place(self.line)
    }

    /// `file:line` as the user named the file; none when the line can't be found there.
    fn shown(&self) -> Option<String> {
        let place = self.program.place_of(self.line)?;
        let (file, line) = place.position();
        Some(format!("{file}:{line}"))
    }
}

impl Programs {
    /// The position in a message and the words before it. Words come first where an error was wrapped or passed on; of
    /// several positions, as `coroutine.wrap` makes them, the last is where it began.
    fn raised<'t>(&'t self, message: &'t str) -> Option<(&'t str, Position<'t>)> {
        let inner = message.match_indices([' ', '\t']).map(|(at, _)| at.saturating_add(1)).take(16);
        let (start, mut position) = [0].into_iter().chain(inner).find_map(|start| {
            let (before, text) = message.split_at_checked(start)?;
            let follows = before.is_empty() || before.trim_end().ends_with(':');
            Some((start, self.locate(text).filter(|_| follows)?))
        })?;
        while let Some(next) = self.locate(position.rest.trim_start()) {
            position = next;
        }
        Some((message.get(..start)?, position))
    }

    /// The position at the beginning of a text: `name:line:` or `name:line>`.
    fn locate<'t>(&'t self, text: &'t str) -> Option<Position<'t>> {
        // The end of a position is rarely far, and the name before it may hold colons itself.
        let ends = text.match_indices([':', '>']).take(16);
        ends.into_iter().find_map(|(end, _)| {
            let (name, line) = text.get(..end)?.rsplit_once(':')?;
            let line = line.parse().ok()?;
            let mut named = self.all.iter().filter(|program| program.shown_name() == name);
            // Of two names that are cut to the same nobody knows which it is.
            let program = named.next().filter(|_| named.next().is_none())?;
            Some(Position { program, line, rest: text.get(end.saturating_add(1)..)? })
        })
    }

    /// A line of a traceback in terms of the user's files; none for what isn't in one.
    fn frame(&self, line: &str) -> Option<String> {
        if line.starts_with("[C]:") || line.starts_with("[lunarium]:") {
            return None;
        }
        let Some(position) = self.locate(line) else { return Some(line.to_owned()) };
        let Some(shown) = position.shown() else { return Some(line.to_owned()) };
        let rest = position.rest;
        // A function without a name is called after the line it begins in.
        if let Some((before, name)) = rest.split_once("function <")
            && let Some(shown_name) = self.locate(name).and_then(|position| position.shown())
        {
            return Some(format!("{shown}:{before}function <{shown_name}>"));
        }
        Some(format!("{shown}:{rest}"))
    }
}
