//! `CustomResourceDefinitions`: their own rules, and the kinds that they declare.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Value, json};

use super::builtin::{Strategy, column, describe};
use super::field::{invalid, required};
use super::object::{Object, at};
use super::resource::{Custom, Nature, Resource};
use super::schema::{FieldError, Schema};
use super::store::Collection;
use super::table::{self, Column};
use super::write::timestamp;

/// Keeps a definition until all its objects are gone.
pub(crate) const FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";

const GROUP: &str = "apiextensions.k8s.io";
const PLURAL: &str = "customresourcedefinitions";

pub(crate) fn resource() -> Resource {
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

pub(crate) fn is_definition(collection: &Collection) -> bool {
    collection.group == GROUP && collection.plural == PLURAL
}

/// Where the definition of the kind in `collection` is stored.
pub(crate) fn definition_of(collection: &Collection) -> super::store::Key {
    super::store::Key {
        collection: Collection::new(GROUP, PLURAL),
        namespace: String::new(),
        name: format!("{}.{}", collection.plural, collection.group),
    }
}

/// Where the objects of a definition are stored.
pub(crate) fn collection_of(definition: &Value) -> Collection {
    Collection::new(text(definition, "spec.group"), text(definition, "spec.names.plural"))
}

/// The kinds that a definition serves: one for each served version.
pub(crate) fn resources_of(definition: &Value) -> Result<Vec<Resource>, Vec<FieldError>> {
    let served = versions(definition).iter().enumerate().filter(|(_, version)| flag(version, "served"));
    served.map(|(index, version)| version_resource(definition, version, index)).collect()
}

fn version_resource(definition: &Value, version: &Value, index: usize) -> Result<Resource, Vec<FieldError>> {
    let name = |field: &str| text(definition, &format!("spec.names.{field}")).to_owned();
    let names = |field: &str| strings(at(definition, &format!("spec.names.{field}")));
    let declared = at(version, "schema.openAPIV3Schema").cloned().unwrap_or_default();
    let schema = Schema::parse(&declared).map_err(|errors| prefixed(errors, index))?;
    let selectable = version.get("selectableFields").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    Ok(Resource {
        group: text(definition, "spec.group").to_owned(),
        version: text(version, "name").to_owned(),
        kind: name("kind"),
        list_kind: name("listKind"),
        plural: name("plural"),
        singular: name("singular"),
        short_names: names("shortNames"),
        categories: names("categories"),
        namespaced: text(definition, "spec.scope") == "Namespaced",
        has_status: at(version, "subresources.status").is_some(),
        selectable: selectable
            .iter()
            .map(|field| text(field, "jsonPath").trim_start_matches('.').to_owned())
            .collect(),
        columns: table::crd_columns(version),
        collection: collection_of(definition),
        nature: Nature::Custom(Box::new(Custom { schema, declared, terminating: definition.is_deleting() })),
    })
}

fn prefixed(mut errors: Vec<FieldError>, index: usize) -> Vec<FieldError> {
    for error in &mut errors {
        error.field = format!("spec.versions[{index}].schema.{}", error.field);
    }
    errors
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

fn versions(definition: &Value) -> &[Value] {
    at(definition, "spec.versions").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).and_then(Value::as_str).unwrap_or_default()
}

fn flag(value: &Value, field: &str) -> bool {
    value.get(field) == Some(&Value::Bool(true))
}

fn strings(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
