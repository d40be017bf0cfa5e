//! Leader election by a Lease: one replica is active; another one takes over when it stops. (Even if two are active at
//! once, certificates are submitted once: `under_siege`.)

use std::time::Duration;

use certorder::api::v1alpha1::CertificateOrder;
use certorder::core::age;
use certorder::core::clock::Clock;
use certorder::process::runtime::Error;
use certorder_sim::proxy::{Action, Rule};
use certorder_sim::tencent::Product;
use k8s_openapi::api::coordination::v1::Lease;
use kube::runtime::wait::await_condition;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::fixtures::{self, CERTIFICATE};
use crate::world::World;

/// The longest time that a free Lease stays free: the others poll it every second.
const MOMENTS: Duration = Duration::from_secs(6);

fn holder(lease: Option<&Lease>) -> String {
    let spec = lease.and_then(|lease| lease.spec.as_ref());
    spec.and_then(|spec| spec.holder_identity.clone()).unwrap_or_default()
}

/// Waits until a replica other than this one holds the Lease, and returns its name.
async fn successor_of(world: &World, before: &str, within: Duration) -> String {
    let condition = |lease: Option<&Lease>| {
        let holder = holder(lease);
        !holder.is_empty() && holder != before
    };
    let found = timeout(within, await_condition(world.api_of::<Lease>(), "certorder", condition)).await;
    holder(found.expect("a replica takes the lease in time").unwrap().as_ref())
}

/// An order for another certificate.
fn next() -> Value {
    let mut order = fixtures::personal("next");
    order["spec"]["provider"]["tencentCloud"]["certificateId"] = json!("dvNext01");
    order
}

async fn world() -> World {
    let world = World::in_one_namespace().await;
    // In process, the Lease is not in the namespace that the roles of deploy/ name.
    world.allow_anything();
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world
}

#[tokio::test]
async fn a_replica_that_stands_by_goes_on_within_20_seconds_after_a_kill() {
    let world = world().await;
    let first = world.electing_operator();
    let one = successor_of(&world, "", MOMENTS).await;
    let _second = world.electing_operator();
    first.kill();
    successor_of(&world, &one, Duration::from_secs(20)).await;
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    world.until_is("www", "Submitted", "True", "Accepted").await;
}

#[tokio::test]
async fn a_clean_stop_hands_over_at_once() {
    let world = world().await;
    let first = world.electing_operator();
    let one = successor_of(&world, "", MOMENTS).await;
    let _second = world.electing_operator();
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    world.until_is("www", "Submitted", "True", "Accepted").await;
    first.stop().await;
    // Far less than the 15 s of the Lease's duration.
    successor_of(&world, &one, MOMENTS).await;
    world.buy("dvNext01", Product::DV_SINGLE);
    world.create::<CertificateOrder>(next()).await;
    world.until_is("next", "Submitted", "True", "Accepted").await;
}

#[tokio::test]
async fn a_replica_that_stops_as_it_begins_hands_over_too() {
    let world = world().await;
    let mut before = String::new();
    for _ in 0..5 {
        let replica = world.electing_operator();
        before = successor_of(&world, &before, MOMENTS).await;
        // Its caches have just been filled.
        replica.stop().await;
    }
}

#[tokio::test]
async fn an_api_server_that_takes_long_to_answer_gets_a_longer_lease_and_the_leader_stays() {
    let world = world().await;
    // Longer than the shortest timeout of a request for the Lease.
    world.api.fault(Rule::new(Action::Delay(Duration::from_secs(5))).path("/leases").always());
    let replica = world.electing_operator();
    let one = successor_of(&world, "", Duration::from_secs(40)).await;
    let acquired = world.api_of::<Lease>().get("certorder").await.unwrap();
    let spec = acquired.spec.as_ref().unwrap();
    assert!(spec.lease_duration_seconds > Some(15), "{spec:?}");
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    // The claim is a Lease, too.
    world.until_is("www", "Submitted", "True", "Accepted").await;
    let renewed = |lease: Option<&Lease>| {
        lease.map(|lease| &lease.metadata.resource_version) != Some(&acquired.metadata.resource_version)
    };
    timeout(Duration::from_secs(40), await_condition(world.api_of::<Lease>(), "certorder", renewed))
        .await
        .expect("renewed")
        .unwrap();
    assert_eq!(holder(world.api_of::<Lease>().get_opt("certorder").await.unwrap().as_ref()), one);
    replica.stop().await;
}

#[tokio::test]
async fn a_replica_that_loses_the_lease_begins_no_write_and_ends() {
    let world = world().await;
    // A pass is in progress and has not called the cloud when the Lease is lost: its holder renews it every four seconds.
    let slow = Rule::new(Action::Delay(Duration::from_secs(8)));
    world.api.fault(slow.path("/secrets/tencent-credentials"));
    let replica = world.electing_operator();
    successor_of(&world, "", MOMENTS).await;
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    world.until_asked("/secrets/tencent-credentials").await;
    world.edit::<Lease>("certorder", json!({"spec": {"holderIdentity": "another"}})).await;

    assert!(matches!(replica.end().await, Err(Error::LeaseLost)));
    assert_eq!(world.called("CertificateInfoSubmit"), 0, "{:?}", world.cloud.ledger());
    let status = world.status("www").await;
    assert!(status.submission.is_none(), "no intent: {status:?}");
    let lease = world.api_of::<Lease>().get("certorder").await.unwrap();
    assert_eq!(holder(Some(&lease)), "another", "the lease of another one is left alone");
}

#[tokio::test]
async fn a_replica_that_cannot_reach_the_api_server_ends_before_another_one_begins() {
    let world = world().await;
    let replica = world.electing_operator();
    let one = successor_of(&world, "", MOMENTS).await;
    world.api.fault(Rule::new(Action::HoldBefore).always());
    world.api.drop_connections();
    assert!(matches!(replica.end().await, Err(Error::LeaseLost)));
    let lease = world.api_of::<Lease>().get("certorder").await.unwrap();
    let renewed = lease.spec.as_ref().and_then(|spec| spec.renew_time.as_ref()).unwrap().0;
    let age = age::age(Clock::default().now(), renewed);
    assert!(age < Duration::from_secs(15), "it ended {age:?} after its last sign");
    assert_eq!(holder(Some(&lease)), one);
}
