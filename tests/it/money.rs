//! Lost replies, lost statuses, edits in between: one submission, and a correct status.

use std::time::Duration;

use certorder::api::v1alpha1::{CertificateOrder, CertificateOrderStatus};
use certorder::core::age;
use certorder_sim::proxy::{Action, Rule};
use kube::api::PostParams;
use serde_json::json;

use crate::clouds::{Kind, Product, Slip, for_both_clouds};
use crate::world::{World, condition, message};

for_both_clouds! {
    a_lost_reply_is_settled_by_reading_not_by_calling_again,
    a_lost_request_is_sent_again_only_after_it_can_be_trusted_to_be_lost,
    a_lost_status_is_taken_over_from_the_cloud,
    an_order_that_is_deleted_and_applied_again_is_taken_over,
    a_label_edit_between_intent_and_outcome_loses_no_request_id,
    what_the_ca_works_on_cannot_be_edited_and_the_rest_can,
    an_api_server_that_is_slower_than_a_call_delays_an_order_and_does_not_stop_it,
}

async fn ordered(world: &World) -> CertificateOrderStatus {
    world
        .until("www", "ordered", |status| condition(status, "Ordered").is_some_and(|(is, _)| is == "True"))
        .await
}

fn once(world: &World) {
    for call in world.kind.names().apply {
        assert_eq!(world.made(call), 1, "{call}");
    }
}

async fn a_lost_reply_is_settled_by_reading_not_by_calling_again(kind: Kind) {
    for action in kind.names().apply {
        for slip in [Slip::ReplyLost, Slip::BadGatewayAfterwards, Slip::Truncated] {
            let world = World::start_at(kind).await;
            world.site.buy(world.certificate(), Product::Dv);
            world.site.slip(slip, action);
            world.create::<CertificateOrder>(world.order("www")).await;
            let status = ordered(&world).await;
            let is_submit = *action == kind.submit();
            let lost = if is_submit { "Submitted" } else { "Ordered" };
            assert_eq!(condition(&status, lost), Some(("True".into(), "Adopted".into())), "{action}");
            assert_eq!(status.request_id.is_none(), is_submit, "RequestId or Adopted");
            once(&world);
        }
    }
}

async fn a_lost_request_is_sent_again_only_after_it_can_be_trusted_to_be_lost(kind: Kind) {
    let world = World::start_at(kind).await;
    world.site.buy(world.certificate(), Product::Dv);
    world.site.slip(Slip::RequestLost, kind.submit());
    world.create::<CertificateOrder>(world.order("www")).await;
    let settling = world.until_is("www", "Reconciling", "True", "Settling").await;
    let intent = settling.submission.unwrap().intent.unwrap();
    let status = ordered(&world).await;
    once(&world);
    let second = world.last_call(kind.submit());
    let waited = age::left(intent.started_at.0, second.time);
    assert!(waited >= Duration::from_secs(2), "twice the call timeout, not {waited:?}");
    assert_eq!(condition(&status, "Submitted"), Some(("True".into(), "Accepted".into())));
}

async fn a_lost_status_is_taken_over_from_the_cloud(kind: Kind) {
    let mut world = World::start_at(kind).await;
    world.site.buy(world.certificate(), Product::Dv);
    world.create::<CertificateOrder>(world.order("www")).await;
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

async fn an_order_that_is_deleted_and_applied_again_is_taken_over(kind: Kind) {
    let world = World::start_at(kind).await;
    world.site.buy(world.certificate(), Product::Dv);
    world.create::<CertificateOrder>(world.order("www")).await;
    ordered(&world).await;
    world.delete::<CertificateOrder>("www").await;
    world.create::<CertificateOrder>(world.order("www")).await;
    let status = ordered(&world).await;
    assert_eq!(condition(&status, "Submitted"), Some(("True".into(), "Adopted".into())));
    once(&world);
}

async fn a_label_edit_between_intent_and_outcome_loses_no_request_id(kind: Kind) {
    let world = World::start_at(kind).await;
    world.site.buy(world.certificate(), Product::Dv);
    world.line().fault(kind.rule(Action::Delay(Duration::from_millis(400)), kind.submit()));
    world.create::<CertificateOrder>(world.order("www")).await;
    world
        .until("www", "submitting", |status| status.submission.as_ref().is_some_and(|s| s.intent.is_some()))
        .await;
    world.edit::<CertificateOrder>("www", json!({"metadata": {"labels": {"team": "web"}}})).await;
    let status = ordered(&world).await;
    assert_eq!(condition(&status, "Submitted"), Some(("True".into(), "Accepted".into())));
    assert_eq!(status.request_id, world.last_call(kind.submit()).request_id);
    once(&world);
}

async fn what_the_ca_works_on_cannot_be_edited_and_the_rest_can(kind: Kind) {
    let world = World::start_at(kind).await;
    world.site.buy(world.certificate(), Product::Dv);
    world.create::<CertificateOrder>(world.order("www")).await;
    ordered(&world).await;
    let change = json!({"spec": {"commonName": "other.acme.example"}});
    let patch = kube::api::Patch::Merge(change);
    let refused = world.orders().patch("www", &kube::api::PatchParams::default(), &patch).await.unwrap_err();
    assert!(refused.to_string().contains("commonName"), "{refused}");
    world.edit::<CertificateOrder>("www", json!({"spec": {"readyPolicy": "Ordered"}})).await;
    let status = world.until_is("www", "Ready", "True", "Ordered").await;
    assert!(message(&status, "Ready").len() > 1);
}

async fn an_api_server_that_is_slower_than_a_call_delays_an_order_and_does_not_stop_it(kind: Kind) {
    let mut world = World::quiet_at(kind).await;
    world.site.buy(world.certificate(), Product::Dv);
    // Half as long again as the call timeout of these stories.
    world.api.fault(Rule::new(Action::Delay(Duration::from_millis(1500))).path("/status").always());
    world.create::<CertificateOrder>(world.order("www")).await;
    world.run();
    ordered(&world).await;
    once(&world);
    let seen = world.api.seen();
    let writes =
        seen.iter().filter(|seen| seen.path.contains("/status") && seen.path.contains("/www")).count();
    assert!(writes <= 10, "{writes} status writes");
}
