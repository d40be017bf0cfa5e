//! What may stand in `allOf`, `anyOf`, `oneOf` and `not`: value validation of things whose shape is given outside.

use super::{
    error::{FieldError, child, index, property},
    node::Node,
};

/// The node outside of junctors that describes the same value, and where it stands.
struct Shape<'a> {
    node: &'a Node,
    path: String,
}

impl<'a> Shape<'a> {
    fn items(&self) -> Option<Shape<'a>> {
        let node = self.node.items.as_deref()?;
        Some(Shape { node, path: child(&self.path, "items") })
    }

    fn property(&self, name: &str) -> Option<Shape<'a>> {
        let node = self.node.properties.get(name)?;
        Some(Shape { node, path: property(&self.path, name) })
    }
}

/// Checks the junctors of a node of the shape.
pub(super) fn check(node: &Node, path: &str, errors: &mut Vec<FieldError>) {
    below(node, &Shape { node, path: path.to_owned() }, path, errors);
}

/// Checks the junctors of `node`, which describes the same value as `shape`.
fn below(node: &Node, shape: &Shape<'_>, path: &str, errors: &mut Vec<FieldError>) {
    for (keyword, nodes) in [("allOf", &node.all_of), ("anyOf", &node.any_of), ("oneOf", &node.one_of)] {
        let union = keyword == "anyOf" && shape.node.int_or_string && is_int_or_string(nodes);
        for (i, sub) in nodes.iter().enumerate() {
            if !union {
                nested(sub, shape, &index(&child(path, keyword), i), errors);
            }
        }
    }
    if let Some(sub) = &node.not {
        nested(sub, shape, &child(path, "not"), errors);
    }
}

/// The one junctor that may name types.
fn is_int_or_string(nodes: &[Node]) -> bool {
    matches!(nodes, [one, two] if one.is("integer") && two.is("string"))
}

fn nested(node: &Node, shape: &Shape<'_>, path: &str, errors: &mut Vec<FieldError>) {
    forbidden(node, path, errors);
    below(node, shape, path, errors);
    for (name, sub) in &node.properties {
        let sub_path = property(path, name);
        if name == "metadata" {
            errors.push(FieldError::forbidden(&sub_path, "must not be specified in a nested context"));
        }
        match shape.property(name) {
            Some(shape) => nested(sub, &shape, &sub_path, errors),
            None => errors.push(undescribed(&property(&shape.path, name), &sub_path)),
        }
    }
    if let Some(sub) = &node.items {
        let sub_path = child(path, "items");
        match shape.items() {
            Some(shape) => nested(sub, &shape, &sub_path, errors),
            None => errors.push(undescribed(&child(&shape.path, "items"), &sub_path)),
        }
    }
}

fn undescribed(shape: &str, nested: &str) -> FieldError {
    FieldError::required(shape, format!("because it is defined in {nested}"))
}

fn forbidden(node: &Node, path: &str, errors: &mut Vec<FieldError>) {
    let found = [
        (node.type_.is_some(), "type", "empty"),
        (node.additional_properties.is_some(), "additionalProperties", "undefined"),
        (node.default_value().is_some(), "default", "undefined"),
        (!node.title.is_empty(), "title", "empty"),
        (!node.description.is_empty(), "description", "empty"),
        (node.nullable, "nullable", "false"),
        (node.preserves_unknown(), "x-kubernetes-preserve-unknown-fields", "false"),
        (node.embedded, "x-kubernetes-embedded-resource", "false"),
        (node.int_or_string, "x-kubernetes-int-or-string", "false"),
        (!node.list_map_keys.is_empty(), "x-kubernetes-list-map-keys", "empty"),
        (node.list_type.is_some(), "x-kubernetes-list-type", "undefined"),
        (node.map_type.is_some(), "x-kubernetes-map-type", "undefined"),
        (!node.validations.is_empty(), "x-kubernetes-validations", "empty"),
    ];
    let found = found.into_iter().filter(|(set, ..)| *set);
    errors.extend(found.map(|(_, keyword, must)| {
        FieldError::forbidden(&child(path, keyword), format!("must be {must} to be structural"))
    }));
}
