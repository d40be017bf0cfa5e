//! One paid certificate belongs to one order.

use certorder::api::v1alpha1::CertificateOrder;
use certorder_sim::tencent::Product;
use serde_json::json;

use crate::fixtures::{self, CERTIFICATE};
use crate::world::{World, condition, message};

#[tokio::test]
async fn of_two_orders_for_one_certificate_one_is_submitted_and_the_other_says_so() {
    let mut world = World::quiet().await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world.create::<CertificateOrder>(fixtures::personal("one")).await;
    world.create::<CertificateOrder>(fixtures::personal("two")).await;
    world.run();
    let wait = async |name: &str| {
        world
            .until(name, "submitted or stalled", |status| {
                [("Submitted", "Accepted"), ("Stalled", "DuplicateCertificate")].iter().any(
                    |(type_, reason)| condition(status, type_) == Some(("True".into(), (*reason).into())),
                )
            })
            .await
    };
    let (one, two) = (wait("one").await, wait("two").await);
    let submitted = |status| condition(status, "Submitted").is_some();
    assert!(submitted(&one) != submitted(&two), "{one:?} {two:?}");
    let (loser, winner) = if submitted(&one) { (two, "one") } else { (one, "two") };
    assert!(
        message(&loser, "Stalled").contains(&format!("CertificateOrder {winner} has this paid certificate"))
    );
    assert!(loser.submission.is_none_or(|submission| submission.intent.is_none()));
    assert_eq!(world.carried_out("CertificateInfoSubmit", CERTIFICATE), 1);
}

#[tokio::test]
async fn two_operators_at_once_still_submit_once() {
    let mut world = World::quiet().await;
    let ids: Vec<String> = (0..8).map(|number| format!("cert{number:04}")).collect();
    for id in &ids {
        world.buy(id, Product::DV_SINGLE);
        let mut order = fixtures::personal(id);
        order["spec"]["provider"]["tencentCloud"]["certificateId"] = json!(id);
        order["spec"]["commonName"] = json!(format!("{id}.acme.example"));
        world.create::<CertificateOrder>(order).await;
    }
    world.run();
    let second = world.second_operator();
    for id in &ids {
        world
            .until(id, "ordered", |status| condition(status, "Ordered").is_some_and(|(is, _)| is == "True"))
            .await;
        assert_eq!(world.carried_out("CertificateInfoSubmit", id), 1, "{id}");
        assert_eq!(world.carried_out("CertificateOrderSubmit", id), 1, "{id}");
    }
    second.stop().await;
    world.stop().await;
}
