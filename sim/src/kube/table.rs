//! `meta.k8s.io/v1` Table: what `kubectl get` prints, as
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables> says.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::jsonpath::JsonPath;

/// One column of a table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    /// Its header.
    pub(crate) name: String,
    /// `string`, `integer`, `number`, `boolean` or `date`.
    pub(crate) type_: String,
    /// A hint for the printer; `name` for the column with the object's name.
    pub(crate) format: String,
    /// What `kubectl explain` would say of it.
    pub(crate) description: String,
    /// 0 is always shown, more only by `-o wide`.
    pub(crate) priority: i64,
    /// Where in the object its cell is, `.spec.foo`.
    pub(crate) json_path: String,
}

/// What a row holds beside its cells (`includeObject` of the request).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum IncludeObject {
    /// Nothing.
    None,
    /// A `PartialObjectMetadata`.
    #[default]
    Metadata,
    /// The whole object.
    Object,
}

impl Column {
    /// The column that every table begins with.
    pub(crate) fn of_name() -> Self {
        Self {
            name: "Name".to_owned(),
            type_: "string".to_owned(),
            format: "name".to_owned(),
            description: "Name must be unique within a namespace. Is required when creating resources, although \
                          some resources may allow a client to request the generation of an appropriate name \
                          automatically. Name is primarily intended for creation idempotence and configuration \
                          definition. Cannot be updated. More info: \
                          https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
                .to_owned(),
            priority: 0,
            json_path: ".metadata.name".to_owned(),
        }
    }

    /// The time since the object was created.
    pub(crate) fn of_age() -> Self {
        Self {
            name: "Age".to_owned(),
            type_: "date".to_owned(),
            format: String::new(),
            description: "CreationTimestamp is a timestamp representing the server time when this object was \
                          created. It is not guaranteed to be set in happens-before order across separate \
                          operations. Clients may not set this value. It is represented in RFC3339 form and is in \
                          UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: \
                          https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
                .to_owned(),
            priority: 0,
            json_path: ".metadata.creationTimestamp".to_owned(),
        }
    }

    /// An entry of `additionalPrinterColumns`.
    fn declared(column: &Value) -> Self {
        let text = |name: &str| column.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let json_path = text("jsonPath");
        let description = match text("description") {
            none if none.is_empty() => {
                format!("Custom resource definition column (in JSONPath format): {json_path}")
            }
            given => given,
        };
        let priority = column.get("priority").and_then(Value::as_i64).unwrap_or_default();
        Self {
            name: text("name"),
            type_: text("type"),
            format: text("format"),
            description,
            priority,
            json_path,
        }
    }

    fn definition(&self) -> Value {
        json!({
            "name": self.name, "type": self.type_, "format": self.format, "description": self.description,
            "priority": self.priority,
        })
    }
}

/// The columns of one version of a `CustomResourceDefinition`: the name, then those it declares. The age is there
/// only when it declares none.
pub(crate) fn crd_columns(version: &Value) -> Vec<Column> {
    let declared = version.get("additionalPrinterColumns").and_then(Value::as_array);
    let mut columns = vec![Column::of_name()];
    match declared.filter(|declared| !declared.is_empty()) {
        Some(declared) => columns.extend(declared.iter().map(Column::declared)),
        None => columns.push(Column::of_age()),
    }
    columns
}

/// A `Table` of `objects` as of `now`. `list_meta` is the metadata of the list (or, for one object, of the object)
/// that the table stands for.
pub(crate) fn table(
    columns: &[Column],
    objects: &[Value],
    now: Timestamp,
    include: IncludeObject,
    list_meta: Value,
) -> Value {
    let paths: Vec<_> = columns.iter().map(|column| (column, JsonPath::parse(&column.json_path))).collect();
    let row = |object: &Value| {
        let cell = |(column, path): &(&Column, Option<JsonPath>)| {
            let found = path.as_ref().and_then(|path| path.find(object).first().copied());
            found.map_or(Value::Null, |found| cell(&column.type_, found, now))
        };
        json!({ "cells": paths.iter().map(cell).collect::<Vec<_>>(), "object": included(object, include) })
    };
    let mut table = Map::new();
    table.insert("kind".to_owned(), json!("Table"));
    table.insert("apiVersion".to_owned(), json!("meta.k8s.io/v1"));
    table.insert("metadata".to_owned(), list_meta);
    table.insert("columnDefinitions".to_owned(), columns.iter().map(Column::definition).collect());
    table.insert("rows".to_owned(), objects.iter().map(row).collect());
    Value::Object(table)
}

fn included(object: &Value, include: IncludeObject) -> Value {
    match include {
        IncludeObject::None => Value::Null,
        IncludeObject::Metadata => json!({
            "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object.get("metadata"),
        }),
        IncludeObject::Object => object.clone(),
    }
}

/// A value that does not have the column's type gives an empty cell, save that a string column prints anything.
fn cell(type_: &str, value: &Value, now: Timestamp) -> Value {
    match type_ {
        "string" => match value {
            // The API server prints what Go prints for nothing.
            Value::Null => json!("<no value>"),
            Value::String(text) => json!(text),
            other => json!(other.to_string()),
        },
        "integer" => integer(value).map_or(Value::Null, Value::from),
        "number" => value.as_f64().map_or(Value::Null, Value::from),
        "boolean" => value.as_bool().map_or(Value::Null, Value::from),
        "date" => value.as_str().map_or(Value::Null, |text| json!(age(text, now))),
        _ => Value::Null,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a column of integers cuts off fractions")]
fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().map(|n| n as i64))
}

/// A date column: the time that has passed since.
fn age(text: &str, now: Timestamp) -> String {
    if text.is_empty() || text == "null" {
        return "<unknown>".to_owned();
    }
    match text.parse::<Timestamp>() {
        Ok(then) => human_duration(now.duration_since(then)),
        Err(_) => "<invalid>".to_owned(),
    }
}

/// A duration as `kubectl` prints it, with two or three significant figures. A time up to two seconds in the future
/// counts as now, since clocks differ.
fn human_duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |first: i64, unit: char, second: i64, small: char| match second {
        0 => format!("{first}{unit}"),
        _ => format!("{first}{unit}{second}{small}"),
    };
    match () {
        () if seconds < -1 => "<invalid>".to_owned(),
        () if seconds < 0 => "0s".to_owned(),
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, 'm', seconds % 60, 's'),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => two(hours, 'h', minutes % 60, 'm'),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 => two(days, 'd', hours % 24, 'h'),
        () if days < 365 * 2 => format!("{days}d"),
        () if days < 365 * 8 => two(days / 365, 'y', days % 365, 'd'),
        () => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-03-01T12:00:00Z";

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    #[test]
    fn durations_read_as_kubectl_prints_them() {
        let cases = [
            (-2, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (599, "9m59s"),
            (600, "10m"),
            (179 * 60, "179m"),
            (180 * 60, "3h"),
            (181 * 60, "3h1m"),
            (8 * 3600, "8h"),
            (47 * 3600, "47h"),
            (48 * 3600, "2d"),
            (49 * 3600, "2d1h"),
            (8 * 86_400, "8d"),
            (729 * 86_400, "729d"),
            (730 * 86_400, "2y"),
            (731 * 86_400, "2y1d"),
            (3000 * 86_400, "8y"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(human_duration(SignedDuration::from_secs(seconds)), expected, "{seconds}");
        }
    }

    #[test]
    fn the_name_comes_first_and_the_age_only_without_other_columns() {
        let names = |version: &Value| -> Vec<String> {
            crd_columns(version).into_iter().map(|column| column.name).collect()
        };
        assert_eq!(names(&json!({})), ["Name", "Age"]);
        assert_eq!(names(&json!({"additionalPrinterColumns": []})), ["Name", "Age"]);
        let declared = json!({"additionalPrinterColumns": [{"name": "Ready", "type": "string", "jsonPath": ".status.ready", "priority": 1}]});
        assert_eq!(names(&declared), ["Name", "Ready"]);
        let ready = crd_columns(&declared).remove(1);
        assert_eq!(
            (ready.priority, ready.description.as_str()),
            (1, "Custom resource definition column (in JSONPath format): .status.ready")
        );
    }

    #[test]
    fn cells_have_their_columns_type_or_are_empty() {
        let cases = [
            ("string", json!("text"), json!("text")),
            ("string", json!(3), json!("3")),
            ("string", json!({"a": 1}), json!("{\"a\":1}")),
            ("string", json!(null), json!("<no value>")),
            ("string", json!(""), json!("")),
            ("integer", json!(3), json!(3)),
            ("integer", json!(3.7), json!(3)),
            ("integer", json!("3"), json!(null)),
            ("number", json!(3), json!(3.0)),
            ("boolean", json!(true), json!(true)),
            ("boolean", json!("true"), json!(null)),
            ("date", json!("2026-03-01T11:55:00Z"), json!("5m")),
            ("date", json!("2026-03-01T13:00:00Z"), json!("<invalid>")),
            ("date", json!("yesterday"), json!("<invalid>")),
            ("date", json!(""), json!("<unknown>")),
            ("date", json!(null), json!(null)),
        ];
        for (type_, value, expected) in cases {
            assert_eq!(cell(type_, &value, now()), expected, "{type_} {value}");
        }
    }

    #[test]
    fn a_table_shows_conditions_and_leaves_missing_cells_empty() {
        let columns = crd_columns(&json!({"additionalPrinterColumns": [
            {"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        ]}));
        let ready = json!({"metadata": {"name": "a", "creationTimestamp": "2026-03-01T11:00:00Z"}, "status": {"conditions": [
            {"type": "Issued", "status": "False"}, {"type": "Ready", "status": "True"}]}});
        let fresh = json!({"metadata": {"name": "b", "creationTimestamp": NOW}});
        let table = table(
            &columns,
            &[ready.clone(), fresh],
            now(),
            IncludeObject::Metadata,
            json!({"resourceVersion": "7"}),
        );
        assert_eq!(table["metadata"], json!({"resourceVersion": "7"}));
        assert_eq!(table["rows"][0]["cells"], json!(["a", "True", "60m"]));
        assert_eq!(table["rows"][1]["cells"], json!(["b", null, "0s"]));
        assert_eq!(
            table["rows"][0]["object"],
            json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": ready["metadata"]})
        );
        assert_eq!(table["columnDefinitions"][0]["format"], "name");
    }

    #[test]
    fn rows_hold_what_was_asked_for() {
        let object = json!({"kind": "A", "metadata": {"name": "a"}, "spec": {}});
        let row = |include| {
            table(&[Column::of_name()], std::slice::from_ref(&object), now(), include, json!({}))["rows"][0]["object"]
                .clone()
        };
        assert_eq!(row(IncludeObject::None), Value::Null);
        assert_eq!(row(IncludeObject::Object), object);
    }
}
