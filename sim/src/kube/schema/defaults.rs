//! Defaults must be values that their own schema accepts as they stand.

use serde_json::Value;

use super::{
    error::{FieldError, child, property},
    node::Node,
    prune, rules, validate,
};

/// Checks the default of `node` and of everything below it.
pub(super) fn check(node: &Node, path: &str) -> Vec<FieldError> {
    let mut errors = node.default_value().map(|value| one(value, node, path)).unwrap_or_default();
    for (name, sub) in &node.properties {
        errors.extend(check(sub, &property(path, name)));
    }
    if let Some(sub) = &node.items {
        errors.extend(check(sub, &child(path, "items")));
    }
    errors
}

fn one(value: &Value, node: &Node, path: &str) -> Vec<FieldError> {
    let path = child(path, "default");
    let mut pruned = value.clone();
    prune::prune_default(&mut pruned, node);
    if pruned != *value {
        return vec![FieldError::invalid(&path, value.clone(), "must not have unknown fields")];
    }
    // A default may be set by a create and be there before an update, so rules must accept both.
    let mut errors = validate::validate(value, None, node, "", false);
    if errors.is_empty() {
        errors = rules::validate(value, Some(value), node, "", false);
    }
    for error in &mut errors {
        error.field = error.within(&path);
    }
    errors
}
