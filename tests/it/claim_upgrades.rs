//! Orders that ran before there were claims, and installations whose rights to claims are missing.

use certorder::api::v1alpha1::{CertificateOrder, CertificateOrderStatus};
use certorder_sim::proxy::{Action, Reply, Rule};
use certorder_sim::tencent::Product;
use http::{Method, StatusCode};
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::clouds::Kind;
use crate::installations::forbidden;
use crate::leases::holder;
use crate::world::{World, condition, message};

const LEASES: &str = "/leases";

fn is_ordered(status: &CertificateOrderStatus) -> bool {
    condition(status, "Ordered").is_some_and(|(is, _)| is == "True")
}

fn order_for(world: &World, name: &str, id: &str) -> Value {
    let mut order = world.order(name);
    order["spec"]["provider"]["tencentCloud"]["certificateId"] = json!(id);
    order
}

async fn create(world: &World, name: &str) -> CertificateOrder {
    world.buy(name, Product::DV_SINGLE);
    world.create::<CertificateOrder>(order_for(world, name, name)).await
}

/// An order of each state, as version 0.1.0 leaves them: without claims.
#[tokio::test]
async fn after_an_upgrade_every_order_that_has_acted_has_its_claim_before_another_begins() {
    let mut world = World::start().await;
    let submit = Kind::Tencent.submit();
    let mut acted = vec![create(&world, "issued").await, create(&world, "running").await];
    for name in ["issued", "running"] {
        world.until(name, "ordered", is_ordered).await;
    }
    while !world.site.advance("issued") {}
    world.poke("issued").await;
    world.until_is("issued", "Issued", "True", "Issued").await;
    // One whose application is accepted and not sent on, one whose call has no outcome.
    world.net.fault(Kind::Tencent.rule(Action::HoldBefore, Kind::Tencent.order()).always());
    acted.push(create(&world, "submitted").await);
    world.net.killed().await;
    world.net.fault(Kind::Tencent.rule(Action::HoldAfter, submit));
    acted.push(create(&world, "intends").await);
    world
        .until("intends", "submitting", |status| {
            status.submission.as_ref().is_some_and(|submission| submission.intent.is_some())
        })
        .await;
    world.kill();
    world.net.clear();
    world.delete_claims().await;
    create(&world, "fresh").await;
    let fresh = world.orders().get("fresh").await.unwrap();
    world.run();
    let has_begun = async {
        loop {
            let claims = world.claims().await;
            if claims.iter().any(|lease| holder(lease) == fresh.uid()) {
                break claims;
            }
        }
    };
    let claims = tokio::time::timeout(std::time::Duration::from_secs(30), has_begun).await.unwrap();
    for order in &acted {
        let its = claims.iter().filter(|lease| holder(lease) == order.uid()).count();
        assert_eq!(its, 1, "{} has a claim before another order begins", order.name_any());
    }
    for name in ["running", "submitted", "intends", "fresh"] {
        world.until(name, "ordered", is_ordered).await;
        assert_eq!(world.carried_out(submit, name), 1, "{name}");
    }
    assert_eq!(world.claims().await.len(), 5);
}

#[tokio::test]
async fn an_issued_order_whose_claim_another_holds_is_told_so_and_stays_ready() {
    let mut world = World::start().await;
    let issued = create(&world, "issued").await;
    world.until("issued", "ordered", is_ordered).await;
    while !world.site.advance("issued") {}
    world.poke("issued").await;
    world.until_is("issued", "Ready", "True", "Issued").await;
    world.stop().await;
    let mut rival = order_for(&world, "rival", "issued");
    rival["spec"]["suspend"] = json!(true);
    let rival = world.create::<CertificateOrder>(rival).await;
    let lease = world.claims_of(&issued).await.remove(0);
    world.give_claim(lease, &rival).await;
    world.run();
    world.until_event("DuplicateCertificate").await;
    world.poke("issued").await;
    let status = world.until_is("issued", "Ready", "True", "Issued").await;
    assert_eq!(condition(&status, "Stalled").map(|(is, _)| is), None);
    assert_eq!(world.claims_of(&rival).await.len(), 1, "nobody's claim is taken away");
}

/// One order after the other, each of whose first writes needs the right that is missing.
#[tokio::test]
async fn without_a_right_nothing_is_submitted_and_it_goes_on_by_itself() {
    for (verb, method, named) in
        [("list", Method::GET, false), ("create", Method::POST, false), ("get", Method::GET, true)]
    {
        let mut world = World::quiet().await;
        world.buy(world.certificate(), Product::DV_SINGLE);
        let order = world.create::<CertificateOrder>(world.order("www")).await;
        if verb == "get" {
            // The Lease is there, and its creator died before the intent.
            world.api.fault(Rule::new(Action::HoldAfter).method(Method::POST).path(LEASES));
            world.run();
            world.api.killed().await;
            world.kill();
            world.api.clear();
        }
        let reply = Reply::json(StatusCode::FORBIDDEN, &forbidden(verb, "leases", &world.claims));
        let path = move |path: &str| path.contains(LEASES) && path.contains("/leases/certorder-") == named;
        world.api.fault(Rule::new(Action::Status(reply)).method(method).path_where(path).always());
        world.run();
        waits_for(&world, world.certificate(), verb, 0).await;
        world.api.clear();
        world.until("www", "ordered", is_ordered).await;
        assert_eq!(world.claims_of(&order).await.len(), 1);
        assert_eq!(world.made(Kind::Tencent.submit()), 1);
    }
}

#[tokio::test]
async fn without_update_nothing_is_taken_over_and_without_delete_a_claim_stays_until_it_is_mended() {
    let mut world = World::start().await;
    create(&world, "www").await;
    world.until("www", "ordered", is_ordered).await;
    for (verb, method) in [("update", Method::PUT), ("delete", Method::DELETE)] {
        let reply = Reply::json(StatusCode::FORBIDDEN, &forbidden(verb, "leases", &world.claims));
        world.api.fault(Rule::new(Action::Status(reply)).method(method).path(LEASES).always());
    }
    world.delete::<CertificateOrder>("www").await;
    let again = world.create::<CertificateOrder>(order_for(&world, "www", "www")).await;
    waits_for(&world, "www", "update", 1).await;
    world.api.clear();
    world.until("www", "ordered", is_ordered).await;
    assert_eq!(world.claims_of(&again).await.len(), 1);

    let reply = Reply::json(StatusCode::FORBIDDEN, &forbidden("delete", "leases", &world.claims));
    world.api.fault(Rule::new(Action::Status(reply)).method(Method::DELETE).path(LEASES).always());
    world.delete::<CertificateOrder>("www").await;
    let is_refused = || world.api.seen().iter().filter(|seen| seen.method == Method::DELETE).count() > 0;
    world.until_claims("asked to be deleted", |claims| is_refused() && claims.len() == 1).await;
    world.stop().await;
    world.api.clear();
    world.run();
    world.until_claims("given up", <[_]>::is_empty).await;
}

#[tokio::test]
async fn a_missing_namespace_is_named_and_found_once_it_is_made() {
    let mut world = World::quiet().await;
    world.buy(world.certificate(), Product::DV_SINGLE);
    let missing = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "NotFound",
        "code": 404, "message": format!("namespaces \"{}\" not found", world.claims),
    });
    // Of a namespace that is not there every list is empty, and nothing can be created.
    let reply = Reply::json(StatusCode::NOT_FOUND, &missing);
    world.api.fault(Rule::new(Action::Status(reply)).method(Method::POST).path(LEASES).always());
    world.run();
    world.create::<CertificateOrder>(world.order("www")).await;
    let claims = world.claims.clone();
    waits_for(&world, world.certificate(), &claims, 0).await;
    world.api.clear();
    world.until("www", "ordered", is_ordered).await;
}

/// Nothing is submitted, and the order says what is missing.
async fn waits_for(world: &World, id: &str, missing: &str, submitted: usize) {
    let status = world.until_is("www", "Reconciling", "True", "ClaimUnavailable").await;
    let told = message(&status, "Reconciling");
    assert!(told.contains(missing) && told.contains(&world.claims), "{told}");
    assert_eq!(status.submission.and_then(|submission| submission.intent), None);
    assert_eq!(world.carried_out(Kind::Tencent.submit(), id), submitted);
}
