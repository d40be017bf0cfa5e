//! Namespaces.

use k8s_openapi::api::core::v1::Namespace;
use serde_json::{Value, json};

use super::describe::{column, describe};
use crate::kube::object::Object;
use crate::kube::resource::{Nature, Resource};
use crate::kube::strategy::Strategy;
use crate::kube::table::Column;

/// The namespaces of a new cluster.
pub(crate) const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

pub(super) fn resource() -> Resource {
    Resource {
        singular: "namespace".into(),
        short_names: vec!["ns".into()],
        namespaced: false,
        has_status: true,
        selectable: vec!["status.phase".into()],
        columns: vec![Column::of_name(), column("Status", "", ".status.phase"), Column::of_age()],
        nature: Nature::BuiltIn(Strategy { prepare, ..Strategy::of::<Namespace>() }),
        ..describe::<Namespace>()
    }
}

fn prepare(namespace: &mut Value) {
    let mut labels = namespace.meta("labels").cloned().unwrap_or_else(|| json!({}));
    if let Some(labels) = labels.as_object_mut() {
        labels.insert("kubernetes.io/metadata.name".into(), namespace.name().into());
    }
    namespace.set_meta("labels", labels);
    namespace.set("spec", Some(json!({ "finalizers": ["kubernetes"] })));
    if namespace.get("status").and_then(|status| status.get("phase")).is_none() {
        namespace.set("status", Some(json!({ "phase": "Active" })));
    }
}
