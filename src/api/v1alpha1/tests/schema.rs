//! What the schemas promise beyond the rules: bounds, patterns, defaults, documentation.

use regex::Regex;
use serde_json::{Value, json};

use super::{schemas, walk};
use crate::api::v1alpha1::schema::{
    CERTIFICATE_ID_PATTERN, DNS_NAME_PATTERN, EMAIL_PATTERN, KEY_PATTERN, OBJECT_NAME_PATTERN, REGION_PATTERN,
};

/// The schema at a path such as `spec.dnsNames[]`.
fn at(kind: &str, path: &str) -> Value {
    let wanted = format!("{kind}.{path}");
    let mut found = Value::Null;
    for (kind, schema) in schemas() {
        walk(&kind, &schema, &mut |path, schema| {
            if path == wanted {
                found = schema.clone();
            }
        });
    }
    assert!(found.is_object(), "no schema at {wanted}");
    found
}

#[test]
fn names_are_lower_case_a_labels_with_a_wildcard_only_in_front() {
    let name = Regex::new(DNS_NAME_PATTERN).unwrap();
    let (longest, too_long) = (format!("{}.example", "a".repeat(63)), format!("{}.example", "a".repeat(64)));
    for good in [
        "www.acme.example",
        "*.acme.example",
        "xn--55qx5d.example",
        "a.b",
        "1.acme.example",
        "a--b.example",
        &longest,
    ] {
        assert!(name.is_match(good), "{good}");
    }
    for bad in [
        "",
        "example",
        "*.",
        "*",
        "www.*.example",
        "w*.acme.example",
        "*.*.example",
        "-a.example",
        "a-.example",
        "a..example",
        "a.example.",
        ".a.example",
        "WWW.example",
        "公司.example",
        "a_b.example",
        "10.0.0.1",
        "a.example:443",
        "https://a.example",
        "a.example\n",
        &too_long,
    ] {
        assert!(!name.is_match(bad), "{bad}");
    }
}

#[test]
fn other_patterns_take_what_they_are_for() {
    for (pattern, good, bad) in [
        (CERTIFICATE_ID_PATTERN, vec!["J2lX2maH", "scs1590053258704"], vec!["", "a/b", "a?b", "a b", "é"]),
        (
            REGION_PATTERN,
            vec!["ap-southeast-1", "cn-north-4", "eu-west-101"],
            vec!["evil.example", "a", "cn-", "CN-north-4", "cn-north-4/"],
        ),
        (EMAIL_PATTERN, vec!["pki@acme.example"], vec!["pki", "@acme.example", "a b@acme.example", "a@b@c"]),
        (OBJECT_NAME_PATTERN, vec!["acme", "acme.tls-1"], vec!["", "Acme", "-acme", "acme.", "a_b"]),
        (KEY_PATTERN, vec!["tls.crt", "TENCENTCLOUD_SECRET_ID"], vec!["", "a/b", "a b"]),
    ] {
        let regex = Regex::new(pattern).unwrap();
        for text in good {
            assert!(regex.is_match(text), "{text} should match {pattern}");
        }
        for text in bad {
            assert!(!regex.is_match(text), "{text} should not match {pattern}");
        }
    }
}

#[test]
fn names_are_bounded_as_the_clouds_bound_them() {
    assert_eq!(at("CertificateOrder", "spec.commonName")["maxLength"], 64);
    assert_eq!(at("CertificateOrder", "spec.dnsNames")["maxItems"], 100);
    for path in ["spec.commonName", "spec.dnsNames[]"] {
        assert_eq!(at("CertificateOrder", path)["pattern"], DNS_NAME_PATTERN, "{path}");
    }
}

#[test]
fn every_list_and_string_has_a_maximum() {
    // A real API server bounds the cost of rules by them.
    for (kind, schema) in schemas() {
        walk(&kind, &schema, &mut |path, schema| {
            let bounded = match schema["type"].as_str() {
                Some("string") => {
                    ["maxLength", "enum"].iter().any(|key| !schema[key].is_null())
                        || schema["format"] == "date-time"
                }
                Some("array") => !schema["maxItems"].is_null(),
                Some("object") => {
                    let any = "x-kubernetes-preserve-unknown-fields";
                    let is_open = ["additionalProperties", any].iter().any(|key| !schema[key].is_null());
                    !is_open || !schema["maxProperties"].is_null()
                }
                _ => true,
            };
            assert!(bounded, "{path} has no maximum");
        });
    }
}

#[test]
fn every_key_of_a_map_has_a_maximum() {
    // A structural schema cannot bound keys, so a rule of the object that has the map does.
    let mut maps = Vec::new();
    for (kind, schema) in schemas() {
        walk(&kind, &schema, &mut |path, schema| {
            let rules = schema["x-kubernetes-validations"].to_string();
            for (name, field) in schema["properties"].as_object().into_iter().flatten() {
                if !field["additionalProperties"].is_null() {
                    assert!(rules.contains(&format!("self.{name}.all(key, size(key) <= ")), "{path}.{name}");
                    maps.push(name.clone());
                }
            }
        });
    }
    assert_eq!(maps, ["annotations", "labels", "annotations", "labels"]);
}

#[test]
fn no_field_of_spec_takes_null_or_an_empty_string() {
    // Null would count as set for `has()`; an empty string would be sent to a cloud.
    for (kind, schema) in schemas() {
        walk(&kind, &schema["properties"]["spec"], &mut |path, schema| {
            assert!(schema["nullable"].is_null() && schema["anyOf"].is_null(), "{path} takes null");
            let empty =
                schema["type"] == "string" && schema["enum"].is_null() && schema["minLength"].is_null();
            // The values of labels and annotations may be empty.
            let is_template = path.contains("secretTemplate") || path.contains("renewal.template");
            assert!(!empty || is_template, "{path} takes an empty string");
        });
    }
}

#[test]
fn every_field_is_documented() {
    for (kind, schema) in schemas() {
        walk(&kind, &schema, &mut |path, schema| {
            let text = schema["description"].as_str().unwrap_or_default();
            assert!(!text.is_empty() || path.ends_with("[]"), "{path} has no description");
        });
    }
}

#[test]
fn defaults_are_what_the_documentation_says() {
    for (path, default) in [
        ("spec.provider.tencentCloud.site", json!("International")),
        ("spec.provider.huaweiCloud.autoDnsAuth", json!(false)),
        ("spec.validation", json!({ "method": "DNS", "dnsEndpoint": false })),
        ("spec.validation.method", json!("DNS")),
        ("spec.readyPolicy", json!("Issued")),
        ("spec.mode", json!("Apply")),
        ("spec.suspend", json!(false)),
        ("spec.deletionPolicy", json!("Retain")),
        ("status", json!({ "observedGeneration": -1 })),
        ("status.observedGeneration", json!(-1)),
    ] {
        assert_eq!(at("CertificateOrder", path)["default"], default, "{path}");
    }
    assert_eq!(at("OrganizationProfile", "spec.tencentCloud.reuse")["default"], json!("Preferred"));
    assert_eq!(at("OrganizationProfile", "status")["default"], json!({ "observedGeneration": -1 }));
}

#[test]
fn an_absent_key_block_gets_no_defaults() {
    // A size filled in beside `algorithm: ECDSA` would be wrong, and a filled-in block would forbid an own CSR.
    walk("privateKey", &at("CertificateOrder", "spec.privateKey"), &mut |path, schema| {
        assert!(schema["default"].is_null(), "{path}");
    });
}
