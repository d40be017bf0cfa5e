//! The permissions of the ServiceAccount of `deploy/`. The stories themselves run with it on a real API server; here are
//! the lists, checked by access reviews and by requests.

use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Config, Resource, ResourceExt};
use serde_json::json;

use crate::cluster::{self, Cluster, claims_of};
use crate::deploy::{ACCOUNT, CLAIMS, NAMESPACE};
use crate::fixtures;
use crate::rules::{Call, Rules};
use crate::world::World;
use certorder::api::v1alpha1::{CertificateOrder, OrganizationProfile};
use certorder_sim::tencent::Product;

const OURS: &str = "certorder.dev";

/// Group, resource and verbs that the operator needs in a namespace that it watches.
const MAY: [(&str, &str, &[&str]); 6] = [
    (OURS, "certificateorders", &["get", "list", "watch", "create", "patch", "delete"]),
    (OURS, "certificateorders/status", &["update"]),
    (OURS, "organizationprofiles", &["get", "list", "watch"]),
    (OURS, "organizationprofiles/status", &["update"]),
    ("", "secrets", &["get", "list", "watch", "create", "patch"]),
    ("events.k8s.io", "events", &["create", "patch"]),
];

/// What it must not be allowed to do, anywhere.
const MAY_NOT: [(&str, &str, &[&str]); 19] = [
    // That it creates, changes and deletes only the orders that renew others is a matter of the policies.
    (OURS, "certificateorders", &["update", "deletecollection"]),
    (OURS, "organizationprofiles", &["create", "update", "patch", "delete", "deletecollection"]),
    (OURS, "certificateorders/finalizers", &["update"]),
    (OURS, "certificateorders/status", &["get", "patch"]),
    (OURS, "organizationprofiles/status", &["get", "patch"]),
    ("", "secrets", &["update", "delete", "deletecollection"]),
    // It has no access to cluster-wide resources.
    ("", "configmaps", &["get", "list", "create", "update", "patch", "delete"]),
    ("", "namespaces", &["get", "list", "watch", "create", "patch", "delete"]),
    ("", "pods", &["get", "list", "create", "patch", "delete"]),
    ("", "pods/exec", &["create"]),
    ("", "services", &["get", "list", "create"]),
    ("", "serviceaccounts/token", &["create"]),
    ("", "nodes", &["get", "list"]),
    ("apps", "deployments", &["get", "list", "create", "patch"]),
    ("apiextensions.k8s.io", "customresourcedefinitions", &["get", "list", "create", "patch", "delete"]),
    ("rbac.authorization.k8s.io", "clusterroles", &["get", "create", "bind", "escalate"]),
    ("rbac.authorization.k8s.io", "rolebindings", &["create", "patch"]),
    ("", "users", &["impersonate"]),
    ("certificates.k8s.io", "certificatesigningrequests", &["create"]),
];

/// What it needs in the namespace of the claims, and nowhere else.
const CLAIMING: [(&str, &str, &[&str]); 1] =
    [("coordination.k8s.io", "leases", &["get", "list", "create", "update", "delete"])];

/// What it must not be able to do there.
const NOT_CLAIMING: [(&str, &str, &[&str]); 3] = [
    ("coordination.k8s.io", "leases", &["patch", "watch", "deletecollection"]),
    // Of any name; one can be read and created.
    ("", "secrets", &["get", "list", "watch", "update", "patch", "delete", "deletecollection"]),
    ("rbac.authorization.k8s.io", "rolebindings", &["get", "create"]),
];

/// What it needs beside that for `validation.dnsEndpoint`, where that is asked for, and what it must not be able to do there.
const PUBLISHING: [(&str, &str, &[&str]); 1] =
    [("externaldns.k8s.io", "dnsendpoints", &["get", "list", "create", "patch", "delete"])];
const NOT_PUBLISHING: [(&str, &str, &[&str]); 2] = [
    ("externaldns.k8s.io", "dnsendpoints", &["watch", "update", "deletecollection"]),
    ("externaldns.k8s.io", "dnsendpoints/status", &["update", "patch"]),
];

/// A request for a Secret in the namespace of the claims.
fn of_secret(verb: &'static str, namespace: &str, name: &str) -> Call {
    let (group, resource) = (String::new(), "secrets".to_owned());
    Call { verb, group, resource, namespace: namespace.to_owned(), name: name.to_owned() }
}

fn calls(list: &[(&str, &str, &[&'static str])], namespace: &str) -> Vec<Call> {
    let of = |(group, resource, verbs): &(&str, &str, &[&'static str])| {
        let call = |verb: &&'static str| Call {
            verb,
            group: (*group).to_owned(),
            resource: (*resource).to_owned(),
            namespace: namespace.to_owned(),
            name: String::new(),
        };
        verbs.iter().map(call).collect::<Vec<_>>()
    };
    list.iter().flat_map(of).collect()
}

/// The decision of the API server's authorizer for an account.
async fn is_allowed(client: &Client, account: &str, namespace: &str, call: &Call) -> bool {
    let (resource, subresource) = match call.resource.split_once('/') {
        Some((resource, part)) => (resource.to_owned(), Some(part.to_owned())),
        None => (call.resource.clone(), None),
    };
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(format!("system:serviceaccount:{namespace}:{account}")),
            groups: Some(vec![
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{namespace}"),
                "system:authenticated".to_owned(),
            ]),
            resource_attributes: Some(ResourceAttributes {
                group: Some(call.group.clone()),
                resource: Some(resource),
                subresource,
                namespace: Some(call.namespace.clone()),
                name: Some(call.name.clone()),
                verb: Some(call.verb.to_owned()),
                ..ResourceAttributes::default()
            }),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let reviews: Api<SubjectAccessReview> = Api::all(client.clone());
    reviews.create(&PostParams::default(), &review).await.unwrap().status.unwrap().allowed
}

#[test]
fn the_roles_allow_what_the_operator_needs_and_nothing_else() {
    let rules = Rules::of("deploy/operator", "shop");
    for call in calls(&MAY, "shop").into_iter().chain(calls(&MAY, "")) {
        assert!(rules.allow(&call), "{call:?}");
    }
    for call in calls(&MAY_NOT, "shop").into_iter().chain(calls(&MAY_NOT, "certorder")) {
        assert!(!rules.allow(&call), "{call:?}");
    }
    let rules = Rules::of("deploy/namespaced", "shop");
    for call in calls(&MAY, "shop") {
        assert!(rules.allow(&call), "{call:?}");
    }
    for namespace in ["", "bank", "certorder", "kube-system"] {
        // Events of its own Pod are the exception.
        let is_own_event = |call: &Call| namespace == NAMESPACE && call.resource == "events";
        for call in calls(&MAY, namespace) {
            assert_eq!(rules.allow(&call), is_own_event(&call), "{call:?}");
        }
    }
}

#[test]
fn dns_endpoints_are_written_only_where_that_is_asked_for() {
    for folder in ["deploy/operator", "deploy/namespaced"] {
        let rules = Rules::of(folder, "shop");
        for call in calls(&PUBLISHING, "shop").into_iter().chain(calls(&NOT_PUBLISHING, "shop")) {
            assert!(!rules.allow(&call), "{folder}: {call:?}");
        }
    }
    let rules = Rules::of("deploy/dns-endpoint", "shop");
    for call in calls(&PUBLISHING, "shop") {
        assert!(rules.allow(&call), "{call:?}");
    }
    for call in calls(&NOT_PUBLISHING, "shop").into_iter().chain(calls(&MAY, "shop")) {
        assert!(!rules.allow(&call), "{call:?}");
    }
}

#[test]
fn claims_are_made_read_taken_over_and_deleted_in_their_namespace_alone() {
    let claims = claims_of("shop");
    for folder in ["deploy/operator", "deploy/namespaced"] {
        let rules = Rules::of(folder, "shop");
        for call in calls(&CLAIMING, &claims) {
            assert!(rules.allow(&call), "{folder}: {call:?}");
        }
        for call in calls(&[("coordination.k8s.io", "leases", &["list", "delete"])], "shop") {
            assert!(!rules.allow(&call), "{folder}: {call:?}");
        }
    }
    // With a ClusterRole, Secrets can be read everywhere.
    let rules = Rules::of("deploy/namespaced", "shop");
    for call in calls(&NOT_CLAIMING, &claims) {
        assert!(!rules.allow(&call), "{call:?}");
    }
    let key = "certorder-payload-key";
    assert!(rules.allow(&of_secret("get", &claims, key)) && rules.allow(&of_secret("create", &claims, "")));
    assert!(
        !rules.allow(&of_secret("get", &claims, "other")) && !rules.allow(&of_secret("delete", &claims, key))
    );
}

#[tokio::test]
async fn a_real_api_server_sees_the_roles_in_the_same_way() {
    if !cluster::is_real() {
        return;
    }
    let client = Cluster::start(cluster::kubeconfig().as_deref()).await.client;
    for namespace in ["default", "kube-system", ""] {
        for call in calls(&MAY, namespace) {
            assert!(is_allowed(&client, ACCOUNT, NAMESPACE, &call).await, "{call:?}");
        }
        for call in calls(&MAY_NOT, namespace) {
            assert!(!is_allowed(&client, ACCOUNT, NAMESPACE, &call).await, "{call:?}");
        }
    }
    for call in calls(&CLAIMING, CLAIMS) {
        assert!(is_allowed(&client, ACCOUNT, NAMESPACE, &call).await, "{call:?}");
    }
    for call in calls(&NOT_CLAIMING[..1], CLAIMS).into_iter().chain(calls(&CLAIMING, "kube-system")) {
        assert!(!is_allowed(&client, ACCOUNT, NAMESPACE, &call).await, "{call:?}");
    }
    // One Lease, in its own namespace.
    let lease = |verb, namespace: &str, name: &str| Call {
        verb,
        group: "coordination.k8s.io".to_owned(),
        resource: "leases".to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    for (call, expected) in [
        (lease("create", NAMESPACE, ""), true),
        (lease("update", NAMESPACE, "certorder"), true),
        (lease("update", NAMESPACE, "other"), false),
        (lease("patch", NAMESPACE, "certorder"), false),
        (lease("list", NAMESPACE, ""), false),
        (lease("delete", NAMESPACE, "certorder"), false),
        (lease("create", "kube-system", ""), false),
        (lease("update", "kube-system", "kube-scheduler"), false),
    ] {
        assert_eq!(is_allowed(&client, ACCOUNT, NAMESPACE, &call).await, expected, "{call:?}");
    }
}

/// The operator's own client, as a Pod with its token would have it.
fn under_the_account(world: &World) -> Client {
    Client::try_from(Config::new(world.api.url().parse().unwrap())).unwrap()
}

fn refused<T: std::fmt::Debug>(answer: kube::Result<T>, what: &str) {
    match answer {
        Err(kube::Error::Api(status)) => assert_eq!(status.code, 403, "{what}: {status:?}"),
        other => panic!("{what}: {other:?}"),
    }
}

#[tokio::test]
async fn what_it_must_not_do_is_refused_when_it_is_tried() {
    if !cluster::is_real() {
        return;
    }
    let world = World::quiet().await;
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    world.create::<OrganizationProfile>(fixtures::profile()).await;
    let client = under_the_account(&world);
    let orders: Api<CertificateOrder> = of(&client, &world.namespace);
    let secrets: Api<Secret> = of(&client, &world.namespace);
    let order = orders.get("www").await.unwrap();
    let secret = secrets.get("tencent-credentials").await.unwrap();
    let post = PostParams::default();
    refused(secrets.delete("tencent-credentials", &DeleteParams::default()).await, "delete a Secret");
    refused(secrets.replace("tencent-credentials", &post, &secret).await, "replace a Secret");
    let all = ListParams::default();
    refused(secrets.delete_collection(&DeleteParams::default(), &all).await, "delete all Secrets");
    refused(orders.replace("www", &post, &order).await, "replace an order");
    let profiles: Api<OrganizationProfile> = of(&client, &world.namespace);
    let merge = Patch::Merge(json!({"metadata": {"labels": {"a": "b"}}}));
    refused(profiles.patch("acme", &PatchParams::default(), &merge).await, "patch a profile");
    let roles: Api<ClusterRole> = Api::all(client.clone());
    refused(roles.get("cluster-admin").await, "read a role");
    refused(Api::<Namespace>::all(client).list(&all).await, "list namespaces");
    world.allow_anything();
}

fn of<K>(client: &Client, namespace: &str) -> Api<K>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
{
    Api::namespaced(client.clone(), namespace)
}

#[tokio::test]
async fn with_roles_for_one_namespace_an_order_is_issued_and_no_other_namespace_is_seen() {
    let mut world = World::in_one_namespace().await;
    world.buy(fixtures::CERTIFICATE, Product::DV_SINGLE);
    world.run();
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    world.until_is("www", "Ordered", "True", "Accepted").await;
    while world.cloud.running().iter().any(|running| running == fixtures::CERTIFICATE) {
        world.cloud.advance(fixtures::CERTIFICATE).unwrap();
    }
    world.until_is("www", "Ready", "True", "Issued").await;
    world.until_event("Issued").await;
    if !cluster::is_real() {
        return;
    }
    let client = under_the_account(&world);
    let everywhere = ListParams::default();
    refused(Api::<Secret>::all(client.clone()).list(&everywhere).await, "list every Secret");
    refused(Api::<CertificateOrder>::all(client.clone()).list(&everywhere).await, "list every order");
    for namespace in ["default", "kube-system", NAMESPACE] {
        refused(of::<Secret>(&client, namespace).get("any").await, "read a Secret elsewhere");
        refused(of::<CertificateOrder>(&client, namespace).list(&everywhere).await, "list orders elsewhere");
    }
    let own = of::<Secret>(&client, &world.namespace).get("tencent-credentials").await.unwrap();
    assert_eq!(own.name_any(), "tencent-credentials");
    world.allow_anything();
}
