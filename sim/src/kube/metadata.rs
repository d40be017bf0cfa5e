//! The rules for metadata that hold for every kind.

use serde_json::{Map, Value};

use super::field::{forbidden, invalid, required};
use super::object::Object;
use super::schema::FieldError;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, \
    '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for \
    validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and \
    must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for \
    validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and \
    end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for \
    validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' \
    or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or \
    '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const ANNOTATIONS_LIMIT: usize = 256 * 1024;

/// What is wrong with the metadata of a new object.
pub(crate) fn validate(object: &Value, is_namespace: bool) -> Vec<FieldError> {
    let mut errors = name_errors(object.name(), is_namespace);
    errors.extend(label_errors(object));
    errors.extend(annotation_errors(object));
    errors.extend(owner_errors(object.owner_references()));
    for finalizer in object.finalizers() {
        errors.extend(qualified_errors("metadata.finalizers", finalizer));
    }
    errors
}

/// What is wrong with changed metadata. Names cannot differ: the URL was compared before.
pub(crate) fn validate_update(new: &Value, old: &Value, is_namespace: bool) -> Vec<FieldError> {
    let mut errors = validate(new, is_namespace);
    if new.resource_version().is_empty() {
        errors.push(invalid("metadata.resourceVersion", "", "must be specified for an update"));
    }
    let known = old.finalizers();
    let extra: Vec<String> = new
        .finalizers()
        .into_iter()
        .filter(|finalizer| !known.contains(finalizer))
        .map(|finalizer| format!("\"{finalizer}\""))
        .collect();
    if old.is_deleting() && !extra.is_empty() {
        let detail = format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
            extra.join(", ")
        );
        errors.push(forbidden("metadata.finalizers", &detail));
    }
    errors
}

fn name_errors(name: &str, is_namespace: bool) -> Vec<FieldError> {
    let field = "metadata.name";
    if name.is_empty() {
        return vec![required(field, "name or generateName is required")];
    }
    let (ok, limit, rule) = if is_namespace {
        (is_dns_label(name), 63, LABEL)
    } else {
        (name.split('.').all(is_dns_label), 253, SUBDOMAIN)
    };
    let mut errors = Vec::new();
    if name.len() > limit {
        errors.push(invalid(field, name, &format!("must be no more than {limit} bytes")));
    }
    if !ok {
        errors.push(invalid(field, name, rule));
    }
    errors
}

fn label_errors(object: &Value) -> Vec<FieldError> {
    let none = Map::new();
    let labels = object.meta("labels").and_then(Value::as_object).unwrap_or(&none);
    let mut errors = Vec::new();
    for (key, value) in labels {
        errors.extend(qualified_errors("metadata.labels", key));
        let value = value.as_str().unwrap_or_default();
        if value.len() > 63 {
            errors.push(invalid("metadata.labels", value, "must be no more than 63 bytes"));
        }
        if !value.is_empty() && !is_name_part(value) {
            errors.push(invalid("metadata.labels", value, LABEL_VALUE));
        }
    }
    errors
}

fn annotation_errors(object: &Value) -> Vec<FieldError> {
    let none = Map::new();
    let annotations = object.meta("annotations").and_then(Value::as_object).unwrap_or(&none);
    let field = "metadata.annotations";
    let mut errors: Vec<FieldError> =
        annotations.keys().filter_map(|key| qualified_errors(field, &key.to_lowercase())).collect();
    let value_len = |value: &Value| value.as_str().map_or(0, str::len);
    let total: usize = annotations.iter().map(|(key, value)| key.len() + value_len(value)).sum();
    if total > ANNOTATIONS_LIMIT {
        errors.push(super::field::too_long(field, ANNOTATIONS_LIMIT));
    }
    errors
}

fn owner_errors(owners: &[Value]) -> Vec<FieldError> {
    let field = "metadata.ownerReferences";
    let mut errors = Vec::new();
    for owner in owners {
        let parts = [
            ("apiVersion", "version must not be empty"),
            ("kind", "must not be empty"),
            ("name", "must not be empty"),
            ("uid", "must not be empty"),
        ];
        for (part, detail) in parts {
            if owner.get(part).and_then(Value::as_str).is_none_or(str::is_empty) {
                errors.push(invalid(&format!("{field}.{part}"), "", detail));
            }
        }
    }
    let controllers = owners.iter().filter(|owner| owner.get("controller") == Some(&Value::Bool(true)));
    if controllers.count() > 1 {
        let detail = "Only one reference can have Controller set to true";
        errors.push(invalid(field, Value::from(owners.to_vec()), detail));
    }
    errors
}

fn qualified_errors(field: &str, key: &str) -> Option<FieldError> {
    let (prefix, name) = key.rsplit_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    if let Some(prefix) = prefix
        && (prefix.len() > 253 || !prefix.split('.').all(is_dns_label))
    {
        return Some(invalid(field, key, &format!("prefix part {SUBDOMAIN}")));
    }
    (name.len() > 63 || !is_name_part(name)).then(|| invalid(field, key, QUALIFIED))
}

fn is_dns_label(label: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    label.len() <= 253 && bounded_by_alphanumerics(label) && label.chars().all(inner)
}

fn is_name_part(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    bounded_by_alphanumerics(name) && name.chars().all(inner)
}

fn bounded_by_alphanumerics(text: &str) -> bool {
    let is = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    is(text.chars().next()) && is(text.chars().last())
}
