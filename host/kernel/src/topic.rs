//! Topics: what a message is about. Owns which texts can be one. Does not route: that is the receiver's.

use std::borrow::Borrow;
use std::fmt;
use std::sync::{Arc, LazyLock};

use lunarium_contract::{form, length};

use crate::text::{SHOWN, cut};
use crate::{ErrorKind, Refusal};

/// What a message is about: 1 to 255 bytes, not beginning with `@`, which is for the runtime's own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic(Arc<str>);

impl Topic {
    /// Checks and keeps a topic. Errors: too short, too long, reserved.
    pub fn new(text: &str) -> Result<Self, TopicError> {
        match form::check_topic(text) {
            Ok(()) => Ok(Self(text.into())),
            Err(form::TopicFault::Length) => Err(TopicError::Length { length: text.len() }),
            Err(form::TopicFault::Reserved) => Err(TopicError::Reserved { topic: cut(text, SHOWN) }),
        }
    }

    /// The topic of all calls; no text that is checked gives it.
    pub fn calls() -> Self {
        static CALLS: LazyLock<Topic> = LazyLock::new(|| Topic("@call".into()));
        CALLS.clone()
    }

    /// Whether it is [`Topic::calls`].
    pub fn is_calls(&self) -> bool {
        self.0.starts_with('@')
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// Sound because both order and compare as their text does.
impl Borrow<str> for Topic {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// Why a text can't be a topic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// Empty or too long.
    #[error("topic of {length} bytes is not 1 to {} bytes long", length::TOPIC)]
    Length {
        /// Its bytes.
        length: usize,
    },
    /// The runtime's own.
    #[error("topic `{topic}` begins with `@`, which is reserved")]
    Reserved {
        /// The topic.
        topic: String,
    },
}

impl Refusal for TopicError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

#[cfg(test)]
mod tests {
    use super::Topic;

    #[test]
    fn a_topic_is_one_to_255_bytes() {
        assert!(Topic::new("t").is_ok());
        assert!(Topic::new(&"t".repeat(255)).is_ok());
        assert_eq!(Topic::new("").unwrap_err().to_string(), "topic of 0 bytes is not 1 to 255 bytes long");
        assert_eq!(
            Topic::new(&"é".repeat(128)).unwrap_err().to_string(),
            "topic of 256 bytes is not 1 to 255 bytes long"
        );
    }

    #[test]
    fn topics_of_the_runtime_are_refused() {
        assert_eq!(Topic::new("@inbox").unwrap_err().to_string(), "topic `@inbox` begins with `@`, which is reserved");
        assert!(Topic::new("in@box").is_ok());
    }
}
