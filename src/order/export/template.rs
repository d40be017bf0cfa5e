//! Labels and annotations of Secrets: what the order's template asks for, and what of an earlier one is taken back. Pure.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;

use crate::api::v1alpha1::SecretTemplate;
use crate::api::v1alpha1::conditions::Reason;
use crate::cluster::fields::FieldOwners;
use crate::core::conditions::Problem;
use crate::core::text::shown;

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

/// The prefix of keys that every template may have beside keys without any: they name things, and no program acts on them.
const NAMES: &str = "app.kubernetes.io";

/// How many keys that are left off are named, and how long each is shown, in bytes.
const SHOWN: (usize, usize) = (8, 128);

/// The prefixes of labels and annotations that the administrator allows in templates: programs of the cluster act on many
/// of them, some by copying a Secret elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Prefixes(Vec<String>);

/// What is used of a template.
pub struct Accepted {
    /// The template without what is not allowed.
    pub template: SecretTemplate,
    /// What was left off.
    pub left_off: Option<Problem>,
}

impl Prefixes {
    /// These prefixes, without their `/`.
    #[must_use]
    pub fn new(allowed: Vec<String>) -> Self {
        Self(allowed)
    }

    /// What of a template is used.
    #[must_use]
    pub fn accept(&self, template: Option<&SecretTemplate>) -> Accepted {
        let Some(template) = template else {
            return Accepted { template: SecretTemplate::default(), left_off: None };
        };
        let used = |all: &BTreeMap<String, String>| {
            let all = all.iter().filter(|(key, _)| self.allows(key));
            all.map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        let keys = template.labels.keys().chain(template.annotations.keys());
        let left_off: Vec<&str> = keys.map(String::as_str).filter(|key| !self.allows(key)).collect();
        Accepted {
            template: SecretTemplate {
                labels: used(&template.labels),
                annotations: used(&template.annotations),
            },
            left_off: (!left_off.is_empty()).then(|| not_allowed(&left_off)),
        }
    }

    fn allows(&self, key: &str) -> bool {
        let Some((prefix, _)) = key.split_once('/') else { return true };
        prefix == NAMES || self.0.iter().any(|allowed| allowed == prefix)
    }
}

fn not_allowed(keys: &[&str]) -> Problem {
    let (most, longest) = SHOWN;
    let named: Vec<String> = keys.iter().take(most).map(|key| shown(key, longest)).collect();
    let more = match keys.len().saturating_sub(most) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!(
        "the Secrets of this order go without {}{more} of spec.secretTemplate: programs that act on such a label or \
         annotation could copy a private key elsewhere. Keys without a prefix, those of {NAMES}/ and those that the \
         administrator of certorder allows (--secret-template-prefix, in the chart secretTemplate.prefixes) are used; \
         have the prefix allowed, or take the key out",
        named.join(", ")
    );
    Problem::new(Reason::PrefixNotAllowed, message)
}

/// The template for the Secret with an order's own key: policies may want its labels and annotations on every Secret,
/// but nothing may let others copy the key.
#[must_use]
pub fn of_the_key(template: &SecretTemplate) -> SecretTemplate {
    let stays = |all: &BTreeMap<String, String>| {
        let all = all.iter().filter(|(name, _)| !COPIES.iter().any(|prefix| name.starts_with(prefix)));
        all.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    SecretTemplate { labels: stays(&template.labels), annotations: stays(&template.annotations) }
}

/// Whether a stored Secret has all that the template asks for, and nothing that an earlier one did.
#[must_use]
pub fn is_followed(secret: &Secret, template: &SecretTemplate) -> bool {
    let has = |wanted: &BTreeMap<String, String>, there: &BTreeMap<String, String>| {
        wanted.iter().all(|(name, value)| there.get(name) == Some(value))
    };
    has(&template.labels, secret.labels())
        && has(&template.annotations, secret.annotations())
        && labels_to_remove(secret, template).next().is_none()
        && annotations_to_remove(secret, template).next().is_none()
}

/// The labels that certorder set by an earlier template.
pub fn labels_to_remove<'a>(
    secret: &'a Secret,
    template: &'a SecretTemplate,
) -> impl Iterator<Item = &'a str> {
    let is_asked = move |name: &str| name == MANAGED_BY || template.labels.contains_key(name);
    set_earlier(secret, "labels", secret.labels(), is_asked)
}

/// The annotations that certorder set by an earlier template.
pub fn annotations_to_remove<'a>(
    secret: &'a Secret,
    template: &'a SecretTemplate,
) -> impl Iterator<Item = &'a str> {
    let is_asked = move |name: &str| name.starts_with(OWN) || template.annotations.contains_key(name);
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
        let of_the_key = of_the_key(&template());
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
        assert_eq!(labels_to_remove(&secret, &asked).collect::<Vec<_>>(), ["old"]);
        let none = SecretTemplate::default();
        let all: Vec<_> = annotations_to_remove(&secret, &none).collect();
        assert_eq!(all, ["reflector.v1.k8s.emberstack.com/reflection-allowed"]);
        assert!(!is_followed(&secret, &asked));
    }

    #[test]
    fn keys_without_prefix_names_and_what_the_administrator_allows_are_used() {
        let prefixes = Prefixes::new(vec!["acme.example".to_owned()]);
        let used = ["team", "app.kubernetes.io/part-of", "acme.example/cost"];
        let left_off = [
            "app.kubernetes.io.evil.example/a",
            "sub.acme.example/a",
            "acme.example.evil/a",
            "kubernetes.io/tls",
            "replicator.v1.mittwald.de/replicate-to",
            "/a",
        ];
        let all = |keys: &[&str]| keys.iter().map(|key| ((*key).to_owned(), "x".to_owned())).collect();
        let asked: BTreeMap<_, _> = all(&[&used[..], &left_off].concat());
        let asked = SecretTemplate { labels: asked.clone(), annotations: asked };
        let accepted = prefixes.accept(Some(&asked));
        let used: BTreeMap<_, _> = all(&used);
        assert_eq!(accepted.template, SecretTemplate { labels: used.clone(), annotations: used });
        let problem = accepted.left_off.unwrap();
        assert_eq!(problem.reason, Reason::PrefixNotAllowed);
        assert!(problem.message.contains("replicator.v1.mittwald.de/replicate-to"), "{problem}");
        assert!(problem.message.contains(" and 4 more of spec.secretTemplate"), "{problem}");
        let whole = prefixes.accept(Some(&accepted.template));
        assert!(whole.left_off.is_none() && whole.template == accepted.template);
        assert!(prefixes.accept(None).left_off.is_none());
    }
}
