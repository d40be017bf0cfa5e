//! Certificates that follow others without a call: the next one of a term, and what the cloud buys.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    certificate::{Certificate, InPlace},
    options::Options,
    state::State,
    succession::{Identity, OrderNumber, Start, Succession},
    term::{Plan, Term},
};
use crate::cloud::time::days_before;

/// Makes the certificate that follows another one. Returns its id, which may be that of the other one; `None` without that.
pub(super) fn follow(
    state: &mut State,
    old_id: &str,
    succession: Succession,
    options: &Options,
    now: Timestamp,
) -> Option<String> {
    let new_id = state.new_certificate_id();
    let old = state.certificates.get_mut(old_id)?;
    let is_bought = old.term.plan == Plan::AutoRenewal;
    if succession.identity == Identity::Own || is_bought {
        let new = next(old, &new_id, succession, options, now);
        if is_bought {
            // The switch moves on.
            old.term.plan = Plan::Single;
        }
        state.certificates.insert(new_id.clone(), new);
        return Some(new_id);
    }
    let submission = old.submission.clone()?;
    let stays = succession.identity == Identity::Same;
    old.in_place = Some(InPlace::Renewal);
    old.apply(submission, if stays { old.status } else { options.applied_status }, now);
    Some(old.id.clone())
}

/// A certificate of the same specification.
pub(super) fn alike(old: &Certificate, id: &str, now: Timestamp) -> Certificate {
    Certificate {
        domain_count: old.domain_count,
        wildcard_count: old.wildcard_count,
        primary_is_wildcard: old.primary_is_wildcard,
        shape: old.shape,
        ..Certificate::bought(id, old.owner.clone(), old.product, now)
    }
}

fn next(
    old: &Certificate,
    id: &str,
    succession: Succession,
    options: &Options,
    now: Timestamp,
) -> Certificate {
    let mut new = alike(old, id, now);
    new.follows = Some(old.id.clone());
    new.term = old.term;
    if old.term.plan == Plan::AutoRenewal {
        new.term = Term { began: None, ..old.term };
    } else if succession.order == OrderNumber::Same {
        new.order_id.clone_from(&old.order_id);
    }
    match (succession.start, old.submission.clone()) {
        (Start::Filed, Some(submission)) => new.apply(submission, options.applied_status, now),
        (Start::PaidWithNames, submission) => new.submission = submission,
        (Start::Filed, None) | (Start::Paid, _) => {}
    }
    new
}

/// Notes when a certificate that may have changed makes something happen by itself.
pub(super) fn touched(state: &mut State, options: &Options, id: &str) {
    let ends = state.certificates.get(id).and_then(Certificate::ends);
    if let Some(ends) = ends {
        state.expect_event(due(ends, options).unwrap_or(ends));
    }
}

/// When the next certificate is made, if the cloud makes any.
fn due(ends: Timestamp, options: &Options) -> Option<Timestamp> {
    days_before(ends, options.succession_days?)
}

/// Lets happen what happens by itself until now. The next certificates come with the time at which they were due, so that
/// a clock which leaps makes no difference.
pub(super) fn settle(state: &mut State, options: &Options, now: Timestamp) {
    if state.next_event.is_none_or(|event| now < event) {
        return;
    }
    for (id, ends) in next_ones(state) {
        if let Some(due) = due(ends, options).filter(|due| *due <= now) {
            follow(state, &id, options.succession, options, due);
        }
    }
    for certificate in state.certificates.values_mut() {
        certificate.expire_by(now);
    }
    let ends = state.certificates.values().filter_map(Certificate::ends);
    let next = next_ones(state).into_iter().filter_map(|(_, ends)| due(ends, options));
    state.next_event = ends.chain(next).min();
}

/// The certificates after which the cloud will make another, and their ends.
fn next_ones(state: &State) -> Vec<(String, Timestamp)> {
    let followed: BTreeSet<&str> =
        state.certificates.values().filter_map(|one| one.follows.as_deref()).collect();
    let next = |one: &Certificate| {
        let ends = one.ends()?;
        let goes_on = match one.term.plan {
            Plan::Single => false,
            Plan::Subscription => one.term.ends().is_some_and(|term| ends < term),
            Plan::AutoRenewal => true,
        };
        let is_last = one.in_place.is_none() && !followed.contains(one.id.as_str());
        (goes_on && is_last).then(|| (one.id.clone(), ends))
    };
    state.certificates.values().filter_map(next).collect()
}
