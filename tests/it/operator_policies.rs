//! What the operator's ServiceAccount writes of Secrets, orders and `DNSEndpoint`s, beyond what RBAC can say: the policies of
//! `deploy/operator`. On a real API server every story runs with them; here is what they refuse and what they allow.

use std::fmt::Debug;
use std::time::Duration;

use certorder::api::v1alpha1::CertificateOrder;
use certorder::order::dns_endpoint::object::KIND;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Config, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::cluster;
use crate::deploy;
use crate::dns_endpoints;
use crate::fixtures;
use crate::world::World;

/// How long the API server may take to see a policy or a role, in looks and the time between two.
const LOOKS: (u32, Duration) = (150, Duration::from_millis(200));

/// The operator's own client, as a Pod with its token would have it.
fn account(world: &World) -> Client {
    Client::try_from(Config::new(world.api.url().parse().unwrap())).unwrap()
}

fn of<K>(client: &Client, namespace: &str) -> Api<K>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
{
    Api::namespaced(client.clone(), namespace)
}

/// The answer of the policies: `Err` with the message of the one that refuses.
fn answer<T>(result: kube::Result<T>, what: &str) -> Result<(), String> {
    match result {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.message.contains("ValidatingAdmissionPolicy") => {
            assert_eq!(status.code, 403, "{what}: {status:?}");
            Err(status.message.clone())
        }
        Err(error) => panic!("{what}: {error}"),
    }
}

fn allowed<T: Debug>(result: kube::Result<T>, what: &str) {
    assert_eq!(answer(result, what), Ok(()), "{what}");
}

fn refused<T: Debug>(result: kube::Result<T>, words: &str, what: &str) {
    let message = answer(result, what).expect_err(what);
    assert!(message.contains(words), "{what}: {message}");
}

async fn patch<K>(api: &Api<K>, name: &str, change: Value) -> kube::Result<K>
where
    K: Clone + DeserializeOwned + Debug,
{
    api.patch(name, &PatchParams::default(), &Patch::Merge(change)).await
}

/// A Secret as certorder writes it, with changes.
fn secret(name: &str, change: Value) -> Secret {
    let marks = json!({"certorder.dev/order": "www", "certorder.dev/certificate-id": fixtures::CERTIFICATE});
    let mut secret = json!({
        "metadata": {"name": name, "annotations": marks}, "type": "Opaque", "stringData": {"a": "b"},
    });
    merge(&mut secret, change);
    serde_json::from_value(secret).unwrap()
}

/// A merge patch.
fn merge(into: &mut Value, change: Value) {
    match (into, change) {
        (Value::Object(into), Value::Object(change)) => {
            for (key, value) in change {
                if value.is_null() {
                    into.remove(&key);
                } else {
                    merge(into.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        (into, change) => *into = change,
    }
}

async fn try_to_create<K>(api: &Api<K>, object: &K) -> kube::Result<K>
where
    K: Clone + DeserializeOwned + Debug + serde::Serialize,
{
    api.create(&PostParams { dry_run: true, ..PostParams::default() }, object).await
}

/// Waits until the policies are seen: the first of them refuses this.
async fn until_in_force(secrets: &Api<Secret>) {
    let unmarked = secret("unmarked", json!({"metadata": {"annotations": null}}));
    for _ in 0..LOOKS.0 {
        if try_to_create(secrets, &unmarked).await.is_err() {
            return;
        }
        tokio::time::sleep(LOOKS.1).await;
    }
    panic!("the policy on Secrets is never in force");
}

const TYPES: &str = "kubernetes.io/tls and Opaque only";
const MARKS: &str = "only Secrets with the annotations certorder.dev/order and certorder.dev/certificate-id";
const LABEL: &str = "certorder.dev/readable is for the owner";
const OWNERS: &str = "neither owners nor finalizers";
const IMMUTABLE: &str = "no Secret of an order immutable";
const KEY: &str = "never removes a private key";

#[tokio::test]
async fn of_secrets_it_creates_those_of_its_types_with_its_marks_and_no_others() {
    if !cluster::is_real() {
        return;
    }
    let world = World::quiet().await;
    let client = account(&world);
    let secrets: Api<Secret> = of(&client, &world.namespace);
    until_in_force(&secrets).await;
    let tls = json!({"type": "kubernetes.io/tls", "stringData": {"tls.crt": "", "tls.key": ""}});
    allowed(try_to_create(&secrets, &secret("tls", tls)).await, "a TLS Secret");
    allowed(try_to_create(&secrets, &secret("key", json!({}))).await, "an Opaque Secret");
    let payload_key = json!({"metadata": {"annotations": null}, "immutable": true});
    let name = "certorder-payload-key";
    let claims: Api<Secret> = of(&client, &world.claims);
    allowed(try_to_create(&claims, &secret(name, payload_key.clone())).await, "the key of the hashes");
    refused(try_to_create(&secrets, &secret(name, payload_key.clone())).await, MARKS, "the key elsewhere");
    refused(try_to_create(&claims, &secret("other", payload_key)).await, MARKS, "another among the claims");
    let editable = json!({"metadata": {"annotations": null}});
    refused(try_to_create(&claims, &secret(name, editable)).await, MARKS, "a key that can be edited");

    let owner = json!([{"apiVersion": "v1", "kind": "Secret", "name": "a", "uid": "a"}]);
    let token = json!({
        "type": "kubernetes.io/service-account-token",
        "metadata": {"annotations": {"kubernetes.io/service-account.name": "default"}},
    });
    let login = json!({
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": "{}"},
    });
    let cases = [
        ("a token of a ServiceAccount", token, TYPES),
        ("a bootstrap token", json!({"type": "bootstrap.kubernetes.io/token"}), TYPES),
        ("a login", login, TYPES),
        ("no mark", json!({"metadata": {"annotations": null}}), MARKS),
        ("no order", json!({"metadata": {"annotations": {"certorder.dev/order": null}}}), MARKS),
        ("no certificate", json!({"metadata": {"annotations": {"certorder.dev/certificate-id": ""}}}), MARKS),
        ("readable", json!({"metadata": {"labels": {"certorder.dev/readable": "true"}}}), LABEL),
        ("an owner", json!({"metadata": {"ownerReferences": owner}}), OWNERS),
        ("a finalizer", json!({"metadata": {"finalizers": ["acme.example/stays"]}}), OWNERS),
        ("immutable", json!({"immutable": true}), IMMUTABLE),
    ];
    for (what, change, words) in cases {
        refused(try_to_create(&secrets, &secret("case", change)).await, words, what);
    }
    // Of others the policy is not.
    let unmarked = secret("unmarked", json!({"metadata": {"annotations": null}}));
    allowed(world.api_of::<Secret>().create(&PostParams::default(), &unmarked).await, "by a user");
    world.allow_anything();
}

#[tokio::test]
async fn of_secrets_it_changes_those_with_its_marks_and_neither_marks_nor_labels_of_owners() {
    if !cluster::is_real() {
        return;
    }
    let world = World::quiet().await;
    let secrets: Api<Secret> = of(&account(&world), &world.namespace);
    until_in_force(&secrets).await;
    let key = json!({"stringData": {"tls.crt": "a", "ca.crt": "a", "tls.key": "a"}});
    let readable = json!({"metadata": {"labels": {"certorder.dev/readable": "true"}}});
    for secret in [
        secret("ours", key),
        secret("readable", readable.clone()),
        secret("theirs", json!({"metadata": {"annotations": null}})),
    ] {
        world.api_of::<Secret>().create(&PostParams::default(), &secret).await.unwrap();
    }
    let marks = |order: Value| json!({"metadata": {"annotations": {"certorder.dev/order": order}}});
    let label = json!({"metadata": {"labels": {"team": "web"}, "annotations": {"team": "web"}}});
    allowed(patch(&secrets, "ours", label.clone()).await, "labels and annotations");
    allowed(
        patch(&secrets, "ours", json!({"stringData": {"tls.crt": "b", "tls.key": "b"}})).await,
        "entries",
    );
    allowed(patch(&secrets, "ours", json!({"data": {"ca.crt": null}})).await, "an entry less");
    allowed(patch(&secrets, "ours", marks("www".into())).await, "the same marks");
    allowed(patch(&secrets, "readable", label.clone()).await, "what its owner made readable");

    let both = json!({"metadata": {"annotations": {
        "certorder.dev/order": "www", "certorder.dev/certificate-id": fixtures::CERTIFICATE,
    }}});
    let owner = json!({"metadata": {"ownerReferences": [
        {"apiVersion": "v1", "kind": "Secret", "name": "theirs", "uid": "a"},
    ]}});
    let cases = [
        ("theirs", json!({"stringData": {"a": "c"}}), MARKS),
        ("theirs", label, MARKS),
        ("theirs", both, MARKS),
        ("tencent-credentials", json!({"stringData": {"secretKey": "c"}}), MARKS),
        ("ours", marks("another".into()), MARKS),
        ("ours", marks(Value::Null), MARKS),
        ("ours", readable, LABEL),
        ("readable", json!({"metadata": {"labels": {"certorder.dev/readable": "yes"}}}), LABEL),
        ("ours", owner, OWNERS),
        ("ours", json!({"metadata": {"finalizers": ["acme.example/stays"]}}), OWNERS),
        ("ours", json!({"immutable": true}), IMMUTABLE),
        ("ours", json!({"data": {"tls.key": null}}), KEY),
    ];
    for (name, change, words) in cases {
        refused(patch(&secrets, name, change.clone()).await, words, &format!("{name}: {change}"));
    }
    world.allow_anything();
}

/// Lets the operator's account do with orders what no role of certorder allows, so that the policy decides.
async fn allow_by_role(world: &World, orders: &Api<CertificateOrder>) {
    let kinds = [
        (
            "Role",
            json!({"rules": [{
                "apiGroups": ["certorder.dev"], "resources": ["certificateorders"], "verbs": ["create", "update", "delete"],
            }]}),
        ),
        (
            "RoleBinding",
            json!({
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "orders"},
                "subjects": [{"kind": "ServiceAccount", "name": deploy::ACCOUNT, "namespace": deploy::NAMESPACE}],
            }),
        ),
    ];
    for (kind, mut object) in kinds {
        merge(
            &mut object,
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
                "metadata": {"name": "orders", "namespace": world.namespace},
            }),
        );
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        deploy::apply(&world.client(), &[object]).await;
    }
    let probe = serde_json::from_value(fixtures::personal("probe")).unwrap();
    for _ in 0..LOOKS.0 {
        match try_to_create(orders, &probe).await {
            Err(error) if error.to_string().contains("ValidatingAdmissionPolicy") => return,
            _ => tokio::time::sleep(LOOKS.1).await,
        }
    }
    panic!("the policy on orders is never in force");
}

const CREATES: &str = "creates and deletes only orders with the label";
const WRITES: &str = "nothing of an order but its status and its finalizer";
const FINALIZER: &str = "no finalizer but its own";

#[tokio::test]
async fn of_orders_it_writes_status_and_finalizer_and_has_those_that_an_order_owns() {
    if !cluster::is_real() {
        return;
    }
    let world = World::quiet().await;
    let orders: Api<CertificateOrder> = of(&account(&world), &world.namespace);
    allow_by_role(&world, &orders).await;
    let mut theirs = fixtures::personal("www");
    theirs["metadata"]["finalizers"] = json!(["acme.example/stays"]);
    let theirs = world.create::<CertificateOrder>(theirs).await;

    let finalizers = |all: &[&str]| json!({"metadata": {"finalizers": all}});
    let both = finalizers(&["acme.example/stays", "certorder.dev/cleanup"]);
    allowed(patch(&orders, "www", both).await, "put its finalizer in place");
    let mut now = orders.get("www").await.unwrap();
    now.status = Some(certorder::api::v1alpha1::CertificateOrderStatus::default());
    let post = PostParams::default();
    allowed(orders.replace_status("www", &post, &now).await, "replace the status");
    allowed(patch(&orders, "www", finalizers(&["acme.example/stays"])).await, "take its finalizer off");
    let owner = json!({
        "apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrder", "name": "www",
        "uid": theirs.uid().unwrap(), "controller": true,
    });
    let renewal = json!({"certorder.dev/renewal": "true"});
    let cases = [
        (json!({"spec": {"suspend": true}}), WRITES),
        (json!({"spec": {"mode": "Plan"}}), WRITES),
        (json!({"metadata": {"labels": {"team": "web"}}}), WRITES),
        (
            json!({"metadata": {"annotations": {"certorder.dev/confirm-revoke": fixtures::CERTIFICATE}}}),
            WRITES,
        ),
        (json!({"metadata": {"labels": renewal, "ownerReferences": [owner]}}), WRITES),
        (finalizers(&[]), FINALIZER),
        (finalizers(&["acme.example/stays", "acme.example/other"]), FINALIZER),
    ];
    for (change, words) in cases {
        refused(patch(&orders, "www", change.clone()).await, words, &change.to_string());
    }
    let mut edited = orders.get("www").await.unwrap();
    edited.spec.suspend = true;
    refused(orders.replace("www", &post, &edited).await, WRITES, "replace an order");
    refused(orders.delete("www", &DeleteParams::default()).await, CREATES, "delete an order");

    let made = |change: Value| -> CertificateOrder {
        let mut order = fixtures::personal("www-1");
        merge(&mut order, json!({"metadata": {"labels": renewal, "ownerReferences": [owner]}}));
        merge(&mut order, change);
        serde_json::from_value(order).unwrap()
    };
    let mut no_controller = owner.clone();
    no_controller["controller"] = false.into();
    let mut of_a_pod = owner.clone();
    merge(&mut of_a_pod, json!({"apiVersion": "v1", "kind": "Pod"}));
    for change in [
        json!({"metadata": {"labels": null}}),
        json!({"metadata": {"labels": {"certorder.dev/renewal": "false"}}}),
        json!({"metadata": {"ownerReferences": null}}),
        json!({"metadata": {"ownerReferences": [no_controller]}}),
        json!({"metadata": {"ownerReferences": [of_a_pod]}}),
    ] {
        refused(try_to_create(&orders, &made(change.clone())).await, CREATES, &change.to_string());
    }
    allowed(orders.create(&post, &made(json!({}))).await, "create a successor");
    allowed(patch(&orders, "www-1", json!({"spec": {"suspend": true}})).await, "change a successor");
    let freed = json!({"metadata": {"labels": {"certorder.dev/renewal": null}}});
    refused(patch(&orders, "www-1", freed).await, WRITES, "make a successor a user's");
    allowed(orders.delete("www-1", &DeleteParams::default()).await, "delete a successor");
    // With somebody else's finalizer the namespace would stay.
    world.edit::<CertificateOrder>("www", finalizers(&[])).await;
    world.allow_anything();
}

/// A `DNSEndpoint` as certorder writes it, with changes.
fn endpoint(name: &str, change: Value) -> DynamicObject {
    let owner = json!({
        "apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrder", "name": "www", "uid": "uid-of-www",
        "controller": true,
    });
    let record =
        json!({"dnsName": "a.acme.example", "recordType": "TXT", "recordTTL": 300, "targets": ["a"]});
    let mut endpoint = json!({
        "apiVersion": "externaldns.k8s.io/v1alpha1", "kind": "DNSEndpoint",
        "metadata": {
            "name": name, "annotations": {"certorder.dev/order": "www"}, "ownerReferences": [owner],
        },
        "spec": {"endpoints": [record]},
    });
    merge(&mut endpoint, change);
    serde_json::from_value(endpoint).unwrap()
}

const NAMED: &str = "named after that order and owned by it";
const MARKED: &str = "only DNSEndpoints with the annotation certorder.dev/order";
const RECORDS: &str = "only TXT and CNAME records";

#[tokio::test]
async fn of_dns_endpoints_it_writes_the_one_of_an_order_with_records_of_two_types() {
    if !cluster::is_real() {
        return;
    }
    let world = World::quiet().await;
    dns_endpoints::install(&world.client()).await;
    world.allow_dns_endpoints().await;
    world.allow_anything();
    let api = |client: Client| Api::<DynamicObject>::namespaced_with(client, &world.namespace, &*KIND);
    let (ours, users) = (api(account(&world)), api(world.client()));
    let unmarked = json!({"metadata": {"annotations": null}});
    for _ in 0..LOOKS.0 {
        if try_to_create(&ours, &endpoint("www-validation", unmarked.clone())).await.is_err() {
            break;
        }
        tokio::time::sleep(LOOKS.1).await;
    }
    let of_type = |type_: &str| {
        let record = json!({"dnsName": "a.acme.example", "recordType": type_, "targets": ["a"]});
        json!({"spec": {"endpoints": [record]}})
    };
    let cases = [
        ("www-validation", json!({}), None),
        ("www-validation", of_type("CNAME"), None),
        ("www-validation", of_type("A"), Some(RECORDS)),
        ("www-validation", of_type("NS"), Some(RECORDS)),
        ("www-validation", unmarked.clone(), Some(NAMED)),
        ("www-validation", json!({"metadata": {"ownerReferences": null}}), Some(NAMED)),
        ("www", json!({}), Some(NAMED)),
        ("api-validation", json!({}), Some(NAMED)),
    ];
    for (name, change, words) in cases {
        let tried = try_to_create(&ours, &endpoint(name, change.clone())).await;
        match words {
            None => allowed(tried, &change.to_string()),
            Some(words) => refused(tried, words, &format!("{name} {change}")),
        }
    }
    // What a user wrote is not touched, whatever its name.
    let theirs = json!({"metadata": {"annotations": null, "ownerReferences": null}});
    users.create(&PostParams::default(), &endpoint("www-validation", theirs)).await.unwrap();
    let marked = json!({"metadata": {"annotations": {"certorder.dev/order": "www"}}});
    refused(patch(&ours, "www-validation", marked).await, MARKED, "taken over");
    let deleted = ours.delete("www-validation", &DeleteParams::default()).await;
    refused(deleted, MARKED, "deleted");
}
