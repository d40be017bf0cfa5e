//! OpenAPI v3, as far as `kubectl explain` and `kubectl apply` read it: the schemas of the kinds, and for each the
//! parameters of its PATCH.

use std::hash::{DefaultHasher, Hash, Hasher};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::object::Object;
use super::registry::Registry;
use super::resource::{Nature, Resource, api_version};

const KIND_EXTENSION: &str = "x-kubernetes-group-version-kind";

/// Where the documents are. The hash lets clients keep them until they change.
pub(crate) fn index(registry: &Registry) -> Value {
    let mut paths = Map::new();
    for (group, versions) in registry.groups() {
        for version in versions {
            let path = base(group, version);
            let mut hasher = DefaultHasher::new();
            document(registry, group, version).unwrap_or_default().to_string().hash(&mut hasher);
            let url = format!("/openapi/v3/{path}?hash={:016X}", hasher.finish());
            paths.insert(path, json!({ "serverRelativeURL": url }));
        }
    }
    json!({ "paths": paths })
}

/// The document of one group and version.
pub(crate) fn document(registry: &Registry, group: &str, version: &str) -> Option<Value> {
    let mut generator = SchemaSettings::openapi3().into_generator();
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for resource in registry.kinds(group, version) {
        paths.extend(operations(resource));
        schemas.insert(schema_name(resource), schema(resource, &mut generator));
    }
    for (name, schema) in generator.take_definitions(true) {
        schemas.entry(name).or_insert(schema);
    }
    (!paths.is_empty()).then(|| {
        json!({
            "openapi": "3.0.0",
            "info": { "title": "certorder-sim", "version": api_version(group, version) },
            "paths": paths,
            "components": { "schemas": schemas },
        })
    })
}

fn base(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}

/// The name of a kind's schema: the group's domain, backwards.
fn schema_name(resource: &Resource) -> String {
    let domain: Vec<&str> = resource.group.split('.').rev().filter(|part| !part.is_empty()).collect();
    let domain = if domain.is_empty() { "core".to_owned() } else { domain.join(".") };
    format!("{domain}.{}.{}", resource.version, resource.kind)
}

fn schema(resource: &Resource, generator: &mut SchemaGenerator) -> Value {
    let mut schema = match &resource.nature {
        Nature::BuiltIn(strategy) => Value::from((strategy.open_api)(generator)),
        Nature::Custom(custom) => {
            let mut schema = custom.declared.clone();
            let metadata = Value::from(generator.subschema_for::<ObjectMeta>());
            if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
                properties.insert("metadata".into(), metadata);
                for field in ["apiVersion", "kind"] {
                    properties.entry(field).or_insert_with(|| json!({ "type": "string" }));
                }
            }
            schema
        }
    };
    let Resource { group, version, kind, .. } = resource;
    let kind = json!([{ "group": group, "version": version, "kind": kind }]);
    schema.set(KIND_EXTENSION, Some(kind));
    schema
}

/// The paths of a kind, with the operations by which clients recognise it.
fn operations(resource: &Resource) -> [(String, Value); 2] {
    let scope = if resource.namespaced { "/namespaces/{namespace}" } else { "" };
    let path = format!("/{}{scope}/{}", base(&resource.group, &resource.version), resource.plural);
    let Resource { group, version, kind, .. } = resource;
    let operation = |action: &str, parameters: &[&str]| {
        let parameter = |name: &&str| json!({ "name": name, "in": "query", "schema": { "type": "string" } });
        let parameters: Vec<Value> = parameters.iter().map(parameter).collect();
        json!({
            "x-kubernetes-action": action,
            KIND_EXTENSION: { "group": group, "version": version, "kind": kind },
            "parameters": parameters,
            "responses": {},
        })
    };
    let write = ["dryRun", "fieldManager", "fieldValidation"];
    let collection = json!({ "get": operation("list", &[]), "post": operation("post", &write) });
    let object = json!({
        "get": operation("get", &[]),
        "put": operation("put", &write),
        "patch": operation("patch", &["dryRun", "fieldManager", "fieldValidation", "force"]),
        "delete": operation("delete", &["dryRun"]),
    });
    [(path.clone(), collection), (format!("{path}/{{name}}"), object)]
}
