//! The roles of `deploy/`: every request of an operator in a story is checked against them, also on the in-process API,
//! which has no authorizer.

use certorder_sim::proxy::Seen;
use http::Method;
use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule, Role};
use kube::ResourceExt;

use crate::cluster::claims_of;
use crate::deploy::{ACCOUNT, kind, read};

/// A request to the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) verb: &'static str,
    pub(crate) group: String,
    /// With the subresource: `certificateorders/status`.
    pub(crate) resource: String,
    /// Empty for all namespaces.
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// The rules that apply to the operator.
pub(crate) struct Rules(Vec<(Scope, PolicyRule)>);

/// Where a rule applies.
enum Scope {
    Everywhere,
    In(String),
}

impl Call {
    /// Parses a request; `None` for one that concerns no resource (`/version`).
    pub(crate) fn of(seen: &Seen) -> Option<Self> {
        let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (group, rest) = match parts.as_slice() {
            ["api", _, rest @ ..] => ("", rest),
            ["apis", group, _, rest @ ..] => (*group, rest),
            _ => return None,
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
            rest => ("", rest),
        };
        let (resource, name) = match rest {
            [resource] => ((*resource).to_owned(), ""),
            [resource, name] => ((*resource).to_owned(), *name),
            [resource, name, part] => (format!("{resource}/{part}"), *name),
            _ => return None,
        };
        let watches = query.split('&').any(|pair| matches!(pair, "watch=true" | "watch=1"));
        let verb = match (seen.method.clone(), name.is_empty()) {
            (Method::GET, true) if watches => "watch",
            (Method::GET, true) => "list",
            (Method::GET, false) => "get",
            (Method::POST, _) => "create",
            (Method::PUT, _) => "update",
            (Method::PATCH, _) => "patch",
            (Method::DELETE, true) => "deletecollection",
            (Method::DELETE, false) => "delete",
            (other, _) => panic!("{other} {path}"),
        };
        let text = |text: &str| text.to_owned();
        Some(Self { verb, group: text(group), resource, namespace: text(namespace), name: text(name) })
    }
}

impl Rules {
    /// The rules of the manifests in a folder, with the namespace of the examples replaced by that of a story.
    pub(crate) fn of(folder: &str, namespace: &str) -> Self {
        let mut rules = Vec::new();
        for object in read(folder).into_iter().filter(|object| object.name_any().starts_with(ACCOUNT)) {
            let is_for_users = object.labels().keys().any(|label| label.contains("/aggregate-to-"))
                || object.name_any().ends_with("-edit");
            match kind(&object) {
                "ClusterRole" if !is_for_users => {
                    let role: ClusterRole = object.try_parse().unwrap();
                    rules.extend(role.rules.into_iter().flatten().map(|rule| (Scope::Everywhere, rule)));
                }
                "Role" => {
                    let place = object.namespace().unwrap().replace("shop", namespace);
                    let place = place.replace("certorder-claims", &claims_of(namespace));
                    let role: Role = object.try_parse().unwrap();
                    rules.extend(
                        role.rules.into_iter().flatten().map(|rule| (Scope::In(place.clone()), rule)),
                    );
                }
                _ => {}
            }
        }
        assert!(!rules.is_empty(), "{folder} has no rules");
        Self(rules)
    }

    /// These rules and others.
    pub(crate) fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    pub(crate) fn allow(&self, call: &Call) -> bool {
        self.0.iter().any(|(scope, rule)| {
            let here = match scope {
                Scope::Everywhere => true,
                Scope::In(namespace) => *namespace == call.namespace,
            };
            let has = |list: &Option<Vec<String>>, word: &str| list.iter().flatten().any(|one| one == word);
            let names = rule.resource_names.as_deref().unwrap_or_default();
            here && rule.verbs.iter().any(|verb| verb == call.verb)
                && has(&rule.api_groups, &call.group)
                && has(&rule.resources, &call.resource)
                && (names.is_empty() || names.contains(&call.name))
        })
    }

    /// Fails if one of these requests is not allowed, or reads more of Secrets than it should.
    pub(crate) fn check(&self, requests: &[Seen]) {
        for seen in requests {
            let Some(call) = Call::of(seen) else { continue };
            assert!(self.allow(&call), "the roles of deploy/ do not allow {call:?}");
            if call.resource == "secrets" && matches!(call.verb, "list" | "watch") {
                let accept = seen.header("accept").unwrap_or_default();
                assert!(accept.contains("as=PartialObjectMetadata"), "{call:?} asks for {accept}");
            }
        }
    }
}
