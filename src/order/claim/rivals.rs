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
/// - A submission wins, regardless of age: the money is spent. A submission that the cloud answered wins over one that
///   was found at the cloud after its response was lost, since an equal application of another order looks the same
///   there. A found submission wins over an adopted one. Of two found or two adopted ones, the older order wins.
/// - An order whose call may be in flight does not yield, not even to an older order: it listed the others before the
///   older one stored its intent. The younger of the two stops for good, the older waits until the intent of the other
///   is settled.
///
/// So if two orders act at once, at most one of them calls: each stores its intent before it lists the others, hence at
/// least one of them observes the intent of the other.
#[must_use]
pub fn contested(me: &CertificateOrder, others: &[impl Borrow<CertificateOrder>]) -> Option<Problem> {
    let rivals = || others.iter().map(Borrow::borrow).filter(|other| other.uid() != me.uid());
    let standing = |order: &CertificateOrder| claim(order).map(|claim| (claim, seniority(order)));
    let winner =
        rivals().filter_map(|other| Some((standing(other)?, other))).min_by(|(a, _), (b, _)| a.cmp(b));
    match (standing(me), winner) {
        (Some((Claim::Answered, _)), _) | (Some(_), None) => return None,
        (Some(mine), Some((theirs, winner))) => return (theirs < mine).then(|| duplicate(me, winner)),
        (None, Some((_, winner))) => return Some(duplicate(me, winner)),
        (None, None) => {}
    }
    let rival = rivals().filter(|other| intends(other)).min_by(|a, b| seniority(a).cmp(&seniority(b)))?;
    if seniority(rival) < seniority(me) {
        return Some(duplicate(me, rival));
    }
    let message = format!(
        "{} asks for the same certificate and its call is not settled yet; certorder looks again in a moment",
        other(me, rival)
    );
    Some(Problem::new(Reason::Settling, message))
}

/// The order of those that have acted on one certificate: first the one that keeps it.
#[must_use]
pub fn rank(order: &CertificateOrder) -> impl Ord + use<> {
    let claim = claim(order);
    (claim.is_none(), claim, seniority(order))
}

/// Whether no other order can contest the claim of this one any more: the cloud answered it.
#[must_use]
pub fn is_settled(order: &CertificateOrder) -> bool {
    claim(order) == Some(Claim::Answered)
}

/// How an order obtained its certificate, the strongest claim first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    /// The cloud confirmed that it accepted the application of this attempt or of an earlier one.
    Answered,
    /// An equal application was found at the cloud, and counts as its own.
    Found,
    /// An order that was placed by other means was taken over.
    Adopted,
}

fn claim(order: &CertificateOrder) -> Option<Claim> {
    let submission = submission(order)?;
    // The claim also holds between two attempts.
    if submission.submitted_at.is_none() && submission.resubmissions == 0 {
        return None;
    }
    // No second attempt starts while another order contests the first.
    let is_answered = order.status.as_ref().is_some_and(|status| status.request_id.is_some())
        || submission.resubmissions > 0;
    Some(match submission.adopted {
        true => Claim::Adopted,
        false if is_answered => Claim::Answered,
        false => Claim::Found,
    })
}

/// Whether an order can contest the claim of another one: it has one itself, or a call of it may be under way.
#[must_use]
pub fn has_claim(order: &CertificateOrder) -> bool {
    claim(order).is_some() || intends(order)
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

fn duplicate(me: &CertificateOrder, winner: &CertificateOrder) -> Problem {
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
