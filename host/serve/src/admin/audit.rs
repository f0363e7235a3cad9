//! The audit log: who has changed something by this interface, and who was turned away.
//!
//! Owns that a record is small whoever chose its texts, and that those who are turned away can't push out what was done: they are counted.
//! Each record is a line of the host's log, too, which outlives the host.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use lunarium_engine::{Level, LogField};
use parking_lot::Mutex;
use serde_derive::Serialize;

use super::access::Peer;
use super::json::time;
use crate::host::Surroundings;

/// Records that are kept here. At the limit: the oldest is dropped; the log has it.
const KEPT: usize = 1_000;
/// Bytes of a text that a client has chosen.
const TEXT: usize = 256;
/// Of those who are turned away one is told in this time, with how many there were. The number: 360 of the records of an hour at most.
const TURNED_AWAY: Duration = Duration::from_secs(10);

/// Who.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Who {
    uid: Option<u32>,
    pid: Option<i32>,
    address: Option<String>,
}

impl From<&Peer> for Who {
    fn from(peer: &Peer) -> Self {
        match peer {
            Peer::Unix { uid, pid } => Self { uid: Some(*uid), pid: *pid, address: None },
            Peer::Tcp(address) => Self { uid: None, pid: None, address: Some(address.to_string()) },
        }
    }
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Record {
    pub(crate) at: String,
    pub(crate) who: Who,
    pub(crate) action: &'static str,
    pub(crate) tenant: Option<String>,
    pub(crate) target: Option<String>,
    pub(crate) done: bool,
    pub(crate) message: Option<String>,
}

/// The audit log.
pub(crate) struct Audit {
    log: Arc<dyn Surroundings>,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    kept: VecDeque<Arc<Record>>,
    /// The number of the next record.
    next: u64,
    /// When somebody was turned away and told, and how many since.
    told: Option<Instant>,
    turned_away: u64,
    /// When it was told that nobody can be accepted.
    told_unaccepted: Option<Instant>,
}

/// Whether it is time to tell again; it counts as told then.
fn is_due(told: &mut Option<Instant>) -> bool {
    let now = Instant::now();
    let is_due = told.is_none_or(|told| now.saturating_duration_since(told) >= TURNED_AWAY);
    if is_due {
        *told = Some(now);
    }
    is_due
}

impl Audit {
    pub(crate) fn new(log: Arc<dyn Surroundings>) -> Self {
        Self { log, book: Mutex::default() }
    }

    /// Somebody has changed something, or wanted to: an error says why it wasn't done.
    pub(crate) fn note(
        &self,
        peer: &Peer,
        action: &'static str,
        tenant: Option<&str>,
        target: Option<&str>,
        done: Result<(), &str>,
    ) {
        let record = Record {
            at: time(SystemTime::now()),
            who: peer.into(),
            action,
            tenant: tenant.map(cut),
            target: target.map(cut),
            done: done.is_ok(),
            message: done.err().map(cut),
        };
        let fields = fields(&record);
        let dropped = {
            let mut book = self.book.lock();
            book.next = book.next.saturating_add(1);
            book.kept.push_back(Arc::new(record));
            if book.kept.len() > KEPT { book.kept.pop_front() } else { None }
        };
        drop(dropped);
        self.log.note(Level::Info, "audit", &fields);
    }

    /// Somebody was turned away.
    pub(crate) fn turn_away(&self, peer: &Peer, why: &str) {
        let count = {
            let mut book = self.book.lock();
            book.turned_away = book.turned_away.saturating_add(1);
            if !is_due(&mut book.told) {
                return;
            }
            std::mem::take(&mut book.turned_away)
        };
        let why = if count > 1 { format!("{why}; {count} requests since the last record") } else { why.to_owned() };
        self.note(peer, "refused", None, None, Err(&why));
    }

    /// Nobody can be accepted: a line of the log, no record.
    pub(crate) fn unaccepted(&self, error: &std::io::Error) {
        if !is_due(&mut self.book.lock().told_unaccepted) {
            return;
        }
        self.log.note(Level::Warn, &format!("admin interface: connections can't be accepted: {error}"), &[]);
    }

    /// The last records, oldest first, and how many there were before them.
    pub(crate) fn last(&self, most: usize) -> (Vec<Arc<Record>>, u64) {
        let book = self.book.lock();
        let skipped = book.kept.len().saturating_sub(most);
        let last: Vec<_> = book.kept.iter().skip(skipped).cloned().collect();
        let before = book.next.saturating_sub(u64::try_from(last.len()).unwrap_or(u64::MAX));
        (last, before)
    }

    /// The records from this number on, as far as they are kept, and the number of the next one.
    pub(crate) fn since(&self, number: u64) -> (Vec<Arc<Record>>, u64) {
        let book = self.book.lock();
        let first = book.next.saturating_sub(u64::try_from(book.kept.len()).unwrap_or(u64::MAX));
        let skipped = usize::try_from(number.saturating_sub(first)).unwrap_or(usize::MAX);
        (book.kept.iter().skip(skipped).cloned().collect(), book.next)
    }

    /// The number of the next record.
    pub(crate) fn next(&self) -> u64 {
        self.book.lock().next
    }
}

fn cut(text: &str) -> String {
    text.get(..text.floor_char_boundary(TEXT)).unwrap_or_default().to_owned()
}

/// The record as a log line has it.
fn fields(record: &Record) -> Vec<LogField> {
    let Record { at: _, who, action, tenant, target, done, message } = record;
    let text = |name: &str, text: &Option<String>| text.as_deref().map(|text| LogField::text(name, text));
    let all = [
        Some(LogField::text("action", *action)),
        text("tenant", tenant),
        text("target", target),
        Some(LogField::flag("done", *done)),
        text("message", message),
        who.uid.map(|uid| LogField::number("uid", uid.into())),
        who.pid.and_then(|pid| Some(LogField::number("pid", u64::try_from(pid).ok()?))),
        text("address", &who.address),
    ];
    all.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lunarium_engine::{Level, LogField, Module};
    use parking_lot::Mutex;

    use super::{Audit, KEPT, Peer};
    use crate::host::{HostError, LogLine, Surroundings, TenantConfig};

    #[derive(Default)]
    struct Lines(Mutex<Vec<String>>);

    impl Surroundings for Lines {
        fn modules(&self, _tenant: &TenantConfig) -> Result<Vec<Module>, HostError> {
            Ok(Vec::new())
        }

        fn line(&self, _tenant: &str, _line: &LogLine) {}

        fn note(&self, _level: Level, message: &str, fields: &[LogField]) {
            let fields = fields.iter().map(|field| format!(" {}={}", field.name(), field.as_str()));
            self.0.lock().push(fields.fold(message.to_owned(), |line, field| line + &field));
        }
    }

    const PEER: Peer = Peer::Unix { uid: 1000, pid: Some(7) };

    #[test]
    fn each_change_is_a_record_and_a_line_with_who_did_it() {
        let lines = Arc::new(Lines::default());
        let audit = Audit::new(lines.clone());
        audit.note(&PEER, "reload", Some("shop"), None, Ok(()));
        let address = Peer::Tcp(([192, 0, 2, 1], 5).into());
        audit.note(&address, "terminate", Some("shop"), Some("{a:b|0x00001}"), Err("gone"));
        assert_eq!(
            *lines.0.lock(),
            [
                "audit action=reload tenant=shop done=true uid=1000 pid=7",
                "audit action=terminate tenant=shop target={a:b|0x00001} done=false message=gone address=192.0.2.1:5"
            ]
        );
        let (last, before) = audit.last(1);
        assert_eq!((last[0].action, before), ("terminate", 1));
    }

    #[test]
    fn whoever_is_turned_away_pushes_nothing_out() {
        let audit = Audit::new(Arc::<Lines>::default());
        audit.note(&PEER, "reload", Some("shop"), None, Ok(()));
        (0..10 * KEPT).for_each(|_| audit.turn_away(&PEER, "no token"));
        let (last, before) = audit.last(KEPT);
        let actions: Vec<_> = last.iter().map(|record| record.action).collect();
        assert_eq!((actions, before), (vec!["reload", "refused"], 0));
    }

    #[test]
    fn that_nobody_can_be_accepted_is_a_line_now_and_then() {
        let lines = Arc::new(Lines::default());
        let audit = Audit::new(lines.clone());
        (0..1_000).for_each(|_| audit.unaccepted(&std::io::Error::other("too many files")));
        assert_eq!(*lines.0.lock(), ["admin interface: connections can't be accepted: too many files"]);
    }

    #[test]
    fn it_is_bounded_whatever_clients_choose() {
        let audit = Audit::new(Arc::<Lines>::default());
        for _ in 0..KEPT + 5 {
            audit.note(&PEER, "send", Some(&"é".repeat(10_000)), Some(&"x".repeat(1 << 20)), Err(&"y".repeat(1 << 20)));
        }
        let (last, before) = audit.last(usize::MAX);
        assert_eq!((last.len(), before), (KEPT, 5));
        let record = &last[0];
        let texts = [&record.tenant, &record.target, &record.message];
        assert!(texts.iter().all(|text| text.as_ref().is_some_and(|text| text.len() <= 256)), "{record:?}");
        assert_eq!((audit.since(7).0.len(), audit.since(0).0.len(), audit.since(1_005).0.len()), (998, KEPT, 0));
    }
}
