//! What the API knows of one kind in one version: its names, and how its objects behave.

use std::sync::Arc;

use serde_json::Value;

use super::object::Object;
use super::schema::Schema;
use super::store::Collection;
use super::strategy::Strategy;
use super::table::Column;

/// One kind in one API version, as discovery lists it.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) list_kind: String,
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) short_names: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) namespaced: bool,
    /// Whether `/status` exists; then the main endpoint ignores status, and `/status` all else.
    pub(crate) has_status: bool,
    /// Dotted paths of the fields, besides name and namespace, that field selectors may name.
    pub(crate) selectable: Vec<String>,
    pub(crate) columns: Vec<Column>,
    /// Where the objects are stored, which versions and Events' two groups share.
    pub(crate) collection: Collection,
    pub(crate) nature: Nature,
}

/// Where a kind's rules come from.
#[derive(Debug)]
pub(crate) enum Nature {
    /// Written in this crate.
    BuiltIn(Strategy),
    /// Declared by a `CustomResourceDefinition`.
    Custom(Box<Custom>),
}

/// What one version of a `CustomResourceDefinition` adds to its names.
#[derive(Debug)]
pub(crate) struct Custom {
    pub(crate) schema: Schema,
    /// The schema as declared, for OpenAPI.
    pub(crate) declared: Value,
    /// The definition is being deleted, so that nothing may be created any more.
    pub(crate) terminating: bool,
}

impl Resource {
    /// `v1` or `group/version`.
    pub(crate) fn api_version(&self) -> String {
        api_version(&self.group, &self.version)
    }

    /// `secrets` or `plural.group`, as messages name the resource.
    pub(crate) fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    pub(crate) fn is_namespace(&self) -> bool {
        self.group.is_empty() && self.plural == "namespaces"
    }

    pub(crate) fn custom(&self) -> Option<&Custom> {
        match &self.nature {
            Nature::Custom(custom) => Some(custom),
            Nature::BuiltIn(_) => None,
        }
    }

    pub(crate) fn strategy(&self) -> Option<&Strategy> {
        match &self.nature {
            Nature::BuiltIn(strategy) => Some(strategy),
            Nature::Custom(_) => None,
        }
    }

    /// A stored object in this version's form.
    pub(crate) fn present(&self, stored: &Arc<Value>) -> Arc<Value> {
        let conversion = self.strategy().and_then(|strategy| strategy.conversion);
        let api_version = self.api_version();
        if conversion.is_none() && stored.get("apiVersion") == Some(&Value::from(api_version.as_str())) {
            return Arc::clone(stored);
        }
        let stored = Value::clone(stored);
        let mut object = match conversion {
            Some(conversion) => (conversion.from_storage)(stored),
            None => stored,
        };
        object.set("apiVersion", Some(api_version.into()));
        Arc::new(object)
    }

    /// An object of this version in the form that is stored.
    pub(crate) fn store_form(&self, object: Value) -> Value {
        match self.strategy().and_then(|strategy| strategy.conversion) {
            Some(conversion) => (conversion.to_storage)(object),
            None => object,
        }
    }
}

/// `v1` or `group/version`.
pub(crate) fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}
