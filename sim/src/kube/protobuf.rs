//! Bodies in `application/vnd.kubernetes.protobuf`, in which `kubectl create secret`, `configmap` and `namespace`
//! send their objects. Field numbers are those of Kubernetes' `generated.proto` files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::object::Object;
use super::status::Failure;

/// What every body begins with.
const MAGIC: &[u8] = b"k8s\0";

/// How a field is written, and what becomes of it in JSON.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Bool,
    /// Bytes, which JSON holds as base64.
    Bytes,
    Message(&'static [Field]),
    /// An entry of a map with text as keys.
    Entry(&'static [Field]),
    TextList,
    /// What a client does not set when it creates something.
    Unset,
}

type Field = (u64, &'static str, Kind);

const ENVELOPE: &[Field] =
    &[(1, "type", Kind::Message(TYPE)), (2, "raw", Kind::Bytes), (3, "", Kind::Unset), (4, "", Kind::Unset)];
const TYPE: &[Field] = &[(1, "apiVersion", Kind::Text), (2, "kind", Kind::Text)];
const TEXT_ENTRY: &[Field] = &[(1, "key", Kind::Text), (2, "value", Kind::Text)];
const BYTES_ENTRY: &[Field] = &[(1, "key", Kind::Text), (2, "value", Kind::Bytes)];
const METADATA: &[Field] = &[
    (1, "name", Kind::Text),
    (2, "generateName", Kind::Text),
    (3, "namespace", Kind::Text),
    (4, "selfLink", Kind::Text),
    (5, "uid", Kind::Text),
    (6, "resourceVersion", Kind::Text),
    (7, "generation", Kind::Unset),
    (8, "creationTimestamp", Kind::Unset),
    (11, "labels", Kind::Entry(TEXT_ENTRY)),
    (12, "annotations", Kind::Entry(TEXT_ENTRY)),
    (14, "finalizers", Kind::TextList),
];
const SECRET: &[Field] = &[
    (1, "metadata", Kind::Message(METADATA)),
    (2, "data", Kind::Entry(BYTES_ENTRY)),
    (3, "type", Kind::Text),
    (4, "stringData", Kind::Entry(TEXT_ENTRY)),
    (5, "immutable", Kind::Bool),
];
const CONFIG_MAP: &[Field] = &[
    (1, "metadata", Kind::Message(METADATA)),
    (2, "data", Kind::Entry(TEXT_ENTRY)),
    (3, "binaryData", Kind::Entry(BYTES_ENTRY)),
    (4, "immutable", Kind::Bool),
];
const NAMESPACE: &[Field] =
    &[(1, "metadata", Kind::Message(METADATA)), (2, "spec", Kind::Unset), (3, "status", Kind::Unset)];

/// One field as it lies on the wire.
enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The object in a body; `None` when it is of a kind that is understood in JSON only.
pub(crate) fn decode(body: &[u8]) -> Result<Option<Value>, Failure> {
    let broken = || Failure::bad_request("error decoding body: malformed protobuf");
    let envelope = body.strip_prefix(MAGIC).and_then(|rest| envelope(rest)).ok_or_else(broken)?;
    let (api_version, kind, raw) = envelope;
    let fields = match (api_version.as_str(), kind.as_str()) {
        ("v1", "Secret") => SECRET,
        ("v1", "ConfigMap") => CONFIG_MAP,
        ("v1", "Namespace") => NAMESPACE,
        _ => return Ok(None),
    };
    let mut object = message(raw, fields).ok_or_else(broken)?;
    object.set("apiVersion", Some(api_version.into()));
    object.set("kind", Some(kind.into()));
    Ok(Some(object))
}

fn envelope(body: &[u8]) -> Option<(String, String, &[u8])> {
    let mut rest = body;
    let mut raw: &[u8] = &[];
    let mut named = json!({});
    while !rest.is_empty() {
        let (number, wire, tail) = field(rest)?;
        rest = tail;
        match (ENVELOPE.iter().find(|(known, ..)| *known == number)?, wire) {
            ((_, _, Kind::Message(fields)), Wire::Bytes(bytes)) => named = message(bytes, fields)?,
            ((_, _, Kind::Bytes), Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let text = |name: &str| named.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Some((text("apiVersion"), text("kind"), raw))
}

/// A message as a JSON object; `None` for broken bytes and for fields that are not listed.
fn message(bytes: &[u8], fields: &[Field]) -> Option<Value> {
    let mut object = Map::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (number, wire, tail) = field(rest)?;
        rest = tail;
        let (_, name, kind) = fields.iter().find(|(known, ..)| *known == number)?;
        read(&mut object, name, *kind, &wire)?;
    }
    Some(Value::Object(object))
}

/// Go's encoder writes empty texts, which JSON leaves out.
fn read(object: &mut Map<String, Value>, name: &str, kind: Kind, wire: &Wire<'_>) -> Option<()> {
    let value = match (kind, wire) {
        (Kind::Unset, _) | (Kind::Text, Wire::Bytes([])) => return Some(()),
        (Kind::Text, Wire::Bytes(bytes)) => text(bytes)?,
        (Kind::Bytes, Wire::Bytes(bytes)) => STANDARD.encode(bytes).into(),
        (Kind::Bool, Wire::Number(number)) => (*number != 0).into(),
        (Kind::Message(fields), Wire::Bytes(bytes)) => message(bytes, fields)?,
        (Kind::Entry(fields), Wire::Bytes(bytes)) => {
            let entry = message(bytes, fields)?;
            let key = entry.get("key").and_then(Value::as_str).unwrap_or_default();
            let value = entry.get("value").cloned().unwrap_or_else(|| "".into());
            let map = object.entry(name).or_insert_with(|| json!({})).as_object_mut()?;
            map.insert(key.to_owned(), value);
            return Some(());
        }
        (Kind::TextList, Wire::Bytes(bytes)) => {
            let list = object.entry(name).or_insert_with(|| json!([])).as_array_mut()?;
            list.push(text(bytes)?);
            return Some(());
        }
        _ => return None,
    };
    object.insert(name.to_owned(), value);
    Some(())
}

fn text(bytes: &[u8]) -> Option<Value> {
    std::str::from_utf8(bytes).ok().map(Value::from)
}

/// The number and value of the first field, and the bytes after it.
fn field(bytes: &[u8]) -> Option<(u64, Wire<'_>, &[u8])> {
    let (tag, rest) = varint(bytes)?;
    let (wire, rest) = match tag & 7 {
        0 => {
            let (number, rest) = varint(rest)?;
            (Wire::Number(number), rest)
        }
        2 => {
            let (length, rest) = varint(rest)?;
            let (bytes, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            (Wire::Bytes(bytes), rest)
        }
        _ => return None,
    };
    Some((tag >> 3, wire, rest))
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    let mut rest = bytes;
    for shift in (0..64).step_by(7) {
        let (byte, tail) = rest.split_first()?;
        rest = tail;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((value, rest));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        [&[number << 3 | 2, length], content].concat()
    }

    #[test]
    fn a_secret_reads_as_its_json() {
        let metadata = [bytes(1, b"s"), bytes(2, b""), bytes(8, b"")].concat();
        let data = [bytes(1, b"key"), bytes(2, b"value")].concat();
        let secret = [bytes(1, &metadata), bytes(2, &data), bytes(3, b"Opaque"), vec![5 << 3, 1]].concat();
        let kind = [bytes(1, b"v1"), bytes(2, b"Secret")].concat();
        let body = [MAGIC, &bytes(1, &kind), &bytes(2, &secret), &bytes(3, b""), &bytes(4, b"")].concat();
        let expected = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" },
            "data": { "key": "dmFsdWU=" }, "type": "Opaque", "immutable": true,
        });
        assert_eq!(decode(&body).unwrap(), Some(expected));
        assert!(decode(&body[..20]).is_err());
    }
}
