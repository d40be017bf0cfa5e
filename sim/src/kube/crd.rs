//! The kinds that `CustomResourceDefinitions` declare.

use serde_json::Value;

use super::object::{Object, at};
use super::resource::{Custom, Nature, Resource};
use super::schema::{FieldError, Schema};
use super::store::Collection;
use super::table;

/// Keeps a definition until all its objects are gone.
pub(crate) const FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";

const GROUP: &str = "apiextensions.k8s.io";
const PLURAL: &str = "customresourcedefinitions";

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

/// Errors of the schema of one version, under the path of that version.
pub(crate) fn prefixed(mut errors: Vec<FieldError>, index: usize) -> Vec<FieldError> {
    for error in &mut errors {
        error.field = format!("spec.versions[{index}].schema.{}", error.field);
    }
    errors
}

/// The versions that a definition lists, served or not.
pub(crate) fn versions(definition: &Value) -> &[Value] {
    at(definition, "spec.versions").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The text at a dotted path; empty where there is none.
pub(crate) fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a field is true.
pub(crate) fn flag(value: &Value, field: &str) -> bool {
    value.get(field) == Some(&Value::Bool(true))
}

/// The texts of a list.
pub(crate) fn strings(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
