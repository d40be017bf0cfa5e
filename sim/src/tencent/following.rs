//! Certificates that follow others without a call: what the cloud makes, and what people start in the console.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{
    certificate::Certificate,
    chain,
    options::{Options, RevocationRule},
    reissue,
    state::{CA_EVENT, State},
    succession::{Start, Succession, Way},
    term::Plan,
};

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

/// Lets happen what happens by itself until now.
pub(super) fn settle(state: &mut State, options: &Options, now: Timestamp) {
    make_successors(state, options, now);
    for certificate in state.certificates.values_mut() {
        certificate.expire_by(now);
    }
    reissue::settle(state, &options.reissue);
    if options.revocation != RevocationRule::Independent {
        reissue::revoke_tied(state, options.revocation, now);
    }
}

/// Each with the time at which it was due, so that a clock which leaps makes no difference.
fn make_successors(state: &mut State, options: &Options, now: Timestamp) {
    let Some(days) = options.succession_days else { return };
    let before = SignedDuration::from_hours(24 * i64::from(days));
    for (id, way, ends) in next_ones(state) {
        if let Some(due) = ends.saturating_sub(before).ok().filter(|due| *due <= now) {
            follow(state, &id, way, &options.succession, options, due);
        }
    }
}

/// The certificates after which the cloud will make another, the way, and their ends.
fn next_ones(state: &State) -> Vec<(String, Way, Timestamp)> {
    let all = state.certificates.values();
    let followed: BTreeSet<&str> =
        all.clone().filter(|one| !one.has_failed()).filter_map(|one| one.follows.as_deref()).collect();
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
    let issued = certificate.issued.as_ref().filter(|_| certificate.is_valid())?;
    let goes_on = certificate.term.ends().is_some_and(|ends| issued.not_after < ends);
    let way = match &certificate.term.plan {
        Plan::MultiYear if goes_on => Way::MultiYear,
        Plan::Subscription { .. } if goes_on => Way::Subscription,
        _ if certificate.renews_automatically() => Way::AutoRenewal,
        _ => return None,
    };
    Some((way, issued.not_after))
}
