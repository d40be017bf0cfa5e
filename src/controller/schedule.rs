//! Remembers when each order is due, so that an event that changes nothing (our own status write above all)
//! causes no look at the cloud.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::cluster::cache::Key;

/// When each order is due. In memory only: after a start every order is due once, but those that are settled.
#[derive(Default)]
pub struct Lookout(Mutex<HashMap<Key, Watch>>);

#[derive(Default)]
struct Watch {
    /// Counts wake-ups, so that one that comes during a pass is not lost.
    wakes: u64,
    /// The wake-ups that the last finished pass had seen.
    seen: u64,
    /// What the user asked for at the last pass.
    asked: String,
    due: Option<Instant>,
    failures: u32,
}

/// What [`Lookout::begin`] says.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Look now.
    Due(Pass),
    /// Nothing to do for this long.
    NotBefore(Duration),
}

/// A pass that has begun.
#[derive(Debug, PartialEq, Eq)]
pub struct Pass {
    seen: u64,
    asked: String,
    /// How many passes in a row have failed before this one.
    pub failures: u32,
}

impl Lookout {
    /// Whether the order is due: at its first pass, when `asked` differs from the last pass's, after a wake-up,
    /// or when its time has come.
    pub fn begin(&self, key: &Key, asked: String, now: Instant) -> Verdict {
        let mut watches = self.lock();
        let watch = watches.entry(key.clone()).or_default();
        let remaining =
            watch.due.map(|due| due.saturating_duration_since(now)).filter(|left| !left.is_zero());
        match remaining {
            Some(left) if watch.wakes == watch.seen && watch.asked == asked => Verdict::NotBefore(left),
            _ => Verdict::Due(Pass { seen: watch.wakes, asked, failures: watch.failures }),
        }
    }

    /// Takes note of an order that needs no look before `pause` is over, unless it is known already.
    pub fn expect(&self, key: &Key, asked: &str, pause: Duration, now: Instant) {
        self.lock().entry(key.clone()).or_insert_with(|| Watch {
            asked: asked.to_owned(),
            due: now.checked_add(pause),
            ..Watch::default()
        });
    }

    /// Ends a pass: the order is due again after `pause`.
    pub fn end(&self, key: &Key, pass: Pass, failed: bool, pause: Duration, now: Instant) {
        let mut watches = self.lock();
        let watch = watches.entry(key.clone()).or_default();
        watch.seen = pass.seen;
        watch.asked = pass.asked;
        watch.failures = if failed { pass.failures.saturating_add(1) } else { 0 };
        watch.due = now.checked_add(pause);
    }

    /// Makes the order due, also one that was never looked at: something that it refers to has changed.
    pub fn wake(&self, key: &Key) {
        self.lock().entry(key.clone()).or_default().wakes += 1;
    }

    /// Forgets an order that is gone.
    pub fn forget(&self, key: &Key) {
        self.lock().remove(key);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Watch>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_mins(1);

    fn key() -> Key {
        ("shop".to_owned(), "www".to_owned())
    }

    fn begun(lookout: &Lookout, asked: &str, now: Instant) -> Pass {
        match lookout.begin(&key(), asked.to_owned(), now) {
            Verdict::Due(pass) => pass,
            Verdict::NotBefore(left) => panic!("not due for {left:?}"),
        }
    }

    #[test]
    fn an_event_that_changes_nothing_waits_for_the_due_time() {
        let (lookout, start) = (Lookout::default(), Instant::now());
        let pass = begun(&lookout, "1", start);
        lookout.end(&key(), pass, false, PAUSE, start);
        let later = start + Duration::from_secs(20);
        assert_eq!(lookout.begin(&key(), "1".into(), later), Verdict::NotBefore(Duration::from_secs(40)));
        begun(&lookout, "2", later);
        begun(&lookout, "1", start + Duration::from_mins(1));
    }

    #[test]
    fn a_settled_order_is_not_due_at_the_start_unless_something_is_asked_or_changed() {
        let (lookout, start) = (Lookout::default(), Instant::now());
        lookout.expect(&key(), "1", PAUSE, start);
        lookout.expect(&key(), "1", Duration::ZERO, start);
        assert_eq!(lookout.begin(&key(), "1".into(), start), Verdict::NotBefore(PAUSE));
        begun(&lookout, "2", start);
        lookout.wake(&key());
        begun(&lookout, "1", start);
    }

    #[test]
    fn a_wake_up_before_the_first_pass_is_not_lost() {
        let (lookout, start) = (Lookout::default(), Instant::now());
        lookout.wake(&key());
        lookout.expect(&key(), "1", PAUSE, start);
        begun(&lookout, "1", start);
    }

    #[test]
    fn a_wake_up_during_a_pass_is_not_lost() {
        let (lookout, start) = (Lookout::default(), Instant::now());
        let pass = begun(&lookout, "1", start);
        lookout.wake(&key());
        lookout.end(&key(), pass, false, PAUSE, start);
        begun(&lookout, "1", start);
    }

    #[test]
    fn failures_in_a_row_are_counted() {
        let (lookout, start) = (Lookout::default(), Instant::now());
        for failures in 0..3 {
            let pass = begun(&lookout, "1", start);
            assert_eq!(pass.failures, failures);
            lookout.end(&key(), pass, true, Duration::ZERO, start);
        }
        let pass = begun(&lookout, "1", start);
        lookout.end(&key(), pass, false, Duration::ZERO, start);
        assert_eq!(begun(&lookout, "1", start).failures, 0);
    }
}
