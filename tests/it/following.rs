//! The status follows the cloud and the CA; orders that were placed by other means; and how an order ends.

use certorder::api::v1alpha1::CertificateOrder;
use certorder_sim::tencent::{Finding, Product, Status};
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::Api;
use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::fixtures::{self, CERTIFICATE, NAME};
use crate::world::{World, condition, message};

const WITHDRAW: &str = "CancelAuditCertificate";

async fn ordered(order: Value) -> World {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world.create::<CertificateOrder>(order).await;
    world.until_is("www", "Reconciling", "True", "AwaitingValidation").await;
    world
}

fn set(world: &World, status: Status) {
    world.cloud.set(CERTIFICATE, |certificate| certificate.status = status).unwrap();
}

#[tokio::test]
async fn why_the_ca_does_not_issue_yet_and_until_when_it_waits_is_said_of_each_name() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::DV_MULTI);
    let mut order = fixtures::personal("www");
    order["spec"]["dnsNames"] = json!(["acme.example"]);
    // The cloud checks at most every ten minutes, so its findings are there from the beginning.
    let deadline = |certificate: &mut certorder_sim::tencent::Certificate| {
        certificate.validation_message = Some("Waiting for domain validation".to_owned());
    };
    world.cloud.set(CERTIFICATE, deadline).unwrap();
    world.create::<CertificateOrder>(order).await;
    let status = world
        .until("www", "showing what was found", |status| {
            status.validation_records.iter().all(|record| record.check.is_some())
                && status.validation_records.len() == 2
        })
        .await;
    let says = message(&status, "ActionRequired");
    assert!(says.contains("until 20"), "{says}");
    assert!(says.contains("Waiting for domain validation"), "{says}");
    for record in &status.validation_records {
        let expected = format!(
            "add TXT {} with the value {} (the cloud: the TXT record is missing; the CA: not found yet",
            record.name, record.value
        );
        assert!(says.contains(&expected), "{says}");
    }
    let ledger = world.cloud.ledger();
    let checks = ledger.iter().filter(|call| call.action == "CheckCertificateDomainVerification").count();
    assert_eq!(checks, 1, "at most every 10 min");
}

#[tokio::test]
async fn what_was_found_of_one_name_is_not_said_of_another() {
    let mut world = World::quiet().await;
    world.buy(CERTIFICATE, Product::DV_MULTI);
    let mut order = fixtures::personal("www");
    order["spec"]["dnsNames"] = json!(["acme.example"]);
    world.run();
    world.create::<CertificateOrder>(order).await;
    world.until_is("www", "Reconciling", "True", "AwaitingValidation").await;
    world.cloud.set_finding(CERTIFICATE, "acme.example", Finding::Proof, true).unwrap();
    // Another process reads it again.
    world.stop().await;
    world.run();
    let seen = |status: &certorder::api::v1alpha1::CertificateOrderStatus| {
        message(status, "ActionRequired").matches("(the CA has seen it)").count()
    };
    let status = world.until("www", "showing that one was found", |status| seen(status) > 0).await;
    assert_eq!(seen(&status), 1);
    let by_name = |name: &str| {
        let found = status.validation_records.iter().find(|record| record.name == format!("_dnsauth.{name}"));
        found.unwrap().check.clone().unwrap()
    };
    assert!(by_name("acme.example").contains("CA: found"), "{}", by_name("acme.example"));
    assert!(by_name(NAME).contains("CA: not found yet"), "{}", by_name(NAME));
}

#[tokio::test]
async fn every_state_that_ends_an_order_has_a_condition_of_its_own() {
    let world = ordered(fixtures::personal("www")).await;
    let ends = [
        (Status::EXPIRED, "Expired", "Expired"),
        (Status::REVOKING, "Revoked", "Revoking"),
        (Status::AWAITING_REVOCATION_LETTER, "Revoked", "Revoking"),
        (Status::REVOKED, "Revoked", "Revoked"),
        (Status::REFUNDED, "Refunded", "Refunded"),
        (Status::CANCELLED, "Cancelled", "Cancelled"),
    ];
    for (status, reason, phase) in ends {
        set(&world, status);
        world.poke("www").await;
        let seen = world.until("www", phase, |status| status.phase.as_deref() == Some(phase)).await;
        assert_eq!(condition(&seen, "Stalled"), Some(("True".into(), reason.into())), "{phase}");
        assert_eq!(condition(&seen, "Ready"), Some(("False".into(), reason.into())), "{phase}");
    }
    let waits = [
        (Status::CANCELLING, "Withdrawing", "Cancelling"),
        (Status::REISSUING, "Issuing", "Issuing"),
        (Status::MIGRATING, "Pending", "Managed"),
        (Status(99), "Pending", "Unrecognised"),
    ];
    for (status, reason, phase) in waits {
        set(&world, status);
        world.poke("www").await;
        let seen = world.until("www", phase, |status| status.phase.as_deref() == Some(phase)).await;
        assert_eq!(condition(&seen, "Reconciling"), Some(("True".into(), reason.into())), "{phase}");
        assert_eq!(condition(&seen, "Ready"), Some(("Unknown".into(), reason.into())), "{phase}");
    }
    assert_eq!(world.carried_out("CertificateOrderSubmit", CERTIFICATE), 1);
}

#[tokio::test]
async fn a_certificate_whose_time_is_over_says_so() {
    let mut world = ordered(fixtures::personal("www")).await;
    while world.cloud.advance(CERTIFICATE).unwrap() != Status::ISSUED {}
    world.until_is("www", "Ready", "True", "Issued").await;
    world.stop().await;
    world.run_ahead(SignedDuration::from_hours(24 * 400));
    world.poke("www").await;
    let status = world.until_is("www", "Stalled", "True", "Expired").await;
    assert_eq!(condition(&status, "Issued"), Some(("False".into(), "Expired".into())));
}

/// Ordered by another tool, with a key that the cloud made and keeps; the order that adopts it has its key in the
/// cluster, which is the default.
#[tokio::test]
async fn what_another_tool_ordered_is_taken_over_and_exported_with_its_key() {
    let world = ordered(fixtures::personal("www")).await;
    while world.cloud.advance(CERTIFICATE).unwrap() != Status::ISSUED {}
    world.until_is("www", "Ready", "True", "Issued").await;
    world.delete::<CertificateOrder>("www").await;
    let mut order = fixtures::personal("www");
    order["spec"].as_object_mut().unwrap().remove("privateKey");
    order["spec"]["secretName"] = json!("www-tls");
    world.create::<CertificateOrder>(order).await;
    let status = world.until_is("www", "SecretSynced", "True", "Synced").await;
    assert_eq!(condition(&status, "Submitted"), Some(("True".into(), "Adopted".into())));
    let tls = world.api_of::<Secret>().get("www-tls").await.unwrap();
    assert_eq!(tls.type_.as_deref(), Some("kubernetes.io/tls"));
    assert!(world.api_of::<Secret>().get_opt("www-key").await.unwrap().is_none(), "adoption makes no key");
    assert_eq!(world.carried_out("CertificateInfoSubmit", CERTIFICATE), 1);
}

#[tokio::test]
async fn a_cancelled_application_for_other_names_is_replaced_when_asked() {
    let world = ordered(fixtures::personal("www")).await;
    set(&world, Status::CANCELLED);
    world.until_is("www", "Stalled", "True", "Cancelled").await;
    world.delete::<CertificateOrder>("www").await;
    let mut order = fixtures::personal("shop");
    order["spec"]["commonName"] = json!("shop.acme.example");
    world.create::<CertificateOrder>(order).await;
    let status = world.until_is("shop", "Stalled", "True", "CertificateInUse").await;
    assert!(message(&status, "Stalled").contains("which was cancelled"), "{}", message(&status, "Stalled"));
    let asked = json!({"metadata": {"annotations": {"certorder.dev/resubmit-at": now()}}});
    world.edit::<CertificateOrder>("shop", asked).await;
    world.until_is("shop", "Reconciling", "True", "AwaitingValidation").await;
    assert_eq!(world.carried_out("ModifyCertificateResubmit", CERTIFICATE), 1);
    let held = world.cloud.certificate(CERTIFICATE).unwrap().submission.unwrap();
    assert_eq!(held.text("CertCommonName"), Some("shop.acme.example"));
}

/// Whoever publishes a record reads it in the Events: those of the second attempt show its own.
#[tokio::test]
async fn the_events_of_another_attempt_show_its_own_record_and_request() {
    let world = ordered(fixtures::personal("www")).await;
    let first = world.status("www").await;
    set(&world, Status::CANCELLED);
    world.poke("www").await;
    world.until_is("www", "Stalled", "True", "Cancelled").await;
    let asked = json!({"metadata": {"annotations": {"certorder.dev/resubmit-at": now()}}});
    world.edit::<CertificateOrder>("www", asked).await;
    let second = world.until_is("www", "Reconciling", "True", "AwaitingValidation").await;
    for status in [&first, &second] {
        world.until_event_says("AwaitingValidation", &status.validation_records[0].value).await;
        world.until_event_says("Submitted", status.request_id.as_deref().unwrap()).await;
    }
    assert_ne!(first.validation_records[0].value, second.validation_records[0].value);
    assert_ne!(first.request_id, second.request_id);
}

#[allow(clippy::disallowed_methods, reason = "what a user writes into the annotation")]
fn now() -> String {
    jiff::Timestamp::now().to_string()
}

#[tokio::test]
async fn the_proofs_that_a_revocation_needs_are_shown_before_the_order_is_deleted() {
    let mut order = fixtures::personal("www");
    order["spec"]["deletionPolicy"] = json!("Revoke");
    order["metadata"]["annotations"] = json!({"certorder.dev/confirm-revoke": CERTIFICATE});
    let world = ordered(order).await;
    while world.cloud.advance(CERTIFICATE).unwrap() != Status::ISSUED {}
    world.cloud.set(CERTIFICATE, |certificate| certificate.revocation.wants_proof = true).unwrap();
    world.until_is("www", "Ready", "True", "Issued").await;
    world.delete::<CertificateOrder>("www").await;
    let status = world.until_is("www", "ActionRequired", "True", "Revoked").await;
    let proof = world.cloud.certificate(CERTIFICATE).unwrap().revocation.auths.remove(0);
    assert!(
        message(&status, "ActionRequired").contains(&proof.value),
        "{}",
        message(&status, "ActionRequired")
    );
    world.cloud.finish_revocation(CERTIFICATE).unwrap();
    world.until_deleted("www").await;
    assert_eq!(world.carried_out("RevokeCertificate", CERTIFICATE), 1);
}

#[tokio::test]
async fn a_deletion_without_credentials_waits_ten_minutes_and_is_let_go() {
    let mut order = fixtures::personal("www");
    order["spec"]["deletionPolicy"] = json!("Cancel");
    let mut world = ordered(order).await;
    world.delete::<Secret>("tencent-credentials").await;
    world.delete::<CertificateOrder>("www").await;
    world.until_is("www", "Reconciling", "True", "SecretNotFound").await;
    world.stop().await;
    world.run_ahead(SignedDuration::from_mins(11));
    world.until_deleted("www").await;
    world.until_event("CleanupGivenUp").await;
    assert_eq!(world.carried_out(WITHDRAW, CERTIFICATE), 0);
}

/// The Secrets are deleted before the order is reconciled, and no Event can be written any more.
#[tokio::test]
async fn a_deleted_namespace_is_not_held_up_for_ever() {
    let mut order = fixtures::personal("www");
    order["spec"]["deletionPolicy"] = json!("Cancel");
    let mut world = ordered(order).await;
    world.stop().await;
    world.delete::<Secret>("tencent-credentials").await;
    let namespaces: Api<Namespace> = Api::all(world.client());
    namespaces.delete(&world.namespace, &DeleteParams::default()).await.unwrap();
    world.until_object::<CertificateOrder>("www", |order| order.metadata.deletion_timestamp.is_some()).await;
    world.run_ahead(SignedDuration::from_mins(11));
    world.until_deleted("www").await;
    assert_eq!(world.carried_out(WITHDRAW, CERTIFICATE), 0);
}
