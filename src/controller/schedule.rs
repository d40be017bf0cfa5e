//! When each object is due again. A watch event that changes nothing, such as the one of our own status write, causes
//! no pass.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::cluster::cache::Key;

/// When each object is due. In memory only: after a start each object is due once, except settled orders.
#[derive(Default)]
pub struct Schedule(Mutex<HashMap<Key, Entry>>);

#[derive(Default)]
struct Entry {
    /// Counts wake-ups, so that one that comes during a pass is not lost.
    wakes: u64,
    /// The wake-ups that the last finished pass has handled.
    handled: u64,
    /// What the user had asked for at the last pass.
    asked: Option<Asked>,
    due: Option<Instant>,
    /// Until when nothing is expected to change but by what the object refers to.
    rests_until: Option<Instant>,
    failures: u32,
    /// What the last pass stored, until the cache shows it.
    stored: Option<Stored>,
}

/// The state of an object that the cache has to reach before the next pass.
struct Stored {
    version: u64,
    /// When the cache is used as it is: a restored etcd counts from an earlier version.
    waits_until: Option<Instant>,
}

impl Stored {
    fn is_ahead_of(&self, version: Option<&str>, now: Instant) -> bool {
        let shown: Option<u64> = version.and_then(|version| version.parse().ok());
        shown.is_some_and(|shown| shown < self.version) && self.waits_until.is_some_and(|until| now < until)
    }
}

/// How long a pass waits for the watch to show what the last one stored. The watch event requeues the object.
const LONGEST_LAG: Duration = Duration::from_secs(10);

/// How soon an object is looked at again whose watch event has not come.
const LAG: Duration = Duration::from_secs(1);

/// What the user asks for, by its hash: users may write much.
#[derive(PartialEq, Eq, Debug)]
struct Asked(u64);

impl Asked {
    fn of(text: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// What [`Schedule::begin`] returns.
#[derive(Debug, PartialEq, Eq)]
pub enum Due {
    /// Reconcile it now.
    Now(Pass),
    /// Requeue it after this long.
    NotBefore(Duration),
}

/// A pass that has begun.
#[derive(Debug, PartialEq, Eq)]
pub struct Pass {
    wakes: u64,
    asked: Asked,
    /// How many passes in a row have failed before this one.
    pub failures: u32,
    /// Until when nothing but what the object refers to asks for a pass.
    pub rests_until: Option<Instant>,
}

impl Schedule {
    /// Whether the object is due: at its first pass, when `asked` differs from the last pass, after a wake-up, or when
    /// its pause is over; not before the cache, whose state of it has this resource version, shows what the last pass has
    /// stored.
    pub fn begin(&self, key: &Key, asked: &str, version: Option<&str>, now: Instant) -> Due {
        let asked = Asked::of(asked);
        let mut entries = self.lock();
        let entry = entries.entry(key.clone()).or_default();
        if entry.stored.as_ref().is_some_and(|stored| stored.is_ahead_of(version, now)) {
            return Due::NotBefore(LAG);
        }
        entry.stored = None;
        let remaining =
            entry.due.map(|due| due.saturating_duration_since(now)).filter(|left| !left.is_zero());
        match remaining {
            Some(left) if entry.wakes == entry.handled && entry.asked.as_ref() == Some(&asked) => {
                Due::NotBefore(left)
            }
            _ => {
                let rests =
                    entry.rests_until.filter(|until| entry.asked.as_ref() == Some(&asked) && now < *until);
                Due::Now(Pass { wakes: entry.wakes, asked, failures: entry.failures, rests_until: rests })
            }
        }
    }

    /// Adds an object that is due after `pause`, unless it is scheduled already.
    pub fn expect(&self, key: &Key, asked: &str, pause: Duration, now: Instant) {
        self.lock().entry(key.clone()).or_insert_with(|| Entry {
            asked: Some(Asked::of(asked)),
            due: now.checked_add(pause),
            rests_until: now.checked_add(pause),
            ..Entry::default()
        });
    }

    /// Keeps the resource version that a pass has stored: the next one begins when the cache has reached it. An earlier
    /// state would cost the calls of a whole pass, and end in a conflict.
    ///
    /// The versions of one kind can be compared as numbers, by the API's conventions since Kubernetes 1.35 and in fact
    /// before. Others are not waited for.
    pub fn stored(&self, key: &Key, version: Option<&str>, now: Instant) {
        if let Some(entry) = self.lock().get_mut(key) {
            let version = version.and_then(|version| version.parse().ok());
            entry.stored =
                version.map(|version| Stored { version, waits_until: now.checked_add(LONGEST_LAG) });
        }
    }

    /// Ends a pass: the object is due again after `pause`.
    pub fn end(&self, key: &Key, pass: Pass, failed: bool, pause: Duration, now: Instant) {
        let mut entries = self.lock();
        let entry = entries.entry(key.clone()).or_default();
        entry.handled = pass.wakes;
        entry.asked = Some(pass.asked);
        entry.failures = if failed { pass.failures.saturating_add(1) } else { 0 };
        entry.due = now.checked_add(pause);
    }

    /// Says until when a pass has to look at nothing but what the object refers to; `None` if it has to look at all.
    pub fn rests(&self, key: &Key, until: Option<Instant>) {
        if let Some(entry) = self.lock().get_mut(key) {
            entry.rests_until = until;
        }
    }

    /// Makes an object due, also one without a pass so far: something that it refers to has changed.
    pub fn wake(&self, key: &Key) {
        self.lock().entry(key.clone()).or_default().wakes += 1;
    }

    /// Removes an object that was deleted.
    pub fn forget(&self, key: &Key) {
        self.lock().remove(key);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Entry>> {
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

    fn begun(schedule: &Schedule, asked: &str, now: Instant) -> Pass {
        match schedule.begin(&key(), asked, None, now) {
            Due::Now(pass) => pass,
            Due::NotBefore(left) => panic!("not due for {left:?}"),
        }
    }

    #[test]
    fn an_event_that_changes_nothing_waits_for_the_due_time() {
        let (schedule, start) = (Schedule::default(), Instant::now());
        let pass = begun(&schedule, "1", start);
        schedule.end(&key(), pass, false, PAUSE, start);
        let later = start + Duration::from_secs(20);
        assert_eq!(schedule.begin(&key(), "1", None, later), Due::NotBefore(Duration::from_secs(40)));
        begun(&schedule, "2", later);
        begun(&schedule, "1", start + Duration::from_mins(1));
    }

    #[test]
    fn a_settled_order_is_not_due_at_the_start_unless_something_is_asked_or_changed() {
        let (schedule, start) = (Schedule::default(), Instant::now());
        schedule.expect(&key(), "1", PAUSE, start);
        schedule.expect(&key(), "1", Duration::ZERO, start);
        assert_eq!(schedule.begin(&key(), "1", None, start), Due::NotBefore(PAUSE));
        begun(&schedule, "2", start);
        schedule.wake(&key());
        begun(&schedule, "1", start);
    }

    #[test]
    fn an_object_rests_until_its_time_comes_or_something_else_is_asked() {
        let (schedule, start) = (Schedule::default(), Instant::now());
        let pass = begun(&schedule, "1", start);
        assert_eq!(pass.rests_until, None);
        schedule.end(&key(), pass, false, PAUSE, start);
        schedule.rests(&key(), Some(start + PAUSE));
        schedule.wake(&key());
        assert_eq!(begun(&schedule, "1", start).rests_until, Some(start + PAUSE), "something it refers to");
        assert_eq!(begun(&schedule, "2", start).rests_until, None);
        assert_eq!(begun(&schedule, "1", start + PAUSE).rests_until, None);
        schedule.rests(&key(), None);
        assert_eq!(begun(&schedule, "1", start).rests_until, None);
    }

    #[test]
    fn a_wake_up_before_the_first_pass_is_not_lost() {
        let (schedule, start) = (Schedule::default(), Instant::now());
        schedule.wake(&key());
        schedule.expect(&key(), "1", PAUSE, start);
        begun(&schedule, "1", start);
    }

    #[test]
    fn a_wake_up_during_a_pass_is_not_lost() {
        let (schedule, start) = (Schedule::default(), Instant::now());
        let pass = begun(&schedule, "1", start);
        schedule.wake(&key());
        schedule.end(&key(), pass, false, PAUSE, start);
        begun(&schedule, "1", start);
    }

    #[test]
    fn a_pass_begins_when_the_cache_shows_what_the_last_one_stored() {
        let (schedule, start) = (Schedule::default(), Instant::now());
        let lag = |shown, now| match schedule.begin(&key(), "1", shown, now) {
            Due::Now(_) => None,
            Due::NotBefore(lag) => Some(lag),
        };
        assert_eq!(lag(Some("7"), start), None, "no pass so far");
        let pass = begun(&schedule, "1", start);
        schedule.end(&key(), pass, false, Duration::ZERO, start);
        for (stored, shown, wanted) in [
            (Some("10"), Some("9"), Some(LAG)),
            (Some("10"), Some("10"), None),
            (Some("10"), Some("11"), None),
            (Some("9"), Some("10"), None),
            (Some("of another kind"), Some("9"), None),
            (Some("10"), Some("of another kind"), None),
            (None, Some("9"), None),
        ] {
            schedule.stored(&key(), stored, start);
            assert_eq!(lag(shown, start), wanted, "{stored:?} {shown:?}");
        }
        schedule.stored(&key(), Some("10"), start);
        assert_eq!(lag(Some("9"), start + LONGEST_LAG), None, "a restored etcd");
        assert_eq!(lag(Some("9"), start), None, "what was reached is reached");
    }

    #[test]
    fn failures_in_a_row_are_counted() {
        let (schedule, start) = (Schedule::default(), Instant::now());
        for failures in 0..3 {
            let pass = begun(&schedule, "1", start);
            assert_eq!(pass.failures, failures);
            schedule.end(&key(), pass, true, Duration::ZERO, start);
        }
        let pass = begun(&schedule, "1", start);
        schedule.end(&key(), pass, false, Duration::ZERO, start);
        assert_eq!(begun(&schedule, "1", start).failures, 0);
    }
}
