//! Defaulting, as
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting> says.

use serde_json::Value;

use super::node::Node;

/// Drops nulls of fields that are neither nullable nor have a default, then fills in defaults from the top down.
pub(super) fn default(object: &mut Value, root: &Node) {
    drop_nulls(object, root);
    fill(object, root);
}

fn drop_nulls(value: &mut Value, node: &Node) {
    match value {
        Value::Object(fields) => fields.retain(|name, field| {
            let Some(sub) = node.field(name) else { return true };
            if field.is_null() && !sub.nullable && sub.default_value().is_none() {
                return false;
            }
            drop_nulls(field, sub);
            true
        }),
        Value::Array(items) => {
            if let Some(sub) = &node.items {
                for item in items {
                    drop_nulls(item, sub);
                }
            }
        }
        _ => {}
    }
}

fn fill(value: &mut Value, node: &Node) {
    match value {
        Value::Object(fields) => {
            for (name, sub) in &node.properties {
                if let Some(default) = sub.default_value() {
                    fields.entry(name.as_str()).or_insert_with(|| default.clone());
                }
            }
            for (name, field) in fields {
                if let Some(sub) = node.field(name) {
                    replace_null(field, sub);
                    fill(field, sub);
                }
            }
        }
        Value::Array(items) => {
            if let Some(sub) = &node.items {
                for item in items {
                    replace_null(item, sub);
                    fill(item, sub);
                }
            }
        }
        _ => {}
    }
}

fn replace_null(value: &mut Value, node: &Node) {
    if let Some(default) = node.default_value().filter(|_| value.is_null() && !node.nullable) {
        *value = default.clone();
    }
}
