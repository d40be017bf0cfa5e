//! The API as users meet it: each rule refuses and accepts, with its message, by the CEL of the definitions.

mod conditions;
mod definitions;
mod rules;
mod schema;
mod updates;
mod wire;

use serde_json::{Value, json};

use super::{CertificateOrder, OrganizationProfile};

/// A small Tencent Cloud order.
fn tencent() -> Value {
    order(&json!({ "tencentCloud": { "certificateId": "J2lX2maH" } }))
}

/// A small Huawei Cloud order.
fn huawei() -> Value {
    order(&json!({ "huaweiCloud": {
        "certificateId": "scs1590053258704", "region": "ap-southeast-1", "agreePrivacyProtection": true,
    } }))
}

fn order(provider: &Value) -> Value {
    json!({
        "apiVersion": "certorder.dev/v1alpha1",
        "kind": "CertificateOrder",
        "metadata": { "name": "www-acme", "namespace": "shop" },
        "spec": { "provider": provider, "credentialsRef": { "name": "cloud" }, "commonName": "www.acme.example" },
    })
}

/// A small profile.
fn profile() -> Value {
    json!({
        "apiVersion": "certorder.dev/v1alpha1",
        "kind": "OrganizationProfile",
        "metadata": { "name": "acme", "namespace": "shop" },
        "spec": { "administrator": { "firstName": "Ning", "lastName": "Huang" } },
    })
}

/// `base` with `spec` changed by a JSON merge patch.
fn with(base: &Value, spec: &Value) -> Value {
    let mut changed = base.clone();
    merge(&mut changed["spec"], spec);
    changed
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in fields {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(name);
        } else {
            merge(&mut target[name], value);
        }
    }
}

/// What the rules of the object's kind say of it, as an update of `old` where there is one.
fn judge(new: &Value, old: Option<&Value>) -> Result<(), String> {
    let verdict = if new["kind"] == "CertificateOrder" {
        let new: CertificateOrder = read(new);
        old.map_or_else(|| new.validate_cel(), |old| new.validate_cel_update(&read(old)))
    } else {
        let new: OrganizationProfile = read(new);
        old.map_or_else(|| new.validate_cel(), |old| new.validate_cel_update(&read(old)))
    };
    verdict.map_err(|errors| errors.to_string())
}

fn read<T: serde::de::DeserializeOwned>(object: &Value) -> T {
    serde_json::from_value(object.clone()).unwrap()
}

/// Runs `visit` over a schema and every schema inside it, with the path of each.
fn walk(path: &str, schema: &Value, visit: &mut impl FnMut(&str, &Value)) {
    visit(path, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(&format!("{path}.{name}"), property, visit);
    }
    for inner in ["items", "additionalProperties"] {
        if schema[inner].is_object() {
            walk(&format!("{path}[]"), &schema[inner], visit);
        }
    }
}

/// The schemas of both kinds, as the definitions hold them.
fn schemas() -> Vec<(String, Value)> {
    let schema = |crd: &k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition| {
        let crd = serde_json::to_value(crd).unwrap();
        let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        (crd["spec"]["names"]["kind"].as_str().unwrap().to_owned(), schema.clone())
    };
    crate::api::crds().iter().map(schema).collect()
}
