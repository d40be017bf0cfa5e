//! Rules that hold for an object by itself.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{huawei, judge, profile, schemas, tencent, updates, walk, with};

/// A rule by its message, an object, and changes to its spec that the rule refuses and accepts.
pub(super) struct Case {
    pub(super) message: &'static str,
    pub(super) base: Value,
    pub(super) refused: Vec<Value>,
    pub(super) accepted: Vec<Value>,
}

fn case(message: &'static str, base: Value, refused: Vec<Value>, accepted: Vec<Value>) -> Case {
    Case { message, base, refused, accepted }
}

/// A key block of source Cloud.
fn cloud_key(algorithm: &str, size: i32) -> Value {
    json!({ "privateKey": { "source": "Cloud", "algorithm": algorithm, "size": size } })
}

pub(super) fn cases() -> Vec<Case> {
    [of_clouds(), of_keys(), of_texts()].into_iter().flatten().collect()
}

/// What one cloud has and the other has not.
fn of_clouds() -> Vec<Case> {
    let tencent_block = json!({ "certificateId": "J2lX2maH" });
    vec![
        case(
            "set exactly one of tencentCloud and huaweiCloud",
            huawei(),
            vec![
                json!({ "provider": { "tencentCloud": tencent_block } }),
                json!({ "provider": { "huaweiCloud": null } }),
            ],
            vec![json!({}), json!({ "provider": { "huaweiCloud": null, "tencentCloud": tencent_block } })],
        ),
        case(
            "with agreePrivacyProtection: true; read its privacy statement",
            huawei(),
            vec![json!({ "provider": { "huaweiCloud": { "agreePrivacyProtection": false } } })],
            vec![json!({})],
        ),
        case(
            "Tencent Cloud makes RSA keys of 2048 or 4096 bits and ECDSA keys of 256 bits",
            tencent(),
            vec![cloud_key("RSA", 3072), cloud_key("ECDSA", 384)],
            vec![
                cloud_key("RSA", 2048),
                cloud_key("RSA", 4096),
                cloud_key("ECDSA", 256),
                json!({ "privateKey": { "source": "Cloud" } }),
                json!({ "privateKey": { "source": "InCluster", "size": 3072 } }),
            ],
        ),
        case(
            "Tencent Cloud validates by DNS or File",
            tencent(),
            vec![json!({ "validation": { "method": "Email" } })],
            vec![
                json!({ "validation": { "method": "File" } }),
                json!({ "validation": { "dnsEndpoint": true } }),
            ],
        ),
        case(
            "Huawei Cloud validates domain names by DNS or Email",
            huawei(),
            vec![json!({ "validation": { "method": "File" } })],
            vec![
                json!({ "validation": { "method": "Email" } }),
                cloud_key("RSA", 3072),
                cloud_key("ECDSA", 384),
            ],
        ),
        case(
            "Huawei Cloud has no call that reissues a certificate",
            huawei(),
            vec![json!({ "renewal": { "policy": "Reissue" } })],
            vec![json!({ "renewal": {} }), json!({ "renewal": { "policy": "None" } })],
        ),
        case(
            "renewal.certificateId names the successor",
            tencent(),
            vec![json!({ "renewal": { "certificateId": "J2lX2maH" } })],
            vec![
                json!({ "renewal": { "certificateId": "K3mY3nbI" } }),
                json!({ "renewal": { "policy": "Reissue" } }),
            ],
        ),
        case(
            "Huawei Cloud has no call that revokes a certificate",
            huawei(),
            vec![json!({ "deletionPolicy": "Revoke" })],
            vec![json!({ "deletionPolicy": "Retain" }), json!({ "deletionPolicy": "Cancel" })],
        ),
    ]
}

/// Key and CSR.
fn of_keys() -> Vec<Case> {
    let reference = json!({ "name": "own", "key": "tls.csr" });
    vec![
        case(
            "set csr or csrSecretRef, not both",
            tencent(),
            vec![json!({ "csr": "PEM", "csrSecretRef": reference })],
            vec![json!({ "csr": "PEM" }), json!({ "csrSecretRef": reference })],
        ),
        case(
            "a CSR of your own brings its own key",
            tencent(),
            vec![
                json!({ "csr": "PEM", "privateKey": {} }),
                json!({ "csrSecretRef": reference, "privateKey": {} }),
            ],
            vec![json!({ "privateKey": {} }), json!({ "csr": "PEM" })],
        ),
        case(
            "privateKeySecretRef is the key of your own CSR",
            tencent(),
            vec![json!({ "privateKeySecretRef": reference })],
            vec![
                json!({ "privateKeySecretRef": reference, "csr": "PEM" }),
                json!({ "privateKeySecretRef": reference, "csrSecretRef": reference }),
            ],
        ),
        case(
            "an RSA key has 2048, 3072 or 4096 bits, an ECDSA key 256 or 384",
            tencent(),
            vec![
                json!({ "privateKey": { "size": 256 } }),
                json!({ "privateKey": { "algorithm": "RSA", "size": 1024 } }),
                json!({ "privateKey": { "algorithm": "ECDSA", "size": 2048 } }),
                json!({ "privateKey": { "algorithm": "ECDSA", "size": 521 } }),
            ],
            vec![
                json!({ "privateKey": { "size": 3072 } }),
                json!({ "privateKey": { "algorithm": "ECDSA" } }),
                json!({ "privateKey": { "algorithm": "ECDSA", "size": 384 } }),
                json!({ "privateKey": { "algorithm": "RSA", "size": 4096 } }),
            ],
        ),
    ]
}

fn with_alias(alias: &str) -> Value {
    let password = json!({ "name": "stores", "key": "password" });
    json!({ "keystores": { "jks": { "passwordSecretRef": password, "alias": alias } } })
}

/// A template whose one key has this length.
fn template(of: &str, length: usize) -> Value {
    json!({ "secretTemplate": { of: { "k".repeat(length): "v" } } })
}

/// Names and people.
fn of_texts() -> Vec<Case> {
    vec![
        case(
            "names are written in lower case, international names in Punycode",
            tencent(),
            vec![
                json!({ "commonName": "www.公司.example" }),
                json!({ "commonName": "WWW.acme.example" }),
                json!({ "dnsNames": ["a.acme.example", "公司.example"] }),
            ],
            vec![json!({ "commonName": "*.xn--55qx5d.example", "dnsNames": ["a.acme.example"] })],
        ),
        case(
            "an alias has printable ASCII characters only",
            tencent(),
            ["密钥", "a\nb", "a\tb", "a\n", "\u{7f}", "é"].map(with_alias).to_vec(),
            ["certificate", "My Shop", "!~", &"x".repeat(253)].map(with_alias).to_vec(),
        ),
        case(
            "labels and annotations of certorder.dev/ are set by certorder alone",
            tencent(),
            vec![
                json!({ "secretTemplate": { "labels": { "certorder.dev/readable": "true" } } }),
                json!({ "secretTemplate": { "annotations": { "team": "a", "certorder.dev/order": "other" } } }),
            ],
            vec![
                json!({ "secretTemplate": { "labels": { "team": "a" }, "annotations": { "certorder": "x" } } }),
            ],
        ),
        case(
            "so leave them out of renewal.template",
            tencent(),
            vec![
                json!({ "renewal": { "template": { "labels": { "certorder.dev/renewal": "true" } } } }),
                json!({ "renewal": { "template": { "annotations": { "certorder.dev/order": "other" } } } }),
            ],
            vec![
                json!({ "renewal": { "template": { "labels": { "team": "a" }, "annotations": { "note": "" } } } }),
            ],
        ),
        case(
            "the key of a label or an annotation has 317 characters at most",
            tencent(),
            ["labels", "annotations"].map(|of| template(of, 318)).to_vec(),
            ["labels", "annotations"].map(|of| template(of, 317)).to_vec(),
        ),
        case(
            "write a contact's data here or take them from fromSecret, not both",
            profile(),
            vec![
                json!({ "administrator": { "fromSecret": { "name": "admin" } } }),
                json!({ "technicalContact": { "fromSecret": { "name": "tech" }, "email": "pki@acme.example" } }),
            ],
            vec![
                json!({ "technicalContact": { "fromSecret": { "name": "tech" } } }),
                json!({ "technicalContact": {
                    "fromSecret": { "name": "tech" },
                    "identification": { "type": "SFZ", "numberSecretRef": { "name": "tech", "key": "number" } },
                } }),
            ],
        ),
    ]
}

/// Rules with `optionalOldSelf`, which kube evaluates otherwise than the API server does (`oldSelf` is no optional
/// there). The stories try them, on both API servers: `tests/it/outputs.rs`.
const IN_STORIES: [&str; 3] = [
    "leaves no room for that of the Secret with its key",
    "kept for the key of this order",
    "a Secret of its own",
];

#[test]
fn each_rule_refuses_with_its_message_and_accepts_what_is_right() {
    for Case { message, base, refused, accepted } in cases() {
        for change in &refused {
            let verdict = judge(&with(&base, change), None).expect_err(message);
            assert!(verdict.contains(message), "{change} was refused with: {verdict}");
        }
        for change in &accepted {
            assert_eq!(judge(&with(&base, change), None), Ok(()), "{change}");
        }
    }
}

#[test]
fn tencent_can_revoke() {
    assert_eq!(judge(&with(&tencent(), &json!({ "deletionPolicy": "Revoke" })), None), Ok(()));
}

#[test]
fn every_rule_of_the_definitions_has_a_case() {
    let (mut messages, mut computed) = (BTreeSet::new(), BTreeSet::new());
    for (kind, schema) in schemas() {
        walk(&kind, &schema, &mut |_, schema| {
            for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
                match rule["messageExpression"].as_str() {
                    // It begins with a text in quotes.
                    Some(expression) => computed.insert(expression.split('\'').nth(1).unwrap().to_owned()),
                    None => messages
                        .insert(rule["message"].as_str().expect("a rule without a message").to_owned()),
                };
            }
        });
    }
    let mut tested: Vec<&str> = cases().iter().map(|case| case.message).collect();
    tested.extend(updates::cases().iter().map(|case| case.message));
    tested.extend(IN_STORIES);
    for message in messages {
        assert!(tested.iter().any(|part| message.contains(part)), "no case for the rule: {message}");
    }
    for begin in computed {
        assert!(tested.iter().any(|message| message.starts_with(&begin)), "no case for the rule: {begin}");
    }
}
