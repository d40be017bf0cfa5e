//! What is kept of an object of the API server. Users may write as much into one as the API server takes; certorder reads
//! little of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use crate::core::annotations::FINALIZER;
use crate::core::text::truncate;

/// What begins the names of the labels and annotations that are read.
const OURS: &str = "certorder.dev/";

/// An annotation that is set here alone, whatever stands in the object: parts of it are left out.
pub(super) const PARTIAL: &str = "certorder.dev/partial";

/// The same: finalizers of others are left out.
pub(super) const FINALIZERS_LEFT_OUT: &str = "certorder.dev/finalizers-left-out";

/// The longest value of a label or an annotation. What is longer is cut: no such value means anything.
const LONGEST_VALUE: usize = 512;

/// The most bytes of labels, of annotations and of finalizers.
const MOST: usize = 4 * 1024;

/// The longest spec and status of an order, together, that stay as they are in a list or a watch.
const LONGEST_LISTED: usize = 8 * 1024;

/// The longest spec of a listed order without the fields that are left out. Those of this version are shorter.
const LONGEST_SPEC: usize = 16 * 1024;

/// The fields of a status that are read of many orders.
const STATUS: [&str; 8] = [
    "observedGeneration",
    "requestId",
    "submission",
    "notAfter",
    "replacedBy",
    "lastHandledReconcileAt",
    "lastHandledResubmitAt",
    "conditions",
];

/// What is kept of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kept {
    /// Who it is, and when it was changed last.
    Identity,
    /// The metadata that are read, the spec and the status.
    Listed,
    /// The same of one of many orders: the longest fields of a long one are left out.
    Order,
    /// The same of an object that was asked for.
    Single,
}

/// What is kept of an object, as JSON again.
pub(super) fn reduce(text: &[u8], kept: Kept) -> Result<Vec<u8>, serde_json::Error> {
    let mut object: Object<'_> = serde_json::from_slice(text)?;
    let metadata = &mut object.metadata;
    let finalizers = metadata.finalizers.map(ours_of_too_many).transpose()?.flatten();
    if let Some(ours) = &finalizers {
        metadata.finalizers = Some(ours);
        metadata.annotations.mark(FINALIZERS_LEFT_OUT);
    }
    match kept {
        Kept::Identity => return serde_json::to_vec(&object.identity()),
        // They were cut, and must not be sent back.
        Kept::Single => metadata.managed_fields = Newest(None),
        Kept::Listed => {}
        Kept::Order if object.is_short() => {}
        Kept::Order => {
            let spec = object.spec.map(listed_spec).transpose()?;
            let status = object.status.map(listed_status).transpose()?;
            object.metadata.annotations.mark(PARTIAL);
            return serde_json::to_vec(&Object {
                spec: spec.as_deref(),
                status: status.as_deref(),
                ..object
            });
        }
    }
    serde_json::to_vec(&object)
}

/// The object without what the client library cannot parse of `managedFields`; `None` where it parses all of them. Their
/// times may be in the year 10000, and their fields nested without end.
pub(super) fn mended(text: &[u8]) -> Result<Option<Vec<u8>>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Probe<'a> {
        #[serde(borrow, default)]
        metadata: Option<ProbeOfMetadata<'a>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ProbeOfMetadata<'a> {
        #[serde(borrow, default)]
        managed_fields: Option<Vec<&'a RawValue>>,
    }
    let probe: Probe<'_> = serde_json::from_slice(text)?;
    let entries = probe.metadata.and_then(|metadata| metadata.managed_fields).unwrap_or_default();
    if entries.iter().all(|entry| parses(entry)) {
        return Ok(None);
    }
    let entries: Vec<_> = entries.into_iter().filter_map(readable_entry).collect();
    let mut object: Fields<'_> = serde_json::from_slice(text)?;
    let Some(metadata) = object.get("metadata") else { return Ok(None) };
    let entries = to_raw_value(&entries)?;
    let mut metadata: Fields<'_> = serde_json::from_str(metadata.get())?;
    metadata.insert("managedFields".into(), &entries);
    let metadata = to_raw_value(&metadata)?;
    object.insert("metadata".into(), &metadata);
    serde_json::to_vec(&object).map(Some)
}

/// The fields of an object, each as its text.
type Fields<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

fn parses(entry: &RawValue) -> bool {
    serde_json::from_str::<ManagedFieldsEntry>(entry.get()).is_ok()
}

/// The entry, without its time where that is what cannot be parsed.
fn readable_entry(entry: &RawValue) -> Option<Box<RawValue>> {
    if parses(entry) {
        return Some(entry.to_owned());
    }
    let mut fields: Fields<'_> = serde_json::from_str(entry.get()).ok()?;
    fields.remove("time");
    to_raw_value(&fields).ok().filter(|entry| parses(entry))
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Object<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    api_version: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    metadata: Metadata<'a>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    spec: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    status: Option<&'a RawValue>,
}

impl Object<'_> {
    fn is_short(&self) -> bool {
        let length = |part: Option<&RawValue>| part.map_or(0, |part| part.get().len());
        length(self.spec) + length(self.status) <= LONGEST_LISTED
    }

    fn identity(self) -> Self {
        let Self { api_version, kind, metadata, .. } = self;
        let metadata = Metadata {
            labels: Texts::default(),
            annotations: Texts::default(),
            finalizers: None,
            owner_references: Owner(None),
            ..metadata
        };
        Object { api_version, kind, metadata, spec: None, status: None }
    }
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    name: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    uid: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    resource_version: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    generation: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    creation_timestamp: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    deletion_timestamp: Option<&'a RawValue>,
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    labels: Texts,
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    annotations: Texts,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    finalizers: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Owner::is_none")]
    owner_references: Owner<'a>,
    #[serde(default, skip_serializing_if = "Newest::is_none")]
    managed_fields: Newest,
}

/// The finalizers that are kept of too many: ours, if it is one of them.
fn ours_of_too_many(finalizers: &RawValue) -> Result<Option<Box<RawValue>>, serde_json::Error> {
    if finalizers.get().len() <= MOST {
        return Ok(None);
    }
    let all: Vec<Cow<'_, str>> = serde_json::from_str(finalizers.get())?;
    let ours: Vec<_> = all.into_iter().filter(|finalizer| finalizer == FINALIZER).take(1).collect();
    to_raw_value(&ours).map(Some)
}

/// A spec without what only a pass over its order reads. That there is a CSR is read of other orders too.
fn listed_spec(spec: &RawValue) -> Result<Box<RawValue>, serde_json::Error> {
    let Ok(mut fields) = serde_json::from_str::<Fields<'_>>(spec.get()) else {
        return to_raw_value(&Map::new());
    };
    let empty = to_raw_value("")?;
    for left_out in ["secretTemplate", "dnsNames"] {
        fields.remove(left_out);
    }
    if let Some(csr) = fields.get_mut("csr") {
        *csr = &empty;
    }
    // Written for another version: who has which certificate is read all the same.
    let length: usize = fields.values().map(|field| field.get().len()).sum();
    if length > LONGEST_SPEC {
        fields.retain(|name, field| name == "provider" && field.get().len() <= MOST);
    }
    to_raw_value(&fields)
}

/// A status without what only a pass over its order reads.
fn listed_status(status: &RawValue) -> Result<Box<RawValue>, serde_json::Error> {
    let mut fields: BTreeMap<Cow<'_, str>, Value> = BTreeMap::new();
    let Ok(all) = serde_json::from_str::<Fields<'_>>(status.get()) else { return to_raw_value(&fields) };
    for (name, value) in all.into_iter().filter(|(name, _)| STATUS.contains(&name.as_ref())) {
        fields.insert(name, serde_json::from_str(value.get())?);
    }
    let conditions = fields.get_mut("conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten().filter_map(Value::as_object_mut) {
        condition.insert("message".to_owned(), Value::from(""));
    }
    to_raw_value(&fields)
}

/// Labels or annotations: those that are read.
#[derive(Default)]
struct Texts(BTreeMap<String, String>);

impl Texts {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn mark(&mut self, name: &str) {
        self.0.insert(name.to_owned(), "true".to_owned());
    }
}

impl Serialize for Texts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextsVisitor)
    }
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("labels or annotations")
    }

    fn visit_unit<E>(self) -> Result<Texts, E> {
        Ok(Texts::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
        let (mut texts, mut length) = (BTreeMap::new(), 0_usize);
        while let Some(name) = map.next_key::<Cow<'_, str>>()? {
            if !name.starts_with(OURS) || [PARTIAL, FINALIZERS_LEFT_OUT].contains(&name.as_ref()) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = truncate(&map.next_value::<Cow<'_, str>>()?, LONGEST_VALUE);
            length = length.saturating_add(name.len()).saturating_add(value.len());
            if length <= MOST {
                texts.insert(name.into_owned(), value);
            }
        }
        Ok(Texts(texts))
    }
}

/// The reference to the controller that owns an object.
#[derive(Default)]
struct Owner<'a>(Option<&'a RawValue>);

impl Owner<'_> {
    fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

impl Serialize for Owner<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_slice().serialize(serializer)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Owner<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Reference {
            #[serde(default)]
            controller: Option<bool>,
        }
        let all: Option<Vec<&'a RawValue>> = Deserialize::deserialize(deserializer)?;
        let is_controller = |reference: &&RawValue| {
            let reference = serde_json::from_str::<Reference>(reference.get());
            reference.is_ok_and(|reference| reference.controller == Some(true))
        };
        Ok(Self(all.unwrap_or_default().into_iter().find(is_controller)))
    }
}

/// The newest time of the managed fields that is a time.
#[derive(Default)]
struct Newest(Option<Timestamp>);

impl Newest {
    fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

impl Serialize for Newest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let times: Vec<_> = self.0.iter().map(|time| BTreeMap::from([("time", time.to_string())])).collect();
        times.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Newest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Entry {
            #[serde(default)]
            time: Option<String>,
        }
        let entries: Option<Vec<Entry>> = Deserialize::deserialize(deserializer)?;
        let times = entries.into_iter().flatten().filter_map(|entry| entry.time?.parse().ok());
        Ok(Self(times.max()))
    }
}
