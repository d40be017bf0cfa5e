//! One paid certificate belongs to one order.

use certorder::api::v1alpha1::CertificateOrder;
use serde_json::json;

use crate::clouds::{Kind, Product, for_both_clouds};
use crate::world::{World, condition, message};

for_both_clouds! {
    of_two_orders_for_one_certificate_one_is_submitted_and_the_other_says_so,
    two_operators_at_once_still_submit_once,
}

async fn of_two_orders_for_one_certificate_one_is_submitted_and_the_other_says_so(kind: Kind) {
    let mut world = World::quiet_at(kind).await;
    world.site.buy(world.certificate(), Product::Dv);
    world.create::<CertificateOrder>(world.order("one")).await;
    world.create::<CertificateOrder>(world.order("two")).await;
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
    assert_eq!(world.made(kind.submit()), 1);
}

async fn two_operators_at_once_still_submit_once(kind: Kind) {
    let mut world = World::quiet_at(kind).await;
    // Sixteen characters, as one of the clouds requires for its ids.
    let ids: Vec<String> = (0..8).map(|number| format!("scs1590053{number:06}")).collect();
    for id in &ids {
        world.site.buy(id, Product::Dv);
        let mut order = world.order(id);
        for block in order["spec"]["provider"].as_object_mut().unwrap().values_mut() {
            block["certificateId"] = json!(id);
        }
        order["spec"]["commonName"] = json!(format!("{id}.acme.example"));
        world.create::<CertificateOrder>(order).await;
    }
    world.run();
    let second = world.second_operator();
    for id in &ids {
        world
            .until(id, "ordered", |status| condition(status, "Ordered").is_some_and(|(is, _)| is == "True"))
            .await;
        for call in kind.names().apply {
            assert_eq!(world.made_for(call, id), 1, "{id} {call}");
        }
    }
    second.stop().await;
    world.stop().await;
}
