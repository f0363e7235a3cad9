//! A pid: the identity of one incarnation of a process. Owns its text form. Does not know whether the process lives.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::HostId;

/// Digits after `0x`, at the least.
const MIN_DIGITS: usize = 5;
/// Digits that a `u64` can have.
const MAX_DIGITS: usize = 16;

/// Bytes of the longest text: a host's id has 255 at most.
const MAX_TEXT: usize = 255 + 5 + MAX_DIGITS;

/// One incarnation of a process. Its text is `{host|0x00001}`: the host's id, and a number that one counter per node
/// gives out and that is never used again. Only the kernel makes pids; two are equal when their numbers are.
#[derive(Clone)]
pub struct Pid {
    number: u64,
    text: Arc<str>,
}

impl Pid {
    pub(crate) fn new(host: &HostId, number: u64) -> Self {
        let text = format!("{{{host}|0x{number:0width$x}}}", width = MIN_DIGITS);
        Self { number, text: text.into() }
    }

    /// A pid that no process ever has: what acts in its name is refused everywhere.
    pub fn nobody() -> Self {
        Self { number: 0, text: "{|0x00000}".into() }
    }

    /// A pid as a text claims it, that was a pid's text once. Whether it ever lived isn't known.
    pub fn parse(text: &str) -> Option<Self> {
        let number = Self::parse_number(text).filter(|_| text.len() <= MAX_TEXT)?;
        Some(Self { number, text: text.into() })
    }

    /// The number, from one counter per node.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text form, shared.
    pub fn to_shared_text(&self) -> Arc<str> {
        self.text.clone()
    }

    /// Whether a text has a pid's form, `{…|…}`. A destination of this form is never a name.
    pub fn looks_like_pid(text: &str) -> bool {
        text.len() >= 3 && text.starts_with('{') && text.ends_with('}') && text.contains('|')
    }

    /// The number in the text of a pid, or none when no pid is written so. The host in the text isn't checked: who
    /// finds a process by this number compares the whole text too.
    pub fn parse_number(text: &str) -> Option<u64> {
        let (_, number) = text.strip_prefix('{')?.strip_suffix('}')?.rsplit_once('|')?;
        let digits = number.strip_prefix("0x")?;
        let padded = digits.len() > MIN_DIGITS && digits.starts_with('0');
        if padded || !(MIN_DIGITS..=MAX_DIGITS).contains(&digits.len()) {
            return None;
        }
        if !digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        u64::from_str_radix(digits, 16).ok().filter(|number| *number > 0)
    }
}

impl PartialEq for Pid {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Pid {}

impl PartialOrd for Pid {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Pid {
    fn cmp(&self, other: &Self) -> Ordering {
        self.number.cmp(&other.number)
    }
}

impl Hash for Pid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::Pid;
    use crate::HostId;

    #[test]
    fn the_text_names_host_and_number() {
        let host = HostId::new("app:processes");
        assert_eq!(Pid::new(&host, 1).as_str(), "{app:processes|0x00001}");
        assert_eq!(Pid::new(&host, 0xabc_def0).as_str(), "{app:processes|0xabcdef0}");
    }

    #[test]
    fn every_number_survives_its_text() {
        let host = HostId::new("app:processes");
        for number in [1, 0xfffff, 0x10_0000, u64::MAX] {
            let pid = Pid::new(&host, number);
            assert_eq!(Pid::parse_number(pid.as_str()), Some(number));
            assert_eq!(Pid::parse(pid.as_str()), Some(pid));
        }
    }

    #[test]
    fn only_the_one_spelling_of_a_number_is_read() {
        for text in [
            "",
            "{}",
            "{h|}",
            "{h|0x}",
            "{h|0x0001}",
            "{h|0x00000}",
            "{h|0x000001}",
            "{h|0x0000A}",
            "{h|0X00001}",
            "{h|0x+0001}",
            "{h|0x00001",
            "h|0x00001}",
            "{h0x00001}",
            "{h|0x10000000000000000}",
        ] {
            assert_eq!(Pid::parse_number(text), None, "{text}");
        }
    }

    #[test]
    fn the_form_of_a_pid_is_braces_and_a_bar() {
        assert!(Pid::looks_like_pid("{h|0x00001}"));
        assert!(Pid::looks_like_pid("{|}"));
        for text in ["{}", "|", "{a}", "a|b", "{a|b", "a|b}", ""] {
            assert!(!Pid::looks_like_pid(text), "{text}");
        }
    }
}
