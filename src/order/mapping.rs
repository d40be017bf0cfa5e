//! Which orders look at another object. A change of that object wakes exactly these.

use std::collections::BTreeSet;

use kube::ResourceExt;
use kube::runtime::reflector::{ObjectRef, Store};

use crate::api::v1alpha1::{CertificateOrder, Contact, OrganizationProfile};
use crate::order::secret::key_secret_name;

/// The orders of a namespace that refer to a Secret, themselves or through their profile.
#[must_use]
pub fn of_secret(
    orders: &Store<CertificateOrder>,
    profiles: &Store<OrganizationProfile>,
    namespace: &str,
    secret: &str,
) -> Vec<ObjectRef<CertificateOrder>> {
    let profiles = profiles.state();
    let here = || profiles.iter().filter(|profile| profile.namespace().as_deref() == Some(namespace));
    // A profile that this watch has not shown yet may refer to anything.
    let others: BTreeSet<String> = here()
        .filter(|profile| !profile_secrets(profile).contains(secret))
        .map(|profile| profile.name_any())
        .collect();
    select(orders, namespace, |order| {
        let profile = order.spec.organization_profile_ref.as_ref();
        order_secrets(order).any(|name| name == secret)
            || (!is_ordered(order) && profile.is_some_and(|profile| !others.contains(&profile.name)))
    })
}

/// The orders of a namespace that refer to a profile and are not ordered yet: the CA keeps what it was sent.
#[must_use]
pub fn of_profile(
    orders: &Store<CertificateOrder>,
    namespace: &str,
    profile: &str,
) -> Vec<ObjectRef<CertificateOrder>> {
    select(orders, namespace, |order| {
        let reference = order.spec.organization_profile_ref.as_ref();
        !is_ordered(order) && reference.is_some_and(|reference| reference.name == profile)
    })
}

/// The profiles of a namespace that refer to a Secret.
#[must_use]
pub fn profiles_of_secret(
    profiles: &Store<OrganizationProfile>,
    namespace: &str,
    secret: &str,
) -> Vec<ObjectRef<OrganizationProfile>> {
    profiles
        .state()
        .iter()
        .filter(|profile| profile.namespace().as_deref() == Some(namespace))
        .filter(|profile| profile_secrets(profile).contains(secret))
        .map(|profile| ObjectRef::from_obj(profile.as_ref()))
        .collect()
}

fn select(
    orders: &Store<CertificateOrder>,
    namespace: &str,
    refers: impl Fn(&CertificateOrder) -> bool,
) -> Vec<ObjectRef<CertificateOrder>> {
    orders
        .state()
        .iter()
        .filter(|order| order.namespace().as_deref() == Some(namespace) && refers(order))
        .map(|order| ObjectRef::from_obj(order.as_ref()))
        .collect()
}

/// Whether the CA works on the order, or is done with it. One that was rejected or withdrawn is not: its next
/// attempt takes the profile as it is then.
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

fn profile_secrets(profile: &OrganizationProfile) -> BTreeSet<&str> {
    let spec = &profile.spec;
    let organization =
        spec.organization.as_ref().and_then(|organization| organization.identification.as_ref());
    let contacts = [&spec.administrator, &spec.technical_contact].into_iter().flatten();
    let mut names: BTreeSet<&str> = contacts.flat_map(contact_secrets).collect();
    names.extend(organization.map(|document| document.number_secret_ref.name.as_str()));
    names.extend(spec.credentials_ref().map(|reference| reference.name.as_str()));
    names
}

fn contact_secrets(contact: &Contact) -> impl Iterator<Item = &str> {
    let document = contact.identification.as_ref().map(|document| document.number_secret_ref.name.as_str());
    document.into_iter().chain(contact.from_secret.as_ref().map(|secret| secret.name.as_str()))
}
