//! When a certificate may take the place of another one in the Secret of an order. Pure.

use jiff::Timestamp;

use crate::order::facts::Term;

/// Why a certificate must not take the place of the present one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Blocked {
    /// It is not valid yet.
    #[error("it is valid from {0} on")]
    NotYet(Timestamp),
    /// It is over, and the present one is not.
    #[error("it ended at {0}, and the one in use is still valid")]
    Over(Timestamp),
    /// The present one is valid for longer.
    #[error("it ends at {0}, before the one in use, which ends at {1}")]
    EndsEarlier(Timestamp, Timestamp),
    /// Both end at the same time, and the present one was issued later.
    #[error("it ends at {0} as the one in use does, and was issued before that")]
    Older(Timestamp),
}

impl Blocked {
    /// Whether waiting changes nothing: it ends no later than the present one.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, Self::NotYet(_))
    }
}

/// Whether a certificate with the term `next` may take the place of one with the term `present`, which is the one that the
/// order has: what else somebody wrote into the Secret is no term to compare with.
pub fn may_replace(next: Term, present: Option<Term>, now: Timestamp) -> Result<(), Blocked> {
    if next.not_before > now {
        return Err(Blocked::NotYet(next.not_before));
    }
    let Some(present) = present else { return Ok(()) };
    if next.not_after < present.not_after {
        let is_over = next.not_after <= now && present.not_after > now;
        let blocked = Blocked::EndsEarlier(next.not_after, present.not_after);
        return Err(if is_over { Blocked::Over(next.not_after) } else { blocked });
    }
    if next.not_after == present.not_after && next.not_before < present.not_before {
        return Err(Blocked::Older(next.not_after));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(day * 86_400).unwrap()
    }

    fn term(from: i64, to: i64) -> Term {
        Term { not_before: at(from), not_after: at(to) }
    }

    #[test]
    fn what_ends_later_replaces_what_ends_earlier() {
        let table = [
            (term(10, 60), Some(term(0, 50)), Ok(())),
            (term(10, 60), None, Ok(())),
            (term(10, 50), Some(term(0, 50)), Ok(())),
            (term(0, 50), Some(term(0, 50)), Ok(())),
            (term(0, 50), Some(term(10, 50)), Err(Blocked::Older(at(50)))),
            (term(10, 40), Some(term(0, 50)), Err(Blocked::EndsEarlier(at(40), at(50)))),
            (term(21, 60), Some(term(0, 50)), Err(Blocked::NotYet(at(21)))),
            (term(5, 15), Some(term(0, 50)), Err(Blocked::Over(at(15)))),
            (term(5, 15), Some(term(0, 10)), Ok(())),
        ];
        for (next, present, wanted) in table {
            assert_eq!(may_replace(next, present, at(20)), wanted, "{next:?} {present:?}");
        }
    }

    proptest! {
        #[test]
        fn no_sequence_of_certificates_leads_to_one_that_ends_earlier(
            terms in proptest::collection::vec((0i64..100, 1i64..100), 1..20), now in 0i64..200,
        ) {
            let mut present: Option<Term> = None;
            for (from, life) in terms {
                let next = term(from, from + life);
                if may_replace(next, present, at(now)).is_ok() {
                    prop_assert!(present.is_none_or(|present| present.not_after <= next.not_after));
                    prop_assert!(next.not_before <= at(now));
                    present = Some(next);
                }
            }
        }
    }
}
