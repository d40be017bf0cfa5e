//! Objects seen as sets of fields: what they hold, how two differ, and how one is laid over the other.
//!
//! The rules are those of server-side apply, as the page
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/> gives them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::set::FieldSet;
use super::shape::{ListShape, Shape};

/// How two objects differ.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// What was added, or has another value.
    pub(crate) changed: FieldSet,
    pub(crate) removed: FieldSet,
}

/// The parts of a value that are owned one by one, by their step; `None` for a value that is owned as a whole.
fn parts<'a>(value: &'a Value, shape: Shape<'a>) -> Option<BTreeMap<String, (&'a Value, Shape<'a>)>> {
    match value {
        Value::Object(fields) if !shape.is_atomic_map() => Some(
            fields
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (format!("f:{name}"), (value, shape.field(name))))
                .collect(),
        ),
        Value::Array(entries) => {
            let list = shape.list();
            (list != ListShape::Atomic)
                .then(|| entries.iter().map(|entry| (list.step(entry), (entry, shape.entry()))).collect())
        }
        _ => None,
    }
}

/// The fields that an applied configuration names: its leaves, and the entries of its lists.
pub(crate) fn fields(value: &Value, shape: Shape<'_>) -> FieldSet {
    let parts = parts(value, shape).unwrap_or_default();
    if parts.is_empty() {
        return FieldSet::leaf();
    }
    let mut set = FieldSet::default();
    for (step, (part, shape)) in parts {
        let mut below = fields(part, shape);
        if step.starts_with("k:") {
            below.add_self();
        }
        set.insert(step, &below);
    }
    set
}

/// Every field of a value, containers included.
fn everything(value: &Value, shape: Shape<'_>) -> FieldSet {
    let mut set = FieldSet::leaf();
    for (step, (part, shape)) in parts(value, shape).unwrap_or_default() {
        set.insert(step, &everything(part, shape));
    }
    set
}

/// How `new` differs from `old`.
pub(crate) fn compare(old: &Value, new: &Value, shape: Shape<'_>) -> Comparison {
    let mut difference = Comparison::default();
    let (Some(old_parts), Some(new_parts)) = (parts(old, shape), parts(new, shape)) else {
        if old != new {
            difference.changed.add_self();
        }
        return difference;
    };
    for (step, (part, shape)) in &new_parts {
        match old_parts.get(step) {
            None => difference.changed.insert(step.clone(), &everything(part, *shape)),
            Some((before, _)) => {
                let below = compare(before, part, *shape);
                difference.changed.insert(step.clone(), &below.changed);
                difference.removed.insert(step.clone(), &below.removed);
            }
        }
    }
    for (step, (part, shape)) in old_parts {
        if !new_parts.contains_key(&step) {
            difference.removed.insert(step, &everything(part, shape));
        }
    }
    difference
}

/// Lays `config` over `live`.
pub(crate) fn merge(live: &mut Value, config: &Value, shape: Shape<'_>) {
    match (&mut *live, config) {
        (Value::Object(live), Value::Object(config)) if !shape.is_atomic_map() => {
            for (name, value) in config {
                match live.get_mut(name) {
                    Some(live) => merge(live, value, shape.field(name)),
                    None => drop(live.insert(name.clone(), value.clone())),
                }
            }
        }
        (Value::Array(live), Value::Array(config)) if shape.list() != ListShape::Atomic => {
            let list = shape.list();
            for entry in config {
                let step = list.step(entry);
                match live.iter_mut().find(|live| list.step(live) == step) {
                    Some(live) => merge(live, entry, shape.entry()),
                    None => live.push(entry.clone()),
                }
            }
        }
        (live, config) => *live = config.clone(),
    }
}

/// Removes the fields in `gone` from `value`, except where `kept` holds the field or something below it.
pub(crate) fn prune(value: &mut Value, gone: &FieldSet, kept: Option<&FieldSet>, shape: Shape<'_>) {
    for (step, below) in gone.children() {
        let kept = kept.and_then(|kept| kept.child(step));
        match value {
            Value::Object(fields) => {
                let Some(name) = step.strip_prefix("f:") else { continue };
                let inner = shape.field(name);
                if prune_part(fields.get_mut(name), below, kept, inner) {
                    fields.remove(name);
                }
            }
            Value::Array(entries) => {
                let list = shape.list();
                let entry = entries.iter_mut().find(|entry| list.step(entry) == step);
                if prune_part(entry, below, kept, shape.entry()) {
                    entries.retain(|entry| list.step(entry) != step);
                }
            }
            _ => {}
        }
    }
}

/// Whether the part is to go as a whole; if not, it is pruned.
fn prune_part(part: Option<&mut Value>, gone: &FieldSet, kept: Option<&FieldSet>, shape: Shape<'_>) -> bool {
    let Some(part) = part else { return false };
    if kept.is_none() && gone.is_member() {
        return true;
    }
    prune(part, gone, kept, shape);
    let emptied = part.as_object().is_some_and(Map::is_empty) || part.as_array().is_some_and(Vec::is_empty);
    kept.is_none() && emptied
}
