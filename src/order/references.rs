//! What orders refer to. A changed object requeues exactly the orders that refer to it.

use std::collections::BTreeSet;

use kube::ResourceExt;
use serde::Deserialize;
use serde_json::Value;

use crate::api::v1alpha1::{CertificateOrder, OrganizationProfile, Provider};
use crate::cluster::cache::{Cache, Cached, Key, Target, key};
use crate::cluster::trim;
use crate::order::export::secret::key_secret_name;
use crate::profile::references;
use crate::provider::registry;

impl Cached for CertificateOrder {
    fn targets(&self) -> Vec<Target> {
        let key = |name: String| (self.namespace().unwrap_or_default(), name);
        let profile = self.spec.organization_profile_ref.as_ref();
        let secrets: BTreeSet<String> = order_secrets(self).collect();
        let secrets = secrets.into_iter().map(|name| Target::Secret(key(name)));
        let profile = profile.map(|reference| Target::Profile(key(reference.name.clone())));
        secrets
            .chain(profile)
            .chain([certificate(self)])
            .chain(successor(self))
            .chain(carrier(self))
            .collect()
    }

    fn certificate_in(object: &Value) -> Option<Target> {
        let provider = Provider::deserialize(object.get("spec")?.get("provider")?).ok()?;
        // A cloud that this version does not know names none.
        Some(of_provider(&provider)).filter(|_| !registry::certificate_id(&provider).is_empty())
    }

    fn trim(&mut self) {
        trim::trim(self);
    }
}

/// The paid certificate of an order.
#[must_use]
pub fn certificate(order: &CertificateOrder) -> Target {
    of_provider(&order.spec.provider)
}

fn of_provider(provider: &Provider) -> Target {
    Target::Certificate(registry::name(provider), registry::certificate_id(provider).to_owned())
}

/// The certificate that is to take the place of the one that an order has.
fn successor(order: &CertificateOrder) -> Option<Target> {
    let successor = order.status.as_ref()?.renewal.as_ref()?.successor.as_ref()?;
    Some(Target::Successor(registry::name(&order.spec.provider), successor.certificate_id.clone()))
}

/// The order that carries that certificate to its issue.
fn carrier(order: &CertificateOrder) -> Option<Target> {
    let successor = order.status.as_ref()?.renewal.as_ref()?.successor.as_ref()?;
    Some(Target::Carrier((order.namespace().unwrap_or_default(), successor.order.clone()?)))
}

/// The orders of the same namespace that wait for the certificate of this one, which may be deleted by now.
#[must_use]
pub fn renewed_by(orders: &Cache<CertificateOrder>, order: &Key) -> BTreeSet<Key> {
    let successor = orders.get(order).map(|cached| {
        let provider = &cached.spec.provider;
        Target::Successor(registry::name(provider), registry::certificate_id(provider).to_owned())
    });
    let targets = successor.into_iter().chain([Target::Carrier(order.clone())]);
    let waiting = targets.flat_map(|target| orders.referring_to(&target));
    waiting.map(|waiting| key(waiting.as_ref())).filter(|waiting| waiting.0 == order.0).collect()
}

/// The orders that refer to a Secret, themselves or through their profile.
#[must_use]
pub fn of_secret(
    orders: &Cache<CertificateOrder>,
    profiles: &Cache<OrganizationProfile>,
    secret: &Key,
) -> BTreeSet<Key> {
    let themselves = orders.referring_to(&Target::Secret(secret.clone()));
    let through_a_profile = references::of_secret(profiles, secret);
    let through_a_profile = through_a_profile.iter().flat_map(|profile| of_profile(orders, profile));
    themselves.iter().map(|order| key(order.as_ref())).chain(through_a_profile).collect()
}

/// The orders that refer to a profile and are not ordered yet: the CA keeps what it was sent.
#[must_use]
pub fn of_profile(orders: &Cache<CertificateOrder>, profile: &Key) -> BTreeSet<Key> {
    let orders = orders.referring_to(&Target::Profile(profile.clone()));
    orders.iter().filter(|order| !is_ordered(order)).map(|order| key(order.as_ref())).collect()
}

/// Whether the CA processes the order, or has finished it. A rejected or withdrawn order does not count: its next
/// attempt uses the profile as it is then.
fn is_ordered(order: &CertificateOrder) -> bool {
    let submission = order.status.as_ref().and_then(|status| status.submission.as_ref());
    submission.is_some_and(|submission| submission.ordered_at.is_some() && submission.frozen)
}

/// Every Secret that an order reads or writes.
fn order_secrets(order: &CertificateOrder) -> impl Iterator<Item = String> {
    let spec = &order.spec;
    let keystores = spec.keystores.as_ref();
    let selectors = [
        spec.csr_secret_ref.as_ref(),
        spec.private_key_secret_ref.as_ref(),
        spec.provider.key_password_secret_ref(),
        spec.provider.confirmation_letter_secret_ref(),
        keystores.and_then(|keystores| keystores.pkcs12.as_ref()).map(|pkcs12| &pkcs12.password_secret_ref),
        keystores.and_then(|keystores| keystores.jks.as_ref()).map(|jks| &jks.password_secret_ref),
    ];
    let read = selectors.into_iter().flatten().map(|selector| selector.name.clone());
    let written = spec.secret_name.iter().cloned();
    let id = spec.provider.certificate_id_secret().map(|(name, _)| name.to_owned());
    let own_key = key_secret_name(&order.name_any());
    [spec.credentials_ref.name.clone(), own_key].into_iter().chain(read).chain(written).chain(id)
}
