//! When the renewal of a certificate begins, and how far overdue it is. Pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::api::v1alpha1::{Renewal, RenewalPolicy};
use crate::core::age;
use crate::core::product::Level;
use crate::order::facts::Term;

const DAY: Duration = Duration::from_hours(24);

/// A certificate of at most this life is reissued as early as the cloud's bar asks.
const SHORT_LIFE: Duration = Duration::from_hours(24 * 60);

/// With policy Reissue the renewal of other certificates begins at least so long before their end.
const REISSUE_AT_LEAST: Duration = Duration::from_hours(24 * 40);

/// How much more than the cloud's bar is left for a reissue.
const REISSUE_MARGIN: Duration = Duration::from_hours(24 * 3);

/// So long before the end a renewal that is not done counts as overdue, each with the part of `before` that it is at most.
const OVERDUE: [(Duration, u32); 3] =
    [(DAY.saturating_mul(3), 10), (DAY.saturating_mul(10), 4), (DAY.saturating_mul(20), 2)];

/// When a renewal begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due {
    /// That moment.
    pub at: Timestamp,
    /// How long before the end of the certificate that is, without the part by which the moments of many orders differ.
    pub before: Duration,
    /// Whether the user asked for an earlier moment than the life of the certificate leaves room for.
    pub is_capped: bool,
}

/// When the renewal of a certificate with this term begins. `bar` is how much of its life must be left for a reissue; `seed`
/// is the same for an order for ever, and spreads many of them over a day.
#[must_use]
pub fn due(term: Term, level: Option<Level>, renewal: &Renewal, bar: Duration, seed: u64) -> Due {
    let life = age::age(term.not_after, term.not_before);
    let least = DAY.saturating_mul(match level {
        Some(Level::Dv) => 10,
        Some(Level::Ov) | None => 20,
        Some(Level::Ev) => 30,
    });
    let by_default = match renewal.policy {
        RenewalPolicy::Reissue if life <= SHORT_LIFE => bar.saturating_add(REISSUE_MARGIN),
        RenewalPolicy::Reissue => (life / 3).max(least).max(REISSUE_AT_LEAST),
        RenewalPolicy::Follow | RenewalPolicy::None => (life / 3).max(least),
    };
    let wanted = renewal.before().unwrap_or(by_default);
    let most = life.mul_f64(0.9);
    let before = wanted.min(most);
    let spread = u128::from(seed % 1_000) * (life / 50).min(DAY).as_millis() / 1_000;
    let later = Duration::from_millis(u64::try_from(spread).unwrap_or_default()).min(before);
    let at = term.not_after.checked_sub(before.saturating_sub(later)).unwrap_or(term.not_before);
    Due { at, before, is_capped: renewal.before().is_some() && wanted > most }
}

/// How many days before the end of the certificate its renewal counts as overdue now, the fewest: 20, 10 or 3, or fewer for
/// a renewal that begins late itself. `None` while it is not overdue.
#[must_use]
pub fn overdue(not_after: Timestamp, due: Due, now: Timestamp) -> Option<Duration> {
    let left = age::left(now, not_after);
    let milestones = OVERDUE.iter().map(|(days, part)| (*days).min(due.before / *part));
    milestones.into_iter().find(|milestone| left <= *milestone)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn term(days: u32) -> Term {
        let not_before: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
        Term { not_before, not_after: not_before + DAY.saturating_mul(days) }
    }

    fn days(number: u32) -> Duration {
        DAY.saturating_mul(number)
    }

    #[test]
    fn a_renewal_begins_by_the_life_and_the_product_or_as_asked() {
        let follow = Renewal::default();
        let reissue = Renewal { policy: RenewalPolicy::Reissue, ..Renewal::default() };
        let asked = |before: &str| Renewal { before: Some(before.to_owned()), ..Renewal::default() };
        let table = [
            (199, Some(Level::Dv), follow.clone(), Duration::from_hours(199 * 8), false),
            (47, Some(Level::Dv), follow.clone(), Duration::from_hours(47 * 8), false),
            (47, Some(Level::Ov), follow.clone(), days(20), false),
            (47, Some(Level::Ev), follow.clone(), days(30), false),
            (47, None, follow.clone(), days(20), false),
            (10, Some(Level::Dv), follow, days(9), false),
            (47, Some(Level::Dv), reissue.clone(), days(33), false),
            (90, Some(Level::Dv), reissue.clone(), days(40), false),
            (199, Some(Level::Dv), reissue, Duration::from_hours(199 * 8), false),
            (199, Some(Level::Ev), asked("240h"), days(10), false),
            (47, Some(Level::Ev), asked("2000h"), days(47).mul_f64(0.9), true),
        ];
        for (life, level, renewal, before, is_capped) in table {
            let due = due(term(life), level, &renewal, days(30), 0);
            let case = format!("{life} {level:?} {renewal:?}");
            assert_eq!((due.before, due.is_capped), (before, is_capped), "{case}");
            assert_eq!(due.at, term(life).not_after - before, "{case}");
        }
    }

    #[test]
    fn a_renewal_is_overdue_in_three_steps() {
        let follow = Renewal::default();
        let at = |life, left: u32| {
            let due = due(term(life), Some(Level::Dv), &follow, days(30), 0);
            overdue(term(life).not_after, due, term(life).not_after - days(left))
        };
        let milestones: Vec<_> = [60, 21, 20, 11, 10, 4, 3, 0].map(|left| at(199, left)).into();
        let [twenty, ten, three] = [20, 10, 3].map(|number| Some(days(number)));
        assert_eq!(milestones, [None, None, twenty, twenty, ten, ten, three, three]);
        assert_eq!(at(47, 8), None, "half of what a renewal has at all");
        assert_eq!(at(47, 7), Some(days(47) / 6));
    }

    proptest! {
        #[test]
        fn a_renewal_begins_within_the_life_and_its_moment_is_spread_over_a_day(
            life in 1u32..400, level in 0usize..4, asked in proptest::option::of(0u32..10_000), seed: u64, reissue: bool,
        ) {
            let level = [None, Some(Level::Dv), Some(Level::Ov), Some(Level::Ev)][level];
            let policy = if reissue { RenewalPolicy::Reissue } else { RenewalPolicy::Follow };
            let renewal = Renewal { policy, before: asked.map(|hours| format!("{hours}h")), ..Renewal::default() };
            let due = due(term(life), level, &renewal, days(30), seed);
            let (begin, end) = (term(life).not_before, term(life).not_after);
            prop_assert!(due.at > begin && due.at <= end);
            let latest = end - due.before + DAY.min(days(life) / 50);
            prop_assert!(due.at >= end - due.before && due.at <= latest);
            let mut milestones: Vec<_> = (0..life * 24).rev()
                .filter_map(|left| overdue(end, due, end - Duration::from_hours(left.into()))).collect();
            milestones.dedup();
            prop_assert!(milestones.len() <= 3 && milestones.is_sorted_by(|a, b| a > b));
        }
    }
}
