//! How long ago something was, and how long something takes yet. The one place that compares two times of day.
//!
//! Clocks are stepped in both directions, and that of another machine may be ahead. So a time in the future counts as just
//! now, and what must not end early is also measured by a monotonic clock; see [`left_of`].

#![allow(clippy::disallowed_methods, reason = "this is the one place")]

use std::time::Duration;

use jiff::Timestamp;

/// How long ago `since` was; zero for a time in the future.
#[must_use]
pub fn age(now: Timestamp, since: Timestamp) -> Duration {
    left(since, now)
}

/// How long it is from `now` until `end`; zero once it is past.
#[must_use]
pub fn left(now: Timestamp, end: Timestamp) -> Duration {
    Duration::try_from(end.duration_since(now)).unwrap_or_default()
}

/// How far apart two times are.
#[must_use]
pub fn apart(one: Timestamp, other: Timestamp) -> Duration {
    one.duration_since(other).unsigned_abs()
}

/// What is left of a wait that began at `since`, and that this process has observed for `seen` by its monotonic clock.
///
/// Both clocks have to agree that it is over: the time of day may jump ahead, and a process may have started just now. But
/// where the time of day was set back to before `since`, it says nothing, and the monotonic clock decides alone.
#[must_use]
pub fn left_of(wait: Duration, now: Timestamp, since: Timestamp, seen: Duration) -> Duration {
    let there = if since > now { Duration::ZERO } else { wait.saturating_sub(age(now, since)) };
    wait.saturating_sub(seen).max(there)
}

/// The same where ending early does no harm: the time of day decides, unless it was set back to before `since`.
#[must_use]
pub fn left_by_the_time_of_day(wait: Duration, now: Timestamp, since: Timestamp, seen: Duration) -> Duration {
    wait.saturating_sub(if since > now { seen } else { age(now, since) })
}

/// The time after a wait.
#[must_use]
pub fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = 3600;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + second).unwrap()
    }

    #[test]
    fn a_time_in_the_future_counts_as_just_now() {
        for (now, since, wanted) in [(0, 0, 0), (60, 0, 60), (0, 60, 0), (-HOUR, HOUR, 0)] {
            assert_eq!(age(at(now), at(since)), Duration::from_secs(wanted), "{now} {since}");
        }
        assert_eq!(age(Timestamp::MIN, Timestamp::MAX), Duration::ZERO);
        assert!(age(Timestamp::MAX, Timestamp::MIN) > Duration::from_hours(1));
    }

    #[test]
    fn a_wait_ends_by_both_clocks_or_by_the_monotonic_one_where_the_other_was_set_back() {
        let left = |now, seen| {
            let (wait, seen) = (Duration::from_secs(40), Duration::from_secs(seen));
            left_of(wait, at(now), at(0), seen).as_secs()
        };
        // The clock, how long it was observed here, what is left.
        let table = [
            (0, 0, 40),
            (10, 10, 30),
            (40, 40, 0),
            (HOUR, 0, 40),
            (HOUR, 39, 1),
            (10, 3600, 30),
            (-120, 0, 40),
            (-120, 39, 1),
            (-120, 40, 0),
        ];
        for (now, seen, wanted) in table {
            assert_eq!(left(now, seen), wanted, "{now} {seen}");
        }
    }

    proptest! {
        /// However the clock is set while a wait is observed: it never ends early, and it ends.
        #[test]
        fn no_jump_of_the_clock_ends_a_wait_early_or_never(
            jumps in prop::collection::vec(-HOUR..=HOUR, 1..20),
            began_off in -HOUR..=HOUR,
        ) {
            let wait = Duration::from_mins(10);
            for (second, jump) in (0..).step_by(60).zip(jumps) {
                let seen = Duration::from_secs(second);
                let now = at(i64::try_from(second).unwrap() + jump);
                let left = left_of(wait, now, at(began_off), seen);
                prop_assert!(left >= wait.saturating_sub(seen), "early");
                prop_assert!(left <= wait, "a new wait");
            }
            let (right, seen) = (at(HOUR + 600), Duration::from_mins(10));
            prop_assert!(left_of(wait, right, at(began_off), seen).is_zero());
        }
    }
}
