//! Destinations: a pid or a name, as a script writes it. Owns telling the two apart, once and for every call. Does not
//! know who is behind it: [`Kernel::resolve`] does.
//!
//! [`Kernel::resolve`]: crate::Kernel::resolve

use lunarium_contract::form;

use crate::NameError;

/// A destination, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination<'a> {
    /// A text of a pid's form. Who finds a process by the number compares the whole text too: the host in it may be
    /// another one.
    Pid {
        /// Its number; 0, which no process ever has, when no pid is written so.
        number: u64,
        /// The whole text, however long it is.
        text: &'a str,
    },
    /// A name that may be held by somebody.
    Name(&'a str),
}

impl<'a> Destination<'a> {
    /// Reads a destination. What has a pid's form is never a name; a pid that can't be one leads nowhere later on.
    /// Errors: `Invalid` (neither a pid nor a name).
    pub fn parse(text: &'a str) -> Result<Self, NameError> {
        match form::destination(text) {
            Ok(form::Destination::Pid(text, number)) => Ok(Self::Pid { number, text }),
            Ok(form::Destination::Name(name)) => Ok(Self::Name(name)),
            Err(form::DestinationFault::NoSuchPid) => Ok(Self::Pid { number: 0, text }),
            Err(form::DestinationFault::Name(fault)) => Err(NameError::new(text, fault)),
        }
    }

    /// The text it was read from.
    pub fn text(&self) -> &'a str {
        match self {
            Self::Pid { text, .. } | Self::Name(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Destination;

    #[test]
    fn a_destination_is_a_pid_or_a_name() {
        for (text, number) in [("{h|0x00001}", 1), ("{h|h|0x000ff}", 255), ("{|}", 0), ("{h|0x1}", 0)] {
            assert_eq!(Destination::parse(text), Ok(Destination::Pid { number, text }));
        }
        for text in ["n", "{a}", "@events", "a|b", "{h|0x00001"] {
            assert_eq!(Destination::parse(text), Ok(Destination::Name(text)));
            assert_eq!(Destination::parse(text).unwrap().text(), text);
        }
    }

    #[test]
    fn what_can_be_neither_is_refused_and_a_long_pid_is_not() {
        assert_eq!(Destination::parse("").unwrap_err().to_string(), "name of 0 bytes is not 1 to 255 bytes long");
        assert!(Destination::parse(&"n".repeat(256)).is_err());
        let long = format!("{{{}|0x00001}}", "h".repeat(1 << 20));
        assert!(matches!(Destination::parse(&long), Ok(Destination::Pid { number: 0, .. })));
    }
}
