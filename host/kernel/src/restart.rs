//! Whether and when a service comes back after its process has ended.
//!
//! Owns the decision: growing delays, their random part, the count of attempts and when it starts over. Refuses to wait,
//! to read a clock or to draw a number: how long the process ran and the random number are arguments.

use std::time::Duration;

use crate::Outcome;

/// How a service comes back after an abnormal end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RestartPolicy {
    /// Before the first attempt; 1 s by default.
    pub initial_delay: Duration,
    /// The longest delay; 90 s by default.
    pub max_delay: Duration,
    /// Each delay is this many times the one before; 2 by default. Below 1, or no number: 1.
    pub backoff_factor: f64,
    /// The part of a delay that is random, from 0 to 1; 0.1 by default: a delay of 1 s is between 0.9 s and 1 s. It only
    /// shortens, so that `max_delay` stays the longest and what fails together doesn't come back together.
    pub jitter: f64,
    /// Attempts until it is given up; 0, the default: always another.
    pub max_attempts: u32,
    /// After running this long the attempts are forgotten; 5 s by default.
    pub stable_threshold: Duration,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            initial_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(90),
            backoff_factor: 2.0,
            jitter: 0.1,
            max_attempts: 0,
            stable_threshold: Duration::from_secs(5),
        }
    }
}

/// What follows from an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestartDecision {
    /// A normal end: its work is done.
    Done,
    /// It starts again.
    Restart {
        /// After this long.
        delay: Duration,
        /// The how-manieth attempt in a row, from 1.
        attempt: u32,
    },
    /// Every attempt has failed.
    GiveUp {
        /// How many there were.
        attempts: u32,
    },
}

/// The attempts of one service that lie behind it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restarts {
    attempts: u32,
    /// The last delay, without its random part.
    delay: Duration,
}

impl Restarts {
    /// How many attempts in a row there were.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Decides what follows from an end. `ran` is how long the process ran since it had started, zero when it hadn't:
    /// slow failures of the start must not count as stability. `chance` is a random number from 0 up to 1.
    pub fn after(
        &mut self,
        policy: &RestartPolicy,
        outcome: &Outcome,
        ran: Option<Duration>,
        chance: f64,
    ) -> RestartDecision {
        if outcome.failure().is_none() {
            return RestartDecision::Done;
        }
        if ran.is_some_and(|ran| ran >= policy.stable_threshold) {
            *self = Self::default();
        }
        if policy.max_attempts != 0 && self.attempts >= policy.max_attempts {
            return RestartDecision::GiveUp { attempts: self.attempts };
        }
        let next = if self.attempts == 0 { policy.initial_delay } else { grown(self.delay, policy.backoff_factor) };
        self.delay = next.min(policy.max_delay);
        self.attempts = self.attempts.saturating_add(1);
        RestartDecision::Restart { delay: shortened(self.delay, policy.jitter, chance), attempt: self.attempts }
    }
}

/// `delay * factor`; the longest duration where that is too long.
fn grown(delay: Duration, factor: f64) -> Duration {
    if factor.is_nan() || factor <= 1.0 {
        return delay;
    }
    Duration::try_from_secs_f64(delay.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

/// A delay without a random part of it.
fn shortened(delay: Duration, jitter: f64, chance: f64) -> Duration {
    // NaN is outside too.
    let part = |number: f64| if (0.0..=1.0).contains(&number) { number } else { 0.0 };
    let off = delay.as_secs_f64() * part(jitter) * part(chance);
    Duration::try_from_secs_f64(off).map_or(delay, |off| delay.saturating_sub(off))
}

#[cfg(test)]
mod tests;
