//! SM2 products: nothing in Kubernetes serves their certificates, so nothing is sent for an order that wants one there.

use serde_json::{Value, json};

use super::support::*;
use crate::api::v1alpha1::CertificateOrderSpec;
use crate::api::v1alpha1::conditions::Reason;
use crate::core::annotations::RESUBMIT_AT;
use crate::core::observation::{Observation, Stage};
use crate::core::product::{Algorithms, Product};
use crate::order::facts::Action;
use crate::order::plan::Step;
use crate::order::plan::algorithms::unserved;

fn spec(changes: &Value) -> CertificateOrderSpec {
    let mut spec = json!({
        "provider": {"tencentCloud": {"certificateId": ID}},
        "credentialsRef": {"name": "cloud"},
        "commonName": NAME,
    });
    spec.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    serde_json::from_value(spec).unwrap()
}

fn product(algorithms: Option<Algorithms>) -> Product {
    Product { name: Some("DNSPod SM2 DV".to_owned()), algorithms, ..Product::default() }
}

fn sm2() -> Product {
    product(Some(Algorithms::Sm2))
}

/// The same observation, of an SM2 product.
fn of_sm2(seen: Observation) -> Observation {
    Observation { product: sm2(), ..seen }
}

/// What a message asks for, after what is wrong.
const WHY: &str = "the paid certificate (DNSPod SM2 DV) is an SM2 product: nothing in Kubernetes serves SM2, and its keys are \
                   made at the cloud alone; ";

#[test]
fn an_sm2_product_is_for_orders_that_leave_key_and_certificate_at_the_cloud() {
    let cloud = json!({"source": "Cloud"});
    let selector = json!({"name": "mine", "key": "k"});
    let set = "set spec.privateKey.source to Cloud";
    let cases = [
        (json!({}), Some(set.to_owned())),
        (json!({"privateKey": {"algorithm": "ECDSA"}}), Some(set.to_owned())),
        (json!({"secretName": "tls"}), Some(format!("{set} and remove spec.secretName"))),
        (json!({"privateKey": cloud, "secretName": "tls"}), Some("remove spec.secretName".to_owned())),
        (
            json!({"privateKey": cloud, "secretName": "tls", "keystores": {"jks": {"passwordSecretRef": selector}}}),
            Some("remove spec.secretName, spec.keystores".to_owned()),
        ),
        (json!({"csr": "any"}), Some(format!("{set} and remove spec.csr"))),
        (
            json!({"csrSecretRef": selector, "privateKeySecretRef": selector, "secretName": "tls"}),
            Some(format!("{set} and remove spec.csrSecretRef, spec.privateKeySecretRef, spec.secretName")),
        ),
        (json!({"privateKey": cloud}), None),
        (json!({"privateKey": {"source": "Cloud", "algorithm": "ECDSA", "size": 256}}), None),
        // The id alone is for a server of the cloud.
        (
            json!({
                "privateKey": cloud,
                "provider": {"tencentCloud": {"certificateId": ID, "tkeSecretName": "tke"}},
            }),
            None,
        ),
    ];
    for (changes, expected) in cases {
        let spec = spec(&changes);
        let found = unserved(&spec, Some(&sm2()));
        let expected = expected.map(|instead| (Reason::InvalidRequest, format!("{WHY}{instead}")));
        assert_eq!(found.map(|problem| (problem.reason, problem.message)), expected, "{changes}");
        for unnamed in [Some(product(None)), Some(product(Some(Algorithms::International))), None] {
            assert_eq!(unserved(&spec, unnamed.as_ref()), None, "{changes} {unnamed:?}");
        }
    }
}

#[test]
fn an_order_that_asks_for_sm2_itself_counts_as_one_of_such_a_product() {
    let asks = |field: &str, value: &str, source: &str| {
        let block = json!({"tencentCloud": {"certificateId": ID, field: value}});
        spec(&json!({"provider": block, "privateKey": {"source": source}}))
    };
    for (field, value) in [("signAlgorithm", "SM2"), ("signAlgorithm", "sm3withsm2"), ("caType", "SM2")] {
        for product in [None, Some(product(None)), Some(product(Some(Algorithms::International)))] {
            let problem = unserved(&asks(field, value, "InCluster"), product.as_ref()).unwrap();
            let says = format!("spec.provider.tencentCloud.{field} asks for SM2 ({value}): ");
            assert!(problem.message.starts_with(&says), "{problem}");
            assert!(
                problem.message.ends_with(&format!("or leave out spec.provider.tencentCloud.{field}")),
                "{problem}"
            );
            assert_eq!(unserved(&asks(field, value, "Cloud"), product.as_ref()), None);
        }
        let named = unserved(&asks(field, value, "InCluster"), Some(&sm2())).unwrap();
        assert!(named.message.starts_with(WHY), "{named}");
    }
    for (field, value) in
        [("signAlgorithm", "SHA256withRSA"), ("signAlgorithm", "ECC"), ("caType", "sectigo")]
    {
        assert_eq!(unserved(&asks(field, value, "InCluster"), None), None, "{field} {value}");
    }
}

/// The scene's order leaves its key to the cloud.
fn with_a_key_of_the_cloud(mut scene: Scene) -> Scene {
    scene.order.spec.private_key = serde_json::from_value(json!({"source": "Cloud"})).unwrap();
    scene
}

#[test]
fn nothing_is_submitted_and_no_key_is_made_for_a_certificate_that_nothing_can_serve() {
    let resubmit = |scene: Scene| scene.annotated(RESUBMIT_AT, &at(60).to_string()).at(70);
    let held = || of_sm2(holding("A"));
    let refused: [fn() -> Scene; 4] =
        [scene, || scene().planning(), || scene().in_one_call(), || scene().restarted(60).at(70)];
    for (number, refused) in refused.into_iter().enumerate() {
        let scene = refused().sees(of_sm2(awaiting()));
        assert_eq!(halted(&scene.plan()), Some(Reason::InvalidRequest), "{number}");
        let allowed = with_a_key_of_the_cloud(scene);
        assert!(
            matches!(allowed.plan(), Step::Write { .. } | Step::Show(_)),
            "{number}: {:?}",
            allowed.plan()
        );
    }
    // Not even the key is made, and a request that cannot be built is no reason to mend it first.
    for missing in [Reason::KeyLost, Reason::CsrInvalid, Reason::SecretNotFound] {
        let lacks = scene().sees(of_sm2(awaiting())).lacks(halt(missing));
        assert_eq!(halted(&lacks.plan()), Some(Reason::InvalidRequest), "{missing:?}");
    }
    let credentials =
        with_a_key_of_the_cloud(scene().sees(of_sm2(awaiting())).lacks(halt(Reason::SecretNotFound)));
    assert_eq!(halted(&credentials.plan()), Some(Reason::SecretNotFound));
    // What another process or an earlier version handed in is not ordered.
    assert_eq!(halted(&scene().sees(held()).plan()), Some(Reason::InvalidRequest));
    let submitted = scene().submitted("A", 0).sees(held()).at(60);
    assert_eq!(halted(&submitted.plan()), Some(Reason::InvalidRequest));
    assert_eq!(with_a_key_of_the_cloud(submitted).plan(), write(Action::Order, 1));
    let rejected = of_sm2(seen(Stage::Rejected, &[NAME]));
    let again = resubmit(scene().ended(Stage::Rejected)).sees(rejected);
    assert_eq!(halted(&again.plan()), Some(Reason::InvalidRequest));
    // An intent is given up once it is known to have had no effect.
    let intent = scene().intends(to_submit("A", 0)).sees(of_sm2(awaiting())).at(ABSENCE_COUNTS);
    assert!(matches!(intent.plan(), Step::NotLanded(problem) if problem.reason == Reason::InvalidRequest));
}

#[test]
fn what_runs_at_the_ca_is_followed_whatever_its_product_is() {
    for stage in [Stage::Validating, Stage::Reviewing, Stage::Issuing, Stage::Issued] {
        let scene = scene().ordered("A", 0).sees(of_sm2(seen(stage, &[NAME]))).at(60);
        assert_eq!(scene.plan(), Step::Follow, "{stage}");
    }
    let landed = scene().intends(to_submit("A", 0)).sees(of_sm2(holding("A"))).at(1);
    assert_eq!(landed.plan(), Step::Landed(Action::Submit), "evidence is judged first");
}

#[test]
fn an_application_that_cannot_be_edited_any_more_needs_a_new_order() {
    let message = |scene: Scene| match scene.plan() {
        Step::Halt(problem) => problem.message,
        step => panic!("{step:?}"),
    };
    let frozen = message(scene().submitted("A", 0).sees(of_sm2(holding("A"))).at(60));
    assert!(frozen.ends_with("deleted and created again: nothing was ordered"), "{frozen}");
    let open = message(scene().sees(of_sm2(awaiting())));
    assert!(open.ends_with("set spec.privateKey.source to Cloud"), "{open}");
}
