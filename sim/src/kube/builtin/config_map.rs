//! `ConfigMaps`, and the rules that they share with Secrets.

use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Map, Value};

use super::secret::MAX_BYTES;
use super::{Strategy, column, describe};
use crate::kube::field::{forbidden, invalid, too_long};
use crate::kube::object::Object;
use crate::kube::resource::{Nature, Resource};
use crate::kube::schema::FieldError;
use crate::kube::table::Column;

const BAGS: [&str; 2] = ["data", "binaryData"];

pub(super) fn resource() -> Resource {
    Resource {
        short_names: vec!["cm".into()],
        columns: vec![Column::of_name(), column("Data", "", ".data"), Column::of_age()],
        nature: Nature::BuiltIn(Strategy {
            validate,
            view: |config| count(config, &BAGS),
            ..Strategy::of::<ConfigMap>()
        }),
        ..describe::<ConfigMap>()
    }
}

fn validate(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = old.map(|old| frozen(new, old, &BAGS)).unwrap_or_default();
    let none = Map::new();
    let bag = |name: &str| new.get(name).and_then(Value::as_object).unwrap_or(&none);
    for name in BAGS {
        errors.extend(key_errors(name, bag(name)));
    }
    for key in bag("data").keys().filter(|key| bag("binaryData").contains_key(*key)) {
        let field = format!("data[{key}]");
        errors.push(invalid(&field, key.clone(), "duplicate of key present in binaryData"));
    }
    if size(bag("data")) + size(bag("binaryData")) > MAX_BYTES {
        errors.push(too_long("", MAX_BYTES));
    }
    errors
}

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
