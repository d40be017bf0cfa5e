//! Drops fields of cached orders. Most orders have their certificate and request nothing (they are settled), so they are
//! reconciled seldom, and little of them is kept in memory.

use kube::ResourceExt;

use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrder, CertificateOrderStatus};
use crate::core::annotations::{RECONCILE_AT, handled_value};
use crate::core::conditions::get;

/// The phase of a renewal that is not due.
pub const SCHEDULED: &str = "Scheduled";

/// Whether an order that was just read has its certificate, is not being renewed and requests nothing: it need not be
/// reconciled at once.
#[must_use]
pub fn is_settled(order: &CertificateOrder) -> bool {
    let Some(status) = &order.status else { return false };
    let issued: &str = Reason::Issued.into();
    let is_ready = get(&status.conditions, ConditionType::Ready)
        .is_some_and(|ready| ready.status == "True" && ready.reason == issued);
    let asked = order.annotations().get(RECONCILE_AT);
    let is_handled = asked.is_none_or(|asked| Some(handled_value(asked)) == status.last_handled_reconcile_at);
    // A renewal may have gone on while nobody looked.
    let is_renewing = status.renewal.as_ref().is_some_and(|renewal| renewal.phase != SCHEDULED);
    is_ready
        && !is_renewing
        && order.metadata.deletion_timestamp.is_none()
        && Some(status.observed_generation) == order.metadata.generation
        && is_handled
}

/// Drops half of a settled order. A pass reads the order live; until then only its claim to the certificate, that it is
/// issued, its expiry and its renewal are needed.
pub fn trim(order: &mut CertificateOrder) {
    if !is_settled(order) {
        return;
    }
    let Some(status) = order.status.take() else { return };
    let mut conditions = status.conditions;
    let kept = [ConditionType::Ready, ConditionType::Issued].map(<&str>::from);
    conditions.retain(|condition| kept.contains(&condition.type_.as_str()));
    for condition in &mut conditions {
        condition.message.clear();
    }
    order.status = Some(CertificateOrderStatus {
        observed_generation: status.observed_generation,
        phase: status.phase,
        request_id: status.request_id,
        submission: status.submission,
        not_after: status.not_after,
        replaced_by: status.replaced_by,
        renewal_of: status.renewal_of,
        current: status.current,
        renewal: status.renewal,
        last_handled_reconcile_at: status.last_handled_reconcile_at,
        last_handled_resubmit_at: status.last_handled_resubmit_at,
        conditions,
        ..CertificateOrderStatus::default()
    });
}
