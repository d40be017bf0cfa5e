//! What clients may ask about the API itself: versions, groups, kinds, health.

use std::collections::BTreeSet;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use super::object::Object;
use super::openapi;
use super::registry::Registry;
use super::resource::{Resource, api_version};
use super::status::{Failure, json_reply};

/// The Kubernetes version that this server behaves like.
const VERSION: (&str, &str, &str) = ("1", "33", "v1.33.0+certorder-sim");
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const STATUS_VERBS: [&str; 3] = ["get", "patch", "update"];

/// The document at `path`; `None` when the path belongs to an object or collection.
pub(crate) fn document(
    registry: &Registry,
    path: &str,
    headers: &HeaderMap,
) -> Option<Result<Response, Failure>> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let aggregated = wants_aggregated(headers);
    let body = match segments.as_slice() {
        ["healthz" | "livez" | "readyz", ..] => return Some(Ok("ok".into_response())),
        ["version"] => Some(version()),
        ["api"] if aggregated => return Some(Ok(aggregated_reply(registry, str::is_empty))),
        ["apis"] if aggregated => return Some(Ok(aggregated_reply(registry, |group| !group.is_empty()))),
        ["api"] => Some(json!({
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [],
        })),
        ["apis"] => Some(group_list(registry)),
        ["apis", name] => group(registry, name).map(|mut group| {
            group.set("kind", Some("APIGroup".into()));
            group.set("apiVersion", Some("v1".into()));
            group
        }),
        ["api", version] => resource_list(registry, "", version),
        ["apis", group, version] => resource_list(registry, group, version),
        ["openapi", "v3"] => Some(openapi::index(registry)),
        ["openapi", "v3", "api", version] => openapi::document(registry, "", version),
        ["openapi", "v3", "apis", group, version] => openapi::document(registry, group, version),
        ["api" | "apis", ..] => return None,
        _ => None,
    };
    Some(body.map(|body| json_reply(StatusCode::OK, &body)).ok_or_else(Failure::no_such_path))
}

fn wants_aggregated(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|range| {
        let parts: BTreeSet<&str> = range.split(';').map(str::trim).collect();
        AGGREGATED.split(';').all(|part| parts.contains(part))
    })
}

fn version() -> Value {
    let (major, minor, full) = VERSION;
    json!({
        "major": major, "minor": minor, "gitVersion": full, "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "rustc", "platform": "linux/amd64",
    })
}

fn group_list(registry: &Registry) -> Value {
    let groups: Vec<Value> = registry.groups().keys().filter_map(|name| group(registry, name)).collect();
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
}

fn group(registry: &Registry, name: &str) -> Option<Value> {
    let groups = registry.groups();
    let versions = groups.get(name).filter(|_| !name.is_empty())?;
    let entry = |version: &&str| json!({ "groupVersion": api_version(name, version), "version": version });
    let versions: Vec<Value> = versions.iter().map(entry).collect();
    Some(json!({ "name": name, "versions": versions, "preferredVersion": versions.last() }))
}

fn resource_list(registry: &Registry, group: &str, version: &str) -> Option<Value> {
    let resources: Vec<Value> = registry.kinds(group, version).flat_map(listed).collect();
    (!resources.is_empty()).then(|| {
        json!({
            "kind": "APIResourceList", "apiVersion": "v1",
            "groupVersion": api_version(group, version), "resources": resources,
        })
    })
}

/// A kind, and its status subresource.
fn listed(resource: &Resource) -> Vec<Value> {
    let mut main = json!({
        "name": resource.plural, "singularName": resource.singular, "namespaced": resource.namespaced,
        "kind": resource.kind, "verbs": VERBS,
    });
    for (field, names) in [("shortNames", &resource.short_names), ("categories", &resource.categories)] {
        if !names.is_empty() {
            main.set(field, Some(json!(names)));
        }
    }
    let status = json!({
        "name": format!("{}/status", resource.plural), "singularName": "",
        "namespaced": resource.namespaced, "kind": resource.kind, "verbs": STATUS_VERBS,
    });
    if resource.has_status { vec![main, status] } else { vec![main] }
}

fn aggregated_reply(registry: &Registry, included: impl Fn(&str) -> bool) -> Response {
    let groups = registry.groups();
    let items: Vec<Value> = groups
        .iter()
        .filter(|(name, _)| included(name))
        .map(|(name, versions)| {
            let versions: Vec<Value> =
                versions.iter().rev().map(|version| aggregated_version(registry, name, version)).collect();
            json!({ "metadata": { "name": name, "creationTimestamp": null }, "versions": versions })
        })
        .collect();
    let body = json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items,
    });
    ([(header::CONTENT_TYPE, AGGREGATED)], body.to_string()).into_response()
}

fn aggregated_version(registry: &Registry, group: &str, version: &str) -> Value {
    let resources: Vec<Value> = registry.kinds(group, version).map(aggregated_resource).collect();
    json!({ "version": version, "freshness": "Current", "resources": resources })
}

fn aggregated_resource(resource: &Resource) -> Value {
    let kind = json!({ "group": resource.group, "version": resource.version, "kind": resource.kind });
    let status = json!({ "subresource": "status", "responseKind": kind, "verbs": STATUS_VERBS });
    let subresources = if resource.has_status { vec![status] } else { Vec::new() };
    json!({
        "resource": resource.plural,
        "responseKind": kind,
        "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular,
        "verbs": VERBS,
        "shortNames": resource.short_names,
        "categories": resource.categories,
        "subresources": subresources,
    })
}
