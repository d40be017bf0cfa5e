//! Requeue intervals. Pure: the caller passes the time and a seed.

use std::time::Duration;

use jiff::Timestamp;

use crate::core::age::age;

/// How long after a change at the cloud the shortest interval applies.
const FRESH: Duration = Duration::from_mins(10);
/// How long after it the middle interval applies.
const RECENT: Duration = Duration::from_hours(24);
/// How often a finished order is reconciled.
const SETTLED: Duration = Duration::from_hours(12);
/// How often the review of a saved profile is polled.
const REVIEW: Duration = Duration::from_mins(10);
/// How often a stopped order is reconciled, besides on every change.
pub const STOPPED: Duration = Duration::from_hours(1);

/// The first and the longest pause after failures.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// Less than two minutes, in which a call has its turn and is answered.
const LONGEST_PAUSE_OF_ALL: Duration = Duration::from_secs(90);

/// The requeue interval of a running order: `interval` for ten minutes after the cloud's last change, ten times that for
/// a day, then twenty times; with a jitter of ± 20 %.
#[must_use]
pub fn poll(since: Timestamp, now: Timestamp, interval: Duration, seed: u64) -> Duration {
    let age = age(now, since);
    let times = if age < FRESH {
        1
    } else if age < RECENT {
        10
    } else {
        20
    };
    jitter(interval.saturating_mul(times), seed, 20)
}

/// The requeue interval of a finished order, or of a saved profile whose review is over.
#[must_use]
pub fn settled(seed: u64) -> Duration {
    jitter(SETTLED, seed, 20)
}

/// The delay of a finished order's first pass after a start: spread over the whole interval, so that a restart causes no
/// burst of calls.
#[must_use]
pub fn settled_at_start(seed: u64) -> Duration {
    SETTLED.mul_f64(fraction(seed))
}

/// The requeue interval of a saved profile whose review is in progress.
#[must_use]
pub fn review(seed: u64) -> Duration {
    jitter(REVIEW, seed, 20)
}

/// The backoff after the n-th failure in a row (from 1): doubled each time up to five minutes, with a jitter that
/// shortens it by up to a half. A longer delay that the server asks for wins.
#[must_use]
pub fn after_failure(failures: u32, server_asks: Option<Duration>, seed: u64) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(2u32.saturating_pow(failures.saturating_sub(1)));
    let pause = doubled.min(LONGEST_PAUSE);
    let less = pause.mul_f64(fraction(seed ^ u64::from(failures)) / 2.0);
    pause.saturating_sub(less).max(server_asks.unwrap_or_default())
}

/// The same where one thing was wrong for every object at once, such as a clock: two minutes at most, so that all go on
/// soon after it is mended.
#[must_use]
pub fn after_failure_of_all(failures: u32, seed: u64) -> Duration {
    after_failure(failures, None, seed).min(LONGEST_PAUSE_OF_ALL)
}

fn jitter(pause: Duration, seed: u64, percent: u32) -> Duration {
    let spread = f64::from(percent) / 100.0;
    pause.mul_f64(1.0 - spread + 2.0 * spread * fraction(seed))
}

/// A number in [0, 1) that is spread evenly over seeds (`SplitMix64`).
fn fraction(seed: u64) -> f64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let bits = u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or_default();
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn polling_slows_down_with_the_age_of_the_last_change() {
        let since = Timestamp::UNIX_EPOCH;
        let interval = Duration::from_secs(30);
        for (age, times) in
            [(-3600, 1), (0, 1), (599, 1), (600, 10), (86_399, 10), (86_400, 20), (864_000, 20)]
        {
            let now = since + SignedDuration::from_secs(age);
            let middle = interval * times;
            for seed in 0..100 {
                let pause = poll(since, now, interval, seed);
                assert!(
                    pause >= middle.mul_f64(0.799) && pause <= middle.mul_f64(1.201),
                    "{age} s: {pause:?}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn failures_are_never_repeated_at_once_nor_given_up(failures in 1u32.., seed: u64, asks in 0u64..10_000) {
            let pause = after_failure(failures, None, seed);
            prop_assert!(pause >= FIRST_PAUSE / 2 && pause <= LONGEST_PAUSE);
            let asked = Duration::from_secs(asks);
            prop_assert!(after_failure(failures, Some(asked), seed) >= asked);
            prop_assert!(after_failure_of_all(failures, seed) <= pause.min(Duration::from_mins(2)));
        }
    }
}
