//! A process's failure as people read it: what, where in their files, and how it came there.
//!
//! Owns how a failure is shown. Refuses to say who failed and what could be done: whoever ran the process knows.

mod cause;
mod details;
mod position;

use std::fmt::Write as _;

use annotate_snippets::{Renderer, normalize_untrusted_str};
use lunarium_engine::Failure;

pub use cause::{Cause, reached_limit};

use self::details::details;
use crate::application::App;
use crate::report::{Mistake, visible};

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
        let mut mistake = Mistake::new(format!("{who}{}{kind}", text.trim_end())).note(details(failure)).hint(hint);
        if let Some(place) = place {
            mistake = mistake.at(&place);
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
