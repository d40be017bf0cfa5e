//! Products with the Chinese algorithms: nothing in Kubernetes serves them, which is said before anything is sent.

use certorder::api::v1alpha1::CertificateOrder;
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};

use crate::clouds::{Kind, Product, for_both_clouds};
use crate::fixtures::{self, CERTIFICATE, NAME};
use crate::world::{World, message};

for_both_clouds! {
    what_nothing_in_kubernetes_can_serve_is_said_before_anything_is_sent,
    with_a_key_of_the_cloud_and_without_a_secret_an_sm2_certificate_is_ordered_and_issued,
}

/// An order of this certificate with these fields; null removes one.
fn order(world: &World, name: &str, certificate: &str, fields: &Value) -> Value {
    let block = match world.kind {
        Kind::Tencent => "tencentCloud",
        Kind::Huawei => "huaweiCloud",
    };
    let mut order = world.order(name);
    order["spec"]["provider"][block]["certificateId"] = json!(certificate);
    order["spec"]["mode"] = json!("Plan");
    for (field, value) in fields.as_object().unwrap() {
        order["spec"][field] = value.clone();
    }
    order["spec"].as_object_mut().unwrap().retain(|_, value| !value.is_null());
    order
}

async fn what_nothing_in_kubernetes_can_serve_is_said_before_anything_is_sent(kind: Kind) {
    let world = World::start_at(kind).await;
    let cases = [
        ("made-here", "scs1590053258711", json!({"privateKey": null}), "set spec.privateKey.source to Cloud"),
        (
            "own-csr",
            "scs1590053258712",
            json!({"privateKey": null, "csr": fixtures::csr(&[NAME])}),
            "set spec.privateKey.source to Cloud and remove spec.csr",
        ),
        (
            "with-secret",
            "scs1590053258713",
            json!({"privateKey": {"source": "Cloud"}, "secretName": "with-secret-tls"}),
            "remove spec.secretName",
        ),
    ];
    for (name, certificate, fields, instead) in cases {
        world.site.buy(certificate, Product::Sm2);
        world.create::<CertificateOrder>(order(&world, name, certificate, &fields)).await;
        for mode in ["Plan", "Apply"] {
            world.edit::<CertificateOrder>(name, json!({"spec": {"mode": mode}})).await;
            let status = world.until_is(name, "Stalled", "True", "InvalidRequest").await;
            let says = message(&status, "Stalled");
            assert!(says.contains("is an SM2 product: nothing in Kubernetes serves SM2"), "{says}");
            assert!(says.ends_with(instead), "{says}");
            assert!(status.plan.is_none() && status.submission.is_none(), "{status:?}");
        }
        assert_eq!(world.made_for(kind.submit(), certificate), 0, "{name}");
        let secret = world.api_of::<Secret>().get_opt(&format!("{name}-key")).await.unwrap();
        assert!(secret.is_none(), "no key is made for it");
        let mended = json!({"privateKey": {"source": "Cloud"}, "csr": null, "secretName": null});
        world.edit::<CertificateOrder>(name, json!({ "spec": mended })).await;
        world.until_is(name, "Submitted", "True", "Accepted").await;
        assert_eq!(world.made_for(kind.submit(), certificate), 1, "{name}");
    }
}

async fn with_a_key_of_the_cloud_and_without_a_secret_an_sm2_certificate_is_ordered_and_issued(kind: Kind) {
    let world = World::start_at(kind).await;
    world.site.buy(world.certificate(), Product::Sm2);
    let mut order = world.order("www");
    order["spec"]["mode"] = json!("Plan");
    world.create::<CertificateOrder>(order).await;
    let shown = world.until_is("www", "Planned", "True", "Planned").await;
    if kind == Kind::Huawei {
        let plan = shown.plan.unwrap();
        assert_eq!(plan.request["key_algorithm"], "SM2");
        assert!(plan.next.contains("the cloud makes an SM2 key"), "{}", plan.next);
    }
    world.edit::<CertificateOrder>("www", json!({"spec": {"mode": "Apply"}})).await;
    world.until_is("www", "Ordered", "True", "Accepted").await;
    while !world.site.advance(world.certificate()) {}
    world.until_is("www", "Ready", "True", "Issued").await;
    for call in kind.names().apply {
        assert_eq!(world.made(call), 1, "{call}");
    }
    assert_eq!(world.made(kind.names().download), 0, "its key stays at the cloud");
}

#[tokio::test]
async fn the_id_of_an_sm2_certificate_is_written_for_the_clouds_own_ingress_and_nothing_is_fetched() {
    let world = World::start().await;
    world.site.buy(CERTIFICATE, Product::Sm2);
    let mut order = world.order("www");
    order["spec"]["provider"]["tencentCloud"]["tkeSecretName"] = json!("www-tke");
    world.create::<CertificateOrder>(order).await;
    world.until_is("www", "Ordered", "True", "Accepted").await;
    while !world.site.advance(CERTIFICATE) {}
    world.until_is("www", "SecretSynced", "True", "Synced").await;
    let data = world.api_of::<Secret>().get("www-tke").await.unwrap().data.unwrap();
    let entries: Vec<_> = data.iter().map(|(key, value)| (key.as_str(), value.0.as_slice())).collect();
    assert_eq!(entries, [("qcloud_cert_id", CERTIFICATE.as_bytes())]);
    for call in ["DescribeCertificateDetail", "DownloadCertificate"] {
        assert_eq!(world.called(call), 0, "{call}");
    }
}

#[tokio::test]
async fn an_order_that_asks_for_sm2_itself_is_refused_whatever_its_product_is() {
    let world = World::start().await;
    world.site.buy(CERTIFICATE, Product::Dv);
    let mut order = world.order("www");
    order["spec"]["provider"]["tencentCloud"]["signAlgorithm"] = json!("SM2");
    order["spec"]["privateKey"] = json!({"source": "InCluster"});
    world.create::<CertificateOrder>(order).await;
    let status = world.until_is("www", "Stalled", "True", "InvalidRequest").await;
    let says = message(&status, "Stalled");
    assert!(says.starts_with("spec.provider.tencentCloud.signAlgorithm asks for SM2"), "{says}");
    assert_eq!(world.carried_out("CertificateInfoSubmit", CERTIFICATE), 0);
}
