//! One node of a structural schema, as `JSONSchemaProps` of apiextensions.k8s.io/v1 writes it.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use super::rule::{CompiledRule, Rule};

/// A node: shape (type, properties, items), value validation, and Kubernetes' extensions.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "they are the keywords' own")]
pub(super) struct Node {
    #[serde(rename = "type")]
    pub(super) type_: Option<String>,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) nullable: bool,
    pub(super) default: Option<Value>,
    pub(super) properties: BTreeMap<String, Node>,
    pub(super) items: Option<Box<Node>>,
    pub(super) additional_properties: Option<Additional>,

    pub(super) format: Option<String>,
    #[serde(rename = "enum")]
    pub(super) allowed: Option<Vec<Value>>,
    pub(super) pattern: Option<String>,
    #[serde(skip)]
    pub(super) regex: Option<Regex>,
    pub(super) min_length: Option<usize>,
    pub(super) max_length: Option<usize>,
    pub(super) min_items: Option<usize>,
    pub(super) max_items: Option<usize>,
    pub(super) unique_items: bool,
    pub(super) min_properties: Option<usize>,
    pub(super) max_properties: Option<usize>,
    pub(super) required: Vec<String>,
    pub(super) minimum: Option<f64>,
    pub(super) exclusive_minimum: bool,
    pub(super) maximum: Option<f64>,
    pub(super) exclusive_maximum: bool,
    pub(super) multiple_of: Option<f64>,

    pub(super) all_of: Vec<Node>,
    pub(super) any_of: Vec<Node>,
    pub(super) one_of: Vec<Node>,
    pub(super) not: Option<Box<Node>>,

    #[serde(rename = "x-kubernetes-preserve-unknown-fields")]
    pub(super) preserve_unknown: Option<bool>,
    #[serde(rename = "x-kubernetes-embedded-resource")]
    pub(super) embedded: bool,
    #[serde(rename = "x-kubernetes-int-or-string")]
    pub(super) int_or_string: bool,
    #[serde(rename = "x-kubernetes-list-type")]
    pub(super) list_type: Option<String>,
    #[serde(rename = "x-kubernetes-list-map-keys")]
    pub(super) list_map_keys: Vec<String>,
    #[serde(rename = "x-kubernetes-map-type")]
    pub(super) map_type: Option<String>,
    #[serde(rename = "x-kubernetes-validations")]
    pub(super) validations: Vec<Rule>,
    #[serde(skip)]
    pub(super) compiled: Vec<CompiledRule>,
}

/// `additionalProperties`: a schema for every value of a map, or whether unlisted fields are allowed at all.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Additional {
    Allowed(bool),
    Schema(Box<Node>),
}

impl Node {
    pub(super) fn is(&self, type_: &str) -> bool {
        self.type_.as_deref() == Some(type_)
    }

    pub(super) fn preserves_unknown(&self) -> bool {
        self.preserve_unknown == Some(true)
    }

    /// The schema of every value of a map.
    pub(super) fn additional(&self) -> Option<&Node> {
        match &self.additional_properties {
            Some(Additional::Schema(node)) => Some(node),
            _ => None,
        }
    }

    /// The schema of a field: its property, else that of the map's values.
    pub(super) fn field(&self, name: &str) -> Option<&Node> {
        self.properties.get(name).or_else(|| self.additional())
    }

    /// The value that stands for an absent or null field. A default of `null` counts as none.
    pub(super) fn default_value(&self) -> Option<&Value> {
        self.default.as_ref().filter(|value| !value.is_null())
    }

    /// The item of `old` that `item` replaces: only lists of type map can tell.
    pub(super) fn old_item<'a>(&self, old: Option<&'a Value>, item: &Value) -> Option<&'a Value> {
        if self.list_type.as_deref() != Some("map") {
            return None;
        }
        let wanted = self.map_key(item)?;
        old?.as_array()?.iter().find(|candidate| self.map_key(candidate).as_ref() == Some(&wanted))
    }

    fn map_key<'a>(&self, item: &'a Value) -> Option<Vec<&'a Value>> {
        let item = item.as_object()?;
        self.list_map_keys.iter().map(|name| item.get(name)).collect()
    }
}
