//! Keys that never leave the cluster, and the Secret for the issued certificate.

use certorder::api::v1alpha1::{CertificateOrder, OrganizationProfile};
use certorder_sim::tencent::Product;
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};
use x509_parser::prelude::FromDer;

use crate::clouds::{self, Kind, for_both_clouds};
use crate::fixtures::{self, CERTIFICATE, NAME};
use crate::world::{World, condition, message};

for_both_clouds! {
    an_issued_certificate_stands_in_its_secret_with_the_key_that_never_left_the_cluster,
    the_end_in_the_status_is_the_certificates_own_whatever_the_cloud_tells,
    a_deleted_or_edited_secret_is_restored_without_a_new_order,
    a_re_created_order_keeps_its_key_and_takes_its_certificate_over,
    a_missing_key_is_reported_and_no_other_one_is_made,
    a_csr_without_its_key_gives_an_opaque_secret_and_with_it_a_tls_secret,
    a_key_of_the_cloud_comes_with_the_certificate_and_keystores_hold_both,
    a_secret_that_is_not_the_orders_is_never_overwritten,
}

/// An order with an ECDSA key, made in the cluster, and a Secret.
fn with_secret(world: &World) -> Value {
    let mut order = world.order("www");
    order["spec"]["privateKey"] = json!({"algorithm": "ECDSA"});
    order["spec"]["secretName"] = json!("www-tls");
    order
}

async fn issued(world: &World, order: Value) {
    world.site.buy(world.certificate(), clouds::Product::Dv);
    world.create::<CertificateOrder>(order).await;
    issue(world).await;
}

async fn issue(world: &World) {
    world
        .until("www", "ordered", |status| condition(status, "Ordered").is_some_and(|(is, _)| is == "True"))
        .await;
    while !world.site.advance(world.certificate()) {}
}

async fn secret(world: &World, name: &str) -> Secret {
    world.api_of::<Secret>().get(name).await.unwrap()
}

fn entry(secret: &Secret, key: &str) -> String {
    String::from_utf8(secret.data.as_ref().unwrap()[key].0.clone()).unwrap()
}

async fn an_issued_certificate_stands_in_its_secret_with_the_key_that_never_left_the_cluster(kind: Kind) {
    let world = World::start_at(kind).await;
    let mut order = with_secret(&world);
    order["spec"]["secretTemplate"] = json!({"labels": {"team": "web"}, "annotations": {"note": "x"}});
    issued(&world, order).await;
    let status = world.until_is("www", "Ready", "True", "Issued").await;
    assert_eq!(condition(&status, "SecretSynced"), Some(("True".into(), "Synced".into())));
    let tls = secret(&world, "www-tls").await;
    assert_eq!(tls.type_.as_deref(), Some("kubernetes.io/tls"));
    assert_eq!(tls.metadata.labels.as_ref().unwrap()["team"], "web");
    assert!(tls.metadata.owner_references.is_none(), "a pruned order does not take its certificate along");
    let key = entry(&tls, "tls.key");
    assert_eq!(key, entry(&secret(&world, "www-key").await, "tls.key"));
    let chain: Vec<_> = x509_parser::pem::Pem::iter_from_buffer(entry(&tls, "tls.crt").as_bytes())
        .map(Result::unwrap)
        .collect();
    let leaf = chain[0].parse_x509().unwrap();
    let intermediate = chain[1].parse_x509().unwrap();
    assert_eq!((leaf.issuer(), chain.len()), (intermediate.subject(), 2), "no root");
    let pair = rcgen::KeyPair::from_pem(&key).unwrap();
    let public = x509_parser::x509::SubjectPublicKeyInfo::from_der(leaf.public_key().raw).unwrap().1;
    assert_eq!(rcgen::PublicKeyData::subject_public_key_info(&pair), public.raw);
    world.until_event("Issued").await;
    let sent =
        serde_json::to_string(&world.site.ledger().into_iter().map(|call| call.body).collect::<Vec<_>>());
    let inner: String = key.lines().nth(1).unwrap().into();
    assert!(!sent.unwrap().contains(&inner), "the key was never sent");
}

async fn the_end_in_the_status_is_the_certificates_own_whatever_the_cloud_tells(kind: Kind) {
    let world = World::start_at(kind).await;
    issued(&world, with_secret(&world)).await;
    world.site.tell_later_end(world.certificate(), SignedDuration::from_hours(8));
    world.until_is("www", "Ready", "True", "Issued").await;
    world.poke("www").await;
    let status = world.until("www", "poked", |_| true).await;
    let tls = entry(&secret(&world, "www-tls").await, "tls.crt");
    let pem = x509_parser::pem::Pem::iter_from_buffer(tls.as_bytes()).next().unwrap().unwrap();
    let own = pem.parse_x509().unwrap().validity().clone();
    let shown = [status.not_before, status.not_after].map(|time| time.unwrap().0.as_second());
    assert_eq!(shown, [own.not_before.timestamp(), own.not_after.timestamp()]);
}

async fn a_deleted_or_edited_secret_is_restored_without_a_new_order(kind: Kind) {
    let world = World::start_at(kind).await;
    issued(&world, with_secret(&world)).await;
    world.until_is("www", "Ready", "True", "Issued").await;
    let before = secret(&world, "www-tls").await;
    world.delete::<Secret>("www-tls").await;
    world.until_object::<Secret>("www-tls", |secret| secret.data == before.data).await;
    world.edit::<Secret>("www-tls", json!({"stringData": {"tls.crt": "broken", "extra": "x"}})).await;
    let mut data = before.data.clone().unwrap();
    data.insert("extra".into(), k8s_openapi::ByteString(b"x".to_vec()));
    world.until_object::<Secret>("www-tls", |secret| secret.data.as_ref() == Some(&data)).await;
    world.until_is("www", "Ready", "True", "Issued").await;
    assert_eq!(world.made(kind.submit()), 1);
}

async fn a_re_created_order_keeps_its_key_and_takes_its_certificate_over(kind: Kind) {
    let world = World::start_at(kind).await;
    issued(&world, with_secret(&world)).await;
    world.until_is("www", "Ready", "True", "Issued").await;
    let before = secret(&world, "www-tls").await;
    world.delete::<CertificateOrder>("www").await;
    world.delete::<Secret>("www-tls").await;
    world.create::<CertificateOrder>(with_secret(&world)).await;
    let status = world.until_is("www", "Ready", "True", "Issued").await;
    assert_eq!(condition(&status, "Submitted"), Some(("True".into(), "Adopted".into())));
    assert_eq!(secret(&world, "www-tls").await.data, before.data);
    assert_eq!(world.made(kind.submit()), 1);
}

async fn a_missing_key_is_reported_and_no_other_one_is_made(kind: Kind) {
    let mut world = World::start_at(kind).await;
    issued(&world, with_secret(&world)).await;
    world.until_is("www", "Ready", "True", "Issued").await;
    // The operator is stopped, so what is deleted here is not restored meanwhile.
    world.stop().await;
    world.delete::<CertificateOrder>("www").await;
    world.delete::<Secret>("www-tls").await;
    world.delete::<Secret>("www-key").await;
    world.create::<CertificateOrder>(with_secret(&world)).await;
    world.run();
    let status = world.until_is("www", "SecretSynced", "False", "KeyNotHeld").await;
    assert_eq!(condition(&status, "Issued"), Some(("True".into(), "Issued".into())));
    assert!(world.api_of::<Secret>().get_opt("www-key").await.unwrap().is_none());
    assert!(world.api_of::<Secret>().get_opt("www-tls").await.unwrap().is_none());
}

async fn a_csr_without_its_key_gives_an_opaque_secret_and_with_it_a_tls_secret(kind: Kind) {
    let world = World::start_at(kind).await;
    let pair = rcgen::KeyPair::generate().unwrap();
    let mut order = world.order("www");
    order["spec"].as_object_mut().unwrap().remove("privateKey");
    order["spec"]["csr"] = json!(fixtures::csr_of(&pair, &[NAME]));
    order["spec"]["secretName"] = json!("www-tls");
    issued(&world, order).await;
    world.until_is("www", "SecretSynced", "True", "Synced").await;
    let opaque = secret(&world, "www-tls").await;
    assert_eq!(opaque.type_.as_deref(), Some("Opaque"));
    assert!(!opaque.data.unwrap().contains_key("tls.key"));
    let key = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "mine"},
        "stringData": {"key.pem": pair.serialize_pem()},
    });
    world.create::<Secret>(key).await;
    let change =
        json!({"secretName": "www-tls-2", "privateKeySecretRef": {"name": "mine", "key": "key.pem"}});
    world.edit::<CertificateOrder>("www", json!({"spec": change})).await;
    world
        .until_object::<Secret>("www-tls-2", |secret| secret.type_.as_deref() == Some("kubernetes.io/tls"))
        .await;
}

async fn a_key_of_the_cloud_comes_with_the_certificate_and_keystores_hold_both(kind: Kind) {
    let world = World::start_at(kind).await;
    let password = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "store", "labels": {"certorder.dev/readable": "true"}},
        "stringData": {"password": "changeit"},
    });
    world.create::<Secret>(password).await;
    let mut order = world.order("www");
    order["spec"]["secretName"] = json!("www-tls");
    let reference = json!({"passwordSecretRef": {"name": "store", "key": "password"}});
    order["spec"]["keystores"] = json!({"pkcs12": reference, "jks": reference});
    if kind == Kind::Tencent {
        order["spec"]["provider"]["tencentCloud"]["tkeSecretName"] = json!("www-tke");
    }
    issued(&world, order).await;
    world.until_is("www", "Ready", "True", "Issued").await;
    let data = secret(&world, "www-tls").await.data.unwrap();
    for key in ["tls.crt", "tls.key", "keystore.p12", "keystore.jks"] {
        assert!(data.contains_key(key), "{key}");
    }
    if kind == Kind::Tencent {
        assert_eq!(entry(&secret(&world, "www-tke").await, "qcloud_cert_id"), CERTIFICATE);
    }
    assert!(opens(&data["keystore.p12"].0, "changeit"));

    world.edit::<Secret>("store", json!({"stringData": {"password": "changed"}})).await;
    world
        .until_object::<Secret>("www-tls", |secret| {
            opens(&secret.data.as_ref().unwrap()["keystore.p12"].0, "changed")
        })
        .await;
    world.until_is("www", "Ready", "True", "Issued").await;
    let before = secret(&world, "www-tls").await;
    world.poke("www").await;
    world.until("www", "poked", |_| true).await;
    assert_eq!(secret(&world, "www-tls").await, before, "what is as it should be is not written again");
}

/// Whether a PKCS #12 file opens with a password, and has a key with leaf and intermediate.
fn opens(file: &[u8], password: &str) -> bool {
    let store = p12_keystore::KeyStore::from_pkcs12(file, password, p12_keystore::Pkcs12ImportPolicy::Strict);
    store.is_ok_and(|store| store.private_key_chain().is_some_and(|(_, chain)| chain.certs().len() == 2))
}

async fn a_secret_that_is_not_the_orders_is_never_overwritten(kind: Kind) {
    let world = World::start_at(kind).await;
    let theirs = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "www-tls"}, "stringData": {"a": "b"}});
    world.site.buy(world.certificate(), clouds::Product::Dv);
    world.create::<CertificateOrder>(with_secret(&world)).await;
    world
        .until("www", "ordered", |status| condition(status, "Ordered").is_some_and(|(is, _)| is == "True"))
        .await;
    // What is there before the order is submitted keeps it from that: tests/it/outputs.rs.
    world.create::<Secret>(theirs).await;
    issue(&world).await;
    let status = world.until_is("www", "SecretSynced", "False", "SecretConflict").await;
    assert_eq!(condition(&status, "Issued"), Some(("True".into(), "Issued".into())));
    assert!(message(&status, "SecretSynced").contains("is left alone"));
    assert_eq!(entry(&secret(&world, "www-tls").await, "a"), "b");
    world.delete::<Secret>("www-tls").await;
    world.until_is("www", "Ready", "True", "Issued").await;
}

#[tokio::test]
async fn a_lost_key_of_a_running_order_stops_it_and_is_never_replaced() {
    let world = World::start().await;
    world.buy(CERTIFICATE, Product::OV_SINGLE);
    world.create::<OrganizationProfile>(fixtures::profile()).await;
    let mut order = fixtures::company("www", "");
    order["spec"].as_object_mut().unwrap().remove("csr");
    world.create::<CertificateOrder>(order).await;
    world.until_is("www", "Reconciling", "True", "InReview").await;
    let subject =
        world.cloud.ledger().into_iter().find(|call| call.action == "CertificateInfoSubmit").unwrap();
    assert!(subject.body.json()["Csr"].as_str().unwrap().contains("BEGIN CERTIFICATE REQUEST"));
    let key = secret(&world, "www-key").await;
    world.delete::<Secret>("www-key").await;
    world.until_is("www", "Stalled", "True", "KeyLost").await;
    assert!(world.api_of::<Secret>().get_opt("www-key").await.unwrap().is_none());

    let mut restored = serde_json::to_value(&key).unwrap();
    restored["metadata"] = json!({"name": "www-key", "annotations": key.metadata.annotations});
    world.create::<Secret>(restored).await;
    world.until_is("www", "Reconciling", "True", "InReview").await;
    assert_eq!(world.carried_out("CertificateInfoSubmit", CERTIFICATE), 1);
}

#[tokio::test]
async fn a_kept_key_that_cannot_be_used_is_said_and_left_alone() {
    let world = World::start().await;
    let garbage = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "www-key", "annotations": {
            "certorder.dev/order": "www", "certorder.dev/certificate-id": CERTIFICATE,
        }},
        "stringData": {"tls.key": "no key"},
    });
    world.create::<Secret>(garbage).await;
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world.create::<CertificateOrder>(with_secret(&world)).await;
    world.until_is("www", "Stalled", "True", "KeyLost").await;
    let rsa = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    world.edit::<Secret>("www-key", json!({"stringData": {"tls.key": rsa.serialize_pem()}})).await;
    let status = world.until_is("www", "Stalled", "True", "CsrMismatch").await;
    assert!(message(&status, "Stalled").contains("holds RSA 2048"), "{}", message(&status, "Stalled"));
    assert_eq!(world.carried_out("CertificateInfoSubmit", CERTIFICATE), 0);
    world.delete::<Secret>("www-key").await;
    world.until_is("www", "Submitted", "True", "Accepted").await;
}

#[tokio::test]
async fn a_secret_that_cannot_be_written_is_said_and_written_once_it_can() {
    let world = World::start().await;
    world.site.buy(world.certificate(), clouds::Product::Dv);
    world.create::<CertificateOrder>(with_secret(&world)).await;
    world
        .until("www", "ordered", |status| condition(status, "Ordered").is_some_and(|(is, _)| is == "True"))
        .await;
    let opaque = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": "www-tls", "annotations": {
            "certorder.dev/order": "www", "certorder.dev/certificate-id": CERTIFICATE,
        }},
    });
    world.create::<Secret>(opaque).await;
    issue(&world).await;
    let status = world
        .until("www", "reporting the type", |status| {
            message(status, "SecretSynced").contains("the type Opaque")
        })
        .await;
    assert_eq!(condition(&status, "Issued"), Some(("True".into(), "Issued".into())));
    world.delete::<Secret>("www-tls").await;
    world.until_is("www", "Ready", "True", "Issued").await;
}
