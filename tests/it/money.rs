//! Lost replies, lost statuses, edits in between: one submission, and a status that tells the truth.

use std::time::Duration;

use certorder::api::v1alpha1::{CertificateOrder, CertificateOrderStatus};
use certorder_sim::proxy::{Action, Rule};
use certorder_sim::tencent::{Fault, Product};
use http::{HeaderName, HeaderValue};
use kube::api::PostParams;
use serde_json::json;

use crate::fixtures::{self, CERTIFICATE};
use crate::world::{World, condition, message};

const SUBMIT: &str = "CertificateInfoSubmit";
const ORDER: &str = "CertificateOrderSubmit";

async fn ordered(world: &World) -> CertificateOrderStatus {
    world
        .until("www", "ordered", |status| condition(status, "Ordered").is_some_and(|(is, _)| is == "True"))
        .await
}

fn once(world: &World) {
    assert_eq!((world.carried_out(SUBMIT, CERTIFICATE), world.carried_out(ORDER, CERTIFICATE)), (1, 1));
}

#[tokio::test]
async fn a_lost_reply_is_settled_by_reading_not_by_calling_again() {
    for action in [SUBMIT, ORDER] {
        for fault in [Fault::reply_lost(), Fault::html(502).acting(true), Fault::truncated().acting(true)] {
            let world = World::start().await;
            world.buy(CERTIFICATE, Product::DV_SINGLE);
            world.cloud.fault(fault.action(action));
            world.create::<CertificateOrder>(fixtures::personal("www")).await;
            let status = ordered(&world).await;
            let lost = if action == SUBMIT { "Submitted" } else { "Ordered" };
            assert_eq!(condition(&status, lost), Some(("True".into(), "Adopted".into())), "{action}");
            assert_eq!(status.request_id.is_none(), action == SUBMIT, "RequestId or Adopted");
            once(&world);
        }
    }
}

#[tokio::test]
async fn a_lost_request_is_sent_again_only_after_it_can_be_trusted_to_be_lost() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world.cloud.fault(Fault::request_lost().action(SUBMIT));
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    let settling = world.until_is("www", "Reconciling", "True", "Settling").await;
    let intent = settling.submission.unwrap().intent.unwrap();
    let status = ordered(&world).await;
    once(&world);
    let calls = world.cloud.ledger();
    let second = calls.iter().filter(|call| call.action == SUBMIT).nth(1).unwrap();
    let waited = second.time.duration_since(intent.started_at.0);
    assert!(waited >= jiff::SignedDuration::from_secs(2), "twice the call timeout, not {waited:?}");
    assert_eq!(condition(&status, "Submitted"), Some(("True".into(), "Accepted".into())));
}

#[tokio::test]
async fn a_lost_status_is_taken_over_from_the_cloud() {
    let mut world = World::start().await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    ordered(&world).await;
    world.stop().await;
    let mut order = world.orders().get("www").await.unwrap();
    order.status = Some(CertificateOrderStatus::default());
    world.orders().replace_status("www", &PostParams::default(), &order).await.unwrap();
    world.run();
    let status = ordered(&world).await;
    assert_eq!(condition(&status, "Submitted"), Some(("True".into(), "Adopted".into())));
    assert!(status.submission.unwrap().adopted);
    once(&world);
}

#[tokio::test]
async fn an_order_that_is_deleted_and_applied_again_is_taken_over() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    ordered(&world).await;
    world.delete::<CertificateOrder>("www").await;
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    let status = ordered(&world).await;
    assert_eq!(condition(&status, "Submitted"), Some(("True".into(), "Adopted".into())));
    once(&world);
}

#[tokio::test]
async fn a_label_edit_between_intent_and_outcome_loses_no_request_id() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    let action = HeaderName::from_static("x-tc-action");
    let slow = Rule::new(Action::Delay(Duration::from_millis(400)));
    world.net.fault(slow.header(action, HeaderValue::from_static(SUBMIT)));
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    world
        .until("www", "submitting", |status| status.submission.as_ref().is_some_and(|s| s.intent.is_some()))
        .await;
    world.edit::<CertificateOrder>("www", json!({"metadata": {"labels": {"team": "web"}}})).await;
    let status = ordered(&world).await;
    assert_eq!(condition(&status, "Submitted"), Some(("True".into(), "Accepted".into())));
    let accepted = world.cloud.ledger().into_iter().find(|call| call.action == SUBMIT).unwrap();
    assert_eq!(status.request_id, accepted.request_id);
    once(&world);
}

#[tokio::test]
async fn what_the_ca_works_on_cannot_be_edited_and_the_rest_can() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    ordered(&world).await;
    let change = json!({"spec": {"commonName": "other.acme.example"}});
    let patch = kube::api::Patch::Merge(change);
    let refused = world.orders().patch("www", &kube::api::PatchParams::default(), &patch).await.unwrap_err();
    assert!(refused.to_string().contains("commonName"), "{refused}");
    world.edit::<CertificateOrder>("www", json!({"spec": {"readyPolicy": "Ordered"}})).await;
    let status = world.until_is("www", "Ready", "True", "Ordered").await;
    assert!(message(&status, "Ready").len() > 1);
}
