//! Everything that is wrong with a value: its shape first, and the rules once the shape is right.

use serde_json::Value;

use super::{error::FieldError, lists, node::Node, rules, values};

/// Checks `value` against `node`. `old` is what `value` replaces, if that is known.
pub(super) fn validate(
    value: &Value,
    old: Option<&Value>,
    node: &Node,
    path: &str,
    is_root: bool,
) -> Vec<FieldError> {
    let mut errors = values::validate(value, old, node, path);
    if old.is_none_or(|old| lists::duplicates(old, node, path).is_empty()) {
        errors.extend(lists::duplicates(value, node, path));
    }
    if errors.iter().any(|error| error.kind.hides_rules()) {
        if rules::has_rules(node) {
            errors.push(FieldError::invalid(
                "",
                Value::Null,
                "some validation rules were not checked because the object was invalid; correct the existing \
                 errors to complete validation",
            ));
        }
    } else {
        errors.extend(rules::validate(value, old, node, path, is_root));
    }
    errors
}
