//! One certificate after another: what both have in common, and what they say of each other.

use jiff::Timestamp;

use super::{
    certificate::Certificate,
    state::State,
    succession::{LinkedEnds, Succession, Way},
};

/// A certificate that follows another one, of which nothing is ordered or issued yet.
pub(super) fn successor_of(old: &Certificate, id: &str, now: Timestamp) -> Certificate {
    let old = old.clone();
    Certificate {
        follows: Some(old.id),
        domain_number: old.domain_number,
        alias: old.alias,
        submission: old.submission,
        shape: old.shape,
        term: old.term,
        source: old.source,
        renewal_is_managed: old.renewal_is_managed,
        root_refused: old.root_refused,
        wants_letter: old.wants_letter,
        revocation: old.revocation,
        ..Certificate::bought(id, old.owner, old.product, now)
    }
}

/// Puts a certificate beside the one that it follows, with what the two say of each other.
pub(super) fn join(state: &mut State, mut new: Certificate, way: Way, succession: &Succession) {
    let Some(old_id) = new.follows.clone() else { return };
    let (forward, back) = match &succession.ends {
        LinkedEnds::Both => (true, Some(&old_id)),
        LinkedEnds::Old => (true, None),
        LinkedEnds::New => (false, Some(&old_id)),
        LinkedEnds::Neither => (false, None),
        LinkedEnds::Stray(other) => (true, Some(other)),
    };
    *predecessor(&mut new, way) = back.cloned();
    new.links.back = succession.visibility;
    if let Some(old) = state.certificates.get_mut(&old_id).filter(|_| forward) {
        *successor(old, way) = Some(new.id.clone());
        old.links.forward = succession.visibility;
    }
    if succession.second_candidate {
        let mut candidate = Certificate { id: state.new_certificate_id(), ..new.clone() };
        *predecessor(&mut candidate, way) = Some(old_id);
        state.certificates.insert(candidate.id.clone(), candidate);
    }
    state.certificates.insert(new.id.clone(), new);
}

fn predecessor(new: &mut Certificate, way: Way) -> &mut Option<String> {
    match way {
        Way::Reissue => &mut new.predecessors.reissued_from,
        Way::Subscription => &mut new.predecessors.service_origin,
        Way::MultiYear | Way::AutoRenewal | Way::PaidRenewal => &mut new.predecessors.renewal_of,
    }
}

fn successor(old: &mut Certificate, way: Way) -> &mut Option<String> {
    match way {
        Way::Reissue => &mut old.successors.reissued_to,
        Way::Subscription => &mut old.successors.service_renew,
        Way::MultiYear | Way::AutoRenewal | Way::PaidRenewal => &mut old.successors.renew_order,
    }
}
