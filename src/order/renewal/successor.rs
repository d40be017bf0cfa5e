//! The order that carries a successor to its issue: a `CertificateOrder` of its own, made from the user's. Pure.
//!
//! Nothing of the user's metadata is copied: a GitOps tool takes an object with its labels or annotations for its own, and
//! prunes it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::ResourceExt;
use kube::api::ObjectMeta;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::api::v1alpha1::{
    CertificateOrder, CertificateOrderSpec, DeletionPolicy, ReadyPolicy, Renewal, RenewalPolicy,
};
use crate::core::annotations::{RENEWAL, RENEWAL_OF};
use crate::provider::registry;

/// The longest name of an order: the Secret with its key has four characters more.
const LONGEST_NAME: usize = 249;

/// The name of the order for the successor of an order; `None` if the order's own name leaves no room.
#[must_use]
pub fn name(order: &str, cloud: &str, certificate_id: &str) -> Option<String> {
    let hash = Sha256::digest(format!("{cloud}/{certificate_id}"));
    let name = format!("{order}-{}", hex::encode(hash.get(..4)?));
    (name.len() <= LONGEST_NAME).then_some(name)
}

/// The order for a successor; `None` if there is no name for it.
#[must_use]
pub fn order(user: &CertificateOrder, certificate_id: &str) -> Option<CertificateOrder> {
    let name = name(&user.name_any(), registry::name(&user.spec.provider), certificate_id)?;
    let template = user.spec.renewal().template.unwrap_or_default();
    let (mut labels, mut annotations) = (template.labels, template.annotations);
    labels.insert(RENEWAL.to_owned(), "true".to_owned());
    annotations.insert(RENEWAL_OF.to_owned(), user.name_any());
    let metadata = ObjectMeta {
        namespace: user.namespace(),
        labels: Some(labels),
        annotations: Some(annotations),
        owner_references: Some(vec![owner(user)]),
        ..ObjectMeta::default()
    };
    let mut order = CertificateOrder::new(&name, spec(&user.spec, certificate_id));
    order.metadata = ObjectMeta { name: Some(name), ..metadata };
    Some(order)
}

/// It goes with the user's order, whose deletion does not wait for it.
fn owner(user: &CertificateOrder) -> OwnerReference {
    OwnerReference {
        api_version: "certorder.dev/v1alpha1".to_owned(),
        kind: "CertificateOrder".to_owned(),
        name: user.name_any(),
        uid: user.uid().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: None,
    }
}

/// What the user asks for, for the successor: it writes no Secret but that of its key, undoes nothing when it is deleted,
/// and is not renewed itself.
#[must_use]
pub fn spec(user: &CertificateOrderSpec, certificate_id: &str) -> CertificateOrderSpec {
    CertificateOrderSpec {
        provider: registry::with_certificate(&user.provider, certificate_id),
        secret_name: None,
        keystores: None,
        renewal: Some(Renewal { policy: RenewalPolicy::None, ..Renewal::default() }),
        ready_policy: ReadyPolicy::Issued,
        deletion_policy: DeletionPolicy::Retain,
        ..user.clone()
    }
}

/// What the order of a successor must become, since the user's was edited; `None` if it is as it should be. What its
/// application says stays while that is frozen.
#[must_use]
pub fn edited(user: &CertificateOrder, successor: &CertificateOrder) -> Option<CertificateOrderSpec> {
    let mut wanted = spec(&user.spec, registry::certificate_id(&successor.spec.provider));
    let submission = successor.status.as_ref().and_then(|status| status.submission.as_ref());
    if submission.is_some_and(|submission| submission.frozen) {
        let is = successor.spec.clone();
        let method = is.validation.method;
        wanted = CertificateOrderSpec {
            provider: is.provider,
            common_name: is.common_name,
            dns_names: is.dns_names,
            csr: is.csr,
            csr_secret_ref: is.csr_secret_ref,
            private_key: is.private_key,
            organization_profile_ref: is.organization_profile_ref,
            ..wanted
        };
        wanted.validation.method = method;
    }
    (wanted != successor.spec).then_some(wanted)
}

/// The JSON patch that makes it so, of exactly this object.
#[must_use]
pub fn edit(successor: &CertificateOrder, wanted: &CertificateOrderSpec) -> serde_json::Value {
    json!([
        {"op": "test", "path": "/metadata/uid", "value": successor.uid()},
        {"op": "replace", "path": "/spec", "value": wanted},
    ])
}

/// The user's order that certorder made this one for, by name and UID; `None` for any other order.
#[must_use]
pub fn renewal_of(order: &CertificateOrder) -> Option<(&str, &str)> {
    let is_marked = order.labels().get(RENEWAL).is_some_and(|value| value == "true");
    let owner = order.owner_references().iter().find(|owner| owner.controller == Some(true))?;
    let is_ours = owner.kind == "CertificateOrder" && owner.api_version.starts_with("certorder.dev/");
    (is_marked && is_ours).then_some((owner.name.as_str(), owner.uid.as_str()))
}

/// Whether certorder made `order` for a successor of this order of a user.
#[must_use]
pub fn is_made_for(order: &CertificateOrder, user: &CertificateOrder) -> bool {
    let uid = user.uid();
    order.namespace() == user.namespace()
        && renewal_of(order).is_some_and(|(_, owner)| Some(owner) == uid.as_deref())
}

/// Whether an order renews another one: certorder made it, and the status of the user's order, which users cannot write,
/// says for which certificate.
#[must_use]
pub fn is_vouched_for(order: &CertificateOrder, user: &CertificateOrder) -> bool {
    let id = registry::certificate_id(&order.spec.provider);
    let renewal = user.status.as_ref().and_then(|status| status.renewal.as_ref());
    let names_it = renewal.is_some_and(|renewal| {
        let successor = renewal.successor.as_ref();
        successor.is_some_and(|successor| successor.certificate_id == id)
            || renewal.chain.iter().any(|known| known == id)
    });
    is_made_for(order, user)
        && names_it
        && registry::name(&order.spec.provider) == registry::name(&user.spec.provider)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn user() -> CertificateOrder {
        serde_json::from_value(json!({
            "apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrder",
            "metadata": {
                "name": "www", "namespace": "shop", "uid": "u1", "generation": 4,
                "labels": {"argocd.argoproj.io/instance": "shop", "team": "shop"},
                "annotations": {"argocd.argoproj.io/tracking-id": "x", "meta.helm.sh/release-name": "shop",
                                "kustomize.toolkit.fluxcd.io/prune": "enabled"},
            },
            "spec": {
                "provider": {"tencentCloud": {"certificateId": "A", "site": "China", "tkeSecretName": "tke", "autoRenew": true}},
                "credentialsRef": {"name": "cloud"}, "commonName": "www.acme.example", "dnsNames": ["api.acme.example"],
                "secretName": "tls", "secretTemplate": {"labels": {"team": "shop"}},
                "keystores": {"pkcs12": {"passwordSecretRef": {"name": "stores", "key": "password"}}},
                "readyPolicy": "Ordered", "deletionPolicy": "Revoke", "suspend": true,
                "validation": {"method": "DNS", "dnsEndpoint": true},
                "renewal": {"before": "720h", "template": {"labels": {"cost": "pki"}}},
            },
        }))
        .unwrap()
    }

    #[test]
    fn the_order_of_a_successor_asks_for_the_same_and_takes_nothing_of_the_metadata() {
        let made = serde_json::to_value(order(&user(), "B").unwrap()).unwrap();
        let name = made["metadata"]["name"].as_str().unwrap().to_owned();
        assert!(name.starts_with("www-") && name.len() == 12, "{name}");
        let wanted = json!({
            "name": name, "namespace": "shop",
            "labels": {"certorder.dev/renewal": "true", "cost": "pki"},
            "annotations": {"certorder.dev/renewal-of": "www"},
            "ownerReferences": [{"apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrder", "name": "www",
                                 "uid": "u1", "controller": true}],
        });
        assert_eq!(made["metadata"], wanted);
        let spec = &made["spec"];
        assert_eq!(spec["provider"]["tencentCloud"]["certificateId"], "B");
        assert_eq!(spec["provider"]["tencentCloud"]["site"], "China");
        for gone in ["/provider/tencentCloud/tkeSecretName", "/secretName", "/keystores"] {
            assert_eq!(spec.pointer(gone), None, "{gone}");
        }
        assert_eq!((&spec["deletionPolicy"], &spec["renewal"]["policy"]), (&json!("Retain"), &json!("None")));
        assert_eq!((&spec["readyPolicy"], &spec["suspend"]), (&json!("Issued"), &json!(true)));
        assert_eq!(spec["validation"]["dnsEndpoint"], true);
        assert_eq!(spec["dnsNames"], json!(["api.acme.example"]));
    }

    #[test]
    fn the_name_differs_by_certificate_and_cloud_and_fits() {
        let names = [
            name("www", "TencentCloud", "A"),
            name("www", "TencentCloud", "B"),
            name("www", "HuaweiCloud", "A"),
        ];
        assert!(names.iter().all(Option::is_some));
        assert!(names[0] != names[1] && names[0] != names[2]);
        assert_eq!(name(&"x".repeat(240), "TencentCloud", "A").unwrap().len(), 249);
        assert_eq!(name(&"x".repeat(241), "TencentCloud", "A"), None);
    }

    #[test]
    fn edits_of_the_user_follow_but_for_what_is_frozen() {
        let made = order(&user(), "B").unwrap();
        assert_eq!(edited(&user(), &made), None);
        let mut resumed = user();
        resumed.spec.suspend = false;
        resumed.spec.organization_profile_ref =
            Some(crate::api::v1alpha1::LocalObjectReference { name: "acme".to_owned() });
        let wanted = edited(&resumed, &made).unwrap();
        assert!(!wanted.suspend && wanted.organization_profile_ref.is_some());
        let mut frozen = made.clone();
        frozen.status = serde_json::from_value(json!({"submission": {"frozen": true}})).unwrap();
        let wanted = edited(&resumed, &frozen).unwrap();
        assert!(!wanted.suspend && wanted.organization_profile_ref.is_none());
        let patch = edit(&frozen, &wanted);
        assert_eq!(patch[1]["value"]["suspend"], false);
    }

    #[test]
    fn an_order_renews_another_one_if_certorder_made_it_and_the_status_says_so() {
        let mut made = order(&user(), "B").unwrap();
        assert_eq!(renewal_of(&made), Some(("www", "u1")));
        assert!(is_made_for(&made, &user()) && !is_vouched_for(&made, &user()));
        let with = |renewal: Value| {
            let mut user = user();
            user.status = serde_json::from_value(json!({ "renewal": renewal })).unwrap();
            user
        };
        assert!(is_vouched_for(&made, &with(json!({"phase": "x", "successor": {"certificateId": "B"}}))));
        assert!(is_vouched_for(&made, &with(json!({"phase": "x", "chain": ["A", "B"]}))));
        assert!(!is_vouched_for(&made, &with(json!({"phase": "x", "chain": ["A"]}))));
        made.metadata.owner_references = None;
        assert_eq!(renewal_of(&made), None);
    }
}
