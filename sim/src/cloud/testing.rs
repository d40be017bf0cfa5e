//! What the tests of all clouds share.

use serde_json::Value;

/// `base` with some of its fields replaced; null takes a field away.
pub(crate) fn with(base: &Value, changes: &Value) -> Value {
    let mut fields = base.as_object().unwrap().clone();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            fields.remove(name).unwrap();
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
    Value::Object(fields)
}
