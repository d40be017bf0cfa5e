//! The rules that `ConfigMaps` and Secrets share for the data that they hold.

use serde_json::{Map, Value};

use crate::kube::field::{forbidden, invalid};
use crate::kube::object::Object;
use crate::kube::schema::FieldError;

/// The most bytes that the values of one Secret or `ConfigMap` may hold.
pub(super) const MAX_BYTES: usize = 1024 * 1024;

/// What changed although `immutable` is set.
pub(super) fn frozen(new: &Value, old: &Value, bags: &[&str]) -> Vec<FieldError> {
    if old.get("immutable") != Some(&Value::Bool(true)) {
        return Vec::new();
    }
    let changed = bags.iter().chain(&["immutable"]).filter(|field| new.get(**field) != old.get(**field));
    changed.map(|field| forbidden(field, "field is immutable when `immutable` is set")).collect()
}

pub(super) fn key_errors(field: &str, data: &Map<String, Value>) -> Vec<FieldError> {
    let message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. \
                   'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
    let bad = data.keys().filter(|key| !is_key(key));
    bad.map(|key| invalid(&format!("{field}[{key}]"), key.clone(), message)).collect()
}

fn is_key(key: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !key.is_empty() && key.len() <= 253 && key != "." && !key.starts_with("..") && key.chars().all(allowed)
}

/// Upper bound of the bytes in all values, which are base64 in Secrets.
pub(super) fn size(data: &Map<String, Value>) -> usize {
    data.values().filter_map(Value::as_str).map(str::len).sum()
}

/// The object with the number of keys in place of the data, for the column Data.
pub(super) fn count(object: &Value, bags: &[&str]) -> Value {
    let keys = |bag: &&str| object.get(*bag).and_then(Value::as_object).map_or(0, Map::len);
    let total: usize = bags.iter().map(keys).sum();
    let mut view = object.clone();
    view.set("data", Some(total.to_string().into()));
    view
}
