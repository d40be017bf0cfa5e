//! Behaviour of Huawei Cloud only: one call for everything, and several meanings of a certificate that waits.

use std::time::Duration;

use certorder::api::v1alpha1::{CertificateOrder, CertificateOrderStatus};
use certorder_sim::huawei;
use certorder_sim::proxy::Action;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::clouds::{Cloud, Kind, Product, Slip};
use crate::world::{World, condition, message};

const APPLY: &str = "apply";

async fn ordered() -> World {
    let world = World::start_at(Kind::Huawei).await;
    world.site.buy(world.certificate(), Product::Dv);
    world.create::<CertificateOrder>(world.order("www")).await;
    world.until_is("www", "Reconciling", "True", "AwaitingValidation").await;
    world
}

#[allow(clippy::disallowed_methods, reason = "what a user writes into the annotation")]
async fn ask_again(world: &World) -> Value {
    let annotation = json!({"certorder.dev/resubmit-at": jiff::Timestamp::now().to_string()});
    world.edit::<CertificateOrder>("www", json!({"metadata": {"annotations": annotation}})).await;
    annotation["certorder.dev/resubmit-at"].clone()
}

async fn rejected() -> World {
    let world = ordered().await;
    world.site.reject(world.certificate());
    world.until_is("www", "Stalled", "True", "Rejected").await;
    world
}

#[tokio::test]
async fn a_product_that_needs_a_hash_algorithm_gets_the_default_and_the_plan_shows_it() {
    let world = World::start_at(Kind::Huawei).await;
    let Cloud::Huawei(cloud, account) = &world.site else { panic!("another cloud") };
    cloud.buy(account, world.certificate(), huawei::Product::OV_GEOTRUST);
    let mut order = world.order("www");
    order["spec"]["mode"] = json!("Plan");
    world.create::<CertificateOrder>(order).await;
    let status = world.until_is("www", "Planned", "True", "Planned").await;
    assert_eq!(status.plan.unwrap().request["ca_hash_algorithm"], "DEFAULT");
    world.edit::<CertificateOrder>("www", json!({"spec": {"mode": "Apply"}})).await;
    world.until_is("www", "Submitted", "True", "Accepted").await;
    assert_eq!(world.last_call(APPLY).body["ca_hash_algorithm"], "DEFAULT");
    assert_eq!(world.made(APPLY), 1);
}

#[tokio::test]
async fn what_waits_with_traces_of_an_unknown_application_is_withdrawn_until_the_user_asks() {
    let mut world = ordered().await;
    world
        .edit::<CertificateOrder>(
            "www",
            json!({"metadata": {"annotations": {
                "certorder.dev/withdraw": world.certificate(),
            }}}),
        )
        .await;
    world.until_is("www", "Reconciling", "True", "Withdrawing").await;
    world.site.finish_cancel(world.certificate());
    world.until_is("www", "Stalled", "True", "Withdrawn").await;
    world.stop().await;
    // The record is lost with the object, and so is the annotation.
    world.delete::<CertificateOrder>("www").await;
    world.create::<CertificateOrder>(world.order("www")).await;
    world.run();
    let status = world.until_is("www", "Stalled", "True", "Withdrawn").await;
    assert!(message(&status, "Stalled").contains("this order has no record of"), "{status:?}");
    assert_eq!(world.made(APPLY), 1);
    ask_again(&world).await;
    let status = world.until_is("www", "Reconciling", "True", "AwaitingValidation").await;
    assert_eq!((world.made(APPLY), status.request_id), (2, world.last_call(APPLY).request_id));
}

#[tokio::test]
async fn another_attempt_with_an_unknown_outcome_is_made_once_for_each_request() {
    let world = rejected().await;
    world.site.slip(Slip::RequestLost, APPLY);
    ask_again(&world).await;
    let status = world.until_is("www", "Stalled", "True", "OutcomeUnknown").await;
    assert!(message(&status, "Stalled").contains("look into the cloud's console"), "{status:?}");
    world.poke("www").await;
    world.until("www", "poked", |_| true).await;
    assert_eq!(world.made(APPLY), 1, "nothing is sent before the user has checked");
    let asked = ask_again(&world).await;
    let status = world.until_is("www", "Reconciling", "True", "AwaitingValidation").await;
    assert_eq!(world.made(APPLY), 2);
    assert_eq!(status.last_handled_resubmit_at.as_deref(), asked.as_str());
    assert_eq!(status.submission.unwrap().resubmissions, 1);
}

#[tokio::test]
async fn another_attempt_whose_reply_is_lost_shows_and_is_not_made_again() {
    let world = rejected().await;
    world.site.slip(Slip::ReplyLost, APPLY);
    ask_again(&world).await;
    let status = world.until_is("www", "Submitted", "True", "Adopted").await;
    assert_eq!((world.made(APPLY), status.submission.unwrap().resubmissions), (2, 1));
}

#[tokio::test]
async fn a_lost_status_while_the_application_is_on_its_way_submits_once() {
    let mut world = World::quiet_at(Kind::Huawei).await;
    world.site.buy(world.certificate(), Product::Dv);
    world.line().fault(Kind::Huawei.rule(Action::Delay(Duration::from_millis(300)), APPLY));
    world.create::<CertificateOrder>(world.order("www")).await;
    world.run();
    world
        .until("www", "submitting", |status| status.submission.as_ref().is_some_and(|s| s.intent.is_some()))
        .await;
    world.kill();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut order = world.orders().get("www").await.unwrap();
    order.status = Some(CertificateOrderStatus::default());
    world.orders().replace_status("www", &PostParams::default(), &order).await.unwrap();
    world.run();
    let status = world
        .until("www", "ordered", |status| condition(status, "Ordered").is_some_and(|(is, _)| is == "True"))
        .await;
    assert_eq!(world.made(APPLY), 1);
    assert!(
        status.request_id.is_some()
            || condition(&status, "Submitted") == Some(("True".into(), "Adopted".into()))
    );
}

#[tokio::test]
async fn a_correction_whose_record_is_lost_waits_for_the_user_and_goes_on_when_asked() {
    let mut world = rejected().await;
    world.stop().await;
    let mut order = world.orders().get("www").await.unwrap();
    order.status = Some(CertificateOrderStatus::default());
    world.orders().replace_status("www", &PostParams::default(), &order).await.unwrap();
    world.edit::<CertificateOrder>("www", json!({"spec": {"commonName": "corrected.acme.example"}})).await;
    world.run();
    let status = world.until_is("www", "Stalled", "True", "CertificateInUse").await;
    assert!(message(&status, "Stalled").contains("certorder.dev/resubmit-at"), "{status:?}");
    assert_eq!(world.made(APPLY), 1, "nothing is sent for other names before the user asks");
    ask_again(&world).await;
    world.until_is("www", "Reconciling", "True", "AwaitingValidation").await;
    assert_eq!(world.made(APPLY), 2);
}
