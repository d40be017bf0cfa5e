//! Labels and annotations of Secrets: what the order's template asks for, and what of an earlier one is taken back. Pure.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;

use crate::api::v1alpha1::SecretTemplate;
use crate::cluster::fields::FieldOwners;

/// The usual label of who manages an object.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// What begins the names of certorder's own marks.
const OWN: &str = "certorder.dev/";

/// What begins the names by which other programs copy a Secret to other namespaces, or let it be copied:
/// kubernetes-replicator (both of its names), reflector, kubed and its successor config-syncer, Carvel's
/// secretgen-controller, the hierarchical namespace controller.
const COPIES: [&str; 6] = [
    "replicator.v1.mittwald.de/",
    "v1.kubernetes-replicator.olli.com/",
    "reflector.v1.k8s.emberstack.com/",
    "kubed.appscode.com/",
    "secretgen.carvel.dev/",
    "propagate.hnc.x-k8s.io/",
];

/// The template for the Secret with an order's own key: policies may want its labels and annotations on every Secret,
/// but nothing may let others copy the key.
#[must_use]
pub fn of_the_key(template: Option<&SecretTemplate>) -> SecretTemplate {
    let stays = |all: &BTreeMap<String, String>| {
        let all = all.iter().filter(|(name, _)| !COPIES.iter().any(|prefix| name.starts_with(prefix)));
        all.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    template.map_or_else(SecretTemplate::default, |template| SecretTemplate {
        labels: stays(&template.labels),
        annotations: stays(&template.annotations),
    })
}

/// Whether a stored Secret has all that the template asks for, and nothing that an earlier one did.
#[must_use]
pub fn is_followed(secret: &Secret, template: Option<&SecretTemplate>) -> bool {
    let has = |wanted: &BTreeMap<String, String>, there: &BTreeMap<String, String>| {
        wanted.iter().all(|(name, value)| there.get(name) == Some(value))
    };
    let as_asked = template.is_none_or(|template| {
        has(&template.labels, secret.labels()) && has(&template.annotations, secret.annotations())
    });
    as_asked
        && labels_to_remove(secret, template).next().is_none()
        && annotations_to_remove(secret, template).next().is_none()
}

/// The labels that certorder set by an earlier template.
pub fn labels_to_remove<'a>(
    secret: &'a Secret,
    template: Option<&'a SecretTemplate>,
) -> impl Iterator<Item = &'a str> {
    let is_asked = move |name: &str| {
        name == MANAGED_BY || template.is_some_and(|template| template.labels.contains_key(name))
    };
    set_earlier(secret, "labels", secret.labels(), is_asked)
}

/// The annotations that certorder set by an earlier template.
pub fn annotations_to_remove<'a>(
    secret: &'a Secret,
    template: Option<&'a SecretTemplate>,
) -> impl Iterator<Item = &'a str> {
    let is_asked = move |name: &str| {
        name.starts_with(OWN) || template.is_some_and(|template| template.annotations.contains_key(name))
    };
    set_earlier(secret, "annotations", secret.annotations(), is_asked)
}

/// The names in one map of the metadata, `field`, that are not asked for and that nobody but certorder has set.
fn set_earlier<'a>(
    secret: &Secret,
    field: &'static str,
    there: &'a BTreeMap<String, String>,
    is_asked: impl Fn(&str) -> bool + 'a,
) -> impl Iterator<Item = &'a str> {
    let owners = FieldOwners::of(&secret.metadata);
    let names = there.keys().map(String::as_str);
    names.filter(move |name| !is_asked(name) && owners.set_by_us_alone(field, name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template() -> SecretTemplate {
        let all =
            |extra: &str| [("team", "web"), (extra, "x")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        SecretTemplate {
            labels: all("propagate.hnc.x-k8s.io/select"),
            annotations: all("replicator.v1.mittwald.de/replicate-to"),
        }
    }

    #[test]
    fn the_key_has_what_policies_want_and_nothing_that_lets_others_copy_it() {
        let of_the_key = of_the_key(Some(&template()));
        let only = BTreeMap::from([("team".to_owned(), "web".to_owned())]);
        assert_eq!((of_the_key.labels, of_the_key.annotations), (only.clone(), only));
    }

    #[test]
    fn what_certorder_set_is_taken_back_and_what_others_set_stays() {
        let fields = |labels: &[&str], annotations: &[&str]| {
            let set = |names: &[&str]| -> serde_json::Map<_, _> {
                names.iter().map(|name| (format!("f:{name}"), json!({}))).collect()
            };
            json!({"f:metadata": {"f:labels": set(labels), "f:annotations": set(annotations)}})
        };
        let secret: Secret = serde_json::from_value(json!({"metadata": {
            "labels": {"team": "web", "old": "1", "theirs": "1", "app.kubernetes.io/managed-by": "certorder"},
            "annotations": {"certorder.dev/order": "www", "reflector.v1.k8s.emberstack.com/reflection-allowed": "true",
                            "theirs": "1"},
            "managedFields": [
                {"manager": "certorder", "fieldsV1": fields(
                    &["team", "old", "app.kubernetes.io/managed-by"],
                    &["certorder.dev/order", "reflector.v1.k8s.emberstack.com/reflection-allowed"],
                )},
                {"manager": "kubectl", "fieldsV1": fields(&["theirs"], &["theirs"])},
            ],
        }}))
        .unwrap();
        let asked = SecretTemplate {
            labels: [("team".to_owned(), "web".to_owned())].into(),
            annotations: BTreeMap::new(),
        };
        assert_eq!(labels_to_remove(&secret, Some(&asked)).collect::<Vec<_>>(), ["old"]);
        let all: Vec<_> = annotations_to_remove(&secret, None).collect();
        assert_eq!(all, ["reflector.v1.k8s.emberstack.com/reflection-allowed"]);
        assert!(!is_followed(&secret, Some(&asked)));
    }
}
