//! The `DNSEndpoint` of an order: whose one is, what has to be written, and which records others have. Pure.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ObjectMeta};
use kube::{Resource, ResourceExt};
use serde_json::{Value, json};

use crate::api::v1alpha1::CertificateOrder;
use crate::api::v1alpha1::conditions::Reason;
use crate::cluster::FIELD_MANAGER;
use crate::core::conditions::Problem;
use crate::order::dns_endpoint::records::{Endpoint, RecordType, Selection, host, unquoted};
use crate::order::dns_endpoint::standing::Standing;
use crate::order::export::secret::ORDER;
use crate::order::export::template::MANAGED_BY;

/// How long DNS servers may keep a record, in seconds.
const TTL: u32 = 300;

/// The kind, in the only version that external-dns has.
pub static KIND: LazyLock<ApiResource> = LazyLock::new(|| {
    let kind = GroupVersionKind::gvk("externaldns.k8s.io", "v1alpha1", "DNSEndpoint");
    ApiResource::from_gvk_with_plural(&kind, "dnsendpoints")
});

/// The name of the `DNSEndpoint` of an order.
#[must_use]
pub fn name_of(order: &CertificateOrder) -> String {
    format!("{}-validation", order.name_any())
}

/// What has to be written.
#[derive(Clone, PartialEq, Debug)]
pub enum Write {
    /// The object is not there.
    Create(DynamicObject),
    /// It holds something else: a merge patch.
    Patch(Value),
    /// It is of an order of this name that is gone, with which the cluster deletes it soon.
    Replace(Version, DynamicObject),
    /// It would hold nothing.
    Delete(Version),
}

/// The object that was read: no other one is deleted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    /// Its UID.
    pub uid: Option<String>,
    /// Its version.
    pub resource_version: Option<String>,
}

impl Version {
    /// The version of an object.
    #[must_use]
    pub fn of(object: &DynamicObject) -> Self {
        Self { uid: object.uid(), resource_version: object.resource_version() }
    }
}

/// Whether an object with the name of an order's `DNSEndpoint` bears the order's mark, as certorder sets it. No other one
/// is written or deleted.
#[must_use]
pub fn is_marked(object: &DynamicObject, order: &CertificateOrder) -> bool {
    object.annotations().get(ORDER).is_some_and(|name| *name == order.name_any())
}

/// Whether the cluster deletes an object together with the order.
fn is_owned(object: &DynamicObject, order: &CertificateOrder) -> bool {
    let uid = order.uid();
    object.owner_references().iter().any(|owner| Some(&owner.uid) == uid.as_ref())
}

/// What has to be written for an order, given the `DNSEndpoint`s of its namespace, and what is said once it is written.
#[must_use]
pub fn decide(
    order: &CertificateOrder,
    selection: &Selection,
    listed: &[DynamicObject],
    quoted: bool,
) -> (Option<Write>, Standing) {
    let name = name_of(order);
    let stored = listed.iter().find(|object| object.name_any() == name);
    if stored.is_some_and(|stored| !is_marked(stored, order)) {
        let message = format!(
            "DNSEndpoint {name} exists and is not this order's, so it is left alone; delete it, or give this order \
             another name"
        );
        return (None, Standing::Failed(Problem::new(Reason::DnsEndpointConflict, message)));
    }
    let stored = stored
        .filter(|stored| is_owned(stored, order))
        .map_or(stored.map_or(Stored::Absent, Stored::OfAPredecessor), Stored::Ours);
    let others: Vec<_> = listed.iter().filter(|object| object.name_any() != name).collect();
    let (mut endpoints, mut taken) = (Vec::new(), None);
    for endpoint in &selection.endpoints {
        let rival = rival(endpoint, &stored, &others);
        if rival.as_ref().is_none_or(|rival| !rival.goes_first) {
            endpoints.push(endpoint);
        }
        taken = taken.or_else(|| rival.map(|rival| rival.problem(endpoint, &name)));
    }
    let left_out = selection.left_out.clone();
    if endpoints.is_empty() {
        let write = stored.object().map(|stored| Write::Delete(Version::of(stored)));
        return (write, taken.map_or(Standing::Empty { left_out }, Standing::Failed));
    }
    let spec = spec(&endpoints, quoted);
    let write = match stored {
        Stored::Absent => Some(Write::Create(created(order, &spec))),
        Stored::OfAPredecessor(stored) => Some(Write::Replace(Version::of(stored), created(order, &spec))),
        Stored::Ours(stored) if stored.data.get("spec") == Some(&spec) => None,
        Stored::Ours(stored) => {
            let metadata = json!({"resourceVersion": stored.resource_version()});
            Some(Write::Patch(json!({"metadata": metadata, "spec": spec})))
        }
    };
    (write, Standing::Written { left_out, taken })
}

/// The object of an order's name, if it bears its mark.
enum Stored<'a> {
    Absent,
    Ours(&'a DynamicObject),
    /// Of an order of this name that is gone, or whose dependents were orphaned.
    OfAPredecessor(&'a DynamicObject),
}

impl Stored<'_> {
    fn object(&self) -> Option<&DynamicObject> {
        match self {
            Self::Absent => None,
            Self::Ours(stored) | Self::OfAPredecessor(stored) => Some(stored),
        }
    }
}

/// Another `DNSEndpoint` with a record of the same name and type, with another value.
struct Rival {
    name: String,
    /// Whether its record was there before this order's.
    goes_first: bool,
}

impl Rival {
    fn problem(&self, endpoint: &Endpoint, name: &str) -> Problem {
        let Endpoint { name: record, type_, .. } = endpoint;
        let other = &self.name;
        let message = if self.goes_first {
            format!(
                "{type_} {record} stands in DNSEndpoint {other} with another value, so it is not written into DNSEndpoint \
                 {name}; take it out there, or wait until that one is gone"
            )
        } else {
            format!(
                "{type_} {record} stands in DNSEndpoint {name}, and in DNSEndpoint {other} with another value, so that \
                 external-dns may take either; take it out of {other}"
            )
        };
        Problem::new(Reason::RecordConflict, message)
    }
}

/// The first of these objects with another value for a record. Of two that hold it the older one goes first.
fn rival(endpoint: &Endpoint, stored: &Stored<'_>, others: &[&DynamicObject]) -> Option<Rival> {
    let is_same = |found: &Endpoint| found.name == endpoint.name && found.type_ == endpoint.type_;
    let age =
        |object: &DynamicObject| (object.creation_timestamp().map(|created| created.0), object.name_any());
    let holding = stored.object().filter(|stored| endpoints_of(stored).iter().any(is_same));
    let contradicts = |other: &&&DynamicObject| {
        endpoints_of(other).iter().any(|found| is_same(found) && found.targets != endpoint.targets)
    };
    let oldest = others.iter().filter(contradicts).min_by_key(|other| age(other))?;
    let goes_first = holding.is_none_or(|stored| age(oldest) < age(stored));
    Some(Rival { name: oldest.name_any(), goes_first })
}

/// The TXT and CNAME records of any `DNSEndpoint`, as [`Endpoint`]s. What cannot be read is left out.
fn endpoints_of(object: &DynamicObject) -> Vec<Endpoint> {
    let endpoints = object.data.pointer("/spec/endpoints").and_then(Value::as_array);
    endpoints.into_iter().flatten().filter_map(endpoint_of).collect()
}

fn endpoint_of(entry: &Value) -> Option<Endpoint> {
    let name = host(entry.get("dnsName")?.as_str()?)?;
    let type_ = match entry.get("recordType")?.as_str()?.to_ascii_uppercase().as_str() {
        "TXT" => RecordType::Txt,
        "CNAME" => RecordType::Cname,
        _ => return None,
    };
    let target = |text: &str| match type_ {
        RecordType::Txt => unquoted(text).to_owned(),
        RecordType::Cname => host(text).unwrap_or_else(|| text.to_owned()),
    };
    let targets = entry.get("targets").and_then(Value::as_array).into_iter().flatten();
    let targets: BTreeSet<String> = targets.filter_map(Value::as_str).map(target).collect();
    Some(Endpoint { name, type_, targets })
}

/// The spec with these entries.
fn spec(endpoints: &[&Endpoint], quoted: bool) -> Value {
    let target = |type_, target: &String| match type_ {
        RecordType::Txt if quoted => format!("\"{target}\""),
        RecordType::Txt | RecordType::Cname => target.clone(),
    };
    let entry = |endpoint: &&Endpoint| {
        let Endpoint { name, type_, targets } = endpoint;
        let targets: Vec<_> = targets.iter().map(|text| target(*type_, text)).collect();
        json!({"dnsName": name, "recordTTL": TTL, "recordType": type_.to_string(), "targets": targets})
    };
    json!({"endpoints": endpoints.iter().map(entry).collect::<Vec<_>>()})
}

/// An object that is not there yet. It goes with the order, and does not hold its deletion up.
fn created(order: &CertificateOrder, spec: &Value) -> DynamicObject {
    let owner = OwnerReference {
        api_version: CertificateOrder::api_version(&()).into_owned(),
        kind: CertificateOrder::kind(&()).into_owned(),
        name: order.name_any(),
        uid: order.uid().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: None,
    };
    let metadata = ObjectMeta {
        name: Some(name_of(order)),
        labels: Some([(MANAGED_BY.to_owned(), FIELD_MANAGER.to_owned())].into()),
        annotations: Some([(ORDER.to_owned(), order.name_any())].into()),
        owner_references: Some(vec![owner]),
        ..ObjectMeta::default()
    };
    DynamicObject { metadata, ..DynamicObject::new("", &KIND).data(json!({"spec": spec})) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::names::Names;
    use crate::core::observation::ValidationRecord;
    use crate::order::dns_endpoint::records::select;

    fn order() -> CertificateOrder {
        let spec = serde_json::from_value(json!({
            "provider": {"tencentCloud": {"certificateId": "J2lX2maH"}},
            "credentialsRef": {"name": "cloud"},
            "commonName": "www.acme.example",
            "validation": {"dnsEndpoint": true},
        }));
        let mut order = CertificateOrder::new("www", spec.unwrap());
        order.metadata.uid = Some("uid-of-www".to_owned());
        order
    }

    fn selection(records: &[(&str, &str, &str)]) -> Selection {
        let record = |&(type_, name, value): &(&str, &str, &str)| {
            let [domain, type_, name, value] = ["acme.example", type_, name, value].map(str::to_owned);
            ValidationRecord { domain, type_, name, value }
        };
        let records: Vec<_> = records.iter().map(record).collect();
        select(&records, &Names::parse("www.acme.example", &[]).unwrap())
    }

    const NAME: &str = "_dnsauth.www.acme.example";

    fn one(value: &str) -> Selection {
        selection(&[("TXT", NAME, value)])
    }

    /// An object as somebody else wrote it, in this second.
    fn other(name: &str, second: i64, type_: &str, targets: &[&str]) -> DynamicObject {
        serde_json::from_value(json!({
            "apiVersion": "externaldns.k8s.io/v1alpha1", "kind": "DNSEndpoint",
            "metadata": {"name": name, "uid": name, "creationTimestamp": format!("2026-11-01T00:00:{second:02}Z")},
            "spec": {"endpoints": [
                null, {"recordType": "A"}, {"dnsName": format!("{}.", NAME.to_uppercase()), "recordType": type_, "targets": targets},
            ]},
        }))
        .unwrap()
    }

    /// The object as it is stored after it was created in this second.
    fn stored(selection: &Selection, second: i64) -> DynamicObject {
        let (Some(Write::Create(object)), _) = decide(&order(), selection, &[], false) else { panic!() };
        let mut object = object;
        object.metadata.uid = Some("uid-of-it".to_owned());
        object.metadata.resource_version = Some("7".to_owned());
        object.metadata.creation_timestamp = other("x", second, "A", &[]).metadata.creation_timestamp;
        object
    }

    #[test]
    fn the_object_is_owned_marked_and_in_the_form_of_external_dns() {
        let records = [
            ("TXT", NAME, "\"b\""),
            ("TXT", NAME, "a"),
            ("CNAME", "_x.www.acme.example.", "_y.ca.example."),
            ("FILE", "http://www.acme.example/x", "v"),
        ];
        let (write, standing) = decide(&order(), &selection(&records), &[], false);
        let Some(Write::Create(object)) = write else { panic!("{write:?}") };
        assert_eq!(
            serde_json::to_value(&object).unwrap(),
            json!({
                "apiVersion": "externaldns.k8s.io/v1alpha1", "kind": "DNSEndpoint",
                "metadata": {
                    "name": "www-validation",
                    "labels": {"app.kubernetes.io/managed-by": "certorder"},
                    "annotations": {"certorder.dev/order": "www"},
                    "ownerReferences": [{
                        "apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrder", "name": "www",
                        "uid": "uid-of-www", "controller": true,
                    }],
                },
                "spec": {"endpoints": [
                    {"dnsName": NAME, "recordTTL": 300, "recordType": "TXT", "targets": ["a", "b"]},
                    {"dnsName": "_x.www.acme.example", "recordTTL": 300, "recordType": "CNAME", "targets": ["_y.ca.example"]},
                ]},
            })
        );
        let Standing::Written { left_out, taken: None } = standing else { panic!("{standing:?}") };
        assert_eq!(left_out.len(), 1);
        let (Some(Write::Create(quoted)), _) = decide(&order(), &selection(&records), &[], true) else {
            panic!()
        };
        assert_eq!(quoted.data["spec"]["endpoints"][0]["targets"], json!(["\"a\"", "\"b\""]));
        assert_eq!(quoted.data["spec"]["endpoints"][1]["targets"], json!(["_y.ca.example"]));
    }

    #[test]
    fn nothing_is_written_while_it_holds_what_it_should() {
        let there = stored(&one("a"), 0);
        assert_eq!(decide(&order(), &one("a"), std::slice::from_ref(&there), false).0, None);
        let changed = decide(&order(), &one("b"), std::slice::from_ref(&there), false).0;
        let Some(Write::Patch(patch)) = changed else { panic!("{changed:?}") };
        assert_eq!(patch["metadata"], json!({"resourceVersion": "7"}));
        assert_eq!(patch["spec"]["endpoints"][0]["targets"], json!(["b"]));
        let mut edited = there.clone();
        edited.data["spec"]["endpoints"][0]["recordTTL"] = json!(5);
        assert!(matches!(decide(&order(), &one("a"), &[edited], false).0, Some(Write::Patch(_))));
        let version = Version { uid: Some("uid-of-it".to_owned()), resource_version: Some("7".to_owned()) };
        let nothing = selection(&[("FILE", "http://www.acme.example/x", "v")]);
        let (write, standing) = decide(&order(), &nothing, std::slice::from_ref(&there), false);
        assert_eq!(write, Some(Write::Delete(version.clone())));
        assert!(matches!(standing, Standing::Empty { .. }));
        // Of an order that is gone: the cluster deletes it together with that one.
        let mut before = there;
        before.metadata.owner_references.as_mut().unwrap()[0].uid = "uid-of-another".to_owned();
        let replaced = decide(&order(), &one("a"), std::slice::from_ref(&before), false).0;
        assert!(matches!(replaced, Some(Write::Replace(found, _)) if found == version));
        before.metadata.owner_references = None;
        assert!(matches!(decide(&order(), &one("a"), &[before], false).0, Some(Write::Replace(..))));
    }

    #[test]
    fn an_object_without_the_mark_of_the_order_is_left_alone() {
        let mut unmarked = stored(&one("a"), 0);
        unmarked.metadata.annotations = None;
        let mut of_another = stored(&one("a"), 0);
        of_another.metadata.annotations = Some([(ORDER.to_owned(), "shop".to_owned())].into());
        for object in [unmarked, of_another, other("www-validation", 0, "TXT", &["x"])] {
            let (write, standing) = decide(&order(), &one("b"), &[object], false);
            let Standing::Failed(problem) = standing else { panic!("{standing:?}") };
            assert_eq!((write, problem.reason), (None, Reason::DnsEndpointConflict));
        }
    }

    #[test]
    fn of_two_objects_with_a_record_the_one_that_had_it_first_keeps_it() {
        let wanted = one("ours");
        // What is there of this order, what another object has, whether the record is written, whether it is told.
        let table = [
            (None, other("dns", 5, "TXT", &["theirs"]), false, true),
            (None, other("dns", 5, "TXT", &["ours", "theirs"]), false, true),
            (None, other("dns", 5, "TXT", &["\"ours\""]), true, false),
            (None, other("dns", 5, "CNAME", &["theirs"]), true, false),
            (Some(stored(&wanted, 3)), other("dns", 5, "TXT", &["theirs"]), true, true),
            (Some(stored(&wanted, 7)), other("dns", 5, "TXT", &["theirs"]), false, true),
            (Some(stored(&wanted, 5)), other("zzz", 5, "TXT", &["theirs"]), true, true),
            // It held another record.
            (
                Some(stored(&selection(&[("TXT", "_x.www.acme.example", "v")]), 3)),
                other("dns", 5, "TXT", &["theirs"]),
                false,
                true,
            ),
        ];
        for (number, (there, theirs, is_written, is_told)) in table.into_iter().enumerate() {
            let name = theirs.name_any();
            let had_one = there.is_some();
            let listed: Vec<_> = there.into_iter().chain([theirs]).collect();
            let (write, standing) = decide(&order(), &wanted, &listed, false);
            let (told, written) = match standing {
                Standing::Failed(problem) => (Some(problem), false),
                Standing::Written { taken, .. } => (taken, true),
                other => panic!("{other:?}"),
            };
            assert_eq!((written, told.is_some()), (is_written, is_told), "{number}: {told:?}");
            if let Some(problem) = told {
                assert_eq!(problem.reason, Reason::RecordConflict);
                assert!(
                    problem.message.contains(&name) && problem.message.contains(NAME),
                    "{}",
                    problem.message
                );
            }
            assert_eq!(matches!(write, Some(Write::Delete(_))), had_one && !written, "{number}: {write:?}");
        }
        // The others are written.
        let both = selection(&[("TXT", NAME, "ours"), ("TXT", "_x.www.acme.example", "v")]);
        let (write, standing) = decide(&order(), &both, &[other("dns", 5, "TXT", &["theirs"])], false);
        let Some(Write::Create(object)) = write else { panic!("{write:?}") };
        assert_eq!(object.data["spec"]["endpoints"].as_array().unwrap().len(), 1);
        assert!(matches!(standing, Standing::Written { taken: Some(_), .. }));
    }
}
