//! Every problem has a reason and says what to do, sends nothing, and is resolved without a restart.

use std::time::Duration;

use certorder::api::v1alpha1::{CertificateOrder, OrganizationProfile};
use certorder_sim::tencent::{Product, Status};
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};

use crate::clouds::{self, Kind, Slip, for_both_clouds};
use crate::fixtures::{self, CERTIFICATE, NAME};
use crate::world::{World, condition, message};

for_both_clouds! {
    a_secret_that_is_created_later_wakes_its_order,
    a_secret_that_lacks_a_key_wakes_its_order_once_it_has_it,
    refused_credentials_wake_the_order_once_they_are_replaced,
    an_unknown_certificate_is_looked_up_again_on_request,
    a_product_that_does_not_fit_is_judged_once_the_cloud_names_it,
    a_throttled_submission_is_sent_again_by_itself,
    a_cloud_without_answer_is_read_again_by_itself,
    a_certificate_in_use_for_other_names_is_never_touched,
    equal_failures_write_the_status_once,
    a_wrong_clock_holds_orders_up_only_until_it_is_set,
    entries_of_credentials_that_are_not_read_are_named,
}

/// Waits for a problem, checks its message and that nothing was sent, fixes it, and waits for the submission.
async fn recovers(world: &World, reason: &str, says: &str, fix: impl AsyncFnOnce(&World)) {
    let stopped = [
        "SecretNotFound",
        "SecretKeyMissing",
        "ProfileNotFound",
        "RateLimited",
        "CloudUnavailable",
        "ClockSkew",
    ];
    let waits = stopped.contains(&reason);
    let (type_, other, ready) =
        if waits { ("Reconciling", "Stalled", "Unknown") } else { ("Stalled", "Reconciling", "False") };
    let status = world.until_is("www", type_, "True", reason).await;
    assert_eq!(condition(&status, "Ready"), Some((ready.into(), reason.into())));
    assert_eq!(condition(&status, other), None);
    assert!(message(&status, "Ready").contains(says), "{}", message(&status, "Ready"));
    assert_eq!(world.made(world.kind.submit()), 0);
    assert!(status.submission.is_none_or(|ours| !ours.frozen), "what was refused can be edited");
    fix(world).await;
    world.until_is("www", "Submitted", "True", "Accepted").await;
    assert_eq!(world.made(world.kind.submit()), 1);
}

/// An order whose key is made in the cluster.
fn with_own_key(world: &World) -> Value {
    with(world.order("www"), "/spec/privateKey", json!({"algorithm": "ECDSA"}))
}

/// A world of this cloud with an order and a bought certificate for it.
async fn world_of(kind: Kind, edit: impl FnOnce(Value) -> Value) -> World {
    let world = World::start_at(kind).await;
    world.site.buy(world.certificate(), clouds::Product::Dv);
    world.create::<CertificateOrder>(edit(world.order("www"))).await;
    world
}

async fn world_with(product: Product, order: Value) -> World {
    let world = World::start().await;
    world.buy(CERTIFICATE, product);
    world.create::<CertificateOrder>(order).await;
    world
}

/// The Secret with the credentials of a cloud, and the key in it.
fn credentials(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Tencent => ("tencent-credentials", fixtures::SECRET_KEY),
        Kind::Huawei => ("huawei-credentials", fixtures::HUAWEI_SECRET_KEY),
    }
}

/// The same Secret under a name of its own.
fn late(kind: Kind) -> Value {
    let secret = match kind {
        Kind::Tencent => fixtures::credentials(),
        Kind::Huawei => fixtures::huawei_credentials(),
    };
    with(secret, "/metadata/name", "late".into())
}

fn with(mut order: Value, pointer: &str, value: Value) -> Value {
    *order.pointer_mut(pointer).unwrap() = value;
    order
}

async fn a_secret_that_is_created_later_wakes_its_order(kind: Kind) {
    let world = World::start_at(kind).await;
    world.site.buy(world.certificate(), clouds::Product::Dv);
    let order = with(with_own_key(&world), "/spec/credentialsRef/name", "late".into());
    world.create::<CertificateOrder>(order).await;
    recovers(&world, "SecretNotFound", "Secret late of spec.credentialsRef does not exist", async |world| {
        world.create::<Secret>(late(kind)).await;
    })
    .await;
}

async fn a_secret_that_lacks_a_key_wakes_its_order_once_it_has_it(kind: Kind) {
    let world = World::quiet_at(kind).await;
    let mut world = world;
    world.edit::<Secret>(credentials(kind).0, json!({"data": {"secretKey": null}})).await;
    world.run();
    world.site.buy(world.certificate(), clouds::Product::Dv);
    world.create::<CertificateOrder>(world.order("www")).await;
    recovers(&world, "SecretKeyMissing", "secretKey", async |world| {
        world
            .edit::<Secret>(credentials(kind).0, json!({"stringData": {"secretKey": credentials(kind).1}}))
            .await;
    })
    .await;
}

async fn refused_credentials_wake_the_order_once_they_are_replaced(kind: Kind) {
    let mut world = World::quiet_at(kind).await;
    world.edit::<Secret>(credentials(kind).0, json!({"stringData": {"secretKey": "an-old-one"}})).await;
    world.run();
    world.site.buy(world.certificate(), clouds::Product::Dv);
    world.create::<CertificateOrder>(with_own_key(&world)).await;
    recovers(&world, "CredentialsRefused", kind.names().bad_signature, async |world| {
        world
            .edit::<Secret>(credentials(kind).0, json!({"stringData": {"secretKey": credentials(kind).1}}))
            .await;
    })
    .await;
}

/// The operator tries again, at least twice, and the order is not written.
async fn retries_write_nothing(world: &World) {
    let before = world.orders().get("www").await.unwrap();
    let reads = world.site.ledger().len();
    let more = tokio::time::timeout(Duration::from_secs(20), async {
        while world.site.ledger().len() < reads + 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    more.await.expect("the operator tries again");
    let after = world.orders().get("www").await.unwrap();
    assert_eq!(before.metadata.resource_version, after.metadata.resource_version, "a retry writes nothing");
}

async fn a_wrong_clock_holds_orders_up_only_until_it_is_set(kind: Kind) {
    let mut world = World::quiet_at(kind).await;
    world.site.set_clock_ahead(SignedDuration::from_mins(20));
    world.site.buy(world.certificate(), clouds::Product::Dv);
    world.run();
    world.create::<CertificateOrder>(with_own_key(&world)).await;
    world.until_is("www", "Reconciling", "True", "ClockSkew").await;
    retries_write_nothing(&world).await;
    // Nothing but the clock is touched.
    recovers(&world, "ClockSkew", " s behind the cloud's)", async |world| {
        world.site.set_clock_ahead(SignedDuration::ZERO);
    })
    .await;
}

async fn entries_of_credentials_that_are_not_read_are_named(kind: Kind) {
    let mut world = World::quiet_at(kind).await;
    let misnamed = json!({"stringData": {"secretKey": "an-old-one", "SECRET_KEY": credentials(kind).1}});
    world.edit::<Secret>(credentials(kind).0, misnamed).await;
    world.run();
    world.site.buy(world.certificate(), clouds::Product::Dv);
    world.create::<CertificateOrder>(with_own_key(&world)).await;
    let says = "Of the same Secret entry SECRET_KEY is not read: name it secretKey.";
    recovers(&world, "CredentialsRefused", says, async |world| {
        // What works is left alone, and says nothing.
        world
            .edit::<Secret>(credentials(kind).0, json!({"stringData": {"secretKey": credentials(kind).1}}))
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

async fn an_unknown_certificate_is_looked_up_again_on_request(kind: Kind) {
    let world = World::start_at(kind).await;
    world.create::<CertificateOrder>(world.order("www")).await;
    recovers(&world, "CertificateNotFound", "Check certificateId", async |world| {
        world.site.buy(world.certificate(), clouds::Product::Dv);
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

async fn a_product_that_does_not_fit_is_judged_once_the_cloud_names_it(kind: Kind) {
    let world = world_of(kind, |order| with(order, "/spec/commonName", "*.acme.example".into())).await;
    recovers(&world, "InvalidRequest", "wildcard", async |world| {
        world.edit::<CertificateOrder>("www", json!({"spec": {"commonName": NAME}})).await;
    })
    .await;
}

async fn a_throttled_submission_is_sent_again_by_itself(kind: Kind) {
    let world = World::start_at(kind).await;
    world.site.buy(world.certificate(), clouds::Product::Dv);
    world.site.slip(Slip::TooFast(2), kind.submit());
    world.create::<CertificateOrder>(world.order("www")).await;
    recovers(&world, "RateLimited", kind.names().too_fast, async |_| {}).await;
}

async fn a_cloud_without_answer_is_read_again_by_itself(kind: Kind) {
    let world = World::start_at(kind).await;
    world.site.buy(world.certificate(), clouds::Product::Dv);
    for read in [Some(kind.names().read), kind.names().list].into_iter().flatten() {
        world.site.slip(Slip::BadGateway(3), read);
    }
    world.create::<CertificateOrder>(with_own_key(&world)).await;
    recovers(&world, "CloudUnavailable", "tries again by itself", async |_| {}).await;
}

async fn a_certificate_in_use_for_other_names_is_never_touched(kind: Kind) {
    let world = World::start_at(kind).await;
    world.site.buy(world.certificate(), clouds::Product::Dv);
    let other = with(world.order("other"), "/spec/commonName", "shop.acme.example".into());
    world.create::<CertificateOrder>(other).await;
    world.until_is("other", "Ordered", "True", "Accepted").await;
    world.delete::<CertificateOrder>("other").await;
    world.create::<CertificateOrder>(world.order("www")).await;
    let status = world.until_is("www", "Stalled", "True", "CertificateInUse").await;
    assert!(message(&status, "Stalled").contains("shop.acme.example"));
    assert_eq!(world.made(kind.submit()), 1);
    // The recovery: request the names that the certificate is for.
    let order = with(world.order("right"), "/spec/commonName", "shop.acme.example".into());
    world.create::<CertificateOrder>(order).await;
    world.until_is("right", "Submitted", "True", "Adopted").await;
    assert_eq!(world.made(kind.submit()), 1);
}

/// The names, and the person of a DV certificate, are the same; but the key would be the cloud's, which nobody here has.
#[tokio::test]
async fn an_application_for_a_key_of_the_cloud_is_never_ordered_in_place_of_ours() {
    const ORDER: &str = "CertificateOrderSubmit";
    let mut world = World::start().await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world.site.slip(Slip::TooFast(3), ORDER);
    world.create::<CertificateOrder>(with_own_key(&world)).await;
    let status = world.until_is("www", "Reconciling", "True", "RateLimited").await;
    world.stop().await;
    assert!(status.submission.unwrap().payload_hash.is_some());
    world
        .cloud
        .set(CERTIFICATE, |certificate| {
            let submission = certificate.submission.as_mut().unwrap();
            submission.set("GenCsrType", Some("online".into()));
            submission.set("Csr", None);
        })
        .unwrap();
    world.run_ahead(SignedDuration::from_mins(2));
    let status = world.until_is("www", "Stalled", "True", "CertificateInUse").await;
    assert!(message(&status, "Stalled").contains("in CsrType; no order is sent"), "{status:?}");
    assert_eq!(world.made(ORDER), 0);
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

async fn equal_failures_write_the_status_once(kind: Kind) {
    let world = World::start_at(kind).await;
    world.site.buy(world.certificate(), clouds::Product::Dv);
    world.site.slip(Slip::BadGateway(u32::MAX), kind.names().read);
    world.create::<CertificateOrder>(world.order("www")).await;
    world.until_is("www", "Reconciling", "True", "CloudUnavailable").await;
    retries_write_nothing(&world).await;
}
