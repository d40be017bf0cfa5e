//! Events: one store behind `v1` and `events.k8s.io/v1`, kept in the form of `v1`.

use k8s_openapi::api::{core, events};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::describe::{ago, column, describe};
use crate::kube::field::{invalid, required};
use crate::kube::object::{Object, at};
use crate::kube::resource::{Nature, Resource};
use crate::kube::schema::FieldError;
use crate::kube::store::Collection;
use crate::kube::strategy::{Conversion, Strategy};
use crate::kube::table::Column;

/// Names of the same field in `v1` and in `events.k8s.io/v1`.
const RENAMED: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// What `events.k8s.io/v1` does not let anybody change.
const IMMUTABLE: [&str; 13] = [
    "involvedObject",
    "reason",
    "message",
    "source",
    "firstTimestamp",
    "lastTimestamp",
    "count",
    "type",
    "eventTime",
    "action",
    "related",
    "reportingComponent",
    "reportingInstance",
];

pub(super) fn core_resource() -> Resource {
    let strategy = Strategy { validate: validate_any, ..strategy::<core::v1::Event>() };
    Resource {
        short_names: vec!["ev".into()],
        selectable: fields("involvedObject", "reportingComponent"),
        columns: columns(),
        nature: Nature::BuiltIn(strategy),
        ..describe::<core::v1::Event>()
    }
}

pub(super) fn events_resource() -> Resource {
    let strategy = Strategy {
        validate,
        conversion: Some(Conversion { to_storage, from_storage }),
        ..strategy::<events::v1::Event>()
    };
    Resource {
        short_names: vec!["ev".into()],
        selectable: fields("regarding", "reportingController"),
        columns: columns(),
        collection: Collection::new("", "events"),
        nature: Nature::BuiltIn(strategy),
        ..describe::<events::v1::Event>()
    }
}

fn strategy<T: DeserializeOwned + Serialize + JsonSchema>() -> Strategy {
    Strategy { view, create_on_update: true, ..Strategy::of::<T>() }
}

fn fields(object: &str, reporter: &str) -> Vec<String> {
    let parts = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"];
    let object = parts.iter().map(|part| format!("{object}.{part}"));
    object.chain(["reason", "type", reporter].map(String::from)).collect()
}

/// The columns read the view below, not the object.
fn columns() -> Vec<Column> {
    let wide = |column: Column| Column { priority: 1, ..column };
    vec![
        ago("Last Seen", ".lastSeen"),
        column("Type", "", ".type"),
        column("Reason", "", ".reason"),
        column("Object", "", ".object"),
        wide(column("Subobject", "", ".involvedObject.fieldPath")),
        wide(column("Source", "", ".reporter")),
        column("Message", "", ".message"),
        wide(ago("First Seen", ".firstSeen")),
        wide(column("Count", "", ".times")),
        wide(Column::of_name()),
    ]
}

fn view(event: &Value) -> Value {
    let mut view = to_storage(event.clone());
    let first_of = |paths: &[&str]| {
        let given = paths.iter().filter_map(|path| at(&view, path));
        given.into_iter().find(|value| !value.is_null() && *value != "").cloned()
    };
    let text = |path: &str| at(&view, path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let created = "metadata.creationTimestamp";
    let object = format!("{}/{}", text("involvedObject.kind").to_lowercase(), text("involvedObject.name"));
    let (component, instance) = match text("source.component") {
        none if none.is_empty() => (text("reportingComponent"), text("reportingInstance")),
        component => (component, text("source.host")),
    };
    let mut reporter = vec![component, instance];
    reporter.retain(|part| !part.is_empty());
    let computed = [
        ("object", Some(object.into())),
        ("lastSeen", first_of(&["series.lastObservedTime", "lastTimestamp", "eventTime", created])),
        ("firstSeen", first_of(&["firstTimestamp", "eventTime", created])),
        ("times", first_of(&["series.count", "count"]).or(Some(1.into()))),
        ("reporter", Some(reporter.join(", ").into())),
    ];
    for (field, value) in computed {
        view.set(field, value);
    }
    view
}

fn to_storage(event: Value) -> Value {
    rename(event, RENAMED.map(|(core, events)| (events, core)))
}

fn from_storage(event: Value) -> Value {
    rename(event, RENAMED)
}

fn rename(mut event: Value, names: [(&str, &str); 7]) -> Value {
    if let Some(event) = event.as_object_mut() {
        for (from, to) in names {
            if let Some(value) = event.remove(from) {
                event.insert(to.into(), value);
            }
        }
    }
    event
}

/// The rules of both groups. An event with `eventTime` must say who reports what; any event lies in the
/// namespace of what it is about, or in `default` for cluster-scoped objects.
fn validate_any(new: &Value, _old: Option<&Value>) -> Vec<FieldError> {
    let about = text(new, "involvedObject.namespace");
    let namespace = new.namespace();
    let timed = !text(new, "eventTime").is_empty();
    let fits = match (about, timed) {
        ("", false) => namespace == "default",
        ("", true) => matches!(namespace, "default" | "kube-system"),
        (about, timed) => timed || about == namespace,
    };
    let mut errors = if timed { lengths(new) } else { Vec::new() };
    if !fits {
        errors.push(invalid("involvedObject.namespace", about, "does not match event.namespace"));
    }
    errors
}

/// `events.k8s.io/v1` is stricter.
fn validate(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = validate_any(new, old);
    match old {
        Some(old) => errors.extend(changes(new, old)),
        None => errors.extend(creation(new)),
    }
    errors
}

fn lengths(event: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (field, limit) in [("reportingInstance", 128), ("action", 128), ("reason", 128)] {
        let value = text(event, field);
        if value.is_empty() {
            errors.push(required(field, ""));
        } else if value.len() > limit {
            errors.push(invalid(field, "", &format!("can have at most {limit} characters")));
        }
    }
    if text(event, "reportingComponent").is_empty() {
        errors.push(required("reportingController", ""));
    }
    if text(event, "message").len() > 1024 {
        errors.push(invalid("message", "", "can have at most 1024 characters"));
    }
    errors
}

fn creation(event: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if text(event, "eventTime").is_empty() {
        errors.push(required("eventTime", ""));
    }
    let given = text(event, "type");
    if !matches!(given, "Normal" | "Warning") {
        errors.push(invalid("type", "", &format!("has invalid value: {given}")));
    }
    for field in ["firstTimestamp", "lastTimestamp", "count"] {
        if event.get(field).is_some() {
            errors.push(invalid(field, "", "needs to be unset"));
        }
    }
    if !text(event, "source.component").is_empty() || !text(event, "source.host").is_empty() {
        errors.push(invalid("source", "", "needs to be unset"));
    }
    errors
}

fn changes(new: &Value, old: &Value) -> Vec<FieldError> {
    let changed = IMMUTABLE.into_iter().filter(|field| new.get(field) != old.get(field));
    let value = |field: &str| new.get(field).cloned().unwrap_or_default();
    changed.map(|field| invalid(field, value(field), "field is immutable")).collect()
}

fn text<'a>(event: &'a Value, path: &str) -> &'a str {
    at(event, path).and_then(Value::as_str).unwrap_or_default()
}
