//! `ConfigMaps`.

use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Map, Value};

use super::data::{MAX_BYTES, count, frozen, key_errors, size};
use super::describe::{column, describe};
use crate::kube::field::{invalid, too_long};
use crate::kube::resource::{Nature, Resource};
use crate::kube::schema::FieldError;
use crate::kube::strategy::Strategy;
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
