//! Finds the current certificate of an order again where its status does not say it: a process died between the Secret and
//! the status, or the status was lost with a backup.

use crate::api::v1alpha1::{CertificateOrder, Current, seconds};
use crate::core::names::Names;
use crate::order::controller::Controller;
use crate::order::export::secret;
use crate::order::export::target::Target;
use crate::order::renewal::read::is_elsewhere;
use crate::order::resolve;

/// The order with the certificate that its Secret says it has, if that is another one than its status says. The Secret
/// counts only if certorder marked it for this order, its pair is whole and for the order's names, and the status knows the
/// certificate as a successor or knows nothing at all. What an order of another namespace has is never believed.
#[must_use]
pub fn ahead(
    controller: &Controller,
    order: &CertificateOrder,
    target: &Target,
    names: &Names,
) -> Option<CertificateOrder> {
    let stored = target.stored()?;
    let id = secret::current(stored).filter(|_| target.owner().owns(stored))?;
    if id == target.owner().current_id() || is_elsewhere(controller, order, id) {
        return None;
    }
    let status = order.status.as_ref();
    let is_lost = status.and_then(|status| status.submission.as_ref()?.submitted_at.as_ref()).is_none();
    let successor = status.and_then(|status| status.renewal.as_ref()?.successor.as_ref());
    if !is_lost && successor.is_none_or(|successor| successor.certificate_id != id) {
        return None;
    }
    let term = target.whole_pair(names)?;
    let mut order = order.clone();
    order.status.get_or_insert_default().current = Some(Box::new(Current {
        certificate_id: id.to_owned(),
        not_before: Some(seconds(term.not_before)),
        not_after: Some(seconds(term.not_after)),
    }));
    Some(order)
}

/// The same for an order whose status records nothing, once the cloud shows that its certificate was ordered. Reads the
/// Secret.
pub async fn recall(
    controller: &Controller,
    order: &CertificateOrder,
    names: &Names,
) -> Result<Option<CertificateOrder>, kube::Error> {
    if order.spec.secret_name.is_none()
        || order.status.as_ref().is_some_and(|status| status.current.is_some())
    {
        return Ok(None);
    }
    let namespace = controller.context.namespace(order);
    let target = resolve::target(controller, &namespace, order, None).await?;
    Ok(ahead(controller, order, &target, names))
}
