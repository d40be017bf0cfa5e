//! The Secrets that an order writes: their content, their owner, and whether they are unchanged. Pure, except for
//! [`write`].

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};
use strum::IntoEnumIterator;

use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{CertificateOrder, SecretTemplate};
use crate::cluster::FIELD_MANAGER;
use crate::cluster::bounded;
use crate::cluster::fields::FieldOwners;
use crate::core::conditions::Problem;
use crate::core::keystore::Format;
use crate::core::text::shown;
use crate::order::export::template::{self, MANAGED_BY};
use crate::provider::registry;

/// The order that an object belongs to, by name.
pub const ORDER: &str = "certorder.dev/order";
/// The paid certificate that a Secret belongs to.
const CERTIFICATE: &str = "certorder.dev/certificate-id";
/// The certificate that is in a Secret, if that is not the one of its order any more but a successor.
const CURRENT: &str = "certorder.dev/current-certificate-id";
/// A digest of the data that were written, to detect edits.
const CONTENT: &str = "certorder.dev/content";
/// The inputs of the keystores, see [`crate::core::keystore::Keystore::mark`].
const KEYSTORES: &str = "certorder.dev/keystores";
/// The names of the entries that were written, by which they are told from those of others. Absent from Secrets of
/// versions before it: there every entry was written by certorder.
const ENTRIES: &str = "certorder.dev/entries";

/// The entries of a TLS Secret.
pub const TLS_CRT: &str = "tls.crt";
/// The root of the chain, where the bundle had it.
pub const CA_CRT: &str = "ca.crt";
/// The private key.
pub const TLS_KEY: &str = "tls.key";

/// The owner of a Secret.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The order's name.
    pub order: String,
    /// The paid certificate.
    pub certificate_id: String,
    /// The certificate that took its place, if one did.
    pub current: Option<String>,
}

/// The desired state of a Secret.
#[derive(Clone)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// `kubernetes.io/tls` or `Opaque`.
    pub type_: &'static str,
    /// Its data.
    pub data: BTreeMap<String, ByteString>,
    /// The inputs of its keystores; empty without keystores.
    pub keystores: String,
}

/// The name of the Secret with the key that certorder generates for an order.
#[must_use]
pub fn key_secret_name(order: &str) -> String {
    format!("{order}-key")
}

impl Owner {
    /// The owner of the Secrets of an order.
    #[must_use]
    pub fn of(order: &CertificateOrder) -> Self {
        Self {
            order: order.name_any(),
            certificate_id: registry::certificate_id(&order.spec.provider).to_owned(),
            current: successor(order).map(str::to_owned),
        }
    }

    /// The same, once this certificate took the place of the order's own.
    #[must_use]
    pub fn with_current(self, id: &str) -> Self {
        let current = (id != self.certificate_id).then(|| id.to_owned());
        Self { current, ..self }
    }

    /// The certificate that is written.
    #[must_use]
    pub fn current_id(&self) -> &str {
        self.current.as_ref().unwrap_or(&self.certificate_id)
    }

    /// The owner that the marks of a Secret name.
    #[must_use]
    pub fn marked(secret: &Secret) -> Option<Self> {
        let annotations = secret.annotations();
        let (order, certificate_id) =
            (annotations.get(ORDER)?.clone(), annotations.get(CERTIFICATE)?.clone());
        Some(Self { order, certificate_id, current: None })
    }

    /// Whether a Secret belongs to this order and this certificate. Any other Secret is never overwritten.
    #[must_use]
    pub fn owns(&self, secret: &Secret) -> bool {
        let annotations = secret.annotations();
        annotations.get(ORDER).is_some_and(|order| *order == self.order)
            && annotations.get(CERTIFICATE).is_some_and(|id| *id == self.certificate_id)
    }

    /// Why a Secret of somebody else stands in the way of one of this type, and what to do `instead` of writing it.
    ///
    /// Nobody is told to delete or to annotate what bears the marks of an order: the only copy of the key of a paid
    /// certificate may be in it.
    #[must_use]
    pub fn conflict(&self, secret: &Secret, type_: &str, instead: &str) -> Problem {
        let (name, found) = (secret.name_any(), type_of(secret));
        let message = if let Some(whose) = whose(secret) {
            format!(
                "Secret {name} bears the marks of {whose}, so it is left alone, whether that order is still there or \
                 not: the private key of a paid certificate may be in it and nowhere else; {instead}"
            )
        } else if found != type_ {
            format!(
                "Secret {name} exists, is not this order's and has the type {found}, so it is left alone; it must be \
                 {type_}, and a type cannot be changed: {instead}, or delete it once nobody needs what is in it"
            )
        } else if holds_a_key(secret) {
            format!(
                "Secret {name} exists, is not this order's and holds a private key, so it is left alone; {instead}, or \
                 delete it once nobody needs what is in it"
            )
        } else {
            let Self { order, certificate_id, .. } = self;
            format!(
                "Secret {name} exists and is not this order's, so it is left alone; delete it, {instead}, or annotate \
                 it with {ORDER}: {order} and {CERTIFICATE}: {certificate_id}"
            )
        };
        Problem::new(Reason::SecretConflict, message)
    }
}

/// The certificate that took the place of the order's own, if one did.
fn successor(order: &CertificateOrder) -> Option<&str> {
    let current = order.status.as_ref()?.current.as_ref()?.certificate_id.as_str();
    (current != registry::certificate_id(&order.spec.provider)).then_some(current)
}

/// The certificate that a Secret says is in it, if that is a successor of the one of its order.
#[must_use]
pub fn current(secret: &Secret) -> Option<&str> {
    secret.annotations().get(CURRENT).map(String::as_str).filter(|id| !id.is_empty())
}

/// Which order a Secret bears the marks of.
fn whose(secret: &Secret) -> Option<String> {
    match (secret.annotations().get(ORDER), secret.annotations().get(CERTIFICATE)) {
        (None, None) => None,
        (Some(order), None) => Some(format!("CertificateOrder {order}")),
        (None, Some(certificate)) => Some(format!("an order of certificate {certificate}")),
        (Some(order), Some(certificate)) => {
            Some(format!("CertificateOrder {order} for certificate {certificate}"))
        }
    }
}

/// The type of a stored Secret.
#[must_use]
pub fn type_of(secret: &Secret) -> &str {
    secret.type_.as_deref().unwrap_or("Opaque")
}

/// Whether there is a private key in a Secret, of whatever kind, readable or not.
#[must_use]
pub fn holds_a_key(secret: &Secret) -> bool {
    let key = secret.data.as_ref().and_then(|data| data.get(TLS_KEY));
    key.is_some_and(|pem| String::from_utf8_lossy(&pem.0).contains("PRIVATE KEY-----"))
}

/// Whether certorder itself made a Secret one of this order, and not somebody who set its marks by hand.
#[must_use]
pub fn is_marked_by_us(secret: &Secret) -> bool {
    FieldOwners::of(&secret.metadata).set_by_us_alone("annotations", ORDER)
}

/// Whether a stored Secret is as certorder wrote it, and carries what the template asks for. What is in it is
/// judged elsewhere.
#[must_use]
pub fn is_untouched(secret: &Secret, type_: &str, template: &SecretTemplate) -> bool {
    is_as_written(secret) && template::is_followed(secret, template) && secret.type_.as_deref() == Some(type_)
}

/// Whether the entries that certorder wrote are as it wrote them. Those of others are theirs.
#[must_use]
pub fn is_as_written(secret: &Secret) -> bool {
    let ours = entries(secret);
    let data = secret.data.iter().flatten().filter(|(name, _)| ours.contains(name.as_str()));
    secret.annotations().get(CONTENT).is_some_and(|content| *content == digest(data))
}

/// The names of the entries that certorder wrote.
#[must_use]
pub fn entries(secret: &Secret) -> BTreeSet<&str> {
    match secret.annotations().get(ENTRIES) {
        Some(names) => names.split(',').collect(),
        None => secret.data.iter().flatten().map(|(name, _)| name.as_str()).collect(),
    }
}

/// The entries that certorder wrote and that are not wanted any more. A private key is never one of them. Before
/// certorder kept the names of its entries, all of a Secret that is as it was written were its own.
fn entries_to_remove<'a>(secret: &'a Secret, wanted: &'a Wanted) -> impl Iterator<Item = &'a str> {
    let is_known = secret.annotations().contains_key(ENTRIES) || is_as_written(secret);
    let has_files = !keystores(secret).is_empty();
    let is_file = |name: &str| Format::iter().any(|format| format.file_name() == name);
    let there = secret.data.iter().flatten().map(|(name, _)| name.as_str());
    let ours = entries(secret);
    there.filter(move |name| {
        let is_ours = ours.contains(name) && (is_known || (has_files && is_file(name)));
        is_ours && *name != TLS_KEY && !wanted.data.contains_key(*name)
    })
}

/// The inputs of the keystores of a stored Secret.
#[must_use]
pub fn keystores(secret: &Secret) -> &str {
    secret.annotations().get(KEYSTORES).map_or("", String::as_str)
}

/// Writes a Secret: creates it, or replaces the data of the one that was read. It has no owner reference:
/// the certificate was paid for, and must outlive an order that is pruned or created again.
pub async fn write(
    client: &Client,
    order: &CertificateOrder,
    owner: &Owner,
    stored: Option<&Secret>,
    wanted: &Wanted,
    template: &SecretTemplate,
) -> Result<(), kube::Error> {
    let api: Api<Secret> = Api::namespaced(client.clone(), &order.namespace().unwrap_or_default());
    let field_manager = Some(FIELD_MANAGER.to_owned());
    let Some(stored) = stored else {
        let params = PostParams { field_manager, ..PostParams::default() };
        return bounded(api.create(&params, &created(owner, wanted, template))).await.map(drop);
    };
    let patch = Patch::Merge(patch(owner, stored, wanted, template));
    let params = PatchParams { field_manager, ..PatchParams::default() };
    bounded(api.patch(&wanted.name, &params, &patch)).await.map(drop)
}

/// A Secret that is not there yet.
#[must_use]
pub fn created(owner: &Owner, wanted: &Wanted, template: &SecretTemplate) -> Secret {
    let mut labels = template.labels.clone();
    labels.entry(MANAGED_BY.to_owned()).or_insert_with(|| FIELD_MANAGER.to_owned());
    let mut annotations = template.annotations.clone();
    annotations.insert(ORDER.to_owned(), owner.order.clone());
    annotations.insert(CERTIFICATE.to_owned(), owner.certificate_id.clone());
    if let Some(current) = &owner.current {
        annotations.insert(CURRENT.to_owned(), current.clone());
    }
    annotations.insert(CONTENT.to_owned(), digest(&wanted.data));
    let names: Vec<&str> = wanted.data.keys().map(String::as_str).collect();
    annotations.insert(ENTRIES.to_owned(), names.join(","));
    if !wanted.keystores.is_empty() {
        annotations.insert(KEYSTORES.to_owned(), wanted.keystores.clone());
    }
    Secret {
        metadata: ObjectMeta {
            name: Some(wanted.name.clone()),
            labels: Some(labels),
            annotations: Some(annotations),
            ..ObjectMeta::default()
        },
        type_: Some(wanted.type_.to_owned()),
        data: Some(wanted.data.clone()),
        ..Secret::default()
    }
}

/// What makes the wanted Secret of the stored one: a merge patch, which keeps what others added, labels and entries.
/// What certorder wrote and is not wanted any more is removed: entries, labels, annotations, the mark of keystores.
#[must_use]
pub fn patch(
    owner: &Owner,
    stored: &Secret,
    wanted: &Wanted,
    template: &SecretTemplate,
) -> serde_json::Value {
    let secret = created(owner, wanted, template);
    let data: BTreeMap<&str, Option<&ByteString>> = wanted
        .data
        .iter()
        .map(|(key, value)| (key.as_str(), Some(value)))
        .chain(entries_to_remove(stored, wanted).map(|key| (key, None)))
        .collect();
    let set = secret.labels().iter().map(|(name, value)| (name.as_str(), Some(value.as_str())));
    let gone = template::labels_to_remove(stored, template).map(|name| (name, None));
    let labels: BTreeMap<&str, Option<&str>> = set.chain(gone).collect();
    let mut annotations: BTreeMap<&str, Option<&str>> =
        secret.annotations().iter().map(|(name, value)| (name.as_str(), Some(value.as_str()))).collect();
    if wanted.keystores.is_empty() && !keystores(stored).is_empty() {
        annotations.insert(KEYSTORES, None);
    }
    annotations.extend(template::annotations_to_remove(stored, template).map(|name| (name, None)));
    json!({
        "metadata": {
            "resourceVersion": stored.resource_version(),
            "labels": labels,
            "annotations": annotations,
        },
        "data": data,
    })
}

/// Reports a write that the API server refuses permanently: by a quota, a policy, or because the stored Secret is
/// immutable. Conflicts and temporary failures stay errors.
pub fn refused(name: &str, written: Result<(), kube::Error>) -> Result<Result<(), Problem>, kube::Error> {
    match written {
        Ok(()) => Ok(Ok(())),
        Err(kube::Error::Api(status)) if matches!(status.code, 400 | 403 | 413 | 422) => {
            let why = shown(&status.message, LONGEST_REFUSAL);
            let message = format!("the API server refuses Secret {name}, and nothing was written: {why}");
            Ok(Err(Problem::new(Reason::SecretConflict, message)))
        }
        Err(error) => Err(error),
    }
}

/// The longest message of the API server that is shown, in bytes.
const LONGEST_REFUSAL: usize = 1024;

/// A secret text as a Secret holds it.
#[must_use]
pub fn bytes(text: &SecretString) -> ByteString {
    ByteString(text.expose_secret().as_bytes().to_vec())
}

fn digest<'a>(data: impl IntoIterator<Item = (&'a String, &'a ByteString)>) -> String {
    let mut hasher = Sha256::new();
    for (key, value) in data {
        // Lengths first, so that two different sets of entries never have the same input.
        hasher.update((key.len() as u64).to_be_bytes());
        hasher.update(key);
        hasher.update((value.0.len() as u64).to_be_bytes());
        hasher.update(&value.0);
    }
    format!("sha256:{}", hex::encode(hasher.finalize()))
}
