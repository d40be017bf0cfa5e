//! Sets of field paths, in the form that `managedFields` stores: a tree whose steps are `f:name` for a field,
//! `k:{...}` for an entry of a map list, `v:...` for an entry of a set.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// A set of paths. The root itself is never a member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FieldSet {
    member: bool,
    children: BTreeMap<String, FieldSet>,
}

impl FieldSet {
    /// A set that holds only the place that it stands for.
    pub(crate) fn leaf() -> Self {
        Self { member: true, children: BTreeMap::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.member && self.children.is_empty()
    }

    pub(crate) fn is_member(&self) -> bool {
        self.member
    }

    pub(crate) fn add_self(&mut self) {
        self.member = true;
    }

    pub(crate) fn child(&self, step: &str) -> Option<&Self> {
        self.children.get(step)
    }

    pub(crate) fn children(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.children.iter().map(|(step, child)| (step.as_str(), child))
    }

    /// Adds `set` below `step`, unless it is empty.
    pub(crate) fn insert(&mut self, step: String, set: &Self) {
        if !set.is_empty() {
            let child = self.children.entry(step).or_default();
            *child = child.union(set);
        }
    }

    pub(crate) fn union(&self, other: &Self) -> Self {
        let mut union = Self { member: self.member || other.member, children: self.children.clone() };
        for (step, child) in &other.children {
            let merged = union.children.get(step).map_or_else(|| child.clone(), |mine| mine.union(child));
            union.children.insert(step.clone(), merged);
        }
        union
    }

    pub(crate) fn difference(&self, other: &Self) -> Self {
        self.keep(|member, theirs| member && !theirs.is_some_and(Self::is_member), other)
    }

    pub(crate) fn intersection(&self, other: &Self) -> Self {
        self.keep(|member, theirs| member && theirs.is_some_and(Self::is_member), other)
    }

    fn keep(&self, rule: impl Fn(bool, Option<&Self>) -> bool + Copy, other: &Self) -> Self {
        let nothing = Self::default();
        let children = self.children.iter().filter_map(|(step, child)| {
            let kept = child.keep(rule, other.children.get(step).unwrap_or(&nothing));
            (!kept.is_empty()).then(|| (step.clone(), kept))
        });
        Self { member: rule(self.member, Some(other)), children: children.collect() }
    }

    /// All members, as the API server prints paths: `.spec.ports[name="x"].port`. Members of one place come
    /// before what lies deeper.
    pub(crate) fn paths(&self) -> Vec<String> {
        let members = self.children.iter().filter(|(_, child)| child.member).map(|(step, _)| printed(step));
        let deeper = self.children.iter().flat_map(|(step, child)| {
            let step = printed(step);
            child.paths().into_iter().map(move |path| format!("{step}{path}"))
        });
        members.chain(deeper).collect()
    }

    /// From `fieldsV1`.
    pub(crate) fn from_json(json: &Value) -> Self {
        let none = Map::new();
        let fields = json.as_object().unwrap_or(&none);
        let children = fields.iter().filter(|(step, _)| *step != ".");
        let children: BTreeMap<_, _> =
            children.map(|(step, child)| (step.clone(), Self::from_json(child).or_leaf())).collect();
        Self { member: fields.contains_key("."), children }
    }

    fn or_leaf(self) -> Self {
        if self.children.is_empty() { Self::leaf() } else { self }
    }

    /// As `fieldsV1`.
    pub(crate) fn to_json(&self) -> Value {
        let own = (self.member && !self.children.is_empty()).then(|| (".".to_owned(), json!({})));
        let below = self.children.iter().map(|(step, child)| (step.clone(), child.to_json()));
        Value::Object(own.into_iter().chain(below).collect())
    }
}

fn printed(step: &str) -> String {
    if let Some(field) = step.strip_prefix("f:") {
        return format!(".{field}");
    }
    if let Some(value) = step.strip_prefix("v:") {
        return format!("[={value}]");
    }
    let keys = step.strip_prefix("k:").and_then(|keys| serde_json::from_str::<Map<String, Value>>(keys).ok());
    let keys = keys.unwrap_or_default();
    let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("[{}]", keys.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(json: &Value) -> FieldSet {
        FieldSet::from_json(json)
    }

    #[test]
    fn fields_v1_survives_a_round_trip() {
        let json = json!({
            "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
            "f:spec": { "f:ports": { "k:{\"name\":\"x\"}": { ".": {}, "f:port": {} } }, "f:tags": { "v:\"a\"": {} } },
        });
        assert_eq!(set(&json).to_json(), json);
        let paths = set(&json).paths();
        let expected = [
            ".metadata.labels",
            ".metadata.labels.app",
            ".spec.ports[name=\"x\"]",
            ".spec.ports[name=\"x\"].port",
            ".spec.tags[=\"a\"]",
        ];
        assert_eq!(paths, expected);
    }

    #[test]
    fn sets_are_joined_subtracted_and_intersected_by_member() {
        let one = set(&json!({ "f:a": { ".": {}, "f:x": {} }, "f:b": {} }));
        let two = set(&json!({ "f:a": { "f:x": {}, "f:y": {} } }));
        assert_eq!(one.union(&two), set(&json!({ "f:a": { ".": {}, "f:x": {}, "f:y": {} }, "f:b": {} })));
        assert_eq!(one.difference(&two), set(&json!({ "f:a": {}, "f:b": {} })));
        assert_eq!(one.intersection(&two), set(&json!({ "f:a": { "f:x": {} } })));
    }
}
