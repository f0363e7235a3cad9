//! A pid: the identity of one incarnation of a process. Owns how it is made. Does not know whether the process
//! lives; which texts are pids is the contract's.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use lunarium_contract::{form, length};

use crate::HostId;

/// One incarnation of a process. Its text is `{host|0x00001}`: the host's id, and a number that one counter per node
/// gives out and that is never used again. Only the kernel makes pids; two are equal when their numbers are.
#[derive(Clone)]
pub struct Pid {
    number: u64,
    text: Arc<str>,
}

impl Pid {
    pub(crate) fn new(host: &HostId, number: u64) -> Self {
        let digits = &mut [0; length::PID_DIGITS];
        let text = ["{", host.as_str(), "|0x", form::pid_digits(number, digits), "}"].concat();
        Self { number, text: text.into() }
    }

    /// A pid that no process ever has: what acts in its name is refused everywhere.
    pub fn nobody() -> Self {
        Self { number: 0, text: "{|0x00000}".into() }
    }

    /// A pid as a text claims it, that was a pid's text once. Whether it ever lived isn't known.
    pub fn parse(text: &str) -> Option<Self> {
        form::pid_number(text).map(|number| Self { number, text: text.into() })
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
            let read = Pid::parse(pid.as_str()).unwrap();
            assert_eq!((read.number(), read.as_str()), (number, pid.as_str()));
        }
    }
}
