//! A claim outlives neither its order nor a call of it: lost statuses, restored backups, re-created and deleted orders,
//! processes that die in between, Leases that somebody deletes.

use std::time::Duration;

use certorder::api::v1alpha1::{CertificateOrder, CertificateOrderStatus};
use certorder::core::clock::Clock;
use certorder_sim::proxy::{Action, Rule};
use http::Method;
use k8s_openapi::api::coordination::v1::Lease;
use kube::ResourceExt;
use kube::api::{DeleteParams, PostParams};
use serde_json::json;
use tokio::time::Instant;

use crate::clouds::{Kind, Product, for_both_clouds};
use crate::leases::holder;
use crate::world::{World, condition};

for_both_clouds! {
    a_lost_status_keeps_its_claim,
    a_restored_backup_takes_the_certificate_over_once_no_call_can_be_under_way,
    an_order_that_is_created_again_while_a_call_of_the_first_is_under_way_submits_nothing,
    a_process_that_dies_between_claim_and_intent_is_followed_by_one_that_goes_on,
    a_claim_that_somebody_deletes_is_made_again_before_the_next_call,
    a_claim_that_somebody_deletes_is_put_in_place_at_the_next_start,
    deleted_orders_leave_no_claim,
}

/// Of an operator with a call-timeout of one second, a call takes two at most, and a taker waits for twice that.
const WAIT: Duration = Duration::from_secs(4);

const LEASES: &str = "/leases";

fn is_ordered(status: &CertificateOrderStatus) -> bool {
    condition(status, "Ordered").is_some_and(|(is, _)| is == "True")
}

fn is_adopted(status: &CertificateOrderStatus) -> bool {
    is_ordered(status) && condition(status, "Submitted") == Some(("True".into(), "Adopted".into()))
}

fn once(world: &World) {
    for call in world.kind.names().apply {
        assert_eq!(world.made(call), 1, "{call}");
    }
}

async fn ordered(kind: Kind) -> (World, CertificateOrder) {
    let world = World::start_at(kind).await;
    world.site.buy(world.certificate(), Product::Dv);
    let order = world.create::<CertificateOrder>(world.order("www")).await;
    world.until("www", "ordered", is_ordered).await;
    assert_eq!(world.claims_of(&order).await.len(), 1);
    (world, order)
}

async fn create_again(world: &World) -> CertificateOrder {
    world.delete::<CertificateOrder>("www").await;
    world.create::<CertificateOrder>(world.order("www")).await
}

async fn a_lost_status_keeps_its_claim(kind: Kind) {
    let (mut world, mut order) = ordered(kind).await;
    world.stop().await;
    let before = world.claims_of(&order).await;
    order = world.orders().get("www").await.unwrap();
    order.status = Some(CertificateOrderStatus::default());
    world.orders().replace_status("www", &PostParams::default(), &order).await.unwrap();
    world.run();
    world.until("www", "adopted", is_adopted).await;
    assert_eq!(world.claims().await, before, "it is the same object, and nothing was written");
    once(&world);
}

async fn a_restored_backup_takes_the_certificate_over_once_no_call_can_be_under_way(kind: Kind) {
    let (mut world, _) = ordered(kind).await;
    world.stop().await;
    let restored = create_again(&world).await;
    let start = Instant::now();
    world.run();
    world.until_is("www", "Reconciling", "True", "Settling").await;
    assert!(world.claims_of(&restored).await.is_empty());
    world.until("www", "adopted", is_adopted).await;
    assert!(start.elapsed() >= WAIT, "it waited for {:?} only", start.elapsed());
    assert_eq!(world.claims_of(&restored).await.len(), 1);
    assert_eq!(world.claims().await.len(), 1);
    once(&world);
}

/// The call arrives at the cloud after its order is gone and another one has begun.
async fn an_order_that_is_created_again_while_a_call_of_the_first_is_under_way_submits_nothing(kind: Kind) {
    let world = World::start_at(kind).await;
    world.site.buy(world.certificate(), Product::Dv);
    world.line().fault(kind.rule(Action::HoldLate(Duration::from_secs(3)), kind.submit()));
    world.create::<CertificateOrder>(world.order("www")).await;
    world.line().killed().await;
    let again = create_again(&world).await;
    assert_eq!(world.made(kind.submit()), 0, "the call is still on its way");
    world.until("www", "ordered", is_ordered).await;
    once(&world);
    assert_eq!(world.claims_of(&again).await.len(), 1);
}

async fn a_process_that_dies_between_claim_and_intent_is_followed_by_one_that_goes_on(kind: Kind) {
    for action in [Action::HoldBefore, Action::HoldAfter] {
        let mut world = World::quiet_at(kind).await;
        world.site.buy(world.certificate(), Product::Dv);
        world.api.fault(Rule::new(action.clone()).method(Method::POST).path(LEASES));
        world.run();
        let order = world.create::<CertificateOrder>(world.order("www")).await;
        world.api.killed().await;
        world.kill();
        let stored = matches!(action, Action::HoldAfter);
        assert_eq!(world.claims_of(&order).await.len(), usize::from(stored), "{action:?}");
        assert_eq!(world.status("www").await.submission, None, "{action:?}");
        world.api.clear();
        world.run();
        world.until("www", "ordered", is_ordered).await;
        assert_eq!(world.claims_of(&order).await.len(), 1, "{action:?}");
        once(&world);
    }
}

async fn a_claim_that_somebody_deletes_is_made_again_before_the_next_call(kind: Kind) {
    let (world, order) = ordered(kind).await;
    let read_at_latest = Instant::now();
    world.site.reject(world.certificate());
    world.until_is("www", "Stalled", "True", "Rejected").await;
    world.delete_claims().await;
    // For so long a claim that was read counts.
    tokio::time::sleep_until(read_at_latest + WAIT / 2).await;
    let again = json!({"certorder.dev/resubmit-at": Clock::default().now().to_string()});
    world.edit::<CertificateOrder>("www", json!({"metadata": {"annotations": again}})).await;
    let apply_again = kind.names().apply_again;
    world
        .until("www", "ordered again", |status| {
            is_ordered(status) && world.made(apply_again.last().unwrap()) == 2
        })
        .await;
    assert_eq!(world.claims_of(&order).await.len(), 1);
    for call in kind.names().apply {
        assert_eq!(world.made(call), 2, "{call}: once for each attempt");
    }
}

async fn a_claim_that_somebody_deletes_is_put_in_place_at_the_next_start(kind: Kind) {
    let (mut world, order) = ordered(kind).await;
    world.delete_claims().await;
    world.stop().await;
    world.run();
    world.until_claims("put in place", |claims| claims.len() == 1).await;
    assert_eq!(world.claims_of(&order).await.len(), 1);
    once(&world);
}

async fn deleted_orders_leave_no_claim(kind: Kind) {
    let (mut world, _) = ordered(kind).await;
    world.delete::<CertificateOrder>("www").await;
    world.until_claims("given up", <[Lease]>::is_empty).await;
    // Also those that were deleted while nobody looked.
    let again = world.create::<CertificateOrder>(world.order("www")).await;
    world.until("www", "adopted", is_adopted).await;
    assert_eq!(world.claims_of(&again).await.len(), 1);
    world.stop().await;
    world.delete::<CertificateOrder>("www").await;
    world.run();
    world.until_claims("given up after a restart", <[Lease]>::is_empty).await;
    once(&world);
}

/// The Lease of another certificate is deleted after this one's could have been.
#[tokio::test]
async fn a_claim_that_was_taken_over_meanwhile_survives() {
    let world = World::start().await;
    let mut orders = Vec::new();
    for id in ["taken", "later"] {
        world.buy(id, certorder_sim::tencent::Product::DV_SINGLE);
        let mut order = world.order(id);
        order["spec"]["provider"]["tencentCloud"]["certificateId"] = json!(id);
        orders.push(world.create::<CertificateOrder>(order).await);
        world.until(id, "ordered", is_ordered).await;
    }
    let [taken, later]: [Lease; 2] = {
        let mut claims = Vec::new();
        for order in &orders {
            claims.push(world.claims_of(order).await.remove(0));
        }
        claims.try_into().unwrap()
    };
    // Both DELETEs are under way for a while, the second for longer.
    for (lease, delay) in [(&taken, 1000), (&later, 2500)] {
        let rule = Rule::new(Action::Delay(Duration::from_millis(delay))).method(Method::DELETE);
        world.api.fault(rule.path(format!("{LEASES}/{}", lease.name_any())));
    }
    for id in ["taken", "later"] {
        world.delete::<CertificateOrder>(id).await;
    }
    let is_delete = |lease: &Lease| {
        let path = format!("{LEASES}/{}", lease.name_any());
        world.api.seen().iter().any(|seen| seen.method == Method::DELETE && seen.path.contains(&path))
    };
    world.until_claims("about to be deleted", |_| is_delete(&taken)).await;
    let mut successor = world.order("successor");
    successor["spec"]["provider"]["tencentCloud"]["certificateId"] = json!("taken");
    successor["spec"]["suspend"] = json!(true);
    let successor = world.create::<CertificateOrder>(successor).await;
    world.give_claim(world.leases().get(&taken.name_any()).await.unwrap(), &successor).await;
    world
        .until_claims("without the later one", |claims| {
            claims.iter().all(|lease| lease.name_any() != later.name_any())
        })
        .await;
    let kept = world.leases().get(&taken.name_any()).await.unwrap();
    assert_eq!(holder(&kept), successor.uid());
    world.leases().delete(&kept.name_any(), &DeleteParams::default()).await.unwrap();
}
