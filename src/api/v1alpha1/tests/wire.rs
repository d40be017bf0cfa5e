//! YAML in, Rust values, YAML out.

use serde_json::{Value, json};

use super::{profile, read, tencent, with};
use crate::api::v1alpha1::{
    CertificateOrder, CertificateOrderStatus, Intent, KeyAlgorithm, KeySource, Mode, OrganizationProfile,
    Submission, TencentSite, ValidationMethod, micros, seconds,
};

const EVERYTHING: &str = include_str!("everything.yaml");

/// Checks that every field of `part` stands in `whole`.
fn contains(whole: &Value, part: &Value, path: &str) {
    let Value::Object(fields) = part else {
        assert_eq!(whole, part, "{path}");
        return;
    };
    for (name, value) in fields {
        contains(&whole[name], value, &format!("{path}.{name}"));
    }
}

#[test]
fn every_field_a_user_can_write_survives_a_round_trip() {
    let written: Vec<Value> = serde_saphyr::from_multiple(EVERYTHING).unwrap();
    assert_eq!(written.len(), 3);
    for object in &written {
        let again = if object["kind"] == "CertificateOrder" {
            serde_json::to_value(read::<CertificateOrder>(object)).unwrap()
        } else {
            serde_json::to_value(read::<OrganizationProfile>(object)).unwrap()
        };
        contains(&again, object, object["kind"].as_str().unwrap());
        assert_eq!(super::judge(object, None), Ok(()));
    }
}

#[test]
fn what_is_absent_has_its_default() {
    let spec = read::<CertificateOrder>(&tencent()).spec;
    assert_eq!(spec.validation.method, ValidationMethod::DNS);
    assert_eq!(spec.mode, Mode::Apply);
    assert_eq!(spec.provider.tencent_cloud.as_ref().unwrap().site, TencentSite::International);
    let key = spec.key();
    assert_eq!((key.source(), key.algorithm(), key.size()), (KeySource::InCluster, KeyAlgorithm::RSA, 2048));

    let elliptic =
        read::<CertificateOrder>(&with(&tencent(), &json!({ "privateKey": { "algorithm": "ECDSA" } })));
    assert_eq!(elliptic.spec.key().size(), 256);
}

#[test]
fn an_unseen_object_is_not_current() {
    assert_eq!(CertificateOrderStatus::default().observed_generation, -1);
    assert_eq!(read::<CertificateOrderStatus>(&json!({})), CertificateOrderStatus::default());
}

#[test]
fn nothing_empty_is_written() {
    assert_eq!(
        serde_json::to_value(CertificateOrderStatus::default()).unwrap(),
        json!({ "observedGeneration": -1 })
    );
}

#[test]
fn times_read_back_equal() {
    let now = "2026-11-22T02:03:04.567890123Z".parse().unwrap();
    let intent = Intent {
        begin_by: None,
        attempt: 1,
        action: "CertificateInfoSubmit".into(),
        payload_hash: None,
        holder: "a".into(),
        started_at: micros(now),
        resubmit_at: None,
    };
    let submission =
        Submission { intent: Some(intent), submitted_at: Some(seconds(now)), ..Submission::default() };
    let written = serde_json::to_value(&submission).unwrap();
    assert_eq!(written["submittedAt"], "2026-11-22T02:03:04Z");
    assert_eq!(written["intent"]["startedAt"], "2026-11-22T02:03:04.567890Z");
    assert_eq!(read::<Submission>(&written), submission);
}

#[test]
fn people_are_not_printed() {
    let profile: OrganizationProfile = read(&profile());
    let order =
        with(&tencent(), &json!({ "provider": { "tencentCloud": { "contactEmail": "ning@acme.example" } } }));
    let printed = format!("{profile:?} {:?}", read::<CertificateOrder>(&order));
    assert!(
        !printed.contains("Ning") && !printed.contains("Huang") && !printed.contains("ning@"),
        "{printed}"
    );
}
