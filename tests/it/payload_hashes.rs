//! The hash that an order records of its application: its key is made once, shared, lost and replaced, and the hashes of version
//! 0.1.0 are met. Whatever becomes of it, one application and one order are sent.

use certorder::api::v1alpha1::{CertificateOrder, CertificateOrderStatus};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, ObjectMeta, PostParams};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::clouds::{Kind, Product, Slip, for_both_clouds};
use crate::world::{World, condition, message};

for_both_clouds! {
    a_key_that_is_deleted_while_a_call_has_no_answer_leads_to_no_second_application,
    an_upgrade_while_a_call_has_no_answer_leads_to_no_second_application,
    a_hash_of_version_0_1_0_is_replaced_and_nothing_else_changes,
    a_key_that_cannot_be_read_holds_submissions_back_and_says_so,
}

const KEY: &str = "certorder-payload-key";

fn secrets(world: &World) -> Api<Secret> {
    Api::namespaced(world.client(), &world.claims)
}

fn is_ordered(status: &CertificateOrderStatus) -> bool {
    condition(status, "Ordered").is_some_and(|(is, _)| is == "True")
}

fn once(world: &World) {
    for call in world.kind.names().apply {
        assert_eq!(world.made(call), 1, "{call}");
    }
}

fn hash(status: &CertificateOrderStatus) -> Option<String> {
    status.submission.as_ref()?.payload_hash.clone()
}

/// What version 0.1.0 recorded of the application that was sent: one without a CSR and secrets.
fn plain(world: &World) -> Value {
    let sent = world.last_call(world.kind.submit()).bytes;
    format!("sha256:{}", hex::encode(Sha256::digest(sent))).into()
}

/// Changes the stored status while no operator runs.
async fn rewrite(world: &World, change: impl FnOnce(&mut Value)) {
    let mut order = serde_json::to_value(world.orders().get("www").await.unwrap()).unwrap();
    change(&mut order["status"]);
    let order: CertificateOrder = serde_json::from_value(order).unwrap();
    world.orders().replace_status("www", &PostParams::default(), &order).await.unwrap();
}

/// An application was sent, its answer was lost, and the operator has ended.
async fn cut_off(kind: Kind) -> World {
    let mut world = World::start_at(kind).await;
    world.site.buy(world.certificate(), Product::Dv);
    world.site.slip(Slip::ReplyLost, kind.submit());
    let cloud_key = json!({"source": "Cloud", "algorithm": "RSA", "size": 2048});
    let mut order = world.order("www");
    order["spec"]["privateKey"] = cloud_key;
    world.create::<CertificateOrder>(order).await;
    let open = |status: &CertificateOrderStatus| {
        status.submission.as_ref().is_some_and(|submission| submission.intent.is_some())
    };
    world.until("www", "cut off", open).await;
    world.until_is("www", "Reconciling", "True", "Settling").await;
    world.kill();
    world
}

async fn a_key_that_is_deleted_while_a_call_has_no_answer_leads_to_no_second_application(kind: Kind) {
    let mut world = cut_off(kind).await;
    let before = secrets(&world).get(KEY).await.unwrap();
    assert_eq!(before.immutable, Some(true));
    secrets(&world).delete(KEY, &DeleteParams::default()).await.unwrap();
    world.run();
    world.until("www", "ordered", is_ordered).await;
    once(&world);
    assert_ne!(secrets(&world).get(KEY).await.unwrap().data, before.data);
}

async fn an_upgrade_while_a_call_has_no_answer_leads_to_no_second_application(kind: Kind) {
    let mut world = cut_off(kind).await;
    let plain = plain(&world);
    rewrite(&world, |status| {
        if let Some(intent) = status["submission"].get_mut("intent") {
            intent["payloadHash"] = plain;
        }
    })
    .await;
    secrets(&world).delete(KEY, &DeleteParams::default()).await.unwrap();
    world.run();
    let status = world.until("www", "ordered", is_ordered).await;
    once(&world);
    assert!(condition(&status, "Submitted").is_some_and(|(is, _)| is == "True"));
}

async fn a_hash_of_version_0_1_0_is_replaced_and_nothing_else_changes(kind: Kind) {
    let mut world = World::start_at(kind).await;
    world.site.buy(world.certificate(), Product::Dv);
    let mut order = world.order("www");
    order["spec"]["privateKey"] = json!({"source": "Cloud", "algorithm": "RSA", "size": 2048});
    world.create::<CertificateOrder>(order).await;
    let keyed = hash(&world.until("www", "ordered", is_ordered).await).unwrap();
    assert!(keyed.starts_with("hmac-sha256:"), "{keyed}");
    world.stop().await;
    let plain = plain(&world);
    rewrite(&world, |status| status["submission"]["payloadHash"] = plain).await;
    world.run();
    world.until("www", "keyed again", |status| hash(status).as_ref() == Some(&keyed)).await;
    once(&world);
}

async fn a_key_that_cannot_be_read_holds_submissions_back_and_says_so(kind: Kind) {
    let mut world = World::quiet_at(kind).await;
    world.site.buy(world.certificate(), Product::Dv);
    let metadata = ObjectMeta { name: Some(KEY.to_owned()), ..ObjectMeta::default() };
    let data = Some([("key".to_owned(), ByteString(b"short".to_vec()))].into());
    let unfit = Secret { metadata, data, ..Secret::default() };
    secrets(&world).create(&PostParams::default(), &unfit).await.unwrap();
    world.run();
    world.create::<CertificateOrder>(world.order("www")).await;
    let status = world.until_is("www", "Reconciling", "True", "ClaimUnavailable").await;
    assert!(message(&status, "Ready").contains("delete it, and certorder makes another one"), "{status:?}");
    assert_eq!(world.made(kind.submit()), 0);
    secrets(&world).delete(KEY, &DeleteParams::default()).await.unwrap();
    world.until("www", "ordered", is_ordered).await;
    once(&world);
}
