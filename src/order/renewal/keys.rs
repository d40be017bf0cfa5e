//! Where the keys of the certificates of a chain are.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;

use crate::api::v1alpha1::{CertificateOrder, RotationPolicy};
use crate::cluster::cache;
use crate::core::keypair::KeyPair;
use crate::core::observation::Bundle;
use crate::order::controller::Controller;
use crate::order::export::secret::{Owner, key_secret_name};
use crate::order::export::target::Target;
use crate::order::own_key::{OwnKey, Place};
use crate::order::renewal::chain::chain;
use crate::order::renewal::successor;
use crate::provider::registry;

/// The end of the name of a Secret with the key of an order, as [`key_secret_name`] has it.
const KEY: &str = "-key";

/// The end of the name of a Secret with the key that a reissue is asked for with.
const NEXT_KEY: &str = "-next-key";

/// The key of the order for a successor: the one that a user wrote, or the one that certorder makes.
#[must_use]
pub fn of_successor(controller: &Controller, user: &CertificateOrder, id: &str) -> Place {
    let cloud = registry::name(&user.spec.provider);
    let target = cache::Target::Certificate(cloud, id.to_owned());
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
    Place { owner, name: format!("{name}{NEXT_KEY}") }
}

/// The keys of the order's other certificates, where none that was read fits the one that the cloud handed over.
///
/// The status says which certificates the order has had, and after a loss (a restored backup, an order that was applied
/// again) only the first and the present one. So the Secrets of the namespace are asked too: the names of those with keys
/// are made of the order's name and the certificate's id, and their marks say both.
pub async fn further(
    controller: &Controller,
    user: &CertificateOrder,
    target: &Target,
    bundle: &Bundle,
) -> Result<Vec<Arc<KeyPair>>, kube::Error> {
    let mut keys = Vec::new();
    if !target.lacks_the_key(bundle) {
        return Ok(keys);
    }
    let namespace = controller.context.namespace(user);
    for place in of_chain(controller, user, None) {
        if let OwnKey::Held(key) = OwnKey::read(&namespace, &place).await? {
            keys.push(key);
        }
    }
    let order = user.name_any();
    for name in namespace.secret_names(|name| may_be_kept(&order, name)).await? {
        let Some(stored) = namespace.find_secret(&name).await? else { continue };
        let Some(place) = kept(user, &stored) else { continue };
        if let OwnKey::Held(key) = OwnKey::in_secret(stored, &place) {
            keys.push(key);
        }
    }
    Ok(keys)
}

/// Whether a Secret with the key of one of an order's certificates may have this name.
fn may_be_kept(order: &str, name: &str) -> bool {
    let rest = name.strip_prefix(order).and_then(|rest| rest.strip_prefix('-'));
    let hash = rest.and_then(|rest| rest.strip_suffix(NEXT_KEY).or_else(|| rest.strip_suffix(KEY)));
    hash.is_some_and(|hash| hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The place that a Secret with such a name is, if it bears the marks of one of the order's certificates.
fn kept(user: &CertificateOrder, secret: &Secret) -> Option<Place> {
    let (name, owner) = (secret.name_any(), Owner::marked(secret)?);
    let own = Owner::of(user);
    let cloud = registry::name(&user.spec.provider);
    let made = successor::name(&own.order, cloud, &owner.certificate_id);
    let is_of_successor = made.as_ref() == Some(&owner.order) && name == key_secret_name(&owner.order);
    let is_of_reissue = name.ends_with(NEXT_KEY)
        && (&owner.order, &owner.certificate_id) == (&own.order, &own.certificate_id);
    (is_of_successor || is_of_reissue).then_some(Place { owner, name })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secrets_with_keys_of_an_orders_certificates_are_told_by_their_names() {
        let made = successor::name("www", "TencentCloud", "B").unwrap();
        for name in [key_secret_name(&made), format!("{made}{NEXT_KEY}")] {
            assert!(may_be_kept("www", &name), "{name}");
        }
        for name in ["www-key", "www-tls", "www-next-key", "www-api-key", "api-0a1b2c3d-key", "www-0a1b2c3d"]
        {
            assert!(!may_be_kept("www", name), "{name}");
        }
        let of_another = successor::name("www-0a1b2c3d", "TencentCloud", "B").unwrap();
        assert!(!may_be_kept("www", &key_secret_name(&of_another)));
    }
}
