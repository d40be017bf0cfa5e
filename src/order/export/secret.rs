//! The Secrets that an order writes: their content, their owner, and whether they are unchanged. Pure, except for
//! [`write`].

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{CertificateOrder, SecretTemplate};
use crate::cluster::FIELD_MANAGER;
use crate::cluster::bounded;
use crate::core::conditions::Problem;
use crate::core::redact::truncate;
use crate::provider::registry;

/// The order that a Secret belongs to, by name.
const ORDER: &str = "certorder.dev/order";
/// The paid certificate that a Secret belongs to.
const CERTIFICATE: &str = "certorder.dev/certificate-id";
/// A digest of the data that were written, to detect edits.
const CONTENT: &str = "certorder.dev/content";
/// The inputs of the keystores, see [`crate::core::keystore::Keystore::mark`].
const KEYSTORES: &str = "certorder.dev/keystores";
/// The common label for the manager of an object.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

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
        }
    }

    /// Whether a Secret belongs to this order and this certificate. Any other Secret is never overwritten.
    #[must_use]
    pub fn owns(&self, secret: &Secret) -> bool {
        let annotations = secret.annotations();
        annotations.get(ORDER).is_some_and(|order| *order == self.order)
            && annotations.get(CERTIFICATE).is_some_and(|id| *id == self.certificate_id)
    }

    /// Why a Secret of another owner prevents the write.
    #[must_use]
    pub fn conflict(&self, secret: &str) -> Problem {
        let Self { order, certificate_id } = self;
        Problem::new(
            Reason::SecretConflict,
            format!(
                "Secret {secret} exists and is not this order's, so it is left alone; delete it, choose another name, \
                 or annotate it with {ORDER}: {order} and {CERTIFICATE}: {certificate_id}"
            ),
        )
    }
}

/// Whether a stored Secret is as certorder wrote it, and carries what the template asks for. What is in it is
/// judged elsewhere.
#[must_use]
pub fn is_untouched(secret: &Secret, type_: &str, template: Option<&SecretTemplate>) -> bool {
    let data = secret.data.clone().unwrap_or_default();
    let written = secret.annotations().get(CONTENT).is_some_and(|content| *content == digest(&data));
    let has = |wanted: &BTreeMap<String, String>, stored: &BTreeMap<String, String>| {
        wanted.iter().all(|(name, value)| stored.get(name) == Some(value))
    };
    let as_asked = template.is_none_or(|template| {
        has(&template.labels, secret.labels()) && has(&template.annotations, secret.annotations())
    });
    written && as_asked && secret.type_.as_deref() == Some(type_)
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
    template: Option<&SecretTemplate>,
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
pub fn created(owner: &Owner, wanted: &Wanted, template: Option<&SecretTemplate>) -> Secret {
    let template = template.cloned().unwrap_or_default();
    let mut labels = template.labels;
    labels.entry(MANAGED_BY.to_owned()).or_insert_with(|| FIELD_MANAGER.to_owned());
    let mut annotations = template.annotations;
    annotations.insert(ORDER.to_owned(), owner.order.clone());
    annotations.insert(CERTIFICATE.to_owned(), owner.certificate_id.clone());
    annotations.insert(CONTENT.to_owned(), digest(&wanted.data));
    if !wanted.keystores.is_empty() {
        annotations.insert(KEYSTORES.to_owned(), wanted.keystores.clone());
    }
    Secret {
        metadata: kube::api::ObjectMeta {
            name: Some(wanted.name.clone()),
            labels: Some(labels),
            annotations: Some(annotations),
            ..kube::api::ObjectMeta::default()
        },
        type_: Some(wanted.type_.to_owned()),
        data: Some(wanted.data.clone()),
        ..Secret::default()
    }
}

/// What makes the wanted Secret of the stored one: a merge patch, which keeps what others added, labels above all.
/// Data entries that are not wanted are removed, and so is the mark of keystores that are not.
#[must_use]
pub fn patch(
    owner: &Owner,
    stored: &Secret,
    wanted: &Wanted,
    template: Option<&SecretTemplate>,
) -> serde_json::Value {
    let secret = created(owner, wanted, template);
    let removed = stored.data.iter().flatten().filter(|(key, _)| !wanted.data.contains_key(*key));
    let data: BTreeMap<&String, Option<&ByteString>> = wanted
        .data
        .iter()
        .map(|(key, value)| (key, Some(value)))
        .chain(removed.map(|(key, _)| (key, None)))
        .collect();
    let mut annotations: BTreeMap<&str, Option<&str>> =
        secret.annotations().iter().map(|(name, value)| (name.as_str(), Some(value.as_str()))).collect();
    if wanted.keystores.is_empty() && !keystores(stored).is_empty() {
        annotations.insert(KEYSTORES, None);
    }
    json!({
        "metadata": {
            "resourceVersion": stored.resource_version(),
            "labels": secret.labels(),
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
            let why = truncate(&status.message, LONGEST_REFUSAL);
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

fn digest(data: &BTreeMap<String, ByteString>) -> String {
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
