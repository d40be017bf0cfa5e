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

/// The longest that a holder's calls may take, whatever its Lease says: twice the longest `--call-timeout`.
const LONGEST: Duration = Duration::from_hours(2);

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
    name.strip_prefix("certorder-").is_some_and(|digits| {
        digits.len() == 32 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// A duration as a Lease says it: in whole seconds, rounded up, since a taker must not come too early.
#[must_use]
pub fn stored(duration: Duration) -> Duration {
    let seconds = duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0));
    Duration::from_secs(seconds).min(LONGEST)
}

/// The Lease of an order; with a version it replaces the one that was read.
#[must_use]
pub fn lease(order: &CertificateOrder, duration: Duration, version: Option<String>, now: Timestamp) -> Lease {
    let Holder { key: (namespace, name_), uid } = Holder::of(order);
    let annotations = [(ORDER, name_), (NAMESPACE, namespace), (UID, uid.clone())];
    let seconds = stored(duration).as_secs();
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn order(provider: &Value) -> CertificateOrder {
        let block: Value = json!({
            "apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrder",
            "metadata": {"name": "www", "namespace": "shop", "uid": "6d7c2e5a"},
            "spec": {"provider": provider, "credentialsRef": {"name": "c"}, "commonName": "www.acme.example"},
        });
        serde_json::from_value(block).unwrap()
    }

    fn tencent() -> CertificateOrder {
        order(&json!({"tencentCloud": {"certificateId": "J2lX2maH"}}))
    }

    fn read(lease: Value) -> Claim {
        serde_json::from_value::<Lease>(lease).unwrap().into()
    }

    /// Another version, or another installation, must find the same object.
    #[test]
    fn the_name_is_a_contract() {
        // printf TencentCloud/International/J2lX2maH | sha256sum | cut -c 1-32
        assert_eq!(name(&tencent()), "certorder-5fb0ef6bcc81170084524bf4ece71bb5");
        let fields = json!({
            "certificateId": "scs1590053258704", "region": "ap-southeast-1", "agreePrivacyProtection": true,
        });
        let huawei = order(&json!({ "huaweiCloud": fields }));
        assert_eq!(name(&huawei), "certorder-4c5539398586fa79c59e0da503fdc0c9");
        let china = order(&json!({"tencentCloud": {"certificateId": "J2lX2maH", "site": "China"}}));
        assert_ne!(name(&china), name(&tencent()), "another site, another certificate");
        assert!(is_name(&name(&huawei)));
        for other in ["certorder", "certorder-leader", "other-5fb0ef6bcc81170084524bf4ece71bb5"] {
            assert!(!is_name(other), "{other}");
        }
        assert!(!is_name("certorder-5FB0EF6BCC81170084524BF4ECE71BB5"));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let now: Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
        let written = lease(&tencent(), Duration::from_millis(40_001), Some("7".to_owned()), now);
        assert_eq!(
            serde_json::to_value(&written).unwrap(),
            json!({
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "metadata": {
                    "name": "certorder-5fb0ef6bcc81170084524bf4ece71bb5", "resourceVersion": "7",
                    "annotations": {
                        "certorder.dev/order": "www", "certorder.dev/order-namespace": "shop",
                        "certorder.dev/order-uid": "6d7c2e5a",
                    },
                },
                "spec": {
                    "holderIdentity": "6d7c2e5a", "leaseDurationSeconds": 41,
                    "acquireTime": "2026-03-01T08:00:00.000000Z",
                },
            })
        );
        let claim = Claim::from(written);
        assert_eq!(claim.holder, Some(Holder::of(&tencent())));
        assert_eq!((claim.name, claim.version), (name(&tencent()), Some("7".to_owned())));
        assert_eq!(claim.duration, Duration::from_secs(41));
    }

    #[test]
    fn a_lease_that_does_not_say_whose_it_is_has_no_holder_and_odd_durations_have_bounds() {
        let with = |annotations: Value, spec: Value| {
            read(json!({"metadata": {"name": "certorder-x", "annotations": annotations}, "spec": spec}))
        };
        let [whole, mut part, mut empty] =
            std::array::from_fn(|_| json!({ORDER: "www", NAMESPACE: "shop", UID: "1"}));
        assert!(with(whole, json!({})).holder.is_some());
        part.as_object_mut().unwrap().remove(UID);
        empty[ORDER] = json!("");
        for annotations in [part, empty, json!({})] {
            assert_eq!(with(annotations.clone(), json!({})).holder, None, "{annotations}");
        }
        assert_eq!(read(json!({"metadata": {"name": "certorder-x"}})).holder, None);
        let lasts = |seconds: i64| with(json!({}), json!({"leaseDurationSeconds": seconds})).duration;
        assert_eq!(
            (lasts(40), lasts(-1), lasts(0)),
            (Duration::from_secs(40), Duration::ZERO, Duration::ZERO)
        );
        assert_eq!(lasts(i64::from(i32::MAX)), LONGEST, "nobody keeps a certificate for 68 years");
        let longest_call = Duration::from_hours(1);
        assert_eq!(stored(longest_call * 2), longest_call * 2, "the longest that the flag takes is not cut");
    }
}
