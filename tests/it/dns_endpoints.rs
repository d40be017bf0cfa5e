//! Proofs of control for external-dns: the `DNSEndpoint` of an order, from the CA's request to the issued certificate, and
//! what keeps it from being written.

use std::time::Duration;

use certorder::api::v1alpha1::{CertificateOrder, CertificateOrderStatus};
use certorder::order::dns_endpoint::object::KIND;
use certorder_sim::proxy::{Action, Reply, Rule};
use http::{Method, StatusCode};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use crate::clouds::{Kind, Product, for_both_clouds};
use crate::cluster;
use crate::fixtures::NAME;
use crate::policies::{self, Policy};
use crate::renewals;
use crate::world::{World, condition, message};

const SYNCED: &str = "DNSEndpointSynced";
const ENDPOINT: &str = "www-validation";

/// How long a story waits for an object that no condition speaks of, in looks and the time between two.
const LOOKS: (u32, Duration) = (600, Duration::from_millis(100));

/// The kind with the fields that count, as external-dns declares them.
fn definition() -> CustomResourceDefinition {
    let text = json!({"type": "string"});
    let property = json!({"type": "object", "properties": {"name": text, "value": text}});
    let endpoint = json!({"type": "object", "properties": {
        "dnsName": text, "recordType": text, "setIdentifier": text,
        "recordTTL": {"type": "integer", "format": "int64"},
        "targets": {"type": "array", "items": text},
        "labels": {"type": "object", "additionalProperties": text},
        "providerSpecific": {"type": "array", "items": property},
    }});
    let schema = json!({"type": "object", "properties": {
        "apiVersion": text, "kind": text, "metadata": {"type": "object"},
        "spec": {"type": "object", "properties": {"endpoints": {"type": "array", "items": endpoint}}},
        "status": {"type": "object", "properties": {
            "observedGeneration": {"type": "integer", "format": "int64"},
        }},
    }});
    serde_json::from_value(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {
            "name": "dnsendpoints.externaldns.k8s.io",
            // The API server asks for it of every group of k8s.io.
            "annotations": {"api-approved.kubernetes.io": "unapproved, a copy for tests"},
        },
        "spec": {
            "group": "externaldns.k8s.io", "scope": "Namespaced",
            "names": {
                "kind": "DNSEndpoint", "listKind": "DNSEndpointList", "plural": "dnsendpoints", "singular": "dnsendpoint",
            },
            "versions": [{
                "name": "v1alpha1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": schema},
            }],
        },
    }))
    .unwrap()
}

/// Installs the kind, unless it is there.
pub(crate) async fn install(client: &Client) {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    match api.create(&PostParams::default(), &definition()).await {
        Ok(_) => {}
        Err(kube::Error::Api(status)) if status.is_already_exists() => {}
        Err(error) => panic!("{error}"),
    }
    let all: Api<DynamicObject> = Api::all_with(client.clone(), &*KIND);
    while all.list(&ListParams::default().limit(1)).await.is_err() {
        tokio::time::sleep(LOOKS.1).await;
    }
}

fn endpoints(world: &World) -> Api<DynamicObject> {
    Api::namespaced_with(world.client(), &world.namespace, &*KIND)
}

/// The spec of a `DNSEndpoint`; `None` if there is no such object.
async fn spec(world: &World, name: &str) -> Option<Value> {
    endpoints(world).get_opt(name).await.unwrap().map(|object| object.data["spec"].clone())
}

async fn until_spec(world: &World, name: &str, wanted: impl Fn(Option<&Value>) -> bool) {
    for _ in 0..LOOKS.0 {
        if wanted(spec(world, name).await.as_ref()) {
            return;
        }
        tokio::time::sleep(LOOKS.1).await;
    }
    panic!("DNSEndpoint {name}: {:?}", spec(world, name).await);
}

/// A world with the kind and the rights to it, where an order can be placed.
async fn ready_at(kind: Kind) -> World {
    let world = World::quiet_at(kind).await;
    install(&world.client()).await;
    world.allow_dns_endpoints().await;
    world.site.buy(world.certificate(), Product::Dv);
    world
}

fn order(world: &World) -> Value {
    let mut order = world.order("www");
    order["spec"]["validation"] = json!({"dnsEndpoint": true});
    order
}

/// An order that waits for its proof of control, which external-dns is to publish.
async fn published_at(kind: Kind) -> (World, CertificateOrderStatus) {
    let mut world = ready_at(kind).await;
    world.run();
    world.create::<CertificateOrder>(order(&world)).await;
    let status = world.until_is("www", SYNCED, "True", "Synced").await;
    (world, status)
}

/// What the object has to hold for the records of a status.
fn of_records(status: &CertificateOrderStatus) -> Value {
    assert!(!status.validation_records.is_empty());
    let entry = |record: &certorder::api::v1alpha1::ValidationRecord| {
        json!({
            "dnsName": record.name, "recordTTL": 300, "recordType": record.type_, "targets": [record.value],
        })
    };
    json!({"endpoints": status.validation_records.iter().map(entry).collect::<Vec<_>>()})
}

/// The requests for the kind so far.
fn requests(world: &World) -> Vec<Method> {
    let seen = world.api.seen();
    let of_the_kind = seen.iter().filter(|seen| seen.path.contains("/dnsendpoints"));
    of_the_kind.map(|seen| seen.method.clone()).collect()
}

/// Waits for so many more looks at the cloud.
async fn looks(world: &World, more: usize) {
    let read = world.kind.names().read;
    let before = world.calls_of(read, world.certificate());
    while world.calls_of(read, world.certificate()) < before + more {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn issue(world: &World) {
    while !world.site.advance(world.certificate()) {}
}

for_both_clouds! {
    a_successor_has_its_own_proofs_published,
    an_order_is_issued_without_hands_and_its_record_is_removed,
    whatever_is_killed_there_is_one_object_and_in_the_end_none,
    what_was_published_before_a_restart_is_removed_once_it_is_issued,
    an_order_without_it_asks_nothing_of_the_kind,
    it_is_written_when_it_is_switched_on_and_deleted_when_it_is_switched_off,
}

async fn an_order_is_issued_without_hands_and_its_record_is_removed(kind: Kind) {
    let (world, status) = published_at(kind).await;
    let object = endpoints(&world).get(ENDPOINT).await.unwrap();
    assert_eq!(object.data["spec"], of_records(&status));
    let order = world.orders().get("www").await.unwrap();
    let [owner] = object.owner_references() else { panic!("{:?}", object.owner_references()) };
    assert_eq!((owner.name.as_str(), Some(&owner.uid)), ("www", order.uid().as_ref()));
    assert_eq!((owner.controller, owner.block_owner_deletion), (Some(true), None));
    assert_eq!(condition(&status, "ActionRequired"), None, "nobody has to do anything");
    assert_eq!(requests(&world), [Method::GET, Method::POST]);

    // While nothing changes, nothing is written or asked, also after external-dns has said that it saw the object.
    let observed = json!({"status": {"observedGeneration": 1}});
    endpoints(&world).patch_status(ENDPOINT, &PatchParams::default(), &Patch::Merge(observed)).await.unwrap();
    let before = world.orders().get("www").await.unwrap().resource_version();
    looks(&world, 8).await;
    assert_eq!(world.orders().get("www").await.unwrap().resource_version(), before);
    assert_eq!(requests(&world), [Method::GET, Method::POST]);

    issue(&world);
    let status = world.until_is("www", "Ready", "True", "Issued").await;
    assert_eq!((condition(&status, SYNCED), condition(&status, "ActionRequired")), (None, None));
    assert_eq!(spec(&world, ENDPOINT).await, None);
    assert_eq!(requests(&world), [Method::GET, Method::POST, Method::GET, Method::DELETE]);
    assert_eq!(world.made(kind.order()), 1);
}

async fn whatever_is_killed_there_is_one_object_and_in_the_end_none(kind: Kind) {
    let mut world = ready_at(kind).await;
    // Before the object is stored, and after.
    for action in [Action::HoldBefore, Action::HoldAfter] {
        world.api.fault(Rule::new(action).method(Method::POST).path("/dnsendpoints"));
    }
    world.run();
    world.create::<CertificateOrder>(order(&world)).await;
    for _ in 0..2 {
        world.api.killed().await;
        world.kill();
        let status = world.status("www").await;
        assert_eq!(condition(&status, SYNCED), Some(("Unknown".into(), "Pending".into())), "announced");
        world.run();
    }
    let status = world.until_is("www", SYNCED, "True", "Synced").await;
    assert_eq!(spec(&world, ENDPOINT).await, Some(of_records(&status)));
    assert_eq!(endpoints(&world).list(&ListParams::default()).await.unwrap().items.len(), 1);
    world.api.clear();
    world.api.fault(Rule::new(Action::HoldBefore).method(Method::DELETE).path("/dnsendpoints"));
    issue(&world);
    world.api.killed().await;
    world.kill();
    world.api.clear();
    world.run();
    world.until_is("www", "Ready", "True", "Issued").await;
    until_spec(&world, ENDPOINT, |found| found.is_none()).await;
}

async fn what_was_published_before_a_restart_is_removed_once_it_is_issued(kind: Kind) {
    let (mut world, _) = published_at(kind).await;
    world.stop().await;
    issue(&world);
    world.run();
    let status = world.until_is("www", "Ready", "True", "Issued").await;
    assert_eq!(condition(&status, SYNCED), None);
    assert_eq!(spec(&world, ENDPOINT).await, None);
}

async fn an_order_without_it_asks_nothing_of_the_kind(kind: Kind) {
    let mut world = ready_at(kind).await;
    world.run();
    world.create::<CertificateOrder>(world.order("www")).await;
    let status = world.until_is("www", "Reconciling", "True", "AwaitingValidation").await;
    assert_eq!(condition(&status, SYNCED), None);
    issue(&world);
    world.until_is("www", "Ready", "True", "Issued").await;
    assert_eq!(requests(&world), [Method::GET; 0]);
}

async fn it_is_written_when_it_is_switched_on_and_deleted_when_it_is_switched_off(kind: Kind) {
    let mut world = ready_at(kind).await;
    world.run();
    world.create::<CertificateOrder>(world.order("www")).await;
    let status = world.until_is("www", "ActionRequired", "True", "AwaitingValidation").await;
    let switch = |on: bool| json!({"spec": {"validation": {"dnsEndpoint": on}}});
    world.edit::<CertificateOrder>("www", switch(true)).await;
    let synced = world.until_is("www", SYNCED, "True", "Synced").await;
    assert_eq!(condition(&synced, "ActionRequired"), None);
    assert_eq!(spec(&world, ENDPOINT).await, Some(of_records(&status)));
    // A suspended order is left alone.
    world.edit::<CertificateOrder>("www", json!({"spec": {"suspend": true}})).await;
    world.until_is("www", "Suspended", "True", "Suspended").await;
    assert!(spec(&world, ENDPOINT).await.is_some());
    world.edit::<CertificateOrder>("www", json!({"spec": {"suspend": false}})).await;
    world.edit::<CertificateOrder>("www", switch(false)).await;
    let status = world.until_is("www", "ActionRequired", "True", "AwaitingValidation").await;
    assert_eq!(condition(&status, SYNCED), None);
    assert_eq!(spec(&world, ENDPOINT).await, None);
}

#[tokio::test]
async fn it_is_restored_on_request_and_goes_with_its_order() {
    let (world, status) = published_at(Kind::Tencent).await;
    let wanted = of_records(&status);
    let edit = json!({"spec": {"endpoints": []}});
    endpoints(&world).patch(ENDPOINT, &PatchParams::default(), &Patch::Merge(edit)).await.unwrap();
    world.poke("www").await;
    until_spec(&world, ENDPOINT, |found| found == Some(&wanted)).await;
    endpoints(&world).delete(ENDPOINT, &DeleteParams::default()).await.unwrap();
    world.poke("www").await;
    until_spec(&world, ENDPOINT, |found| found == Some(&wanted)).await;
    world.delete::<CertificateOrder>("www").await;
    until_spec(&world, ENDPOINT, |found| found.is_none()).await;
    // Created again, it takes the running order over and publishes the same.
    world.create::<CertificateOrder>(order(&world)).await;
    until_spec(&world, ENDPOINT, |found| found == Some(&wanted)).await;
}

#[tokio::test]
async fn what_is_left_of_an_order_of_the_same_name_is_replaced() {
    let mut world = ready_at(Kind::Tencent).await;
    // As by `kubectl delete --cascade=orphan`.
    let mut left = foreign(ENDPOINT, &json!({"dnsName": NAME, "recordType": "TXT", "targets": ["old"]}));
    left.metadata.annotations = Some([("certorder.dev/order".to_owned(), "www".to_owned())].into());
    let before = endpoints(&world).create(&PostParams::default(), &left).await.unwrap();
    world.run();
    world.create::<CertificateOrder>(order(&world)).await;
    let status = world.until_is("www", SYNCED, "True", "Synced").await;
    let after = endpoints(&world).get(ENDPOINT).await.unwrap();
    assert_ne!(before.uid(), after.uid());
    let uid = world.orders().get("www").await.unwrap().uid().unwrap();
    assert_eq!(after.owner_references()[0].uid, uid);
    assert_eq!(after.data["spec"], of_records(&status));
}

/// What the API server says of a kind that it does not have.
fn no_such_kind() -> Reply {
    Reply::text(StatusCode::NOT_FOUND, "404 page not found\n")
}

#[tokio::test]
async fn without_the_kind_a_person_is_told_and_it_is_looked_up_once_an_hour() {
    let mut world = World::quiet().await;
    world.allow_dns_endpoints().await;
    world.site.buy(world.certificate(), Product::Dv);
    if cluster::is_real() {
        // Other stories need it.
        install(&world.client()).await;
        world.api.fault(Rule::new(Action::Status(no_such_kind())).path("/dnsendpoints").always());
    }
    world.run();
    world.create::<CertificateOrder>(order(&world)).await;
    let status = world.until_is("www", SYNCED, "False", "CrdNotInstalled").await;
    assert_eq!(condition(&status, "ActionRequired"), Some(("True".into(), "CrdNotInstalled".into())));
    let says = message(&status, "ActionRequired");
    assert!(
        says.contains("CustomResourceDefinition") && says.contains(&status.validation_records[0].value),
        "{says}"
    );
    assert_eq!(condition(&status, "Reconciling").unwrap().1, "AwaitingValidation");
    world.until_warned("CrdNotInstalled", "no kind DNSEndpoint").await;
    looks(&world, 5).await;
    assert_eq!(requests(&world), [Method::GET], "neither asked again nor watched");

    install(&world.client()).await;
    world.api.clear();
    looks(&world, 3).await;
    assert_eq!(requests(&world), [Method::GET], "not within the hour");
    world.poke("www").await;
    let status = world.until_is("www", SYNCED, "True", "Synced").await;
    assert_eq!(condition(&status, "ActionRequired"), None);
    issue(&world);
    world.until_is("www", "Ready", "True", "Issued").await;
    assert_eq!(spec(&world, ENDPOINT).await, None);
}

/// What the API server says of a right that is missing.
fn forbidden() -> Reply {
    let message = "dnsendpoints.externaldns.k8s.io is forbidden: User \"system:serviceaccount:certorder:certorder\" cannot \
                   list resource \"dnsendpoints\" in API group \"externaldns.k8s.io\" in the namespace \"shop\"";
    failure(403, "Forbidden", message)
}

fn failure(code: u16, reason: &str, message: &str) -> Reply {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": reason, "code": code,
        "message": message, "details": {"group": "externaldns.k8s.io", "kind": "dnsendpoints", "name": ENDPOINT},
    });
    Reply::json(StatusCode::from_u16(code).unwrap(), &status)
}

#[tokio::test]
async fn without_the_right_a_person_is_told_what_to_grant() {
    let mut world = World::quiet().await;
    install(&world.client()).await;
    world.allow_anything();
    world.site.buy(world.certificate(), Product::Dv);
    if !cluster::is_real() {
        world.api.fault(Rule::new(Action::Status(forbidden())).path("/dnsendpoints").always());
    }
    world.run();
    world.create::<CertificateOrder>(order(&world)).await;
    let status = world.until_is("www", "ActionRequired", "True", "RightMissing").await;
    let says = message(&status, "ActionRequired");
    assert!(
        says.contains("dnsEndpoint.enabled") && says.contains("get, list, create, patch and delete"),
        "{says}"
    );
    assert!(says.contains(&status.validation_records[0].value), "{says}");
    assert_eq!(spec(&world, ENDPOINT).await, None);
    looks(&world, 5).await;
    assert_eq!(requests(&world), [Method::GET], "asked every five minutes");
    // The certificate is issued all the same, by records that a person added.
    issue(&world);
    let status = world.until_is("www", "Ready", "True", "Issued").await;
    assert_eq!(condition(&status, "ActionRequired"), Some(("True".into(), "RightMissing".into())));
    world.api.clear();
    world.allow_dns_endpoints().await;
    world.poke("www").await;
    world.until("www", "quiet", |status| condition(status, "ActionRequired").is_none()).await;
}

#[tokio::test]
async fn what_the_api_server_refuses_is_told_in_its_words_and_what_passes_is_tried_again() {
    let mut world = ready_at(Kind::Tencent).await;
    let quota =
        failure(403, "Forbidden", "dnsendpoints \"www-validation\" is forbidden: exceeded quota: small");
    world.api.fault(Rule::new(Action::Status(quota)).method(Method::POST).path("/dnsendpoints"));
    world.run();
    world.create::<CertificateOrder>(order(&world)).await;
    let status = world.until_is("www", "ActionRequired", "True", "DNSEndpointRefused").await;
    let says = message(&status, "ActionRequired");
    assert!(says.contains("exceeded quota: small"), "{says}");
    assert!(says.contains(&status.validation_records[0].value), "{says}");
    let trouble = failure(500, "InternalError", "etcd is gone");
    world.api.fault(Rule::new(Action::Status(trouble)).method(Method::GET).path("/dnsendpoints"));
    let before = requests(&world).len();
    world.poke("www").await;
    let status = world.until("www", "looked at", |_| requests(&world).len() > before).await;
    assert_eq!(condition(&status, "ActionRequired").unwrap().1, "DNSEndpointRefused", "what was said stays");
    world.poke("www").await;
    world.until_is("www", SYNCED, "True", "Synced").await;
}

fn foreign(name: &str, endpoint: &Value) -> DynamicObject {
    let mut object = DynamicObject::new(name, &KIND);
    object.data = json!({"spec": {"endpoints": [endpoint]}});
    object
}

#[tokio::test]
async fn an_object_of_that_name_that_is_not_its_own_is_left_alone() {
    let mut world = ready_at(Kind::Tencent).await;
    let theirs =
        foreign(ENDPOINT, &json!({"dnsName": "a.acme.example", "recordType": "A", "targets": ["192.0.2.1"]}));
    let theirs = endpoints(&world).create(&PostParams::default(), &theirs).await.unwrap();
    world.run();
    world.create::<CertificateOrder>(order(&world)).await;
    let status = world.until_is("www", "ActionRequired", "True", "DNSEndpointConflict").await;
    assert!(message(&status, "ActionRequired").contains(ENDPOINT));
    issue(&world);
    world.until_is("www", "Ready", "True", "Issued").await;
    let after = endpoints(&world).get(ENDPOINT).await.unwrap();
    assert_eq!((after.resource_version(), after.uid()), (theirs.resource_version(), theirs.uid()));
}

#[tokio::test]
async fn a_record_that_another_object_has_is_told_and_written_once_that_one_is_gone() {
    let mut world = ready_at(Kind::Tencent).await;
    let name = format!("_dnsauth.{NAME}");
    let theirs = json!({"dnsName": name, "recordTTL": 60, "recordType": "TXT", "targets": ["theirs"]});
    endpoints(&world).create(&PostParams::default(), &foreign("by-hand", &theirs)).await.unwrap();
    world.run();
    world.create::<CertificateOrder>(order(&world)).await;
    let status = world.until_is("www", "ActionRequired", "True", "RecordConflict").await;
    let says = message(&status, "ActionRequired");
    assert!(says.contains("DNSEndpoint by-hand") && says.contains(&name), "{says}");
    assert_eq!(spec(&world, ENDPOINT).await, None);
    endpoints(&world).delete("by-hand", &DeleteParams::default()).await.unwrap();
    world.poke("www").await;
    let status = world.until_is("www", SYNCED, "True", "Synced").await;
    assert_eq!(spec(&world, ENDPOINT).await, Some(of_records(&status)));

    // Whoever comes second does not take it away, but is told.
    let theirs = json!({"dnsName": name, "recordTTL": 300, "recordType": "TXT", "targets": ["late"]});
    tokio::time::sleep(Duration::from_millis(1100)).await;
    endpoints(&world).create(&PostParams::default(), &foreign("late", &theirs)).await.unwrap();
    world.poke("www").await;
    let status = world.until_is("www", SYNCED, "False", "RecordConflict").await;
    assert!(message(&status, SYNCED).contains("take it out of late"), "{}", message(&status, SYNCED));
    assert_eq!(spec(&world, ENDPOINT).await, Some(of_records(&status)));
}

#[tokio::test]
async fn a_tenant_proves_control_of_no_name_beside_those_of_the_order() {
    let mut world = ready_at(Kind::Tencent).await;
    let policy = Policy::apply(&world, "domains-by-annotation", |_| {}).await;
    if cluster::is_real() {
        policies::annotate(&world, Some("acme.example, *.acme.example")).await;
        policies::until(&world, "bank.example", false).await;
        policies::until(&world, "acme.example", true).await;
        let mut order = order(&world);
        order["spec"]["commonName"] = json!("bank.example");
        let order = serde_json::from_value(order).unwrap();
        let refused = world.orders().create(&PostParams::default(), &order).await.unwrap_err();
        assert!(refused.to_string().contains("may not order bank.example"), "{refused}");
    }
    let mut order = order(&world);
    order["spec"]["dnsNames"] = json!(["api.acme.example"]);
    world.cloud.buy(&world.account, "multi", certorder_sim::tencent::Product::DV_MULTI);
    order["spec"]["provider"]["tencentCloud"]["certificateId"] = json!("multi");
    world.run();
    world.create::<CertificateOrder>(order).await;
    world.until_is("www", SYNCED, "True", "Synced").await;
    // A cloud that asks for a record elsewhere, for whatever reason.
    let elsewhere = |certificate: &mut certorder_sim::tencent::Certificate| {
        let auth = certificate.submission.as_mut().map(|_| &mut certificate.auths[0]).unwrap();
        "bank.example".clone_into(&mut auth.domain);
        "_dnsauth".clone_into(&mut auth.sub_domain);
        "_dnsauth.bank.example".clone_into(&mut auth.key);
    };
    world.cloud.set("multi", elsewhere).unwrap();
    let status = world.until_is("www", "ActionRequired", "True", "AwaitingValidation").await;
    let says = message(&status, "ActionRequired");
    assert!(says.contains("_dnsauth.bank.example") && says.contains("not at or below a name"), "{says}");
    assert!(!says.contains("_dnsauth.api.acme.example"), "{says}");
    let written = spec(&world, ENDPOINT).await.unwrap();
    assert_eq!(written["endpoints"].as_array().unwrap().len(), 1);
    assert!(!written.to_string().contains("bank.example"), "{written}");
    policy.remove().await;
}

async fn a_successor_has_its_own_proofs_published(kind: Kind) {
    let mut world = ready_at(kind).await;
    world.run();
    world.create::<CertificateOrder>(order(&world)).await;
    world.until_is("www", "Ordered", "True", "Accepted").await;
    renewals::issue(&world, world.certificate());
    world.until_is("www", "Ready", "True", "Issued").await;
    renewals::until_before_the_end(&mut world, 25).await;
    let next = renewals::filed(&world);
    world.poke("www").await;
    let name = renewals::made_with(&world, &next, SYNCED, "True").await;
    let endpoint = format!("{name}-validation");
    until_spec(&world, &endpoint, |spec| spec.is_some()).await;
    assert_eq!(spec(&world, ENDPOINT).await, None, "the certificate in use needs no proof");
    renewals::issue(&world, &next);
    renewals::until_current(&world, &next).await;
    until_spec(&world, &endpoint, |spec| spec.is_none()).await;
}
