//! `CustomResourceDefinitions`, as objects of their own.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Value, json};

use super::describe::{column, describe};
use crate::kube::crd::{collection_of, flag, prefixed, strings, text, versions};
use crate::kube::field::{invalid, required};
use crate::kube::object::{Object, at};
use crate::kube::resource::{Nature, Resource};
use crate::kube::schema::{FieldError, Schema};
use crate::kube::store::Collection;
use crate::kube::strategy::Strategy;
use crate::kube::table::Column;
use crate::kube::time::timestamp;

pub(super) fn resource() -> Resource {
    Resource {
        short_names: vec!["crd".into(), "crds".into()],
        categories: vec!["api-extensions".into()],
        namespaced: false,
        has_status: true,
        columns: vec![Column::of_name(), column("Created At", "", ".metadata.creationTimestamp")],
        nature: Nature::BuiltIn(Strategy {
            prepare,
            validate,
            counts_generations: true,
            ..Strategy::of::<CustomResourceDefinition>()
        }),
        ..describe::<CustomResourceDefinition>()
    }
}

/// Names that follow from others, and the status, which here is true at once.
fn prepare(definition: &mut Value) {
    let kind = text(definition, "spec.names.kind").to_owned();
    let defaults = [("singular", kind.to_lowercase()), ("listKind", format!("{kind}List"))];
    if let Some(names) = definition.pointer_mut("/spec/names").and_then(Value::as_object_mut) {
        for (field, value) in defaults {
            names.entry(field).or_insert_with(|| value.into());
        }
    }
    if let Some(spec) = definition.get_mut("spec").and_then(Value::as_object_mut) {
        spec.entry("conversion").or_insert_with(|| json!({ "strategy": "None" }));
    }
    let status = status(definition);
    definition.set("status", Some(status));
}

fn status(definition: &Value) -> Value {
    let mut conditions = vec![
        condition(definition, "NamesAccepted", "NoConflicts", "no conflicts found"),
        condition(definition, "Established", "InitialNamesAccepted", "the initial names have been accepted"),
    ];
    if definition.is_deleting() {
        let message = "CustomResource deletion is in progress";
        conditions.push(condition(definition, "Terminating", "InstanceDeletionInProgress", message));
    }
    let storage = versions(definition).iter().filter(|version| flag(version, "storage"));
    let mut stored = strings(at(definition, "status.storedVersions"));
    stored.extend(storage.map(|version| text(version, "name").to_owned()));
    stored.dedup();
    json!({
        "acceptedNames": at(definition, "spec.names").cloned().unwrap_or_else(|| json!({})),
        "conditions": conditions,
        "storedVersions": stored,
    })
}

/// A true condition, since when it has been so.
fn condition(definition: &Value, kind: &str, reason: &str, message: &str) -> Value {
    let known = at(definition, "status.conditions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let since = known.iter().find(|condition| text(condition, "type") == kind);
    let since = since.map_or_else(timestamp, |condition| text(condition, "lastTransitionTime").to_owned());
    json!({
        "type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": since,
    })
}

fn validate(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = name_errors(new);
    errors.extend(version_errors(new));
    if let Some(old) = old {
        for field in ["spec.group", "spec.scope", "spec.names.plural", "spec.names.kind"] {
            if at(old, field) != at(new, field) {
                errors.push(invalid(field, text(new, field), "field is immutable"));
            }
        }
    }
    for (index, version) in versions(new).iter().enumerate() {
        let field = format!("spec.versions[{index}].schema.openAPIV3Schema");
        match at(version, "schema.openAPIV3Schema") {
            None => errors.push(required(&field, "")),
            Some(schema) => {
                let parsed = Schema::parse(schema);
                errors.extend(parsed.err().map(|errors| prefixed(errors, index)).unwrap_or_default());
            }
        }
    }
    errors
}

fn name_errors(definition: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let Collection { group, plural } = collection_of(definition);
    if definition.name() != format!("{plural}.{group}") {
        let detail = "must be spec.names.plural+\".\"+spec.group";
        errors.push(invalid("metadata.name", definition.name(), detail));
    }
    if group.split('.').count() < 2 {
        errors.push(invalid("spec.group", group, "should be a domain with at least one dot"));
    }
    let scope = text(definition, "spec.scope");
    if !matches!(scope, "Namespaced" | "Cluster") {
        errors.push(invalid("spec.scope", scope, "supported values: \"Cluster\", \"Namespaced\""));
    }
    if text(definition, "spec.names.kind").is_empty() {
        errors.push(required("spec.names.kind", ""));
    }
    errors
}

fn version_errors(definition: &Value) -> Vec<FieldError> {
    let versions = versions(definition);
    let mut errors = Vec::new();
    if versions.iter().filter(|version| flag(version, "storage")).count() != 1 {
        let detail = "must have exactly one version marked as storage version";
        errors.push(invalid("spec.versions", Value::from(versions.to_vec()), detail));
    }
    for (index, version) in versions.iter().enumerate() {
        let name = text(version, "name");
        if versions.iter().take(index).any(|earlier| text(earlier, "name") == name) {
            errors.push(invalid(&format!("spec.versions[{index}].name"), name, "must be unique"));
        }
    }
    errors
}
