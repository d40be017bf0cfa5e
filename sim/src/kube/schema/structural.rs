//! Which schemas are structural, as
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema>
//! says: the shape stands outside of junctors, and junctors only restrict values.

use serde_json::{Value, json};

use super::{
    error::{FieldError, child, property},
    junctor,
    node::{Additional, Node},
};

#[derive(Clone, Copy, PartialEq)]
enum Level {
    Root,
    Item,
    Field,
}

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// Everything that keeps `root` from being a structural schema.
pub(super) fn check(root: &Node, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    structural(root, Level::Root, path, &mut errors);
    errors
}

fn structural(node: &Node, level: Level, path: &str, errors: &mut Vec<FieldError>) {
    type_(node, level, path, errors);
    if level == Level::Root && node.nullable {
        errors.push(FieldError::forbidden(&child(path, "nullable"), "nullable cannot be true at the root"));
    }
    extensions(node, path, errors);
    lists(node, path, errors);
    if node.is("array") && node.items.is_none() {
        errors.push(FieldError::required(&child(path, "items"), "must be specified"));
    }
    if node.unique_items {
        let detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        errors.push(FieldError::forbidden(&child(path, "uniqueItems"), detail));
    }
    metadata(node, level, path, errors);
    junctor::check(node, path, errors);
    if let Some(items) = &node.items {
        structural(items, Level::Item, &child(path, "items"), errors);
    }
    for (name, sub) in &node.properties {
        structural(sub, Level::Field, &property(path, name), errors);
    }
    additional(node, level, path, errors);
}

fn type_(node: &Node, level: Level, path: &str, errors: &mut Vec<FieldError>) {
    let path = &child(path, "type");
    let Some(type_) = node.type_.as_deref() else {
        let place = match level {
            Level::Root => "at the root",
            Level::Item => "for specified array items",
            Level::Field => "for specified object fields",
        };
        if node.embedded {
            let detail = "must be object if x-kubernetes-embedded-resource is true";
            errors.push(FieldError::required(path, detail));
        } else if !node.int_or_string && !node.preserves_unknown() {
            errors.push(FieldError::required(path, format!("must not be empty {place}")));
        }
        return;
    };
    if type_ == "null" {
        let detail = "type cannot be set to null, use nullable as an alternative";
        errors.push(FieldError::forbidden(path, detail));
    }
    if !TYPES.contains(&type_) {
        errors.push(FieldError::not_supported(path, json!(type_), &TYPES.map(Value::from)));
    } else if level == Level::Root && type_ != "object" {
        errors.push(FieldError::invalid(path, type_, "must be object at the root"));
    } else if node.embedded && type_ != "object" {
        let detail = "must be object if x-kubernetes-embedded-resource is true";
        errors.push(FieldError::invalid(path, type_, detail));
    }
}

fn extensions(node: &Node, path: &str, errors: &mut Vec<FieldError>) {
    let preserve = child(path, "x-kubernetes-preserve-unknown-fields");
    if node.preserve_unknown == Some(false) {
        errors.push(FieldError::invalid(&preserve, false, "must be true or undefined"));
    }
    if node.int_or_string && node.preserves_unknown() {
        let detail = "must be false if x-kubernetes-int-or-string is true";
        errors.push(FieldError::invalid(&preserve, true, detail));
    }
    if node.embedded && !node.preserves_unknown() && node.properties.is_empty() {
        let detail = "must not be empty if x-kubernetes-embedded-resource is true without \
                      x-kubernetes-preserve-unknown-fields";
        errors.push(FieldError::required(&child(path, "properties"), detail));
    }
    let map_type = child(path, "x-kubernetes-map-type");
    match node.map_type.as_deref() {
        None | Some("atomic" | "granular") => {}
        Some(other) => {
            let known = ["atomic", "granular"].map(Value::from);
            errors.push(FieldError::not_supported(&map_type, json!(other), &known));
        }
    }
    if node.map_type.is_some() && !node.is("object") {
        let detail = "must be object if x-kubernetes-map-type is specified";
        errors.push(FieldError::invalid(&child(path, "type"), json!(node.type_), detail));
    }
}

fn lists(node: &Node, path: &str, errors: &mut Vec<FieldError>) {
    let list_type = child(path, "x-kubernetes-list-type");
    if node.list_type.is_some() && !node.is("array") {
        let detail = "must be array if x-kubernetes-list-type is specified";
        errors.push(FieldError::invalid(&child(path, "type"), json!(node.type_), detail));
    }
    match node.list_type.as_deref() {
        Some("map") => map_list(node, path, errors),
        other => {
            if !matches!(other, None | Some("atomic" | "set")) {
                let known = ["atomic", "set", "map"].map(Value::from);
                errors.push(FieldError::not_supported(&list_type, json!(other), &known));
            }
            if !node.list_map_keys.is_empty() {
                let detail = "must be map if x-kubernetes-list-map-keys is non-empty";
                errors.push(match other {
                    Some(other) => FieldError::invalid(&list_type, other, detail),
                    None => FieldError::required(&list_type, detail),
                });
            }
        }
    }
    if let (Some("set"), Some(items)) = (node.list_type.as_deref(), &node.items) {
        set_items(items, &child(path, "items"), errors);
    }
}

fn set_items(items: &Node, path: &str, errors: &mut Vec<FieldError>) {
    let detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
    let atomic = |type_: &Option<String>| type_.as_deref() == Some("atomic");
    if items.is("object") && !atomic(&items.map_type) {
        let path = child(path, "x-kubernetes-map-type");
        errors.push(FieldError::invalid(&path, json!(items.map_type), detail));
    }
    if items.is("array") && items.list_type.is_some() && !atomic(&items.list_type) {
        let path = child(path, "x-kubernetes-list-type");
        errors.push(FieldError::invalid(&path, json!(items.list_type), detail));
    }
    not_nullable(items, path, "set", errors);
}

fn not_nullable(items: &Node, path: &str, list_type: &str, errors: &mut Vec<FieldError>) {
    if items.nullable {
        let detail = format!("cannot be nullable when x-kubernetes-list-type is {list_type}");
        errors.push(FieldError::forbidden(&child(path, "nullable"), detail));
    }
}

fn map_list(node: &Node, path: &str, errors: &mut Vec<FieldError>) {
    let keys_path = child(path, "x-kubernetes-list-map-keys");
    if node.list_map_keys.is_empty() {
        let detail = "must not be empty if x-kubernetes-list-type is map";
        errors.push(FieldError::required(&keys_path, detail));
    }
    let Some(items) = &node.items else { return };
    let items_path = child(path, "items");
    not_nullable(items, &items_path, "map", errors);
    if !items.is("object") {
        let detail = "must be object if parent array's x-kubernetes-list-type is map";
        errors.push(FieldError::invalid(&child(&items_path, "type"), json!(items.type_), detail));
        return;
    }
    for name in &node.list_map_keys {
        let Some(sub) = items.properties.get(name) else {
            let detail = "entries must all be names of item properties";
            errors.push(FieldError::invalid(&keys_path, json!(node.list_map_keys), detail));
            continue;
        };
        let path = property(&items_path, name);
        if sub.is("array") || sub.is("object") {
            let detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
            errors.push(FieldError::invalid(&child(&path, "type"), json!(items.type_), detail));
        }
        if sub.default_value().is_none() && !items.required.contains(name) {
            let detail = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a \
                          required property";
            errors.push(FieldError::required(&child(&path, "default"), detail));
        }
    }
}

fn metadata(node: &Node, level: Level, path: &str, errors: &mut Vec<FieldError>) {
    if level != Level::Root && !node.embedded {
        return;
    }
    for (name, type_) in [("apiVersion", "string"), ("kind", "string"), ("metadata", "object")] {
        let Some(sub) = node.properties.get(name) else { continue };
        let path = property(path, name);
        if !sub.is(type_) {
            let detail = format!("must be {type_}");
            errors.push(FieldError::invalid(&child(&path, "type"), json!(sub.type_), detail));
        }
        if level == Level::Root && sub.default_value().is_some() {
            let detail = format!("must not be set in top-level {name}");
            errors.push(FieldError::forbidden(&child(&path, "default"), detail));
        }
    }
    if let (Level::Root, Some(sub)) = (level, node.properties.get("metadata"))
        && sub.properties.keys().any(|name| name != "name" && name != "generateName")
    {
        let detail = "must not specify anything other than name and generateName, but metadata is implicitly \
                      specified";
        errors.push(FieldError::forbidden(&property(path, "metadata"), detail));
    }
}

fn additional(node: &Node, level: Level, path: &str, errors: &mut Vec<FieldError>) {
    let path = &child(path, "additionalProperties");
    let Some(additional) = &node.additional_properties else { return };
    if level == Level::Root {
        errors.push(FieldError::forbidden(path, "must not be used at the root"));
    }
    if node.embedded {
        let detail = "must not be used if x-kubernetes-embedded-resource is set";
        errors.push(FieldError::forbidden(path, detail));
    }
    if !node.properties.is_empty() && !matches!(additional, Additional::Allowed(true)) {
        errors.push(FieldError::forbidden(path, "additionalProperties and properties are mutual exclusive"));
    }
    if let Additional::Schema(sub) = additional {
        structural(sub, Level::Field, path, errors);
    }
}
