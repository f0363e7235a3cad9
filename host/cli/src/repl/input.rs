//! What a reader of inputs says: inputs, and what it asks while one is being typed.
//!
//! Owns the words between the reader's thread and who evaluates. A reader says one input each time that it is asked.

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::word::Word;

/// Bytes of one input. At the limit: it isn't evaluated, and nothing more is read where a line alone is longer. The number: it is compiled each time that
/// a line of it is typed; a program is a file.
pub const MOST_INPUT: usize = 256 * 1024;

/// What a reader says.
pub enum Said {
    /// Whether this is a whole input, or goes on.
    Check(String, oneshot::Sender<bool>),
    /// What this word could be completed to: names that begin as it does.
    Names(Word, oneshot::Sender<Vec<String>>),
    /// An input that is to be evaluated.
    Input(String),
    /// One that can't be.
    Wrong(String),
    /// There are no more.
    End,
    /// The same, because something is broken.
    Broken(String),
}

/// Whether a text is a whole input. So it is when nobody evaluates any more.
pub fn is_whole(say: &UnboundedSender<Said>, text: &str) -> bool {
    let (reply, answer) = oneshot::channel();
    say.send(Said::Check(text.to_owned(), reply)).is_err() || answer.blocking_recv().unwrap_or(true)
}
