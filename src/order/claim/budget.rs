//! How many orders of one namespace may run at the same time (`--max-orders-per-namespace`). Pure.

use std::borrow::Borrow;

use kube::ResourceExt;

use crate::api::v1alpha1::CertificateOrder;
use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::core::conditions::{Problem, get};
use crate::order::claim::rivals::seniority;
use crate::order::renewal::successor;

/// Whether an order runs: a call may be in flight, or the CA processes it. An order that is issued, rejected or over
/// does not run.
#[must_use]
pub fn runs(order: &CertificateOrder) -> bool {
    let Some(status) = &order.status else { return false };
    let Some(submission) = &status.submission else { return false };
    let over = [Reason::Expired, Reason::Revoked, Reason::Refunded].map(<&str>::from);
    let is_over = get(&status.conditions, ConditionType::Stalled)
        .is_some_and(|stalled| over.contains(&stalled.reason.as_str()));
    let is_issued =
        get(&status.conditions, ConditionType::Issued).is_some_and(|issued| issued.status == "True");
    submission.intent.is_some()
        || (submission.submitted_at.is_some() && submission.frozen && !is_over && !is_issued)
}

/// Whether certorder made an order for the successor of another one: that one was counted, and its certificate runs out.
fn renews_another(order: &CertificateOrder, all: &[impl Borrow<CertificateOrder>]) -> bool {
    let Some((name, _)) = successor::renewal_of(order) else { return false };
    let user = all
        .iter()
        .map(Borrow::borrow)
        .find(|user| user.name_any() == name && user.namespace() == order.namespace());
    // Of several at once, which a user can name one after the other, the oldest is left out of account.
    let is_first = |user: &CertificateOrder| {
        let others = all.iter().map(Borrow::borrow).filter(|other| other.uid() != order.uid() && runs(other));
        let mut others = others.filter(|other| successor::is_made_for(other, user));
        !others.any(|other| seniority(other) < seniority(order))
    };
    user.is_some_and(|user| successor::is_vouched_for(order, user) && is_first(user))
}

/// Why an order that does not run yet may not start, given the other orders of its namespace.
///
/// If two start at once, each has stored its intent before it lists the others, and the older one continues.
#[must_use]
pub fn exceeded(
    me: &CertificateOrder,
    all: &[impl Borrow<CertificateOrder>],
    most: usize,
) -> Option<Problem> {
    if renews_another(me, all) {
        return None;
    }
    let is_submitted = |order: &CertificateOrder| {
        let submission = order.status.as_ref().and_then(|status| status.submission.as_ref());
        submission.is_some_and(|submission| submission.submitted_at.is_some())
    };
    let counts = |other: &&CertificateOrder| {
        other.uid() != me.uid()
            && other.namespace() == me.namespace()
            && runs(other)
            && (is_submitted(other) || seniority(other) < seniority(me))
            && !renews_another(other, all)
    };
    let running = all.iter().map(Borrow::borrow).filter(counts).count();
    (running >= most).then(|| {
        let message = format!(
            "{running} orders of this namespace run at the cloud, and the operator lets {most} run at the same time \
             (--max-orders-per-namespace); this one begins when one of them is issued or ends"
        );
        Problem::new(Reason::BudgetExceeded, message)
    })
}
