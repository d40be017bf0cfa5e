//! That an issued order makes no call and no write until its next look, whatever it asks for and in whatever shape the
//! cloud hands over its certificate; and that a look reads the cloud once and writes nothing.

mod cases;
mod traces;

use std::collections::BTreeSet;
use std::time::Duration;

use certorder::api::v1alpha1::{CertificateOrder, CertificateOrderStatus};
use certorder::core::annotations::RECONCILE_AT;
use certorder_sim::tencent::Shape;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::ResourceExt;
use kube::api::ListParams;
use serde_json::json;
use tokio::time::Instant;

use crate::clouds::{self, Kind, for_both_clouds};
use crate::world::World;
use cases::{Case, MINE, STORES};
use traces::{MARKER, Traces};

for_both_clouds! { issued_orders_rest_whatever_they_ask_for_and_the_cloud_hands_over }

/// So many orders are under way at once.
const AT_ONCE: usize = 16;
/// So often an order is read while it waits for the CA, at the shortest interval.
const POLLS: usize = 10;
const TIMEOUT: Duration = Duration::from_mins(1);
const POLL_INTERVAL: Duration = Duration::from_millis(50);
const NONE: [&str; 0] = [];

async fn issued_orders_rest_whatever_they_ask_for_and_the_cloud_hands_over(kind: Kind) {
    let mut world = World::start_patiently_at(kind).await;
    let mine = rcgen::KeyPair::generate().unwrap();
    let inputs = [(STORES, json!({"password": "changeit"})), (MINE, json!({"key": mine.serialize_pem()}))];
    for (name, data) in inputs {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "labels": {"certorder.dev/readable": "true"}}, "stringData": data});
        world.create::<Secret>(secret).await;
    }
    let cases = cases::all(&world, &mine);
    let mut rested = Vec::new();
    for some in cases.chunks(AT_ONCE) {
        issue(&world, some, 0).await;
        until_announced(&world, some).await;
        rested.push((some, Traces::of(&world).await));
    }
    marker(&world, 0).await;
    for (some, since) in rested {
        assert_eq!(since.calls_for(&world, some), NONE, "while others were issued");
        assert_eq!(since.writes(&world), NONE, "while others were issued");
        assert_eq!(since.changed(&world).await, NONE, "while others were issued");
    }
    for case in &cases {
        let fetched = world.calls_of(kind.names().download, &case.certificate);
        assert_eq!(fetched, usize::from(case.is_fetched), "{}: how often it was fetched", case.name);
    }
    what_does_not_matter_is_looked_at_and_no_more(&world, &cases).await;
    a_look_reads_the_cloud_once(&world, &cases).await;

    let before = Traces::of(&world).await;
    world.kill();
    world.run();
    marker(&world, 3).await;
    assert_eq!(before.calls_beyond_looks(&world, &cases, 1), NONE, "after a restart");
    assert_eq!(before.writes(&world), NONE, "after a restart");
    assert_eq!(before.changed(&world).await, NONE, "after a restart");
    assert_eq!(before.created(&world).await, NONE, "after a restart");
}

/// Labels are set: on orders and on every Secret that they read or write.
async fn what_does_not_matter_is_looked_at_and_no_more(world: &World, cases: &[Case]) {
    let labelled = json!({"metadata": {"labels": {"touched": "1"}}});
    let before = Traces::of(world).await;
    for case in cases {
        world.edit::<CertificateOrder>(&case.name, labelled.clone()).await;
        for secret in &case.secrets {
            world.edit::<Secret>(secret, labelled.clone()).await;
        }
    }
    let touched = Traces::of(world).await;
    until("another look at each Secret", || before.has_read_all(world, cases)).await;
    marker(world, 1).await;
    assert_eq!(before.calls_for(world, cases), NONE, "after a label was set");
    assert_eq!(before.writes(world), NONE, "after a label was set");
    assert_eq!(touched.changed(world).await, NONE, "after a label was set");

    let before = Traces::of(world).await;
    for secret in [world.kind.credentials(), STORES, MINE] {
        world.edit::<Secret>(secret, labelled.clone()).await;
    }
    let touched = Traces::of(world).await;
    until("another look at each Secret", || before.has_read_all(world, cases)).await;
    marker(world, 2).await;
    // Where no Secret shows that all is well, the cloud is asked.
    let (with, without): (Vec<_>, Vec<_>) = cases.iter().partition(|case| !case.secrets.is_empty());
    assert_eq!(before.calls_for(world, with), NONE, "after a label was set");
    assert_eq!(before.calls_beyond_looks(world, without, 1), NONE, "after a label was set");
    assert_eq!(before.writes(world), NONE, "after a label was set");
    assert_eq!(touched.changed(world).await, NONE, "after a label was set");
    assert_eq!(touched.created(world).await, NONE, "after a label was set");
}

/// A whole pass is asked for. Its status write says that it was made.
async fn a_look_reads_the_cloud_once(world: &World, cases: &[Case]) {
    let before = Traces::of(world).await;
    for case in cases {
        world.poke(&case.name).await;
    }
    for case in cases {
        let orders = world.orders();
        let asked = orders.get(&case.name).await.unwrap().annotations()[RECONCILE_AT].clone();
        let is_handled =
            |status: &CertificateOrderStatus| status.last_handled_reconcile_at.as_ref() == Some(&asked);
        world.until(&case.name, "poked", is_handled).await;
    }
    let looked = Traces::of(world).await;
    assert_eq!(before.calls_beyond_looks(world, cases, 1), NONE, "at a look");
    let mut written = before.writes(world);
    for case in cases {
        let of_this = format!("/certificateorders/{}/status", case.name);
        let found = written.iter().position(|path| path.ends_with(&of_this));
        written.remove(found.unwrap_or_else(|| panic!("the look at {} is not told", case.name)));
    }
    assert_eq!(written, NONE, "at a look");
    marker(world, 4).await;
    assert_eq!(looked.calls_for(world, cases), NONE, "after a look");
    assert_eq!(looked.changed(world).await, NONE, "after a look");
    assert_eq!(looked.created(world).await, NONE, "after a look");
}

/// Takes orders to their end. They are read so often before the CA does its part.
async fn issue(world: &World, cases: &[Case], polls: usize) {
    for case in cases {
        world.site.buy(&case.certificate, clouds::Product::Dv);
        world.site.set_shape(&case.certificate, case.shape);
        world.create::<CertificateOrder>(case.order.clone()).await;
    }
    let ready = async {
        for case in cases {
            world.until_is(&case.name, "Ready", "True", "Issued").await;
        }
    };
    let read = world.kind.names().read;
    let authority = async {
        loop {
            for case in cases.iter().filter(|case| world.site.is_running(&case.certificate)) {
                if polls == 0 || world.calls_of(read, &case.certificate) >= polls {
                    world.site.advance(&case.certificate);
                }
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    };
    tokio::select! {
        () = ready => {}
        () = authority => {}
    }
}

/// Takes one more order to its end: meanwhile the queue goes on, and the shortest intervals pass.
async fn marker(world: &World, number: usize) {
    let name = format!("{MARKER}{number}");
    let mut order = world.order(&name);
    let (cloud, certificate) = world.kind.numbered(9000 + number);
    order["spec"]["provider"][cloud]["certificateId"] = json!(certificate);
    order["spec"]["privateKey"] = json!({"algorithm": "ECDSA"});
    let shape = Shape::Usual;
    let case = Case { name, certificate, order, secrets: vec![], is_fetched: false, shape };
    issue(world, std::slice::from_ref(&case), POLLS).await;
    until_announced(world, std::slice::from_ref(&case)).await;
}

/// An issued order is settled once its Events are published.
async fn until_announced(world: &World, cases: &[Case]) {
    let begun = Instant::now();
    loop {
        let events = world.api_of::<Event>().list(&ListParams::default()).await.unwrap().items;
        let issued = events.iter().filter(|event| event.reason.as_deref() == Some("Issued"));
        let told: BTreeSet<_> =
            issued.filter_map(|event| event.regarding.as_ref()?.name.as_deref()).collect();
        let names = cases.iter().map(|case| case.name.as_str());
        let missing: Vec<_> = names.filter(|name| !told.contains(name)).collect();
        if missing.is_empty() {
            return;
        }
        assert!(begun.elapsed() < TIMEOUT, "no Event that these are issued: {missing:?}");
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < TIMEOUT, "never {what}");
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
