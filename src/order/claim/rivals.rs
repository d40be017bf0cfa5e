//! One paid certificate belongs to one order. A claim is a stored intent or submission.

use std::borrow::Borrow;

use kube::ResourceExt;

use crate::api::v1alpha1::CertificateOrder;
use crate::api::v1alpha1::conditions::Reason;
use crate::cluster::cache::{Key, key};
use crate::core::annotations::RECONCILE_AT;
use crate::core::conditions::Problem;

/// Whether an order may act on its certificate, given every other order that names the same one.
///
/// - A submission wins, whoever is older: the money is spent. One whose answer is known wins over one that was found
///   at the cloud after its answer was lost, since an equal application of another order looks the same there; and
///   that one over what was only taken over. Of two that were found, or taken over, the older one wins.
/// - A call that may be under way is never overtaken, not even by an older object: its caller looked before the
///   older object stored its intent, so it cannot know of it. The younger gives way for good, the older waits
///   until the other's intent is settled.
///
/// So of two that act at once, at most one calls: each stores its intent before it looks at the others, hence at
/// least one of them sees the other.
#[must_use]
pub fn contested(me: &CertificateOrder, others: &[impl Borrow<CertificateOrder>]) -> Option<Problem> {
    let rivals = || others.iter().map(Borrow::borrow).filter(|other| other.uid() != me.uid());
    let standing = |order: &CertificateOrder| hold(order).map(|hold| (hold, seniority(order)));
    let winner =
        rivals().filter_map(|other| Some((standing(other)?, other))).min_by(|(a, _), (b, _)| a.cmp(b));
    match (standing(me), winner) {
        (Some((Hold::Answered, _)), _) | (Some(_), None) => return None,
        (Some(mine), Some((theirs, winner))) => return (theirs < mine).then(|| lost(me, winner)),
        (None, Some((_, winner))) => return Some(lost(me, winner)),
        (None, None) => {}
    }
    let rival = rivals().filter(|other| intends(other)).min_by(|a, b| seniority(a).cmp(&seniority(b)))?;
    if seniority(rival) < seniority(me) {
        return Some(lost(me, rival));
    }
    let message = format!(
        "{} asks for the same certificate and its call is not settled yet; certorder looks again in a moment",
        other(me, rival)
    );
    Some(Problem::new(Reason::Settling, message))
}

/// Whether nobody can contest the claim of this order any more: the cloud answered it.
#[must_use]
pub fn is_settled(order: &CertificateOrder) -> bool {
    hold(order) == Some(Hold::Answered)
}

/// How an order came to its certificate, the strongest claim first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Hold {
    /// The cloud accepted its application and said so, for this attempt or one before.
    Answered,
    /// Its application was found at the cloud, and is taken for its own.
    Found,
    /// What somebody else ordered was taken over.
    Adopted,
}

fn hold(order: &CertificateOrder) -> Option<Hold> {
    let submission = submission(order)?;
    // Between two attempts the certificate is its own as well.
    if submission.submitted_at.is_none() && submission.resubmissions == 0 {
        return None;
    }
    // No second attempt begins while another order contests the first.
    let is_answered = order.status.as_ref().is_some_and(|status| status.request_id.is_some())
        || submission.resubmissions > 0;
    Some(match submission.adopted {
        true => Hold::Adopted,
        false if is_answered => Hold::Answered,
        false => Hold::Found,
    })
}

fn intends(order: &CertificateOrder) -> bool {
    submission(order).is_some_and(|submission| submission.intent.is_some())
}

fn submission(order: &CertificateOrder) -> Option<&crate::api::v1alpha1::Submission> {
    order.status.as_ref()?.submission.as_ref()
}

/// Older first, then the lower UID.
pub(in crate::order) fn seniority(order: &CertificateOrder) -> impl Ord + use<> {
    (order.creation_timestamp().map(|time| time.0), order.uid())
}

fn lost(me: &CertificateOrder, winner: &CertificateOrder) -> Problem {
    lost_to(me, &key(winner))
}

/// Why an order may not act whose certificate another one has, as its claim says.
pub(super) fn lost_to(me: &CertificateOrder, (namespace, name): &Key) -> Problem {
    let message = format!(
        "{} has this paid certificate already, and one certificate is submitted once; delete this order, and create a \
         new one for another certificate",
        name_for(me, namespace, name)
    );
    Problem::new(Reason::DuplicateCertificate, message)
}

/// Why nothing is sent while another order for the same certificate cannot be read.
pub(super) fn unreadable(me: &CertificateOrder, (namespace, name): &Key) -> Problem {
    let message = format!(
        "{} is for the same certificate, cannot be read by this version of certorder, and may have submitted it, so \
         nothing is sent; mend or delete it, or run the version that it was written for, then annotate this order with \
         {RECONCILE_AT}: <any text>",
        name_for(me, namespace, name)
    );
    Problem::new(Reason::CertificateInUse, message)
}

fn other(me: &CertificateOrder, other: &CertificateOrder) -> String {
    name_for(me, &other.namespace().unwrap_or_default(), &other.name_any())
}

/// Names another order only to readers of its own namespace.
pub(super) fn name_for(me: &CertificateOrder, namespace: &str, name: &str) -> String {
    if me.namespace().unwrap_or_default() == namespace {
        format!("CertificateOrder {name}")
    } else {
        "a CertificateOrder in another namespace".to_owned()
    }
}
