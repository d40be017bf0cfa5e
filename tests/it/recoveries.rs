//! What is missing, wrong or refused has a reason, says what to do, sends nothing, and is mended without a restart.

use std::time::Duration;

use certorder::api::v1alpha1::{CertificateOrder, OrganizationProfile};
use certorder_sim::tencent::{Fault, Product, Status};
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};

use crate::fixtures::{self, CERTIFICATE, NAME};
use crate::world::{World, condition, message};

const SUBMIT: &str = "CertificateInfoSubmit";

/// Waits for a problem, checks what it says and that nothing was sent, mends it, and waits for the submission.
async fn recovers(world: &World, reason: &str, says: &str, mend: impl AsyncFnOnce(&World)) {
    let stopped =
        ["SecretNotFound", "SecretKeyMissing", "ProfileNotFound", "RateLimited", "CloudUnavailable"];
    let waits = stopped.contains(&reason);
    let (type_, other, ready) =
        if waits { ("Reconciling", "Stalled", "Unknown") } else { ("Stalled", "Reconciling", "False") };
    let status = world.until_is("www", type_, "True", reason).await;
    assert_eq!(condition(&status, "Ready"), Some((ready.into(), reason.into())));
    assert_eq!(condition(&status, other), None);
    assert!(message(&status, "Ready").contains(says), "{}", message(&status, "Ready"));
    assert_eq!(world.carried_out(SUBMIT, CERTIFICATE), 0);
    assert!(status.submission.is_none_or(|ours| !ours.frozen), "what was refused can be edited");
    mend(world).await;
    world.until_is("www", "Submitted", "True", "Accepted").await;
    assert_eq!(world.carried_out(SUBMIT, CERTIFICATE), 1);
}

async fn world_with(product: Product, order: Value) -> World {
    let world = World::start().await;
    world.buy(CERTIFICATE, product);
    world.create::<CertificateOrder>(order).await;
    world
}

fn with(mut order: Value, pointer: &str, value: Value) -> Value {
    *order.pointer_mut(pointer).unwrap() = value;
    order
}

#[tokio::test]
async fn a_secret_that_is_created_later_wakes_its_order() {
    let order = with(fixtures::personal("www"), "/spec/credentialsRef/name", "late".into());
    let world = world_with(Product::DV_SINGLE, order).await;
    recovers(&world, "SecretNotFound", "Secret late of spec.credentialsRef does not exist", async |world| {
        world.create::<Secret>(with(fixtures::credentials(), "/metadata/name", "late".into())).await;
    })
    .await;
}

#[tokio::test]
async fn a_secret_that_lacks_a_key_wakes_its_order_once_it_has_it() {
    let world = World::quiet().await;
    let mut world = world;
    world.edit::<Secret>("tencent-credentials", json!({"data": {"secretKey": null}})).await;
    world.run();
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    recovers(&world, "SecretKeyMissing", "secretKey", async |world| {
        world
            .edit::<Secret>("tencent-credentials", json!({"stringData": {"secretKey": fixtures::SECRET_KEY}}))
            .await;
    })
    .await;
}

#[tokio::test]
async fn refused_credentials_wake_the_order_once_they_are_replaced() {
    let mut world = World::quiet().await;
    world.edit::<Secret>("tencent-credentials", json!({"stringData": {"secretKey": "an-old-one"}})).await;
    world.run();
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    recovers(&world, "CredentialsRefused", "AuthFailure.SignatureFailure", async |world| {
        world
            .edit::<Secret>("tencent-credentials", json!({"stringData": {"secretKey": fixtures::SECRET_KEY}}))
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_malformed_csr_is_edited() {
    let order = with(fixtures::company("www", "not PEM at all"), "/spec/organizationProfileRef", Value::Null);
    let order = with(
        order,
        "/spec/provider/tencentCloud",
        fixtures::personal("x")["spec"]["provider"]["tencentCloud"].clone(),
    );
    let world = world_with(Product::DV_SINGLE, order).await;
    recovers(&world, "CsrInvalid", "BEGIN CERTIFICATE REQUEST", async |world| {
        world.edit::<CertificateOrder>("www", json!({"spec": {"csr": fixtures::csr(&[NAME])}})).await;
    })
    .await;
}

#[tokio::test]
async fn a_csr_for_another_common_name_is_edited() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::OV_SINGLE);
    world.create::<OrganizationProfile>(fixtures::profile()).await;
    world.create::<CertificateOrder>(fixtures::company("www", &fixtures::csr(&["other.example"]))).await;
    recovers(
        &world,
        "CsrMismatch",
        "common name is other.example, spec.commonName is www.acme.example",
        async |world| {
            world.edit::<CertificateOrder>("www", json!({"spec": {"csr": fixtures::csr(&[NAME])}})).await;
        },
    )
    .await;
}

#[tokio::test]
async fn a_csr_in_a_secret_that_comes_later_wakes_its_order() {
    let mut order = with(fixtures::company("www", ""), "/spec/csr", Value::Null);
    order["spec"]["csrSecretRef"] = json!({"name": "csr", "key": "tls.csr"});
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::OV_SINGLE);
    world.create::<OrganizationProfile>(fixtures::profile()).await;
    world.create::<CertificateOrder>(order).await;
    recovers(&world, "SecretNotFound", "Secret csr of spec.csrSecretRef", async |world| {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "csr"},
            "stringData": {"tls.csr": fixtures::csr(&[NAME])},
        });
        world.create::<Secret>(secret).await;
    })
    .await;
}

#[tokio::test]
async fn a_profile_that_is_created_later_wakes_its_order() {
    let world = world_with(Product::OV_SINGLE, fixtures::company("www", &fixtures::csr(&[NAME]))).await;
    recovers(&world, "ProfileNotFound", "OrganizationProfile acme does not exist", async |world| {
        world.create::<OrganizationProfile>(fixtures::profile()).await;
    })
    .await;
}

#[tokio::test]
async fn an_incomplete_profile_names_the_field_and_wakes_its_order_once_it_is_completed() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::OV_SINGLE);
    let profile = with(fixtures::profile(), "/spec/administrator/phone", Value::Null);
    world.create::<OrganizationProfile>(profile).await;
    world.create::<CertificateOrder>(fixtures::company("www", &fixtures::csr(&[NAME]))).await;
    recovers(&world, "ProfileIncomplete", "spec.administrator.phone is empty", async |world| {
        let phone = json!({"spec": {"administrator": {"phone": "13112341234"}}});
        world.edit::<OrganizationProfile>("acme", phone).await;
    })
    .await;
}

#[tokio::test]
async fn a_profiles_secret_that_is_labelled_later_wakes_the_order() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::OV_SINGLE);
    let admin = fixtures::profile()["spec"]["administrator"].clone();
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "acme-admin"}, "stringData": admin});
    world.create::<Secret>(secret).await;
    let from_secret = json!({"fromSecret": {"name": "acme-admin"}});
    world.create::<OrganizationProfile>(with(fixtures::profile(), "/spec/administrator", from_secret)).await;
    world.create::<CertificateOrder>(fixtures::company("www", &fixtures::csr(&[NAME]))).await;
    recovers(&world, "SecretKeyMissing", "lacks the label certorder.dev/readable", async |world| {
        let label = json!({"metadata": {"labels": {"certorder.dev/readable": "true"}}});
        world.edit::<Secret>("acme-admin", label).await;
    })
    .await;
    world.until_profile("acme", "True", "Complete").await;
}

#[tokio::test]
async fn an_unknown_certificate_is_looked_up_again_on_request() {
    let world = World::start().await;
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    recovers(&world, "CertificateNotFound", "Check certificateId", async |world| {
        world.buy(CERTIFICATE, Product::DV_SINGLE);
        world.poke("www").await;
    })
    .await;
}

#[tokio::test]
async fn an_account_that_is_verified_later_is_tried_again_on_request() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world.cloud.set_identity_verified(&world.account, false);
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    recovers(&world, "AccountNotVerified", "Complete the identity verification", async |world| {
        world.cloud.set_identity_verified(&world.account, true);
        world.poke("www").await;
    })
    .await;
}

#[tokio::test]
async fn a_product_that_does_not_fit_is_judged_once_the_cloud_names_it() {
    let order = with(fixtures::personal("www"), "/spec/commonName", "*.acme.example".into());
    let world = world_with(Product::DV_SINGLE, order).await;
    recovers(&world, "InvalidRequest", "wildcard", async |world| {
        world.edit::<CertificateOrder>("www", json!({"spec": {"commonName": NAME}})).await;
    })
    .await;
}

#[tokio::test]
async fn a_throttled_submission_is_sent_again_by_itself() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world.cloud.fault(Fault::throttled().action(SUBMIT).times(2));
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    recovers(&world, "RateLimited", "RequestLimitExceeded", async |_| {}).await;
}

#[tokio::test]
async fn a_cloud_without_answer_is_read_again_by_itself() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world.cloud.fault(Fault::html(502).action("DescribeCertificate").times(3));
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    recovers(&world, "CloudUnavailable", "tries again by itself", async |_| {}).await;
}

#[tokio::test]
async fn a_certificate_in_use_for_other_names_is_never_touched() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    let other = with(fixtures::personal("other"), "/spec/commonName", "shop.acme.example".into());
    world.create::<CertificateOrder>(other).await;
    world.until_is("other", "Ordered", "True", "Accepted").await;
    world.delete::<CertificateOrder>("other").await;
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    let status = world.until_is("www", "Stalled", "True", "CertificateInUse").await;
    assert!(message(&status, "Stalled").contains("shop.acme.example"));
    assert_eq!(world.carried_out(SUBMIT, CERTIFICATE), 1);
    // The recovery: ask for the names that the certificate is for.
    let order = with(fixtures::personal("right"), "/spec/commonName", "shop.acme.example".into());
    world.create::<CertificateOrder>(order).await;
    world.until_is("right", "Submitted", "True", "Adopted").await;
    assert_eq!(world.carried_out(SUBMIT, CERTIFICATE), 1);
}

#[tokio::test]
async fn a_rejected_order_stops_with_the_words_of_the_ca() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    world.until_is("www", "Ordered", "True", "Accepted").await;
    let words = "the domain is on a list; mail pki@acme.example";
    world
        .cloud
        .set(CERTIFICATE, |certificate| {
            certificate.status = Status::REVIEW_FAILED;
            certificate.status_message = words.into();
        })
        .unwrap();
    let status = world.until_is("www", "Stalled", "True", "Rejected").await;
    assert!(message(&status, "Stalled").contains("the domain is on a list; mail ***"), "{status:?}");
    assert!(!status.submission.unwrap().frozen);
}

#[tokio::test]
async fn equal_failures_write_the_status_once() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world.cloud.fault(Fault::html(502).action("DescribeCertificate").always());
    world.create::<CertificateOrder>(fixtures::personal("www")).await;
    world.until_is("www", "Reconciling", "True", "CloudUnavailable").await;
    let before = world.orders().get("www").await.unwrap();
    let reads = world.cloud.ledger().len();
    let more = tokio::time::timeout(Duration::from_secs(20), async {
        while world.cloud.ledger().len() < reads + 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    more.await.expect("the operator tries again");
    let after = world.orders().get("www").await.unwrap();
    assert_eq!(before.metadata.resource_version, after.metadata.resource_version);
}
