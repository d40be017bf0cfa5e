//! Plan and suspend send nothing.

use certorder::api::v1alpha1::CertificateOrder;
use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

use crate::clouds::{self, Kind, for_both_clouds};
use crate::fixtures;
use crate::world::{World, condition};

for_both_clouds! {
    mode_plan_shows_the_redacted_request_and_sends_nothing_until_it_is_apply,
    a_suspended_order_calls_nothing_until_it_goes_on,
    of_a_secret_with_a_csr_nothing_but_the_csr_is_sent_or_shown,
}

async fn mode_plan_shows_the_redacted_request_and_sends_nothing_until_it_is_apply(kind: Kind) {
    let world = World::start_at(kind).await;
    world.site.buy(world.certificate(), clouds::Product::Dv);
    let mut order = world.order("www");
    order["spec"]["mode"] = json!("Plan");
    world.create::<CertificateOrder>(order).await;
    let status = world.until_is("www", "Planned", "True", "Planned").await;
    assert_eq!(condition(&status, "Ready"), Some(("False".into(), "Planned".into())));
    assert_eq!((condition(&status, "Reconciling"), condition(&status, "Stalled")), (None, None));
    let plan = status.plan.unwrap();
    assert_eq!(plan.action, kind.submit());
    assert_eq!(plan.request[kind.names().parameters[0]], fixtures::NAME);
    assert!(!serde_json::to_string(&plan.request).unwrap().contains("pki@acme.example"));
    assert_eq!(world.made(kind.submit()), 0);

    world.edit::<CertificateOrder>("www", json!({"spec": {"mode": "Apply"}})).await;
    let status = world.until_is("www", "Submitted", "True", "Accepted").await;
    assert_eq!((condition(&status, "Planned"), status.plan), (None, None));
}

async fn a_suspended_order_calls_nothing_until_it_goes_on(kind: Kind) {
    let world = World::start_at(kind).await;
    world.site.buy(world.certificate(), clouds::Product::Dv);
    let mut order = world.order("www");
    order["spec"]["suspend"] = json!(true);
    world.create::<CertificateOrder>(order).await;
    let status = world.until_is("www", "Suspended", "True", "Suspended").await;
    assert_eq!(condition(&status, "Ready"), Some(("Unknown".into(), "Pending".into())));
    world.poke("www").await;
    assert!(world.site.ledger().is_empty());
    world.edit::<CertificateOrder>("www", json!({"spec": {"suspend": false}})).await;
    let status = world.until_is("www", "Submitted", "True", "Accepted").await;
    assert_eq!(condition(&status, "Suspended"), None);
}

/// Who may write an order may not be allowed to read the Secrets of its namespace.
async fn of_a_secret_with_a_csr_nothing_but_the_csr_is_sent_or_shown(kind: Kind) {
    const HIDDEN: &str = "hunter-two";
    let world = World::start_at(kind).await;
    world.site.buy(world.certificate(), clouds::Product::Dv);
    let csr = fixtures::csr(&[fixtures::NAME]);
    let text = format!("password: {HIDDEN}\n{csr}\n  another: {HIDDEN}\n");
    world.create::<Secret>(json!({"metadata": {"name": "csr"}, "stringData": {"tls.csr": text}})).await;
    let mut order = world.order("www");
    let spec = order["spec"].as_object_mut().unwrap();
    spec.retain(|field, _| field != "csr" && field != "privateKey");
    spec.insert("csrSecretRef".to_owned(), json!({"name": "csr", "key": "tls.csr"}));
    spec.insert("mode".to_owned(), json!("Plan"));
    world.create::<CertificateOrder>(order).await;
    let planned = world.until_is("www", "Planned", "True", "Planned").await;
    world.edit::<CertificateOrder>("www", json!({"spec": {"mode": "Apply"}})).await;
    let submitted = world.until_is("www", "Submitted", "True", "Accepted").await;
    let plan = serde_json::to_string(&planned).unwrap();
    assert!(plan.contains("BEGIN CERTIFICATE REQUEST"), "{plan}");
    let sent = world.site.ledger().iter().map(|call| call.body.to_string()).collect();
    for text in [plan, serde_json::to_string(&submitted).unwrap(), sent] {
        assert!(!text.contains(HIDDEN), "{text}");
    }
}
