//! `managedFields`: who set which field, and server-side apply, which rests on it.

mod set;
mod shape;
mod typed;

use serde_json::{Value, json};

use self::set::FieldSet;
use self::shape::Shape;
use super::object::Object;
use super::resource::Resource;
use super::status::Failure;
use super::time::timestamp;

/// Metadata that nobody owns.
const UNOWNED: [&str; 9] = [
    "name",
    "namespace",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "uid",
    "generation",
    "managedFields",
    "resourceVersion",
];

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// How a manager wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Apply,
    Update,
}

/// Who writes, and through which endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Writer<'a> {
    pub(crate) manager: &'a str,
    pub(crate) through_status: bool,
}

/// One entry of `managedFields`.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    manager: String,
    operation: Operation,
    api_version: String,
    time: String,
    through_status: bool,
    fields: FieldSet,
}

/// The object that an apply makes of `live`, `managedFields` included; 409 when it changes what others own.
pub(crate) fn apply(
    resource: &Resource,
    live: Option<&Value>,
    config: &Value,
    writer: &Writer<'_>,
    force: bool,
) -> Result<Value, Failure> {
    let shape = Shape::of(resource);
    let mut config = config.clone();
    ignore_other_endpoint(resource, &mut config, writer.through_status);
    let applied = typed::fields(&config, shape).difference(&unowned());
    let (mut mine, mut others) = split(entries(live), |entry| entry.is(writer, Operation::Apply));
    let last = mine.pop();
    let before = live.cloned().unwrap_or_else(|| json!({}));
    let mut merged = before.clone();
    typed::merge(&mut merged, &config, shape);
    if let Some(last) = &last {
        let kept = others.iter().fold(applied.clone(), |kept, entry| kept.union(&entry.fields));
        typed::prune(&mut merged, &last.fields.difference(&applied), Some(&kept), shape);
    }
    let difference = typed::compare(&before, &merged, shape);
    let conflicts: Vec<(&Entry, FieldSet)> = others
        .iter()
        .map(|entry| (entry, entry.fields.intersection(&difference.changed)))
        .filter(|(_, conflict)| !conflict.is_empty())
        .collect();
    if !force && !conflicts.is_empty() {
        return Err(conflict(&conflicts));
    }
    for entry in &mut others {
        entry.fields = entry.fields.difference(&difference.changed).difference(&difference.removed);
    }
    let unchanged = last.filter(|last| last.fields == applied && difference.is_empty());
    others.push(unchanged.unwrap_or_else(|| Entry::new(resource, writer, Operation::Apply, applied)));
    if writer.manager == "kubectl" && !writer.through_status {
        keep_last_applied(&mut merged, &config);
    }
    set_entries(&mut merged, &others);
    Ok(merged)
}

/// What `kubectl apply` noted of its last configuration must not fall behind its `--server-side` form.
fn keep_last_applied(object: &mut Value, config: &Value) {
    let annotations = object.get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"));
    if let Some(noted) = annotations.and_then(|annotations| annotations.get_mut(LAST_APPLIED)) {
        *noted = format!("{config}\n").into();
    }
}

/// Notes in `new` who owns its fields after a create or update that is no apply.
pub(crate) fn update(resource: &Resource, old: Option<&Value>, new: &mut Value, writer: &Writer<'_>) {
    let (mut mine, mut others) = split(entries(Some(new)), |entry| entry.is(writer, Operation::Update));
    let (mut before, mut after) = (old.cloned().unwrap_or_else(|| json!({})), new.clone());
    for object in [&mut before, &mut after] {
        ignore_other_endpoint(resource, object, writer.through_status);
    }
    let difference = typed::compare(&before, &after, Shape::of(resource));
    let changed = difference.changed.difference(&unowned());
    for entry in &mut others {
        entry.fields = entry.fields.difference(&changed).difference(&difference.removed);
    }
    let last = mine.pop();
    let known = last.as_ref().map(|last| last.fields.difference(&difference.removed)).unwrap_or_default();
    let fields = known.union(&changed);
    let unchanged = last.filter(|last| last.fields == fields && changed.is_empty());
    others.push(unchanged.unwrap_or_else(|| Entry::new(resource, writer, Operation::Update, fields)));
    set_entries(new, &others);
}

/// The entries that an update begins with: those sent along, else those stored. An empty list, or one of an empty
/// entry, asks to forget them all.
pub(crate) fn starting_point(old: &Value, sent: &Value) -> Value {
    let stored = || old.meta("managedFields").cloned().unwrap_or_else(|| json!([]));
    match sent.meta("managedFields") {
        Some(list) if *list == json!([]) || *list == json!([{}]) => json!([]),
        Some(list) if !entries(Some(sent)).is_empty() => list.clone(),
        _ => stored(),
    }
}

impl typed::Comparison {
    fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.removed.is_empty()
    }
}

impl Entry {
    fn new(resource: &Resource, writer: &Writer<'_>, operation: Operation, fields: FieldSet) -> Self {
        Self {
            manager: writer.manager.to_owned(),
            operation,
            api_version: resource.api_version(),
            time: timestamp(),
            through_status: writer.through_status,
            fields,
        }
    }

    fn is(&self, writer: &Writer<'_>, operation: Operation) -> bool {
        self.manager == writer.manager
            && self.through_status == writer.through_status
            && self.operation == operation
    }

    fn from_json(entry: &Value) -> Option<Self> {
        let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let operation = match text("operation").as_str() {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return None,
        };
        Some(Self {
            manager: text("manager"),
            operation,
            api_version: text("apiVersion"),
            time: text("time"),
            through_status: text("subresource") == "status",
            fields: FieldSet::from_json(entry.get("fieldsV1")?),
        })
    }

    fn to_json(&self) -> Value {
        let mut entry = json!({
            "manager": self.manager,
            "operation": match self.operation {
                Operation::Apply => "Apply",
                Operation::Update => "Update",
            },
            "apiVersion": self.api_version,
            "time": self.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": self.fields.to_json(),
        });
        if self.through_status {
            entry.set("subresource", Some("status".into()));
        }
        entry
    }

    fn described(&self) -> String {
        let subresource = if self.through_status { " with subresource \"status\"" } else { "" };
        let version = match self.operation {
            Operation::Apply => String::new(),
            Operation::Update => format!(" using {}", self.api_version),
        };
        format!("\"{}\"{subresource}{version}", self.manager)
    }
}

fn entries(object: Option<&Value>) -> Vec<Entry> {
    let list = object.and_then(|object| object.meta("managedFields")?.as_array());
    list.into_iter().flatten().filter_map(Entry::from_json).collect()
}

fn split(entries: Vec<Entry>, mine: impl Fn(&Entry) -> bool) -> (Vec<Entry>, Vec<Entry>) {
    entries.into_iter().partition(mine)
}

/// Appliers come first; who owns nothing is left out.
fn set_entries(object: &mut Value, entries: &[Entry]) {
    let mut owners: Vec<&Entry> = entries.iter().filter(|entry| !entry.fields.is_empty()).collect();
    owners.sort_by_key(|entry| (entry.operation == Operation::Update, entry.time.clone()));
    let list: Vec<Value> = owners.into_iter().map(Entry::to_json).collect();
    object.set_meta("managedFields", list);
}

/// `/status` writes status only, and the main endpoint everything else.
fn ignore_other_endpoint(resource: &Resource, object: &mut Value, through_status: bool) {
    if through_status {
        if let Some(object) = object.as_object_mut() {
            object.retain(|field, _| matches!(field.as_str(), "apiVersion" | "kind" | "metadata" | "status"));
        }
        let identity = ["name", "namespace", "uid", "resourceVersion"];
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|field, _| identity.contains(&field.as_str()));
        }
    } else if resource.has_status {
        object.set("status", None);
    }
}

fn unowned() -> FieldSet {
    let metadata = UNOWNED.iter().map(|field| (format!("f:{field}"), json!({})));
    let mut metadata: serde_json::Map<String, Value> = metadata.collect();
    metadata.insert(".".into(), json!({}));
    FieldSet::from_json(&json!({ "f:apiVersion": {}, "f:kind": {}, "f:metadata": metadata }))
}

fn conflict(conflicts: &[(&Entry, FieldSet)]) -> Failure {
    let mut causes = Vec::new();
    let mut by_manager = Vec::new();
    for (entry, fields) in conflicts {
        let manager = entry.described();
        let paths = fields.paths();
        causes.extend(paths.iter().map(|path| {
            json!({ "reason": "FieldManagerConflict", "message": format!("conflict with {manager}"), "field": path })
        }));
        by_manager.push((manager, paths));
    }
    let message = match by_manager.as_slice() {
        [(manager, paths)] if paths.len() == 1 => {
            format!("Apply failed with 1 conflict: conflict with {manager}: {}", paths.concat())
        }
        managers => {
            let lines: Vec<String> = managers
                .iter()
                .map(|(manager, paths)| format!("conflicts with {manager}:\n- {}", paths.join("\n- ")))
                .collect();
            format!("Apply failed with {} conflicts: {}", causes.len(), lines.join("\n"))
        }
    };
    Failure::apply_conflict(message, &causes)
}
