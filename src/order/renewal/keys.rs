//! Where the keys of the certificates of a chain are.

use kube::ResourceExt;

use crate::api::v1alpha1::{CertificateOrder, RotationPolicy};
use crate::cluster::cache::Target;
use crate::order::controller::Controller;
use crate::order::export::secret::Owner;
use crate::order::own_key::Place;
use crate::order::renewal::chain::chain;
use crate::order::renewal::successor;
use crate::provider::registry;

/// The key of the order for a successor: the one that a user wrote, or the one that certorder makes.
#[must_use]
pub fn of_successor(controller: &Controller, user: &CertificateOrder, id: &str) -> Place {
    let cloud = registry::name(&user.spec.provider);
    let target = Target::Certificate(cloud, id.to_owned());
    let orders = controller.orders.iter().flat_map(|orders| orders.referring_to(&target));
    let written =
        { orders }.find(|order| order.namespace() == user.namespace()).map(|order| order.name_any());
    let made = || successor::name(&user.name_any(), cloud, id).unwrap_or_default();
    Place::of(Owner { order: written.unwrap_or_else(made), certificate_id: id.to_owned(), current: None })
}

/// The key that the reissue of a certificate is asked for with, if it has one of its own.
#[must_use]
pub fn of_reissue(user: &CertificateOrder, id: &str) -> Place {
    let owner = Owner { current: None, ..Owner::of(user) };
    let cloud = registry::name(&user.spec.provider);
    let name = successor::name(&user.name_any(), cloud, id).unwrap_or_default();
    Place { owner, name: format!("{name}-next-key") }
}

/// Every place where a key of the chain may be, the newest first: a cloud may issue for an earlier request.
#[must_use]
pub fn of_chain(controller: &Controller, user: &CertificateOrder, next: Option<&str>) -> Vec<Place> {
    let chain = chain(user.status.as_ref(), registry::certificate_id(&user.spec.provider));
    let former = chain.iter().skip(1).rev().map(String::as_str);
    let successors = next.into_iter().chain(former).map(|id| of_successor(controller, user, id));
    let rotates = user.spec.renewal().rotation_policy == RotationPolicy::Always;
    let reissues = chain.iter().rev().filter(|_| rotates).map(|id| of_reissue(user, id));
    successors.chain(reissues).collect()
}
