//! Value validation: types, enumerations, bounds, patterns, junctors.
//!
//! Order and words of the errors are the API server's (`k8s.io/kube-openapi/pkg/validation`). An update is
//! ratcheted: a value that did not change is not refused, even if the schema became stricter meanwhile
//! (<https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-ratcheting>).

use serde_json::{Map, Number, Value, json};

use super::{
    error::{FieldError, FieldErrorKind, child, index},
    format,
    node::{Additional, Node},
};

/// Checks `value` against `node`. `old` is what it replaces, where that is known.
pub(super) fn validate(value: &Value, old: Option<&Value>, node: &Node, path: &str) -> Vec<FieldError> {
    let errors = check(value, old, node, path);
    if old == Some(value) { Vec::new() } else { errors }
}

fn check(value: &Value, old: Option<&Value>, node: &Node, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    errors.extend(type_of(value, node, path));
    if value.is_null() {
        errors.extend(enumeration(value, node, path));
        return errors;
    }
    junctors(value, old, node, path, &mut errors);
    match value {
        Value::String(text) => errors.extend(string(text, node, path)),
        Value::Number(number) => numbers(number, node, path, &mut errors),
        Value::Array(items) => list(items, old, node, path, &mut errors),
        _ => {}
    }
    errors.extend(enumeration(value, node, path));
    if let Value::Object(fields) = value {
        object(fields, old, node, path, &mut errors);
    }
    errors
}

fn invalid(path: &str, value: impl Into<Value>, expected: &str) -> FieldError {
    FieldError::invalid(path, value, format!("{path} in body {expected}"))
}

/// An error that the API server does not attach to a field, but names the field in its text.
fn unplaced(detail: String) -> FieldError {
    FieldError::invalid("", "", detail)
}

fn type_of(value: &Value, node: &Node, path: &str) -> Option<FieldError> {
    let wanted = if node.int_or_string { "integer,string" } else { node.type_.as_deref()? };
    let found = match value {
        Value::Null if node.nullable => return None,
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if is_whole(n) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = wanted.split(',').any(|wanted| wanted == found || (wanted == "number" && found == "integer"));
    if fits {
        return None;
    }
    let (wanted, found) = match (node.format.as_deref().filter(|format| format::is_known(format)), value) {
        // Where a format is declared, the API server names formats instead of types.
        (Some(format), Value::Number(_)) => (format, if found == "integer" { "int64" } else { "float64" }),
        (Some(format), Value::Bool(_) | Value::Object(_)) => (format, ""),
        _ => (wanted, found),
    };
    let detail = format!("{path} in body must be of type {wanted}: {found:?}");
    Some(FieldError::new(path, FieldErrorKind::TypeInvalid, Some(json!(found)), detail))
}

fn is_whole(number: &Number) -> bool {
    !number.is_f64() || number.as_f64().is_some_and(|n| n.fract() == 0.0)
}

fn enumeration(value: &Value, node: &Node, path: &str) -> Option<FieldError> {
    let allowed = node.allowed.as_ref().filter(|allowed| !allowed.is_empty())?;
    // A null matches nothing, not even a null in the list.
    let found = !value.is_null() && allowed.iter().any(|one| same(one, value));
    (!found).then(|| FieldError::not_supported(path, value.clone(), allowed))
}

/// Equality in which 2.0 is 2.
fn same(one: &Value, other: &Value) -> bool {
    one == other || one.as_f64().is_some_and(|n| other.as_f64() == Some(n))
}

/// The first of length, pattern and format that `text` breaks.
fn string(text: &str, node: &Node, path: &str) -> Vec<FieldError> {
    let length = text.chars().count();
    let mut errors = Vec::new();
    if let Some(max) = node.max_length.filter(|max| length > *max) {
        // The API server says bytes and counts characters.
        let unit = if max == 1 { "byte" } else { "bytes" };
        let detail = format!("may not be more than {max} {unit}");
        errors.push(FieldError::new(path, FieldErrorKind::TooLong, None, detail));
    } else if let Some(min) = node.min_length.filter(|min| length < *min) {
        errors.push(invalid(path, text, &format!("should be at least {min} chars long")));
    } else if let (Some(regex), Some(pattern)) = (&node.regex, &node.pattern)
        && !regex.is_match(text)
    {
        errors.push(invalid(path, text, &format!("should match '{pattern}'")));
    }
    if let Some(format) = node.format.as_deref().filter(|format| !format::matches(format, text)) {
        let detail = format!("{path} in body must be of type {format}: {text:?}");
        errors.push(FieldError::new(path, FieldErrorKind::TypeInvalid, Some(json!(text)), detail));
    }
    errors
}

fn numbers(number: &Number, node: &Node, path: &str, errors: &mut Vec<FieldError>) {
    let Some(n) = number.as_f64() else { return };
    let value = || Value::Number(number.clone());
    if let Some(range) =
        node.type_.as_deref().and_then(|type_| format::exceeded(type_, node.format.as_deref(), n))
    {
        errors.push(unplaced(format!("Checked value must be of {range} in {path}")));
    }
    if let Some(factor) = node.multiple_of.filter(|factor| !is_near_whole(n / factor)) {
        errors.push(invalid(path, value(), &format!("should be a multiple of {factor}")));
    }
    // A whole number is compared with the whole part of a bound.
    let bound = |bound: f64| if is_whole(number) { bound.trunc() } else { bound };
    if let Some(min) = node.minimum.map(bound).filter(|min| n < *min || (node.exclusive_minimum && n <= *min))
    {
        let words = if node.exclusive_minimum { "greater than" } else { "greater than or equal to" };
        errors.push(invalid(path, value(), &format!("should be {words} {min}")));
    }
    if let Some(max) = node.maximum.map(bound).filter(|max| n > *max || (node.exclusive_maximum && n >= *max))
    {
        let words = if node.exclusive_maximum { "less than" } else { "less than or equal to" };
        errors.push(invalid(path, value(), &format!("should be {words} {max}")));
    }
}

/// Whether a quotient is whole, as far as floating point can tell.
fn is_near_whole(n: f64) -> bool {
    (n - n.round()).abs() <= 1e-9 * n.abs().max(1.0)
}

fn list(items: &[Value], old: Option<&Value>, node: &Node, path: &str, errors: &mut Vec<FieldError>) {
    if let Some(sub) = &node.items {
        for (i, item) in items.iter().enumerate() {
            errors.extend(validate(item, node.old_item(old, item), sub, &index(path, i)));
        }
    }
    if let Some(min) = node.min_items.filter(|min| items.len() < *min) {
        errors.push(invalid(path, items.len(), &format!("should have at least {min} items")));
    }
    errors.extend(too_many(items.len(), node.max_items, path));
    let repeated = || items.iter().enumerate().any(|(i, item)| items.iter().take(i).any(|one| one == item));
    if node.unique_items && repeated() {
        errors.push(invalid(path, "", "shouldn't contain duplicates"));
    }
}

fn too_many(count: usize, max: Option<usize>, path: &str) -> Option<FieldError> {
    let max = max.filter(|max| count > *max)?;
    let unit = if max == 1 { "item" } else { "items" };
    let detail = format!("must have at most {max} {unit}");
    Some(FieldError::new(path, FieldErrorKind::TooMany, Some(json!(count)), detail))
}

fn object(
    fields: &Map<String, Value>,
    old: Option<&Value>,
    node: &Node,
    path: &str,
    errors: &mut Vec<FieldError>,
) {
    if let Some(min) = node.min_properties.filter(|min| fields.len() < *min) {
        errors.push(invalid(path, fields.len(), &format!("should have at least {min} properties")));
    }
    errors.extend(too_many(fields.len(), node.max_properties, path));
    if matches!(node.additional_properties, Some(Additional::Allowed(false))) {
        let unknown = fields.keys().filter(|name| !node.properties.contains_key(*name));
        errors.extend(unknown.map(|name| {
            FieldError::invalid(path, name.as_str(), format!("{path}.{name} in body is a forbidden property"))
        }));
    }
    for (name, field) in fields {
        if let Some(sub) = node.field(name) {
            let old_field = old.and_then(|old| old.get(name));
            errors.extend(validate(field, old_field, sub, &child(path, name)));
        }
    }
    let missing = node.required.iter().filter(|name| !fields.contains_key(*name));
    errors.extend(missing.map(|name| FieldError::required(&child(path, name), "")));
}

fn junctors(value: &Value, old: Option<&Value>, node: &Node, path: &str, errors: &mut Vec<FieldError>) {
    let try_all = |nodes: &[Node]| -> Vec<Vec<FieldError>> {
        nodes.iter().map(|node| check(value, old, node, path)).collect()
    };
    let any = try_all(&node.any_of);
    if !any.is_empty() && any.iter().all(|errors| !errors.is_empty()) {
        errors.push(unplaced(format!("{path:?} must validate at least one schema (anyOf)")));
        errors.extend(nearest(any));
    }
    let one = try_all(&node.one_of);
    let valid = one.iter().filter(|errors| errors.is_empty()).count();
    if !one.is_empty() && valid != 1 {
        let found = match valid {
            0 => "Found none valid".to_owned(),
            n => format!("Found {n} valid alternatives"),
        };
        errors.push(unplaced(format!("{path:?} must validate one and only one schema (oneOf). {found}")));
        if valid == 0 {
            errors.extend(nearest(one));
        }
    }
    let all = try_all(&node.all_of);
    let failed = all.iter().filter(|errors| !errors.is_empty()).count();
    if failed > 0 {
        let hint = if failed == all.len() { ". None validated" } else { "" };
        errors.extend(all.into_iter().flatten());
        errors.push(unplaced(format!("{path:?} must validate all the schemas (allOf){hint}")));
    }
    if node.not.as_ref().is_some_and(|not| check(value, old, not, path).is_empty()) {
        errors.push(unplaced(format!("{path:?} must not validate the schema (not)")));
    }
}

/// The errors of the alternative that came nearest to being valid, since they help most: it lacks the fewest fields.
fn nearest(alternatives: Vec<Vec<FieldError>>) -> Vec<FieldError> {
    let distance = |errors: &Vec<FieldError>| {
        let missing = errors.iter().filter(|error| error.kind == FieldErrorKind::Required).count();
        (missing, errors.len())
    };
    alternatives.into_iter().min_by_key(distance).unwrap_or_default()
}
