//! What the next pass over an order is for. Pure.

use crate::api::v1alpha1::CertificateOrder;
use crate::controller::queue::Purpose;

/// What the next pass over an order is for.
#[must_use]
pub fn purpose(order: &CertificateOrder) -> Purpose {
    let submission = order.status.as_ref().and_then(|status| status.submission.as_ref());
    match submission {
        _ if order.metadata.deletion_timestamp.is_some() => Purpose::Poll,
        Some(ours) if ours.intent.is_some() => Purpose::Settling,
        Some(ours) if ours.submitted_at.is_some() && ours.ordered_at.is_none() => Purpose::Order,
        Some(ours) if ours.submitted_at.is_some() => Purpose::Poll,
        _ => Purpose::FirstSubmission,
    }
}
