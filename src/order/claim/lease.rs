//! A claim: the Lease that gives a paid certificate to one order. Pure.
//!
//! What stands here is a contract between the versions of certorder: the Lease's name, its annotations, and what its
//! duration means. An API server lets a Lease of one name exist once, so two orders never both hold a certificate, whatever
//! their namespaces and installations.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::ResourceExt;
use kube::api::ObjectMeta;
use sha2::{Digest, Sha256};

use crate::api::v1alpha1::{CertificateOrder, micros};
use crate::cluster::cache::Key;
use crate::provider::registry;

/// The name of the order that holds a certificate.
pub const ORDER: &str = "certorder.dev/order";
/// Its namespace.
pub const NAMESPACE: &str = "certorder.dev/order-namespace";
/// Its UID.
pub const UID: &str = "certorder.dev/order-uid";

/// The longest that a holder's calls may take, whatever its Lease says.
const LONGEST: Duration = Duration::from_hours(1);

/// The order that holds a certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    /// Its namespace and name.
    pub key: Key,
    /// Its UID: an order that is created again under the same name is another one.
    pub uid: String,
}

impl Holder {
    /// An order as a holder.
    #[must_use]
    pub fn of(order: &CertificateOrder) -> Self {
        let key = (order.namespace().unwrap_or_default(), order.name_any());
        Self { key, uid: order.uid().unwrap_or_default() }
    }
}

/// A claim as it was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// The name of the Lease.
    pub name: String,
    /// Its UID.
    pub uid: Option<String>,
    /// Its resourceVersion.
    pub version: Option<String>,
    /// Who holds it; `None` where the Lease does not say.
    pub holder: Option<Holder>,
    /// How long a call of the holder may take from its intent on.
    pub duration: Duration,
}

impl From<Lease> for Claim {
    fn from(lease: Lease) -> Self {
        let annotation =
            |name: &str| lease.annotations().get(name).filter(|value| !value.is_empty()).cloned();
        let holder = match (annotation(NAMESPACE), annotation(ORDER), annotation(UID)) {
            (Some(namespace), Some(order), Some(uid)) => Some(Holder { key: (namespace, order), uid }),
            _ => None,
        };
        let seconds = lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds).unwrap_or_default();
        let duration = Duration::from_secs(u64::try_from(seconds).unwrap_or_default()).min(LONGEST);
        let Lease { metadata, .. } = lease;
        Self {
            name: metadata.name.unwrap_or_default(),
            uid: metadata.uid,
            version: metadata.resource_version,
            holder,
            duration,
        }
    }
}

/// The name of the Lease of the certificate that an order names: `certorder-` and 32 hexadecimal digits of the SHA-256 of
/// `<cloud>/<site or region>/<certificate id>`.
#[must_use]
pub fn name(order: &CertificateOrder) -> String {
    let digest = Sha256::digest(registry::certificate_key(&order.spec.provider));
    let digits: String = hex::encode(digest).chars().take(32).collect();
    format!("certorder-{digits}")
}

/// Whether a Lease of this name is a claim.
#[must_use]
pub fn is_name(name: &str) -> bool {
    name.strip_prefix("certorder-").is_some_and(|digits| digits.len() == 32)
}

/// The Lease of an order; with a version it replaces the one that was read.
#[must_use]
pub fn lease(order: &CertificateOrder, duration: Duration, version: Option<String>, now: Timestamp) -> Lease {
    let Holder { key: (namespace, name_), uid } = Holder::of(order);
    let annotations = [(ORDER, name_), (NAMESPACE, namespace), (UID, uid.clone())];
    // Rounded up: a taker must not come too early.
    let seconds = duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0));
    Lease {
        metadata: ObjectMeta {
            name: Some(name(order)),
            resource_version: version,
            annotations: Some(annotations.map(|(name, value)| (name.to_owned(), value)).into()),
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: Some(uid),
            lease_duration_seconds: i32::try_from(seconds).ok(),
            acquire_time: Some(micros(now)),
            ..LeaseSpec::default()
        }),
    }
}

/// Whether an order may have acted on its certificate, so that it must hold the claim: it has an intent, a submission, or
/// had one before it started over.
#[must_use]
pub fn has_acted(order: &CertificateOrder) -> bool {
    let submission = order.status.as_ref().and_then(|status| status.submission.as_ref());
    submission.is_some_and(|submission| {
        submission.intent.is_some() || submission.submitted_at.is_some() || submission.resubmissions > 0
    })
}
