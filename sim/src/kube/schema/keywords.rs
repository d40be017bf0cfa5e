//! The keywords of `JSONSchemaProps` of apiextensions.k8s.io/v1, and those an API server knows but refuses.

use serde_json::{Map, Value};

use super::error::{FieldError, child, index, key};

/// Keywords whose value says something about one node.
const PLAIN: &[&str] = &[
    "$schema",
    "default",
    "description",
    "enum",
    "example",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "externalDocs",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "nullable",
    "pattern",
    "required",
    "title",
    "type",
    "uniqueItems",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
];

const REFUSED: &[&str] =
    &["$ref", "additionalItems", "definitions", "dependencies", "id", "patternProperties"];

/// Every keyword below `schema` that may not be used.
pub(super) fn check(schema: &Value, path: &str) -> Vec<FieldError> {
    let Value::Object(keywords) = schema else {
        return vec![FieldError::invalid(path, schema.clone(), "must be a schema object")];
    };
    keywords.iter().flat_map(|(keyword, value)| one(keyword, value, path)).collect()
}

fn one(keyword: &str, value: &Value, path: &str) -> Vec<FieldError> {
    let path = &child(path, keyword);
    match keyword {
        _ if PLAIN.contains(&keyword) => Vec::new(),
        _ if REFUSED.contains(&keyword) => {
            vec![FieldError::forbidden(path, format!("{keyword} is not supported"))]
        }
        "properties" => each(value.as_object(), path),
        "allOf" | "anyOf" | "oneOf" => list(value, path),
        "additionalProperties" if value.is_boolean() => Vec::new(),
        "items" if value.is_array() => {
            vec![FieldError::forbidden(path, "items must be a schema object and not an array")]
        }
        "additionalProperties" | "items" | "not" => check(value, path),
        _ => vec![FieldError::forbidden(path, format!("unknown field {keyword:?}"))],
    }
}

fn each(properties: Option<&Map<String, Value>>, path: &str) -> Vec<FieldError> {
    properties.into_iter().flatten().flat_map(|(name, schema)| check(schema, &key(path, name))).collect()
}

fn list(schemas: &Value, path: &str) -> Vec<FieldError> {
    let schemas = schemas.as_array().into_iter().flatten().enumerate();
    schemas.flat_map(|(i, schema)| check(schema, &index(path, i))).collect()
}
