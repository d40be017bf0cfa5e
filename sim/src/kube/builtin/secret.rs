//! Secrets.

use k8s_openapi::api::core::v1::Secret;
use serde_json::{Map, Value, json};

use super::data::{MAX_BYTES, count, frozen, key_errors, size};
use super::describe::{column, describe};
use crate::kube::field::{invalid, required, too_long};
use crate::kube::resource::{Nature, Resource};
use crate::kube::schema::FieldError;
use crate::kube::strategy::Strategy;
use crate::kube::table::Column;

pub(super) fn resource() -> Resource {
    Resource {
        selectable: vec!["type".into()],
        columns: vec![
            Column::of_name(),
            column("Type", "", ".type"),
            column("Data", "", ".data"),
            Column::of_age(),
        ],
        nature: Nature::BuiltIn(Strategy {
            prepare,
            validate,
            view: |secret| count(secret, &["data"]),
            ..Strategy::of::<Secret>()
        }),
        ..describe::<Secret>()
    }
}

/// `stringData` is for writing only: it goes into `data` and is never shown.
fn prepare(secret: &mut Value) {
    let Some(secret) = secret.as_object_mut() else { return };
    if let Some(Value::Object(plain)) = secret.remove("stringData") {
        let data = secret.entry("data").or_insert_with(|| json!({}));
        if let Some(data) = data.as_object_mut() {
            data.extend(plain.into_iter().map(|(key, value)| (key, encode(&value))));
        }
    }
    secret.entry("type").or_insert_with(|| "Opaque".into());
}

fn encode(value: &Value) -> Value {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(value.as_str().unwrap_or_default()).into()
}

fn validate(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(old) = old {
        if old.get("type") != new.get("type") {
            let value = new.get("type").cloned().unwrap_or_default();
            errors.push(invalid("type", value, "field is immutable"));
        }
        errors.extend(frozen(new, old, &["data"]));
    }
    let none = Map::new();
    let data = new.get("data").and_then(Value::as_object).unwrap_or(&none);
    errors.extend(key_errors("data", data));
    if size(data) > MAX_BYTES {
        errors.push(too_long("data", MAX_BYTES));
    }
    for key in required_keys(new.get("type").and_then(Value::as_str).unwrap_or_default()) {
        if !data.contains_key(*key) {
            errors.push(required(&format!("data[{key}]"), ""));
        }
    }
    errors
}

fn required_keys(secret_type: &str) -> &'static [&'static str] {
    match secret_type {
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        _ => &[],
    }
}
