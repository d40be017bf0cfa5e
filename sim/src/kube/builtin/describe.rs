//! What most built-in kinds have in common: how they are named and which columns their tables have.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::kube::resource::{Nature, Resource};
use crate::kube::store::Collection;
use crate::kube::strategy::Strategy;
use crate::kube::table::Column;

/// A namespaced resource with the names that `T` declares and the columns Name and Age.
pub(super) fn describe<T: k8s_openapi::Resource + DeserializeOwned + Serialize + JsonSchema>() -> Resource {
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
pub(super) fn column(name: &str, format: &str, json_path: &str) -> Column {
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
pub(super) fn ago(name: &str, json_path: &str) -> Column {
    Column { type_: "date".into(), ..column(name, "", json_path) }
}
