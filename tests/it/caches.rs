//! The operator's caches: which change requeues what, shared reads, and objects that cannot be read.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use certorder::api::v1alpha1::CertificateOrder;
use certorder_sim::proxy::{Action, Filling, Reply, Rule};
use certorder_sim::tencent::Product;
use http::{Method, StatusCode};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::fixtures::{self, CERTIFICATE, SECRET_ID, SECRET_KEY};
use crate::world::{World, message};

/// Waits for a state that no object shows.
async fn eventually(what: &str, is_so: impl AsyncFn() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !is_so().await {
        assert!(Instant::now() < until, "never {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// An order for a certificate of its own.
fn order(name: &str, certificate: &str, credentials: &str) -> Value {
    let mut order = fixtures::personal(name);
    order["spec"]["provider"]["tencentCloud"]["certificateId"] = json!(certificate);
    order["spec"]["credentialsRef"]["name"] = json!(credentials);
    order
}

/// How often the operator has read a Secret.
fn readings(world: &World, secret: &str) -> usize {
    let path = format!("/secrets/{secret}");
    world.api.seen().iter().filter(|seen| seen.method == Method::GET && seen.path.ends_with(&path)).count()
}

#[tokio::test]
async fn one_reading_of_a_secret_serves_all_its_orders_until_it_changes() {
    const KEPT: u64 = 50;
    let begun = Instant::now();
    let mut world = World::quiet().await;
    let certificates = (0..12).map(|number| format!("many{number}"));
    for (number, certificate) in certificates.enumerate() {
        world.buy(&certificate, Product::DV_SINGLE);
        let order = order(&format!("www{number}"), &certificate, "tencent-credentials");
        world.create::<CertificateOrder>(order).await;
    }
    world.run();
    for number in 0..12 {
        world.until_is(&format!("www{number}"), "Reconciling", "True", "AwaitingValidation").await;
    }
    // Once more if the watch begins while the Secret is read: then it is unknown which of the two is newer.
    let most = |changes| usize::try_from(begun.elapsed().as_secs() / KEPT).unwrap() + 2 + changes;
    let readings_before = readings(&world, "tencent-credentials");
    assert!((1..=most(0)).contains(&readings_before), "{readings_before} readings");

    let wrong = json!({"stringData": {"secretId": SECRET_ID, "secretKey": "another"}});
    world.edit::<Secret>("tencent-credentials", wrong).await;
    for number in 0..12 {
        world.until_is(&format!("www{number}"), "Stalled", "True", "CredentialsRefused").await;
    }
    let readings = readings(&world, "tencent-credentials");
    assert!(readings > readings_before && readings <= most(1), "{readings} readings");
}

#[tokio::test]
async fn a_changed_secret_wakes_the_orders_that_use_it_and_no_others() {
    let world = World::start().await;
    let other = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "other"},
        "stringData": {"secretId": SECRET_ID, "secretKey": SECRET_KEY},
    });
    world.create::<Secret>(other).await;
    let orders = [("a", "certA", "tencent-credentials"), ("b", "certB", "other")];
    for (name, certificate, credentials) in orders {
        world.buy(certificate, Product::DV_SINGLE);
        world.create::<CertificateOrder>(order(name, certificate, credentials)).await;
        world.until_is(name, "Reconciling", "True", "AwaitingValidation").await;
        while !world.site.advance(certificate) {}
    }
    // An issued order is settled once its Events are published.
    eventually("an Event for each order that it is issued", async || {
        let events = world.api_of::<Event>().list(&ListParams::default()).await.unwrap().items;
        let issued = events.iter().filter(|event| event.reason.as_deref() == Some("Issued"));
        let names: BTreeSet<_> =
            issued.filter_map(|event| event.regarding.as_ref()?.name.as_deref()).collect();
        names.len() == orders.len()
    })
    .await;
    let reads = |certificate: &str| {
        let ledger = world.cloud.ledger();
        let of_this = ledger.iter().filter(|call| call.certificate_id.as_deref() == Some(certificate));
        of_this.filter(|call| call.action == "DescribeCertificate").count()
    };
    let before = (reads("certA"), reads("certB"));
    let labelled = json!({"metadata": {"labels": {"team": "web"}}});
    world.edit::<Secret>("tencent-credentials", labelled.clone()).await;
    eventually("the order a to be reconciled", async || reads("certA") > before.0).await;
    assert_eq!(reads("certB"), before.1, "b uses another Secret");
    world.edit::<Secret>("other", labelled).await;
    eventually("the order b to be reconciled", async || reads("certB") > before.1).await;
    assert_eq!((reads("certA"), reads("certB")), (before.0 + 1, before.1 + 1));
}

/// Adds another order for the same certificate to the list that the operator reads, as a later version of certorder may
/// have stored it.
async fn show_unreadable(world: &World, good: &CertificateOrder, rule: impl FnOnce(Rule) -> Rule) {
    let good = serde_json::to_value(good).unwrap();
    let mut bad = good.clone();
    bad["metadata"]["name"] = json!("bad");
    bad["spec"]["commonName"] = json!({"from": "another version"});
    let version = world.orders().list(&ListParams::default()).await.unwrap().metadata.resource_version;
    let list = json!({
        "apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrderList",
        "metadata": {"resourceVersion": version}, "items": [bad, good],
    });
    let reply = Action::Status(Reply::json(StatusCode::OK, &list));
    world.api.fault(rule(Rule::new(reply).method(Method::GET)));
}

#[tokio::test]
async fn an_order_that_cannot_be_read_delays_no_other() {
    let mut world = World::quiet().await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    let good: CertificateOrder = world.create(fixtures::personal("www")).await;
    let shown = Arc::new(AtomicUsize::new(0));
    show_unreadable(&world, &good, |rule| rule.path("/certificateorders?").tally(&shown)).await;
    world.run();
    world.until_is("www", "Reconciling", "True", "AwaitingValidation").await;
    assert_eq!(world.carried_out("CertificateInfoSubmit", CERTIFICATE), 1);
    assert_eq!(shown.load(Ordering::Relaxed), 1, "the list with the other order");
}

#[tokio::test]
async fn nothing_is_sent_for_a_certificate_whose_other_order_cannot_be_read() {
    let mut world = World::quiet().await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    let good: CertificateOrder = world.create(fixtures::personal("www")).await;
    show_unreadable(&world, &good, |rule| rule.path("/certificateorders?").always()).await;
    world.run();
    let status = world.until_is("www", "Stalled", "True", "CertificateInUse").await;
    let says = message(&status, "Stalled");
    assert!(says.contains("CertificateOrder bad") && !says.contains("another version"), "{says}");
    assert_eq!(status.submission, None, "no intent was stored");
    assert_eq!(world.called("CertificateInfoSubmit"), 0);
    // The other order is deleted.
    world.api.clear();
    world.api.drop_connections();
    world.poke("www").await;
    world.until_is("www", "Submitted", "True", "Accepted").await;
    assert_eq!(world.carried_out("CertificateInfoSubmit", CERTIFICATE), 1);
}

#[tokio::test]
async fn metadata_that_the_client_library_cannot_parse_cost_no_other_object_and_not_their_own() {
    let mut world = World::quiet().await;
    for certificate in ["certA", "certB"] {
        world.buy(certificate, Product::DV_SINGLE);
    }
    world.create::<CertificateOrder>(order("a", "certA", "tencent-credentials")).await;
    // A time of the year 10026, as whoever writes an object may write it into `managedFields`: in every object here.
    let far = Action::Replace(vec![("\"time\":\"20", Filling::Text("\"time\":\"100"))]);
    let shown = Arc::new(AtomicUsize::new(0));
    world.api.fault(Rule::new(far).path_where(|path| !path.contains("/leases")).always().tally(&shown));
    world.run();
    world.until_is("a", "Submitted", "True", "Accepted").await;
    // The watches go on.
    world.create::<CertificateOrder>(order("b", "certB", "other")).await;
    world.until_is("b", "Reconciling", "True", "SecretNotFound").await;
    let other = json!({"metadata": {"name": "other"}, "stringData": {"secretId": SECRET_ID, "secretKey": SECRET_KEY}});
    world.create::<Secret>(other).await;
    world.until_is("b", "Submitted", "True", "Accepted").await;
    assert!(shown.load(Ordering::Relaxed) > 0);
}
