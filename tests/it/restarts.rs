//! What follows after a rejection, a withdrawal or a deletion: each call once.

use certorder::api::v1alpha1::{CertificateOrder, OrganizationProfile};
use certorder_sim::tencent::{Product, Status};
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};

use crate::clouds::{self, Kind, for_both_clouds};
use crate::fixtures::{self, CERTIFICATE};
use crate::world::{World, condition, message};

const REVOKE: &str = "RevokeCertificate";

for_both_clouds! {
    a_rejected_order_that_is_corrected_starts_over_each_call_once,
    a_rejected_order_that_needs_no_edit_starts_over_when_asked_once,
    a_review_that_is_withdrawn_can_be_corrected_and_ordered_again,
    what_is_asked_of_an_order_whose_record_was_lost_is_done_at_once,
    deletion_with_retain_leaves_the_order_at_the_cloud_alone,
    deletion_with_cancel_stops_the_review_once,
    an_order_that_was_only_taken_over_is_not_cancelled_by_its_deletion,
}

async fn ordered(kind: Kind, edit: impl FnOnce(&mut Value)) -> World {
    let world = World::start_at(kind).await;
    world.site.buy(world.certificate(), clouds::Product::Dv);
    let mut order = world.order("www");
    edit(&mut order);
    world.create::<CertificateOrder>(order).await;
    world.until_is("www", "Reconciling", "True", "AwaitingValidation").await;
    world
}

/// Whether every call of an application was made this often, for the first attempt or a later one.
fn attempts(world: &World) -> usize {
    let names = world.kind.names();
    let all = world.made(world.kind.submit());
    assert_eq!(world.made(world.kind.order()), all);
    for call in names.apply_again.iter().filter(|call| !names.apply.contains(call)) {
        assert_eq!(world.made(call), all - 1, "{call}");
    }
    all
}

fn withdrawals(world: &World) -> usize {
    world.made(world.kind.names().withdraw)
}

fn annotate(name: &str, value: &Value) -> Value {
    json!({"metadata": {"annotations": {name: value}}})
}

#[allow(clippy::disallowed_methods, reason = "what a user writes into the annotation")]
fn now() -> Value {
    json!(jiff::Timestamp::now().to_string())
}

async fn a_rejected_order_that_is_corrected_starts_over_each_call_once(kind: Kind) {
    let world = ordered(kind, |_| {}).await;
    world.site.reject(world.certificate());
    world.until_is("www", "Stalled", "True", "Rejected").await;
    world.edit::<CertificateOrder>("www", json!({"spec": {"commonName": "shop.acme.example"}})).await;
    let status = world.until_is("www", "Reconciling", "True", "AwaitingValidation").await;
    assert_eq!(attempts(&world), 2);
    assert_eq!(status.submission.as_ref().unwrap().resubmissions, 1);
    assert_eq!(condition(&status, "Submitted"), Some(("True".into(), "Accepted".into())));
    assert_eq!(status.request_id, world.last_call(kind.submit()).request_id);
}

async fn a_rejected_order_that_needs_no_edit_starts_over_when_asked_once(kind: Kind) {
    let world = ordered(kind, |_| {}).await;
    world.site.reject(world.certificate());
    world.until_is("www", "Stalled", "True", "Rejected").await;
    let asked = now();
    world.edit::<CertificateOrder>("www", annotate("certorder.dev/resubmit-at", &asked)).await;
    let status = world.until_is("www", "Reconciling", "True", "AwaitingValidation").await;
    assert_eq!(status.last_handled_resubmit_at.as_deref(), asked.as_str());
    assert_eq!(attempts(&world), 2);
    world.site.reject(world.certificate());
    world.until_is("www", "Stalled", "True", "Rejected").await;
    world.poke("www").await;
    world.until("www", "poked", |_| true).await;
    assert_eq!(attempts(&world), 2, "an annotation is acted on once");
}

async fn a_review_that_is_withdrawn_can_be_corrected_and_ordered_again(kind: Kind) {
    let world = ordered(kind, |_| {}).await;
    world
        .edit::<CertificateOrder>("www", annotate("certorder.dev/withdraw", &json!(world.certificate())))
        .await;
    world.until_is("www", "Reconciling", "True", "Withdrawing").await;
    world.site.finish_cancel(world.certificate());
    let status = world.until_is("www", "Stalled", "True", "Withdrawn").await;
    assert!(message(&status, "Stalled").contains("remove the annotation certorder.dev/withdraw"));
    assert_eq!(withdrawals(&world), 1);
    world.edit::<CertificateOrder>("www", json!({"spec": {"commonName": "shop.acme.example"}})).await;
    world.until("www", "seen", |status| !status.submission.as_ref().unwrap().frozen).await;
    assert_eq!(attempts(&world), 1, "not while the annotation asks for the opposite");
    world.edit::<CertificateOrder>("www", annotate("certorder.dev/withdraw", &Value::Null)).await;
    world.edit::<CertificateOrder>("www", annotate("certorder.dev/resubmit-at", &now())).await;
    world.until_is("www", "Reconciling", "True", "AwaitingValidation").await;
    assert_eq!(attempts(&world), 2);
    assert_eq!(withdrawals(&world), 1);
}

/// The record is lost after a rejection, and what is created in its place asks for another attempt already.
async fn what_is_asked_of_an_order_whose_record_was_lost_is_done_at_once(kind: Kind) {
    let world = ordered(kind, |_| {}).await;
    world.site.reject(world.certificate());
    world.until_is("www", "Stalled", "True", "Rejected").await;
    world.delete::<CertificateOrder>("www").await;
    world.until_deleted("www").await;
    let (mut order, asked) = (world.order("www"), now());
    order["metadata"]["annotations"] = json!({"certorder.dev/resubmit-at": asked});
    world.create::<CertificateOrder>(order).await;
    let status = world.until_is("www", "Reconciling", "True", "AwaitingValidation").await;
    assert_eq!(status.last_handled_resubmit_at.as_deref(), asked.as_str());
    assert_eq!(attempts(&world), 2);
}

#[tokio::test]
async fn a_letter_is_sent_once_when_the_ca_waits_for_it() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::OV_SINGLE);
    world.cloud.set(CERTIFICATE, |certificate| certificate.wants_letter = true).unwrap();
    world.create::<OrganizationProfile>(fixtures::profile()).await;
    let mut order = fixtures::company("www", &fixtures::csr(&[fixtures::NAME]));
    order["spec"]["provider"]["tencentCloud"]["confirmationLetterSecretRef"] =
        json!({"name": "letter", "key": "letter.pdf"});
    world.create::<CertificateOrder>(order).await;
    let status = world.until_is("www", "Reconciling", "True", "AwaitingLetter").await;
    assert!(
        message(&status, "ActionRequired")
            .contains("Secret letter of confirmationLetterSecretRef does not exist")
    );
    let letter = format!("%PDF-1.4\n{}", "x".repeat(4096));
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "letter", "labels": {"certorder.dev/readable": "true"}},
        "stringData": {"letter.pdf": letter},
    });
    world.create::<Secret>(secret).await;
    world.until_is("www", "Reconciling", "True", "InReview").await;
    assert_eq!(world.carried_out("UploadConfirmLetter", CERTIFICATE), 1);
}

async fn deletion_with_retain_leaves_the_order_at_the_cloud_alone(kind: Kind) {
    let world = ordered(kind, |_| {}).await;
    world.delete::<CertificateOrder>("www").await;
    world.until_deleted("www").await;
    assert_eq!(withdrawals(&world), 0);
    assert!(world.site.is_running(world.certificate()));
}

async fn deletion_with_cancel_stops_the_review_once(kind: Kind) {
    let world = ordered(kind, |order| order["spec"]["deletionPolicy"] = json!("Cancel")).await;
    world.delete::<CertificateOrder>("www").await;
    world.until_is("www", "Reconciling", "True", "Withdrawing").await;
    world.site.finish_cancel(world.certificate());
    world.until_deleted("www").await;
    assert_eq!(withdrawals(&world), 1);
}

#[tokio::test]
async fn deletion_with_revoke_waits_for_its_confirmation() {
    let world = ordered(Kind::Tencent, |order| order["spec"]["deletionPolicy"] = json!("Revoke")).await;
    while world.cloud.advance(CERTIFICATE).unwrap() != Status::ISSUED {}
    world.until_is("www", "Ready", "True", "Issued").await;
    world.delete::<CertificateOrder>("www").await;
    let status = world
        .until("www", "waiting for its confirmation", |status| {
            condition(status, "ActionRequired") == Some(("True".into(), "AwaitingConfirmation".into()))
        })
        .await;
    assert!(message(&status, "ActionRequired").contains("certorder.dev/confirm-revoke"));
    assert_eq!(world.carried_out(REVOKE, CERTIFICATE), 0);
    world
        .edit::<CertificateOrder>("www", annotate("certorder.dev/confirm-revoke", &json!(CERTIFICATE)))
        .await;
    let status = world.until_is("www", "Stalled", "True", "Revoked").await;
    assert_eq!(status.phase.as_deref(), Some("Revoking"));
    world.cloud.finish_revocation(CERTIFICATE).unwrap();
    world.until_deleted("www").await;
    assert_eq!(world.carried_out(REVOKE, CERTIFICATE), 1);
}

async fn an_order_that_was_only_taken_over_is_not_cancelled_by_its_deletion(kind: Kind) {
    let world = ordered(kind, |_| {}).await;
    world.delete::<CertificateOrder>("www").await;
    let mut order = world.order("www");
    order["spec"]["deletionPolicy"] = json!("Cancel");
    world.create::<CertificateOrder>(order).await;
    world.until_is("www", "Submitted", "True", "Adopted").await;
    world.delete::<CertificateOrder>("www").await;
    world.until_deleted("www").await;
    assert_eq!(withdrawals(&world), 0);
}
