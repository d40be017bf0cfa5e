//! How the lists and maps of a kind are merged: what a schema says, or for built-in kinds, what is known by name.

use serde_json::{Map, Value};

use crate::kube::resource::Resource;

/// What is known about one place in an object.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape<'a> {
    /// The root of a custom object: its schema, but for metadata.
    Root(&'a Value),
    /// A place inside a custom object, with its schema.
    Declared(&'a Value),
    /// A place in metadata or in a built-in object, with the name of its field.
    Named(&'a str),
}

/// How a list is merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ListShape {
    /// As one value.
    Atomic,
    /// By its values.
    Set,
    /// By these keys of its entries.
    Map(Vec<String>),
}

impl<'a> Shape<'a> {
    pub(crate) fn of(resource: &'a Resource) -> Self {
        resource.custom().map_or(Self::Named(""), |custom| Self::Root(&custom.declared))
    }

    pub(crate) fn field(self, name: &'a str) -> Self {
        match self {
            Self::Root(_) if name == "metadata" => Self::Named(name),
            Self::Root(schema) | Self::Declared(schema) => {
                let property = schema.get("properties").and_then(|properties| properties.get(name));
                Self::Declared(
                    property.or_else(|| schema.get("additionalProperties")).unwrap_or(&Value::Null),
                )
            }
            Self::Named(_) => Self::Named(name),
        }
    }

    pub(crate) fn entry(self) -> Self {
        match self {
            Self::Root(schema) | Self::Declared(schema) => {
                Self::Declared(schema.get("items").unwrap_or(&Value::Null))
            }
            Self::Named(_) => Self::Named(""),
        }
    }

    pub(crate) fn is_atomic_map(self) -> bool {
        match self {
            Self::Root(schema) | Self::Declared(schema) => {
                schema.get("x-kubernetes-map-type").is_some_and(|kind| kind == "atomic")
            }
            // The references in Events are atomic, and CRD schemas are values of their own.
            Self::Named(name) => matches!(name, "involvedObject" | "regarding" | "related"),
        }
    }

    pub(crate) fn list(self) -> ListShape {
        match self {
            Self::Root(schema) | Self::Declared(schema) => {
                match schema.get("x-kubernetes-list-type").and_then(Value::as_str) {
                    Some("set") => ListShape::Set,
                    Some("map") => ListShape::Map(map_keys(schema)),
                    _ => ListShape::Atomic,
                }
            }
            Self::Named("finalizers") => ListShape::Set,
            Self::Named("ownerReferences") => ListShape::Map(vec!["uid".into()]),
            Self::Named("conditions") => ListShape::Map(vec!["type".into()]),
            Self::Named(_) => ListShape::Atomic,
        }
    }
}

fn map_keys(schema: &Value) -> Vec<String> {
    let keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
    keys.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

impl ListShape {
    /// The step to an entry of a list that is not atomic.
    pub(crate) fn step(&self, entry: &Value) -> String {
        match self {
            Self::Map(keys) => {
                let mut keys: Vec<&String> = keys.iter().collect();
                keys.sort();
                let given = keys.into_iter().filter_map(|key| Some((key.clone(), entry.get(key)?.clone())));
                format!("k:{}", Value::Object(given.collect::<Map<_, _>>()))
            }
            Self::Set | Self::Atomic => format!("v:{entry}"),
        }
    }
}
