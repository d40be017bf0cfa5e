//! Reading and changing the metadata that every object has.

use serde_json::{Map, Value};

/// Accessors for an API object held as JSON. The setters need `metadata` to be an object, which
/// decoding guarantees.
pub(crate) trait Object {
    fn meta(&self, field: &str) -> Option<&Value>;
    fn set_meta(&mut self, field: &str, value: impl Into<Value>);
    fn remove_meta(&mut self, field: &str) -> Option<Value>;
    /// Sets a field of the object itself, or removes it.
    fn set(&mut self, field: &str, value: Option<Value>);

    fn meta_str(&self, field: &str) -> &str {
        self.meta(field).and_then(Value::as_str).unwrap_or_default()
    }
    fn name(&self) -> &str {
        self.meta_str("name")
    }
    fn namespace(&self) -> &str {
        self.meta_str("namespace")
    }
    fn uid(&self) -> &str {
        self.meta_str("uid")
    }
    fn resource_version(&self) -> &str {
        self.meta_str("resourceVersion")
    }
    fn is_deleting(&self) -> bool {
        self.meta("deletionTimestamp").is_some()
    }
    fn finalizers(&self) -> Vec<&str> {
        strings(self.meta("finalizers"))
    }
    fn owner_references(&self) -> &[Value] {
        self.meta("ownerReferences").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
    fn owner_uids(&self) -> Vec<&str> {
        self.owner_references().iter().filter_map(|owner| owner.get("uid")?.as_str()).collect()
    }
}

impl Object for Value {
    fn meta(&self, field: &str) -> Option<&Value> {
        self.get("metadata")?.get(field)
    }

    fn set_meta(&mut self, field: &str, value: impl Into<Value>) {
        if let Some(metadata) = metadata(self) {
            metadata.insert(field.into(), value.into());
        }
    }

    fn remove_meta(&mut self, field: &str) -> Option<Value> {
        metadata(self)?.remove(field)
    }

    fn set(&mut self, field: &str, value: Option<Value>) {
        if let Some(object) = self.as_object_mut() {
            match value {
                Some(value) => object.insert(field.into(), value),
                None => object.remove(field),
            };
        }
    }
}

fn metadata(object: &mut Value) -> Option<&mut Map<String, Value>> {
    object.get_mut("metadata")?.as_object_mut()
}

fn strings(list: Option<&Value>) -> Vec<&str> {
    list.and_then(Value::as_array)
        .map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

/// Whether two objects are equal apart from the given top-level fields.
pub(crate) fn equal_except(one: &Value, other: &Value, ignored: &[&str]) -> bool {
    let (Some(one), Some(other)) = (one.as_object(), other.as_object()) else { return one == other };
    let counts = |map: &Map<String, Value>| map.keys().filter(|key| !ignored.contains(&key.as_str())).count();
    counts(one) == counts(other)
        && one
            .iter()
            .filter(|(key, _)| !ignored.contains(&key.as_str()))
            .all(|(key, value)| other.get(key) == Some(value))
}

/// The value at a dotted path such as `spec.provider.name`.
pub(crate) fn at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').filter(|step| !step.is_empty()).try_fold(object, |value, step| value.get(step))
}
