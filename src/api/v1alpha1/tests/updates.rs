//! Rules that compare an object with what it was: fixed fields, and fields frozen while an application is out.

use serde_json::{Value, json};

use super::rules::Case;
use super::{huawei, judge, tencent, with};

/// Fields that never change. The changes are updates of `base`.
fn fixed() -> Vec<Case> {
    let other = huawei()["spec"]["provider"]["huaweiCloud"].clone();
    let swap = json!({ "provider": { "tencentCloud": null, "huaweiCloud": other } });
    vec![
        Case {
            message: "an order stays with its cloud",
            base: tencent(),
            refused: vec![swap],
            accepted: vec![json!({ "provider": { "tencentCloud": { "autoRenew": true } } })],
        },
        Case {
            message: "certificateId cannot be changed",
            base: tencent(),
            refused: vec![json!({ "provider": { "tencentCloud": { "certificateId": "other" } } })],
            accepted: vec![json!({ "commonName": "other.acme.example" })],
        },
        Case {
            message: "certificateId cannot be changed",
            base: huawei(),
            refused: vec![json!({ "provider": { "huaweiCloud": { "certificateId": "other" } } })],
            accepted: vec![json!({ "provider": { "huaweiCloud": { "autoDnsAuth": true } } })],
        },
        Case {
            message: "site cannot be changed",
            base: tencent(),
            refused: vec![json!({ "provider": { "tencentCloud": { "site": "China" } } })],
            // The default, written out.
            accepted: vec![json!({ "provider": { "tencentCloud": { "site": "International" } } })],
        },
        Case {
            message: "region cannot be changed",
            base: huawei(),
            refused: vec![json!({ "provider": { "huaweiCloud": { "region": "cn-north-4" } } })],
            accepted: vec![json!({ "provider": { "huaweiCloud": { "region": "ap-southeast-1" } } })],
        },
    ]
}

/// What stays open while an application is out.
fn open() -> Vec<Value> {
    vec![
        json!({ "credentialsRef": { "name": "other" } }),
        json!({ "secretName": "www-acme-tls" }),
        json!({ "secretTemplate": { "labels": { "team": "shop" } } }),
        json!({ "keystores": { "pkcs12": { "passwordSecretRef": { "name": "p12", "key": "password" } } } }),
        json!({ "readyPolicy": "Ordered" }),
        json!({ "mode": "Plan" }),
        json!({ "suspend": true }),
        json!({ "deletionPolicy": "Cancel" }),
        json!({ "renewal": { "policy": "None" } }),
        json!({ "validation": { "dnsEndpoint": true } }),
    ]
}

/// Fields that stay as they are while an application is out.
fn frozen() -> Vec<Case> {
    let case = |message, base: Value, refused| Case { message, base, refused, accepted: open() };
    let own_csr = with(&tencent(), &json!({ "csr": "PEM" }));
    let csr_in_secret = with(&tencent(), &json!({ "csrSecretRef": { "name": "own", "key": "csr" } }));
    vec![
        case(
            "frozen, since the application was sent with it: commonName;",
            tencent(),
            vec![json!({ "commonName": "other.acme.example" })],
        ),
        case(
            "frozen, since the application was sent with it: dnsNames;",
            tencent(),
            vec![json!({ "dnsNames": ["a.acme.example"] })],
        ),
        case(
            "frozen, since the application was sent with it: csr;",
            own_csr,
            vec![json!({ "csr": "other" }), json!({ "csr": null })],
        ),
        case(
            "frozen, since the application was sent with it: csrSecretRef;",
            csr_in_secret,
            vec![json!({ "csrSecretRef": { "key": "other" } }), json!({ "csrSecretRef": null })],
        ),
        case(
            "frozen, since the application was sent with it: privateKey;",
            tencent(),
            vec![json!({ "privateKey": { "size": 4096 } })],
        ),
        case(
            "frozen, since the application was sent with it: organizationProfileRef;",
            tencent(),
            vec![json!({ "organizationProfileRef": { "name": "acme" } })],
        ),
        case(
            "frozen, since the application was sent with it: validation.method;",
            tencent(),
            vec![json!({ "validation": { "method": "File" } })],
        ),
        case(
            "frozen, since the application was sent with it: provider;",
            tencent(),
            vec![json!({ "provider": { "tencentCloud": { "contactEmail": "pki@acme.example" } } })],
        ),
    ]
}

pub(super) fn cases() -> Vec<Case> {
    fixed().into_iter().chain(frozen()).collect()
}

fn with_frozen(order: &Value, frozen: bool) -> Value {
    let mut order = order.clone();
    order["status"] = json!({ "observedGeneration": 1, "submission": { "frozen": frozen } });
    order
}

fn check(old: &Value, refused: &[Value], accepted: &[Value], message: &str) {
    for change in refused {
        let verdict = judge(&with(old, change), Some(old)).expect_err(message);
        assert!(verdict.contains(message), "{change} was refused with: {verdict}");
    }
    for change in accepted {
        assert_eq!(judge(&with(old, change), Some(old)), Ok(()), "{change}");
    }
}

#[test]
fn the_cloud_and_the_paid_certificate_of_an_order_are_fixed() {
    for Case { message, base, refused, accepted } in fixed() {
        check(&base, &refused, &accepted, message);
    }
}

#[test]
fn what_was_sent_is_frozen_and_the_rest_is_not() {
    for Case { message, base, refused, accepted } in frozen() {
        check(&with_frozen(&base, true), &refused, &accepted, message);
    }
}

#[test]
fn what_was_refused_can_be_edited() {
    for Case { message, base, refused, .. } in frozen() {
        check(&with_frozen(&base, false), &[], &refused, message);
        check(&base, &[], &refused, message);
    }
}

#[test]
fn a_frozen_order_takes_status_and_label_writes() {
    let old = with_frozen(&tencent(), true);
    let mut new = with_frozen(&tencent(), false);
    new["metadata"]["labels"] = json!({ "team": "shop" });
    assert_eq!(judge(&new, Some(&old)), Ok(()));
    assert_eq!(judge(&old, Some(&new)), Ok(()));
}
