//! One paid certificate belongs to one order. A claim is a stored intent or submission.

use kube::ResourceExt;

use crate::api::v1alpha1::CertificateOrder;
use crate::api::v1alpha1::conditions::Reason;
use crate::core::conditions::Problem;

/// Whether an order may act on its certificate, given every other order that names the same one.
///
/// - A submission wins, whoever is older: the money is spent. What was only taken over gives way to it, and of two
///   that took over the older one wins.
/// - A call that may be under way is never overtaken, not even by an older object: its caller looked before the
///   older object stored its intent, so it cannot know of it. The younger gives way for good, the older waits
///   until the other's intent is settled.
///
/// So of two that act at once, at most one calls: each stores its intent before it looks at the others, hence at
/// least one of them sees the other.
pub fn contested(me: &CertificateOrder, others: &[CertificateOrder]) -> Option<Problem> {
    let eldest = |claims: fn(&CertificateOrder) -> bool| {
        let rivals = others.iter().filter(|other| other.uid() != me.uid() && claims(other));
        rivals.min_by(|a, b| seniority(a).cmp(&seniority(b)))
    };
    if submitted(me) && !adopted(me) {
        return None;
    }
    if let Some(winner) = eldest(|other| submitted(other) && !adopted(other)) {
        return Some(lost(me, winner));
    }
    if let Some(winner) = eldest(adopted).filter(|other| !adopted(me) || seniority(other) < seniority(me)) {
        return Some(lost(me, winner));
    }
    if adopted(me) {
        return None;
    }
    let rival = eldest(intends)?;
    if seniority(rival) < seniority(me) {
        return Some(lost(me, rival));
    }
    let message = format!(
        "{} asks for the same certificate and its call is not settled yet; certorder looks again in a moment",
        name_for(me, rival)
    );
    Some(Problem::new(Reason::Settling, message))
}

fn adopted(order: &CertificateOrder) -> bool {
    submitted(order) && submission(order).is_some_and(|submission| submission.adopted)
}

fn submitted(order: &CertificateOrder) -> bool {
    submission(order).is_some_and(|submission| submission.submitted_at.is_some())
}

fn intends(order: &CertificateOrder) -> bool {
    submission(order).is_some_and(|submission| submission.intent.is_some())
}

fn submission(order: &CertificateOrder) -> Option<&crate::api::v1alpha1::Submission> {
    order.status.as_ref()?.submission.as_ref()
}

/// Older first, then the lower UID.
fn seniority(order: &CertificateOrder) -> impl Ord {
    (order.creation_timestamp().map(|time| time.0), order.uid())
}

fn lost(me: &CertificateOrder, winner: &CertificateOrder) -> Problem {
    let message = format!(
        "{} has this paid certificate already, and one certificate is submitted once; delete this order, and create a \
         new one for another certificate",
        name_for(me, winner)
    );
    Problem::new(Reason::DuplicateCertificate, message)
}

/// Names another order only to readers of its own namespace.
fn name_for(me: &CertificateOrder, other: &CertificateOrder) -> String {
    if me.namespace() == other.namespace() {
        format!("CertificateOrder {}", other.name_any())
    } else {
        "a CertificateOrder in another namespace".to_owned()
    }
}
