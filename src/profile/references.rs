//! What profiles refer to. A changed Secret requeues exactly the profiles that refer to it.

use std::collections::BTreeSet;

use kube::ResourceExt;

use crate::api::v1alpha1::{Contact, OrganizationProfile};
use crate::cluster::cache::{Cache, Cached, Key, Target, key};

impl Cached for OrganizationProfile {
    fn targets(&self) -> Vec<Target> {
        let key = |name: &str| (self.namespace().unwrap_or_default(), name.to_owned());
        profile_secrets(self).into_iter().map(|name| Target::Secret(key(name))).collect()
    }
}

/// The profiles that refer to a Secret.
#[must_use]
pub fn of_secret(profiles: &Cache<OrganizationProfile>, secret: &Key) -> BTreeSet<Key> {
    let profiles = profiles.referring_to(&Target::Secret(secret.clone()));
    profiles.iter().map(|profile| key(profile.as_ref())).collect()
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
