//! From the body of a request to an object of the right shape.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize as _;
use serde_json::{Map, Value, json};

use super::object::Object;
use super::resource::{Nature, Resource};
use super::status::Failure;

/// An object with known fields only, and the paths of those that were dropped.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) object: Value,
    pub(crate) unknown: Vec<String>,
}

/// Checks version, kind and the types of the fields, and drops unknown ones.
pub(crate) fn decode(resource: &Resource, mut body: Value) -> Result<Decoded, Failure> {
    check_type(resource, &body)?;
    if !body.get("metadata").is_some_and(Value::is_object) {
        body.set("metadata", Some(json!({})));
    }
    let refused = |error: serde_json::Error| Failure::bad_request(unreadable(resource, &error.to_string()));
    match &resource.nature {
        Nature::BuiltIn(strategy) => {
            let mut object = (strategy.decode)(&body).map_err(refused)?;
            let unknown = dropped(&body, &object, "");
            let metadata = object.get("metadata").cloned().unwrap_or_default();
            object.set("metadata", Some(without_empty(metadata)));
            Ok(Decoded { object, unknown })
        }
        Nature::Custom(custom) => {
            let metadata = body.get("metadata").unwrap_or(&Value::Null);
            let known = ObjectMeta::deserialize(metadata).and_then(serde_json::to_value).map_err(refused)?;
            let mut unknown = dropped(metadata, &known, "metadata");
            body.set("metadata", Some(without_empty(known)));
            unknown.extend(custom.schema.prune(&mut body));
            Ok(Decoded { object: body, unknown })
        }
    }
}

/// Metadata as the API server prints it: without empty maps and lists, but for the empty `managedFields` that asks to
/// forget them.
fn without_empty(mut metadata: Value) -> Value {
    if let Some(fields) = metadata.as_object_mut() {
        fields.retain(|name, value| {
            let empty =
                value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty);
            !empty || name == "managedFields"
        });
    }
    metadata
}

/// How the API server begins each message about a body that it cannot read.
pub(crate) fn unreadable(resource: &Resource, why: &str) -> String {
    let Resource { kind, version, .. } = resource;
    format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {why}")
}

fn check_type(resource: &Resource, body: &Value) -> Result<(), Failure> {
    let field = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let (api_version, kind) = (field("apiVersion"), field("kind"));
    let expected = resource.api_version();
    if kind.is_empty() {
        return Err(Failure::bad_request(unreadable(resource, "Object 'Kind' is missing")));
    }
    if api_version != expected {
        return Err(Failure::bad_request(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({expected})"
        )));
    }
    if kind != resource.kind {
        return Err(Failure::bad_request(format!(
            "the kind in the data ({kind}) does not match the expected kind ({})",
            resource.kind
        )));
    }
    Ok(())
}

/// The paths of the fields in `before` that `after` no longer has. A null counts as absent.
fn dropped(before: &Value, after: &Value, path: &str) -> Vec<String> {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => before
            .iter()
            .filter(|(_, value)| !value.is_null())
            .flat_map(|(key, value)| {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                after.get(key).map_or_else(|| vec![path.clone()], |after| dropped(value, after, &path))
            })
            .collect(),
        (Value::Array(before), Value::Array(after)) => before
            .iter()
            .zip(after)
            .enumerate()
            .flat_map(|(index, (before, after))| dropped(before, after, &format!("{path}[{index}]")))
            .collect(),
        _ => Vec::new(),
    }
}
