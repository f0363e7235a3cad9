//! From Lua's positions (`chunk:line:`) to files and lines as the user named them.
//!
//! Owns how a position is found in a text. Refuses to guess between two chunks that Lua shows alike.

use crate::application::{Program, Programs};
use crate::source::Place;

/// A position that Lua has written before a text.
pub(super) struct Position<'t> {
    program: &'t Program,
    line: u32,
    pub(super) rest: &'t str,
}

impl Position<'_> {
    pub(super) fn place(&self) -> Option<Place> {
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
    pub(super) fn raised<'t>(&'t self, message: &'t str) -> Option<(&'t str, Position<'t>)> {
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
    pub(super) fn locate<'t>(&'t self, text: &'t str) -> Option<Position<'t>> {
        // The end of a position is rarely far, and the name before it may hold colons itself.
        let ends = text.match_indices([':', '>']).take(16);
        ends.into_iter().find_map(|(end, _)| {
            let (name, line) = text.get(..end)?.rsplit_once(':')?;
            let line = line.parse().ok()?;
            let mut named = self.all().iter().filter(|program| program.shown_name() == name);
            // Of two names that are cut to the same nobody knows which it is.
            let program = named.next().filter(|_| named.next().is_none())?;
            Some(Position { program, line, rest: text.get(end.saturating_add(1)..)? })
        })
    }

    /// A line of a traceback in terms of the user's files; none for what isn't in one.
    pub(super) fn frame(&self, line: &str) -> Option<String> {
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
