//! The kinds that every cluster has, as far as an operator and `kubectl` use them.
//!
//! Their shape comes from `k8s-openapi`; what a type cannot say is in one file for each kind.

mod config_map;
mod event;
mod installation;
mod lease;
mod namespace;
mod secret;

use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::crd;
use super::resource::{Nature, Resource};
use super::schema::FieldError;
use super::store::Collection;
use super::table::Column;

/// The namespaces of a new cluster.
pub(crate) const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// The rules of one built-in kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Strategy {
    /// Checks the types of all fields and drops the unknown ones.
    pub(crate) decode: fn(&Value) -> Result<Value, serde_json::Error>,
    /// Fills in what the API server fills in.
    pub(crate) prepare: fn(&mut Value),
    /// What is wrong with an object in its stored form; `None` as the old one means create.
    pub(crate) validate: fn(&Value, Option<&Value>) -> Vec<FieldError>,
    /// The object as the table's columns see it.
    pub(crate) view: fn(&Value) -> Value,
    /// Between this version and the stored one, where they differ.
    pub(crate) conversion: Option<Conversion>,
    /// Whether `metadata.generation` counts the changes of spec.
    pub(crate) counts_generations: bool,
    /// Whether a PUT may create.
    pub(crate) create_on_update: bool,
    /// The schema, for OpenAPI.
    pub(crate) open_api: fn(&mut SchemaGenerator) -> schemars::Schema,
}

/// The way to the stored form of an object and back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conversion {
    pub(crate) to_storage: fn(Value) -> Value,
    pub(crate) from_storage: fn(Value) -> Value,
}

/// All built-in kinds.
pub(crate) fn resources() -> Vec<Resource> {
    let mut resources = vec![
        namespace::resource(),
        secret::resource(),
        config_map::resource(),
        event::core_resource(),
        event::events_resource(),
        lease::resource(),
        crd::resource(),
    ];
    resources.extend(installation::resources());
    resources
}

impl Strategy {
    pub(crate) fn of<T: DeserializeOwned + Serialize + JsonSchema>() -> Self {
        Self {
            decode: typed::<T>,
            prepare: |_| {},
            validate: |_, _| Vec::new(),
            view: Value::clone,
            conversion: None,
            counts_generations: false,
            create_on_update: false,
            open_api: |generator| T::json_schema(generator),
        }
    }
}

/// A namespaced resource with the names that `T` declares and the columns Name and Age.
pub(crate) fn describe<T: k8s_openapi::Resource + DeserializeOwned + Serialize + JsonSchema>() -> Resource {
    Resource {
        group: T::GROUP.into(),
        version: T::VERSION.into(),
        kind: T::KIND.into(),
        list_kind: format!("{}List", T::KIND),
        plural: T::URL_PATH_SEGMENT.into(),
        singular: T::KIND.to_lowercase(),
        short_names: Vec::new(),
        categories: Vec::new(),
        namespaced: true,
        has_status: false,
        selectable: Vec::new(),
        columns: vec![Column::of_name(), Column::of_age()],
        collection: Collection::new(T::GROUP, T::URL_PATH_SEGMENT),
        nature: Nature::BuiltIn(Strategy::of::<T>()),
    }
}

/// A column that shows the value at `json_path`.
pub(crate) fn column(name: &str, format: &str, json_path: &str) -> Column {
    Column {
        name: name.into(),
        type_: "string".into(),
        format: format.into(),
        description: String::new(),
        priority: 0,
        json_path: json_path.into(),
    }
}

/// A column that shows how long ago the time at `json_path` was.
pub(crate) fn ago(name: &str, json_path: &str) -> Column {
    Column { type_: "date".into(), ..column(name, "", json_path) }
}

fn typed<T: DeserializeOwned + Serialize>(object: &Value) -> Result<Value, serde_json::Error> {
    serde_json::to_value(T::deserialize(object)?)
}
