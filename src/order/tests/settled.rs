//! The cached part of a settled order means the same to other orders as the whole order.

use super::support::*;
use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::api::v1alpha1::{CertificateOrder, CertificateOrderStatus};
use crate::cluster::cache::Cached;
use crate::cluster::trim::{is_settled, trim};
use crate::core::annotations::RECONCILE_AT;
use crate::core::conditions::{Conditions, Status};
use crate::core::observation::Stage;
use crate::order::claim::budget;
use crate::order::claim::rivals;
use crate::order::purpose::purpose;

/// An order as its last pass left it.
fn left(scene: Scene, stage: Stage) -> CertificateOrder {
    let mut scene = scene.sees(seen(stage, &[NAME])).at(60);
    let next = scene.plan();
    scene.pass(&step(&next));
    scene.order
}

fn trimmed(order: &CertificateOrder) -> CertificateOrder {
    let mut order = order.clone();
    trim(&mut order);
    order
}

#[test]
fn an_issued_order_means_the_same_to_others_while_half_of_it_is_kept() {
    let issued = left(scene().ordered("A", 0), Stage::Issued);
    let adopted = {
        let found = left(scene(), Stage::Issued);
        left(Scene { order: found, ..scene() }, Stage::Issued)
    };
    let rival = order("rival", -60);
    for order in [issued, adopted] {
        let kept = trimmed(&order);
        assert!(is_settled(&order) && is_settled(&kept));
        assert!(
            serde_json::to_string(&kept.status).unwrap().len()
                < serde_json::to_string(&order.status).unwrap().len()
        );
        assert_eq!(
            rivals::contested(&rival, std::slice::from_ref(&kept)),
            rivals::contested(&rival, std::slice::from_ref(&order)),
            "its claim"
        );
        assert_eq!(rivals::is_settled(&kept), rivals::is_settled(&order));
        assert_eq!(budget::runs(&kept), budget::runs(&order));
        assert_eq!(purpose(&kept), purpose(&order));
        assert_eq!(kept.targets(), order.targets());
        assert_eq!(trimmed(&kept), kept);
    }
}

#[test]
fn an_order_that_is_not_settled_is_kept_whole() {
    let mut asks = left(scene().ordered("A", 0), Stage::Issued);
    annotate(&mut asks, RECONCILE_AT, "now");
    let mut edited = left(scene().ordered("A", 0), Stage::Issued);
    edited.metadata.generation = Some(99);
    let running = left(scene().ordered("A", 0), Stage::Validating);
    let mut conditions = Conditions::new(&[], 3, at(0));
    conditions.set(ConditionType::Ready, Status::True, Reason::Ordered, "why");
    let by_policy = CertificateOrder {
        status: Some(CertificateOrderStatus {
            observed_generation: 3,
            conditions: conditions.into_list(),
            ..CertificateOrderStatus::default()
        }),
        ..order("ordered", 0)
    };
    for order in [order("new", 0), asks, edited, running, by_policy] {
        assert_eq!(trimmed(&order), order);
    }
}
