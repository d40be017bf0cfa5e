//! Each table is a page of the Kubernetes documentation, case by case.

mod definitions;
mod objects;
mod rules;

use serde_json::{Value, json};

use super::Schema;

/// A schema whose `spec` is `spec`.
fn schema(spec: &Value) -> Schema {
    let root = json!({"type": "object", "properties": {"spec": spec}});
    Schema::parse(&root).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// What is wrong with an object whose `spec` is `spec`, line by line.
fn errors(schema: &Schema, spec: &Value, old: Option<&Value>) -> Vec<String> {
    let wrap =
        |spec: &Value| json!({"apiVersion": "a/v1", "kind": "A", "metadata": {"name": "a"}, "spec": spec});
    let old = old.map(wrap);
    schema.validate(&wrap(spec), old.as_ref()).iter().map(ToString::to_string).collect()
}
