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
    /// What this word could be completed to.
    Names(Word, oneshot::Sender<Known>),
    /// An input that is to be evaluated.
    Input(String),
    /// One that can't be.
    Wrong(String),
    /// There are no more.
    End,
    /// The same, because something is broken.
    Broken(String),
}

/// What is there where a word is.
#[derive(Default)]
pub struct Known {
    /// Names that begin as it does.
    pub names: Vec<String>,
    /// The type of what is before it, if that has a name of its own: `channel`.
    pub kind: Option<String>,
}

/// What a word could be completed to; nothing when nobody evaluates any more.
pub fn known(say: &UnboundedSender<Said>, word: Word) -> Known {
    let (reply, answer) = oneshot::channel();
    let asked = say.send(Said::Names(word, reply));
    if asked.is_ok() { answer.blocking_recv().unwrap_or_default() } else { Known::default() }
}

/// Whether a text is a whole input. So it is when nobody evaluates any more.
pub fn is_whole(say: &UnboundedSender<Said>, text: &str) -> bool {
    let (reply, answer) = oneshot::channel();
    say.send(Said::Check(text.to_owned(), reply)).is_err() || answer.blocking_recv().unwrap_or(true)
}
