//! What a node's processes may use of the network together, and how they share it.
//!
//! Owns the counting, and that one process can't keep the others out: the first half of what there is goes to whoever comes, of the
//! other half each process gets an eighth of the whole at most. Time is an argument.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lunarium::Pid;

/// How long what was used counts.
const MINUTE: Duration = Duration::from_secs(60);

/// So much of the whole one process may have when half of it is used.
const PART: u64 = 8;

/// What several use together, by who uses it.
#[derive(Debug)]
struct Shared<K> {
    most: u64,
    used: u64,
    by: HashMap<K, u64>,
}

impl<K: Hash + Eq + Clone> Shared<K> {
    fn new(most: u64) -> Shared<K> {
        Shared { most, used: 0, by: HashMap::new() }
    }

    /// False: there is no more, or not for this one.
    fn take(&mut self, who: &K, amount: u64) -> bool {
        let own = self.by.get(who).copied().unwrap_or_default();
        let (used, own) = (self.used.saturating_add(amount), own.saturating_add(amount));
        let fits = used <= self.most && (used <= self.most / 2 || own <= (self.most / PART).max(1));
        if fits {
            self.used = used;
            self.by.insert(who.clone(), own);
        }
        fits
    }

    fn give_back(&mut self, who: &K, amount: u64) {
        self.used = self.used.saturating_sub(amount);
        if let Some(own) = self.by.get_mut(who) {
            *own = own.saturating_sub(amount);
            if *own == 0 {
                self.by.remove(who);
            }
        }
    }
}

/// What is held for a while and given back.
#[derive(Debug)]
pub(super) struct Held(Mutex<Shared<Pid>>);

/// A part of it, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Part {
    whole: Arc<Held>,
    who: Pid,
    amount: u64,
}

impl Held {
    pub(super) fn new(most: u64) -> Arc<Held> {
        Arc::new(Held(Mutex::new(Shared::new(most))))
    }

    /// None: there is no more, or not for this process.
    pub(super) fn take(self: &Arc<Held>, who: &Pid, amount: u64) -> Option<Part> {
        let taken = locked(&self.0).take(who, amount);
        taken.then(|| Part { whole: Arc::clone(self), who: who.clone(), amount })
    }
}

impl Part {
    /// Takes more of the same. False: there is no more.
    pub(super) fn grow(&mut self, amount: u64) -> bool {
        let grown = locked(&self.whole.0).take(&self.who, amount);
        if grown {
            self.amount = self.amount.saturating_add(amount);
        }
        grown
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        locked(&self.whole.0).give_back(&self.who, self.amount);
    }
}

/// What is used up, and there again in the next minute.
#[derive(Debug)]
pub(super) struct PerMinute(Mutex<Minute>);

#[derive(Debug)]
struct Minute {
    began: Option<Instant>,
    shared: Shared<Pid>,
}

impl PerMinute {
    pub(super) fn new(most: u64) -> PerMinute {
        PerMinute(Mutex::new(Minute { began: None, shared: Shared::new(most) }))
    }

    /// False: there is no more this minute, or not for this process.
    pub(super) fn take(&self, who: &Pid, amount: u64, now: Instant) -> bool {
        let mut minute = locked(&self.0);
        if minute.began.is_none_or(|began| now.saturating_duration_since(began) >= MINUTE) {
            *minute = Minute { began: Some(now), shared: Shared::new(minute.shared.most) };
        }
        minute.shared.take(who, amount)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in here panics between two changes that belong together.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use lunarium::Pid;

    use super::{PerMinute, Shared};

    #[test]
    fn one_gets_half_and_the_others_their_eighth() {
        let mut shared = Shared::new(80);
        assert!((0..40).all(|_| shared.take(&'a', 1)) && !shared.take(&'a', 1));
        for who in ['b', 'c', 'd', 'e'] {
            assert!((0..10).all(|_| shared.take(&who, 1)), "{who}");
            assert!(!shared.take(&who, 1), "{who}");
        }
        assert!(!shared.take(&'f', 1));
        shared.give_back(&'b', 10);
        assert!(shared.take(&'f', 10) && !shared.take(&'f', 1));
        assert_eq!(shared.by.len(), 5);
    }

    #[test]
    fn what_does_not_fit_takes_nothing() {
        let mut shared = Shared::new(10);
        assert!(!shared.take(&'a', 11) && !shared.take(&'a', u64::MAX) && shared.take(&'a', 5));
        assert_eq!(shared.used, 5);
        // However little there is, each may have one.
        let mut few = Shared::new(2);
        assert!(few.take(&'a', 1) && few.take(&'b', 1) && !few.take(&'c', 1));
    }

    #[test]
    fn a_minute_later_all_is_there_again() {
        let (quota, began) = (PerMinute::new(4), Instant::now());
        let a = Pid::nobody();
        assert!(quota.take(&a, 2, began) && !quota.take(&a, 1, began + Duration::from_secs(59)));
        assert!(quota.take(&a, 2, began + Duration::from_secs(60)));
        assert!(!quota.take(&a, 1, began + Duration::from_secs(119)));
    }
}
