//! Strategic merge patch: a merge patch that knows which lists are merged by a key.
//!
//! Written from the Kubernetes community's page "Strategic Merge Patch", for the kinds that this server has.

use serde_json::{Map, Value};

use super::status::Failure;

/// The lists of objects that are merged, and the key that tells their entries apart.
const KEYED_LISTS: [(&str, &str); 7] = [
    ("ownerReferences", "uid"),
    ("conditions", "type"),
    ("containers", "name"),
    ("env", "name"),
    ("volumes", "name"),
    ("volumeMounts", "mountPath"),
    ("imagePullSecrets", "name"),
];
/// The lists of plain values that are merged.
const VALUE_LISTS: [&str; 1] = ["finalizers"];
const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_PREFIX: &str = "$deleteFromPrimitiveList/";
const ORDER_PREFIX: &str = "$setElementOrder/";

/// Applies `patch` to `object`.
pub(crate) fn merge(object: &mut Value, patch: &Value) -> Result<(), Failure> {
    let Value::Object(patch) = patch else {
        *object = patch.clone();
        return Ok(());
    };
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let Value::Object(object) = object else { return Ok(()) };
    match patch.get(DIRECTIVE).and_then(Value::as_str) {
        Some("replace") => {
            *object = without_directives(patch);
            return Ok(());
        }
        Some("delete") => {
            object.clear();
            return Ok(());
        }
        Some("merge") | None => {}
        Some(other) => return Err(Failure::bad_request(format!("Unknown patch type found: {other}"))),
    }
    if let Some(Value::Array(kept)) = patch.get(RETAIN_KEYS) {
        object.retain(|key, _| kept.iter().any(|kept| kept == key));
    }
    for (field, change) in patch {
        merge_field(object, field, change)?;
    }
    Ok(())
}

fn merge_field(object: &mut Map<String, Value>, field: &str, change: &Value) -> Result<(), Failure> {
    if let Some(list) = field.strip_prefix(DELETE_PREFIX) {
        if let (Some(Value::Array(values)), Value::Array(gone)) = (object.get_mut(list), change) {
            values.retain(|value| !gone.contains(value));
        }
        return Ok(());
    }
    if field == DIRECTIVE || field == RETAIN_KEYS || field.starts_with(ORDER_PREFIX) {
        return Ok(());
    }
    if change.is_null() {
        object.remove(field);
        return Ok(());
    }
    let key = KEYED_LISTS.iter().find(|(list, _)| *list == field).map(|(_, key)| *key);
    match (object.entry(field).or_insert(Value::Null), change, key) {
        (Value::Array(values), Value::Array(changes), Some(key)) => merge_list(values, changes, key),
        (Value::Array(values), Value::Array(added), None) if VALUE_LISTS.contains(&field) => {
            let new: Vec<Value> = added.iter().filter(|value| !values.contains(value)).cloned().collect();
            values.extend(new);
            Ok(())
        }
        (value, change, _) => merge(value, change),
    }
}

fn merge_list(values: &mut Vec<Value>, changes: &[Value], key: &str) -> Result<(), Failure> {
    if changes.iter().any(|change| change.get(DIRECTIVE).is_some_and(|directive| directive == "replace")) {
        *values = changes.iter().filter(|change| change.get(DIRECTIVE).is_none()).cloned().collect();
        return Ok(());
    }
    for change in changes {
        let Some(id) = change.get(key) else {
            let message = format!("map: {change} does not contain declared merge key: {key}");
            return Err(Failure::bad_request(message));
        };
        let same = |value: &Value| value.get(key) == Some(id);
        if change.get(DIRECTIVE).is_some_and(|directive| directive == "delete") {
            values.retain(|value| !same(value));
            continue;
        }
        match values.iter_mut().find(|value| same(value)) {
            Some(value) => merge(value, change)?,
            None => values.push(change.clone()),
        }
    }
    Ok(())
}

fn without_directives(patch: &Map<String, Value>) -> Map<String, Value> {
    patch
        .iter()
        .filter(|(key, _)| !key.starts_with('$'))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_with_a_key_are_merged_and_others_replaced() {
        let mut object = json!({
            "metadata": { "finalizers": ["a"], "ownerReferences": [{ "uid": "1", "name": "x" }, { "uid": "2" }] },
            "values": [1, 2],
        });
        let patch = json!({
            "metadata": {
                "finalizers": ["b"],
                "ownerReferences": [{ "uid": "1", "name": "y" }, { "uid": "2", "$patch": "delete" }],
            },
            "values": [3],
        });
        merge(&mut object, &patch).unwrap();
        let expected = json!({
            "metadata": { "finalizers": ["a", "b"], "ownerReferences": [{ "uid": "1", "name": "y" }] },
            "values": [3],
        });
        assert_eq!(object, expected);
    }

    #[test]
    fn directives_replace_delete_and_retain() {
        let mut object =
            json!({ "a": { "x": 1 }, "b": { "x": 1 }, "c": { "x": 1, "y": 2 }, "finalizers": ["p", "q"] });
        let patch = json!({
            "a": { "$patch": "replace", "z": 1 },
            "b": { "$patch": "delete" },
            "c": { "$retainKeys": ["y"] },
            "$deleteFromPrimitiveList/finalizers": ["p"],
        });
        merge(&mut object, &patch).unwrap();
        assert_eq!(object, json!({ "a": { "z": 1 }, "b": {}, "c": { "y": 2 }, "finalizers": ["q"] }));
    }
}
