//! From `kubectl apply` to the RequestId, and on to the CA's answer.

use certorder::api::v1alpha1::{CertificateOrder, OrganizationProfile};
use certorder_sim::tencent::{Product, Status};
use serde_json::Value;

use crate::fixtures::{self, CERTIFICATE, NAME};
use crate::world::{World, condition, message};

#[tokio::test]
async fn a_persons_order_gets_the_request_id_of_its_submission() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    let status = world.until_is("www", "Ordered", "True", "Accepted").await;

    let submitted = call(&world, "CertificateInfoSubmit");
    assert!(submitted.request_id.is_some());
    assert_eq!(status.request_id, submitted.request_id.clone());
    assert_eq!(status.provider.as_deref(), Some("TencentCloud"));
    assert_eq!(status.certificate_id.as_deref(), Some(CERTIFICATE));
    assert_eq!(condition(&status, "Submitted"), Some(("True".into(), "Accepted".into())));
    assert!(message(&status, "Submitted").contains(submitted.request_id.as_deref().unwrap()));
    let ours = status.submission.unwrap();
    assert!(ours.frozen && ours.intent.is_none() && !ours.adopted);
    assert!(ours.submitted_at.is_some() && ours.ordered_at.is_some() && ours.payload_hash.is_some());
    let last = status.last_request.unwrap();
    assert_eq!((last.action.as_str(), last.outcome.as_str()), ("CertificateOrderSubmit", "Accepted"));
    assert_eq!(last.request_id, call(&world, "CertificateOrderSubmit").request_id);
    let body = submitted.body.json();
    assert_eq!((&body["CompanyType"], &body["GenCsrType"]), (&Value::from(1), &Value::from("online")));
    assert_eq!(world.carried_out("CertificateInfoSubmit", CERTIFICATE), 1);
    assert_eq!(world.carried_out("CertificateOrderSubmit", CERTIFICATE), 1);
}

#[tokio::test]
async fn an_organisations_order_sends_its_profile_and_its_own_csr() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::OV_SINGLE);
    let csr = fixtures::csr(&[NAME]);
    world.create::<OrganizationProfile>(fixtures::profile()).await;
    world.create::<CertificateOrder>(fixtures::company("www", &csr)).await;
    world.until_is("www", "Submitted", "True", "Accepted").await;
    world.until_profile("acme", "True", "Complete").await;
    let body = call(&world, "CertificateInfoSubmit").body.json();
    assert_eq!(body["Csr"].as_str().unwrap().trim(), csr.trim());
    assert_eq!(body["OrgOrganization"], "Acme Trading Co., Ltd.");
    assert_eq!((&body["AdminEmail"], &body["TechEmail"]), (&body["TechEmail"], &body["AdminEmail"]));
    assert!(body.get("KeyPass").is_none() && body.get("DnsNames").is_none());
}

#[tokio::test]
async fn an_order_is_followed_until_it_is_issued() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    let status = world.until_is("www", "Ready", "Unknown", "AwaitingValidation").await;
    let record = status.validation_records.first().unwrap();
    assert!(message(&status, "ActionRequired").contains(&record.value), "{status:?}");
    assert_eq!(status.phase.as_deref(), Some("Validating"));
    while world.cloud.advance(CERTIFICATE).unwrap() != Status::ISSUED {}
    let status = world.until_is("www", "Ready", "True", "Issued").await;
    assert_eq!(condition(&status, "Reconciling"), None);
    assert_eq!(condition(&status, "ActionRequired"), None);
    assert!(status.not_after.is_some() && status.not_before.is_some());
    assert_eq!(world.carried_out("CertificateOrderSubmit", CERTIFICATE), 1);
    for reason in ["Submitted", "Ordered", "Issued"] {
        world.until_event(reason).await;
    }
}

fn call(world: &World, action: &str) -> certorder_sim::tencent::Call {
    world.cloud.ledger().into_iter().find(|call| call.action == action).unwrap()
}
