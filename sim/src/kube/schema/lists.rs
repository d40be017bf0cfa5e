//! `x-kubernetes-list-type`: entries of a `set` and keys of a `map` must be unique.

use serde_json::{Map, Value};

use super::{
    error::{FieldError, child, index, key},
    node::Node,
};

/// Duplicates in every set and map list below `value`. Each repeated value is reported once, at its second place.
pub(super) fn duplicates(value: &Value, node: &Node, path: &str) -> Vec<FieldError> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, field)| match (node.properties.get(name), node.additional()) {
                (Some(sub), _) => duplicates(field, sub, &child(path, name)),
                (None, Some(sub)) => duplicates(field, sub, &key(path, name)),
                (None, None) => Vec::new(),
            })
            .collect(),
        Value::Array(items) => {
            let mut errors = list(items, node, path);
            if let Some(sub) = &node.items {
                errors.extend(
                    items.iter().enumerate().flat_map(|(i, item)| duplicates(item, sub, &index(path, i))),
                );
            }
            errors
        }
        _ => Vec::new(),
    }
}

fn list(items: &[Value], node: &Node, path: &str) -> Vec<FieldError> {
    match node.list_type.as_deref() {
        Some("set") => repeated(items, path),
        Some("map") => {
            if let Some(i) = items.iter().position(|item| !item.is_object() && !item.is_null()) {
                let value = items.get(i).cloned().unwrap_or_default();
                let detail = "must be an object for an array of list-type map";
                return vec![FieldError::invalid(&index(path, i), value, detail)];
            }
            let keys: Vec<Value> = items.iter().map(|item| keys_of(item, &node.list_map_keys)).collect();
            repeated(&keys, path)
        }
        _ => Vec::new(),
    }
}

fn keys_of(item: &Value, names: &[String]) -> Value {
    let present = names.iter().filter_map(|name| Some((name.clone(), item.get(name)?.clone())));
    Value::Object(present.collect::<Map<_, _>>())
}

fn repeated(items: &[Value], path: &str) -> Vec<FieldError> {
    items
        .iter()
        .enumerate()
        .filter(|(i, item)| items.iter().take(*i).filter(|earlier| earlier == item).count() == 1)
        .map(|(i, item)| FieldError::duplicate(&index(path, i), item.clone()))
        .collect()
}
