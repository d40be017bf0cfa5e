//! Certificates that follow others without a call: what the cloud makes, and what people start in the console.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    certificate::{Certificate, Status},
    chain,
    options::{Options, RevocationRule},
    reissue,
    state::{CA_EVENT, State},
    succession::{Start, Succession, Way},
    term::Plan,
};
use crate::cloud::time::days_before;

/// Makes a certificate that follows another one. Returns its id; `None` without that other one.
pub(super) fn follow(
    state: &mut State,
    old_id: &str,
    way: Way,
    succession: &Succession,
    options: &Options,
    now: Timestamp,
) -> Option<String> {
    let owner = state.certificates.get(old_id)?.owner.clone();
    let new_id = if way == Way::Reissue {
        reissue::start(state, old_id, &reissue::Request::unchanged(), succession, options, now)?
    } else {
        renew(state, old_id, way, succession, now)?
    };
    if let Some(kind) = log_type(way) {
        state.record(&owner, &new_id, CA_EVENT, kind, now);
    }
    Some(new_id)
}

/// The next certificate of the same purchase, or of one like it.
fn renew(
    state: &mut State,
    old_id: &str,
    way: Way,
    succession: &Succession,
    now: Timestamp,
) -> Option<String> {
    let (id, order_id) = (state.new_certificate_id(), state.next_order_id());
    let old = state.certificates.get(old_id)?;
    let mut new = chain::successor_of(old, &id, now);
    if matches!(way, Way::AutoRenewal | Way::PaidRenewal) {
        new.term = old.term.again();
    }
    if succession.start == Start::Pending {
        new.submission = None;
    } else if let Some(submission) = &new.submission {
        let verify_type = submission.text("VerifyType").unwrap_or("DNS").to_owned();
        new.order(order_id, &verify_type, now);
    }
    chain::join(state, new, way, succession);
    Some(id)
}

/// Inferred: that lines name the new certificate, and that there is none for the next one of a subscription service, of
/// which the documents name no type.
fn log_type(way: Way) -> Option<&'static str> {
    match way {
        Way::MultiYear => Some("multiYearsRenew"),
        Way::Subscription => None,
        Way::AutoRenewal | Way::PaidRenewal => Some("renewVIP"),
        Way::Reissue => Some("replace"),
    }
}

/// Notes when a certificate that may have changed makes something happen by itself.
pub(super) fn touched(state: &mut State, options: &Options, id: &str) {
    let Some(certificate) = state.certificates.get(id) else { return };
    let concerns_others = matches!(certificate.status, Status::REVOKED | Status::REISSUING);
    let event = if concerns_others || certificate.reissue.is_some() {
        Some(Timestamp::MIN)
    } else {
        certificate.ends().map(|ends| due(ends, options).unwrap_or(ends))
    };
    if let Some(event) = event {
        state.expect_event(event);
    }
}

/// When the next certificate is made, if the cloud makes any.
fn due(ends: Timestamp, options: &Options) -> Option<Timestamp> {
    days_before(ends, options.succession_days?)
}

/// Lets happen what happens by itself until now.
pub(super) fn settle(state: &mut State, options: &Options, now: Timestamp) {
    if state.next_event.is_none_or(|event| now < event) {
        return;
    }
    make_successors(state, options, now);
    for certificate in state.certificates.values_mut() {
        certificate.expire_by(now);
    }
    reissue::settle(state, &options.reissue);
    if options.revocation != RevocationRule::Independent {
        reissue::revoke_tied(state, options.revocation, now);
    }
    let ends = state.certificates.values().filter_map(Certificate::ends);
    let next = next_ones(state).into_iter().filter_map(|(_, _, ends)| due(ends, options));
    state.next_event = ends.chain(next).min();
}

/// Each with the time at which it was due, so that a clock which leaps makes no difference.
fn make_successors(state: &mut State, options: &Options, now: Timestamp) {
    for (id, way, ends) in next_ones(state) {
        if let Some(due) = due(ends, options).filter(|due| *due <= now) {
            follow(state, &id, way, &options.succession, options, due);
        }
    }
}

/// The certificates after which the cloud will make another, the way, and their ends.
fn next_ones(state: &State) -> Vec<(String, Way, Timestamp)> {
    let all = state.certificates.values();
    // A reissue that failed is no successor.
    let follows = |one: &&Certificate| one.reissue.is_none() || !one.has_failed();
    let followed: BTreeSet<&str> =
        all.clone().filter(follows).filter_map(|one| one.follows.as_deref()).collect();
    let is_last = |one: &&Certificate| !followed.contains(one.id.as_str()) && !one.successors.is_renewed();
    all.filter(is_last)
        .filter_map(|one| {
            let (way, ends) = next_way(one)?;
            Some((one.id.clone(), way, ends))
        })
        .collect()
}

/// In which way the cloud will make the next certificate, and the end of this one.
fn next_way(certificate: &Certificate) -> Option<(Way, Timestamp)> {
    let ends = certificate.ends()?;
    let goes_on = certificate.term.ends().is_some_and(|term| ends < term);
    let way = match &certificate.term.plan {
        Plan::MultiYear if goes_on => Way::MultiYear,
        Plan::Subscription { .. } if goes_on => Way::Subscription,
        _ if certificate.renews_automatically() => Way::AutoRenewal,
        _ => return None,
    };
    Some((way, ends))
}
