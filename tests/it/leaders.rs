//! Of several replicas one works, by a Lease; another one goes on when it is gone.

use std::time::Duration;

use certorder::api::v1alpha1::CertificateOrder;
use certorder_sim::tencent::Product;
use k8s_openapi::api::coordination::v1::Lease;
use kube::runtime::wait::await_condition;
use tokio::time::timeout;

use crate::fixtures::{self, CERTIFICATE};
use crate::world::World;

fn holder(lease: Option<&Lease>) -> String {
    let spec = lease.and_then(|lease| lease.spec.as_ref());
    spec.and_then(|spec| spec.holder_identity.clone()).unwrap_or_default()
}

/// Waits until a replica holds the Lease that is not this one, and returns its name.
async fn successor_of(world: &World, before: &str, patience: Duration) -> String {
    let condition = |lease: Option<&Lease>| {
        let holder = holder(lease);
        !holder.is_empty() && holder != before
    };
    let found = timeout(patience, await_condition(world.api_of::<Lease>(), "certorder", condition)).await;
    holder(found.expect("nobody took the lease in time").unwrap().as_ref())
}

async fn world() -> World {
    let world = World::in_one_namespace().await;
    // In process, the Lease is not where the roles of deploy/ have it.
    world.allow_anything();
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world
}

#[tokio::test]
async fn a_replica_that_stands_by_goes_on_within_20_seconds_after_a_kill() {
    let world = world().await;
    let first = world.electing_operator();
    let one = successor_of(&world, "", Duration::from_secs(20)).await;
    let _second = world.electing_operator();
    first.kill();
    successor_of(&world, &one, Duration::from_secs(20)).await;
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    world.until_is("www", "Submitted", "True", "Accepted").await;
}
