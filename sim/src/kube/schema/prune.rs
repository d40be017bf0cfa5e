//! Pruning: fields that no schema names are removed, as
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#field-pruning> says.

use serde_json::{Map, Value};

use super::{
    error::{child, index},
    node::Node,
};

/// What every resource has, whether its schema says so or not.
const META_FIELDS: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Removes what `root` does not name and returns the paths of what was removed, sorted.
pub(super) fn prune(object: &mut Value, root: &Node) -> Vec<String> {
    let mut removed = Vec::new();
    let place = Place { node: Some(root), resource: true, keep: root.preserves_unknown() };
    value(object, &place, "", &mut removed);
    removed.sort();
    removed
}

/// Prunes a default value in place, which is a whole object only where `node` says so.
pub(super) fn prune_default(value_: &mut Value, node: &Node) {
    value(value_, &Place::at(node), "", &mut Vec::new());
}

/// What is known about a value that is being pruned.
struct Place<'a> {
    node: Option<&'a Node>,
    /// The value is a resource of its own, so apiVersion, kind and metadata stay.
    resource: bool,
    /// Unknown fields stay.
    keep: bool,
}

impl<'a> Place<'a> {
    fn at(node: &'a Node) -> Self {
        Self { node: Some(node), resource: node.embedded, keep: node.preserves_unknown() }
    }

    fn within(node: Option<&'a Node>) -> Self {
        node.map_or(Self { node: None, resource: false, keep: false }, Self::at)
    }
}

fn value(object: &mut Value, place: &Place<'_>, path: &str, removed: &mut Vec<String>) {
    match object {
        Value::Object(fields) => map(fields, place, path, removed),
        Value::Array(items) => {
            let sub = place.node.and_then(|node| node.items.as_deref());
            if place.keep && sub.is_none() {
                return;
            }
            let mut inner = Place::within(sub);
            inner.keep |= place.keep;
            for (i, item) in items.iter_mut().enumerate() {
                value(item, &inner, &index(path, i), removed);
            }
        }
        _ => {}
    }
}

fn map(fields: &mut Map<String, Value>, place: &Place<'_>, path: &str, removed: &mut Vec<String>) {
    fields.retain(|name, field| {
        if place.resource && META_FIELDS.contains(&name.as_str()) {
            return true;
        }
        let path = child(path, name);
        match place.node {
            Some(node) if node.properties.contains_key(name) || node.additional_properties.is_some() => {
                value(field, &Place::within(node.field(name)), &path, removed);
                true
            }
            _ if place.keep => true,
            _ => {
                removed.push(path);
                false
            }
        }
    });
}
