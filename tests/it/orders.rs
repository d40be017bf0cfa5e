//! From `kubectl apply` to the RequestId, and on to the CA's answer.

use certorder::api::v1alpha1::{CertificateOrder, OrganizationProfile};
use serde_json::{Value, json};

use crate::clouds::{Kind, Product, for_both_clouds};
use crate::fixtures::{self, NAME};
use crate::world::{World, condition, message};

for_both_clouds! {
    an_order_gets_the_request_id_of_its_submission,
    an_organisations_order_sends_its_profile_and_its_own_csr,
    an_order_is_followed_until_it_is_issued,
}

async fn an_order_gets_the_request_id_of_its_submission(kind: Kind) {
    let world = World::start_at(kind).await;
    world.site.buy(world.certificate(), Product::Dv);
    world.create::<CertificateOrder>(world.order("www")).await;
    let status = world.until_is("www", "Ordered", "True", "Accepted").await;

    let submitted = world.last_call(kind.submit());
    assert!(submitted.request_id.is_some());
    assert_eq!(status.request_id, submitted.request_id.clone());
    assert_eq!(status.provider.as_deref(), Some(kind.names().cloud));
    assert_eq!(status.certificate_id.as_deref(), Some(world.certificate()));
    assert_eq!(condition(&status, "Submitted"), Some(("True".into(), "Accepted".into())));
    assert!(message(&status, "Submitted").contains(submitted.request_id.as_deref().unwrap()));
    let ours = status.submission.unwrap();
    assert!(ours.frozen && ours.intent.is_none() && !ours.adopted);
    assert!(ours.submitted_at.is_some() && ours.ordered_at.is_some() && ours.payload_hash.is_some());
    let last = status.last_request.unwrap();
    assert_eq!((last.action.as_str(), last.outcome.as_str()), (kind.order(), "Accepted"));
    assert_eq!(last.request_id, world.last_call(kind.order()).request_id);
    for call in kind.names().apply {
        assert_eq!(world.made(call), 1, "{call}");
    }
    match kind {
        Kind::Tencent => assert_eq!(submitted.body["CompanyType"], 1),
        Kind::Huawei => {
            let flags = (&submitted.body["auto_dns_auth"], &submitted.body["agree_privacy_protection"]);
            assert_eq!(flags, (&Value::from(false), &Value::from(true)));
        }
    }
}

async fn an_organisations_order_sends_its_profile_and_its_own_csr(kind: Kind) {
    let world = World::start_at(kind).await;
    world.site.buy(world.certificate(), Product::Ov);
    let csr = fixtures::csr(&[NAME]);
    if kind == Kind::Tencent {
        world.create::<OrganizationProfile>(fixtures::profile()).await;
    }
    let mut order = fixtures::company("www", &csr);
    let block = world.order("www")["spec"].clone();
    order["spec"]["credentialsRef"] = block["credentialsRef"].clone();
    order["spec"]["provider"] = block["provider"].clone();
    if kind == Kind::Tencent {
        order["spec"]["provider"]["tencentCloud"]["contactEmail"] = json!(null);
    }
    world.create::<CertificateOrder>(order).await;
    world.until_is("www", "Submitted", "True", "Accepted").await;
    world.until_profile("acme", "True", "Complete").await;
    let body = world.last_call(kind.submit()).body;
    let [domain, organization, request] = kind.names().parameters;
    assert_eq!(body[request].as_str().unwrap().trim(), csr.trim());
    assert_eq!((&body[domain], &body[organization]), (&json!(NAME), &json!("Acme Trading Co., Ltd.")));
    // By default the administrator is the technical contact.
    let [administrator, technical] = match kind {
        Kind::Tencent => ["AdminEmail", "TechEmail"],
        Kind::Huawei => ["applicant_email", "contact_email"],
    };
    assert_eq!(
        (&body[administrator], &body[technical]),
        (&json!("pki@acme.example"), &json!("pki@acme.example"))
    );
    for absent in ["KeyPass", "DnsNames", "sans", "key_algorithm"] {
        assert!(body.get(absent).is_none(), "{absent}");
    }
}

async fn an_order_is_followed_until_it_is_issued(kind: Kind) {
    let world = World::start_at(kind).await;
    world.site.buy(world.certificate(), Product::Dv);
    world.create::<CertificateOrder>(world.order("www")).await;
    let status = world.until_is("www", "Ready", "Unknown", "AwaitingValidation").await;
    let record = status.validation_records.first().unwrap();
    assert!(message(&status, "ActionRequired").contains(&record.value), "{status:?}");
    assert_eq!(status.phase.as_deref(), Some("Validating"));
    while !world.site.advance(world.certificate()) {}
    let status = world.until_is("www", "Ready", "True", "Issued").await;
    assert_eq!(condition(&status, "Reconciling"), None);
    assert_eq!(condition(&status, "ActionRequired"), None);
    assert!(status.not_after.is_some() && status.not_before.is_some());
    assert_eq!(world.made(kind.order()), 1);
    // One pass hands the application in and sends the order, and is one Event.
    for reason in ["Submitted", "Issued"] {
        world.until_event(reason).await;
    }
}
