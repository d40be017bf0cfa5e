//! How a JSON value looks to CEL, as
//! <https://kubernetes.io/docs/reference/using-api/cel/#custom-resource-definition-validation> says: by the types of
//! its schema, fields by their escaped names, and nothing that the schema does not name.

use std::{collections::HashMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta};
use kube::core::cel::cel::{
    Value as Cel,
    objects::{Key, Map as CelMap},
};
use serde_json::{Map, Value};

use super::node::Node;

/// Converts `value`, of schema `node`. At the root of a resource the metadata that rules may read is added.
pub(super) fn to_cel(value: &Value, node: &Node, is_root: bool) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(b) => Cel::Bool(*b),
        Value::Number(n) if node.is("number") => Cel::Float(n.as_f64().unwrap_or(f64::NAN)),
        Value::Number(n) => whole(n),
        Value::String(text) => string(text, node),
        Value::Array(items) => {
            let sub = node.items.as_deref();
            let items = items.iter().filter_map(|item| Some(to_cel(item, sub?, sub?.embedded)));
            Cel::List(Arc::new(items.collect()))
        }
        Value::Object(fields) => object(fields, node, is_root),
    }
}

/// An integer field may hold `3.0`, which is the integer 3.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the type check ran before and let only whole numbers pass"
)]
fn whole(n: &serde_json::Number) -> Cel {
    n.as_i64().or_else(|| n.as_f64().map(|n| n as i64)).map_or(Cel::Null, Cel::Int)
}

fn text(text: &str) -> Cel {
    Cel::String(Arc::new(text.to_owned()))
}

fn string(value: &str, node: &Node) -> Cel {
    let typed = match node.format.as_deref() {
        Some("byte") => STANDARD.decode(value).ok().map(|bytes| Cel::Bytes(Arc::new(bytes))),
        Some("date-time") => DateTime::parse_from_rfc3339(value).ok().map(Cel::Timestamp),
        Some("date") => date(value).map(Cel::Timestamp),
        Some("duration") => go_duration(value).map(Cel::Duration),
        _ => None,
    };
    typed.filter(|_| !node.int_or_string).unwrap_or_else(|| text(value))
}

fn date(text: &str) -> Option<DateTime<FixedOffset>> {
    Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0)?.and_utc().fixed_offset())
}

fn object(fields: &Map<String, Value>, node: &Node, is_root: bool) -> Cel {
    let mut map = HashMap::with_capacity(fields.len());
    for (name, value) in fields {
        if let Some(sub) = node.properties.get(name).filter(|sub| is_exposed(sub)) {
            if let Some(name) = escape(name) {
                map.insert(name, to_cel(value, sub, sub.embedded));
            }
        } else if let Some(sub) = node.additional() {
            map.insert(name.clone(), to_cel(value, sub, sub.embedded));
        }
    }
    if is_root {
        add_metadata(&mut map, fields);
    }
    let map = map.into_iter().map(|(name, value)| (Key::String(Arc::new(name)), value)).collect();
    Cel::Map(CelMap { map: Arc::new(map) })
}

/// Rules at the root of a resource see `apiVersion`, `kind`, `metadata.name` and `metadata.generateName`.
fn add_metadata(map: &mut HashMap<String, Cel>, fields: &Map<String, Value>) {
    let strings = |of: &Map<String, Value>, names: [&str; 2]| -> Vec<(String, Cel)> {
        names.iter().filter_map(|name| Some(((*name).to_owned(), text(of.get(*name)?.as_str()?)))).collect()
    };
    map.extend(strings(fields, ["apiVersion", "kind"]));
    if let Some(metadata) = fields.get("metadata").and_then(Value::as_object) {
        let names = strings(metadata, ["name", "generateName"]);
        let names = names.into_iter().map(|(name, value)| (Key::String(Arc::new(name)), value)).collect();
        map.insert("metadata".to_owned(), Cel::Map(CelMap { map: Arc::new(names) }));
    }
}

/// Whether rules can see a field at all: its type must be known, also inside lists and maps.
pub(super) fn is_exposed(node: &Node) -> bool {
    if node.int_or_string {
        return true;
    }
    match node.type_.as_deref() {
        Some("array") => node.items.as_deref().is_some_and(is_exposed),
        Some("object") => node.additional().is_none_or(is_exposed),
        Some(_) => true,
        None => false,
    }
}

const RESERVED: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// A field's name as an identifier of CEL; `None` when it has none and rules cannot name it.
pub(super) fn escape(name: &str) -> Option<String> {
    if RESERVED.contains(&name) {
        return Some(format!("__{name}__"));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(allowed) {
        return None;
    }
    // Underscores first: the other escapes bring underscores of their own.
    Some(
        name.replace("__", "__underscores__")
            .replace('.', "__dot__")
            .replace('-', "__dash__")
            .replace('/', "__slash__"),
    )
}

/// Go's `time.ParseDuration`: `1h30m`, `-1.5s`, `0`.
pub(super) fn go_duration(text: &str) -> Option<TimeDelta> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "0" {
        return Some(TimeDelta::zero());
    }
    let mut nanos = 0.0;
    let mut rest = unsigned;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(number_end);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        nanos += number.parse::<f64>().ok()? * unit_nanos(unit)?;
        rest = tail;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a duration out of range saturates, as it is invalid anyway"
    )]
    let whole = nanos as i64;
    let signed = if text.starts_with('-') { -whole } else { whole };
    (!unsigned.is_empty()).then(|| TimeDelta::nanoseconds(signed))
}

fn unit_nanos(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1.0,
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" => 60e9,
        "h" => 3600e9,
        _ => return None,
    })
}
