//! The forms in which objects are sent: as they are, as metadata only, or as rows of a table.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::object::Object;
use super::resource::Resource;
use super::status::Failure;
use super::table::{self, IncludeObject};
use crate::clock;

const META_GROUP: &str = "meta.k8s.io";

/// The form that a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Whole,
    Metadata,
    Table(IncludeObject),
}

/// `metadata` of a list.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListMeta {
    pub(crate) resource_version: String,
    #[serde(rename = "continue", skip_serializing_if = "Option::is_none")]
    pub(crate) continue_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remaining_item_count: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    kind: &'a str,
    api_version: &'a str,
    metadata: &'a ListMeta,
    items: Vec<&'a Value>,
}

impl Form {
    /// The first form of an `Accept` header that this server has; 406 when there is none.
    pub(crate) fn negotiate(accept: &str, include: IncludeObject) -> Result<Self, Failure> {
        if accept.trim().is_empty() {
            return Ok(Self::Whole);
        }
        let forms = accept.split(',').filter_map(|range| Self::of_media_range(range, include));
        forms.into_iter().next().ok_or_else(|| Failure::not_acceptable(&["application/json"]))
    }

    fn of_media_range(range: &str, include: IncludeObject) -> Option<Self> {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next()?;
        if !matches!(media_type, "application/json" | "application/*" | "*/*") {
            return None;
        }
        let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
        let parameter = |name| parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        let of_meta = parameter("g") == Some(META_GROUP) && parameter("v") == Some("v1");
        match parameter("as") {
            None => Some(Self::Whole),
            Some("Table") if of_meta => Some(Self::Table(include)),
            Some("PartialObjectMetadata" | "PartialObjectMetadataList") if of_meta => Some(Self::Metadata),
            Some(_) => None,
        }
    }

    /// One stored object.
    pub(crate) fn object(self, resource: &Resource, stored: &Arc<Value>) -> Arc<Value> {
        let object = resource.present(stored);
        match self {
            Self::Whole => object,
            Self::Metadata => Arc::new(metadata_only(&object)),
            Self::Table(include) => {
                let list_meta = json!({ "resourceVersion": object.resource_version() });
                Arc::new(rows(resource, &[object], include, list_meta))
            }
        }
    }

    /// A list of stored objects, as JSON text.
    pub(crate) fn list(
        self,
        resource: &Resource,
        stored: &[Arc<Value>],
        metadata: &ListMeta,
    ) -> Result<String, Failure> {
        let objects: Vec<Arc<Value>> = stored.iter().map(|stored| resource.present(stored)).collect();
        let api_version = resource.api_version();
        let list = |kind, api_version, items| List { kind, api_version, metadata, items };
        let text = match self {
            Self::Whole => {
                let items = objects.iter().map(Arc::as_ref).collect();
                serde_json::to_string(&list(&resource.list_kind, &api_version, items))
            }
            Self::Metadata => {
                let items: Vec<Value> = objects.iter().map(|object| metadata_only(object)).collect();
                let list = list("PartialObjectMetadataList", "meta.k8s.io/v1", items.iter().collect());
                serde_json::to_string(&list)
            }
            Self::Table(include) => serde_json::to_value(metadata)
                .map(|list_meta| rows(resource, &objects, include, list_meta).to_string()),
        };
        text.map_err(Failure::internal)
    }
}

fn metadata_only(object: &Value) -> Value {
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": object.get("metadata"),
    })
}

fn rows(resource: &Resource, objects: &[Arc<Value>], include: IncludeObject, list_meta: Value) -> Value {
    let view = resource.strategy().map_or(Value::clone as fn(&Value) -> Value, |strategy| strategy.view);
    let views: Vec<Value> = objects.iter().map(|object| view(object)).collect();
    let mut table = table::table(&resource.columns, &views, clock::now(), include, list_meta);
    if include == IncludeObject::Object
        && let Some(rows) = table.get_mut("rows").and_then(Value::as_array_mut)
    {
        for (row, object) in rows.iter_mut().zip(objects) {
            row.set("object", Some(Value::clone(object)));
        }
    }
    table
}
