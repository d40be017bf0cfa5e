//! Who set which field of an object, as the API server keeps it (`managedFields`).

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::ObjectMeta;
use serde_json::{Map, Value};

use crate::cluster::FIELD_MANAGER;

/// Who set which field of one object. Where nobody kept that, nothing is known, and nothing counts as ours.
#[derive(Clone, Copy)]
pub struct FieldOwners<'a>(&'a [ManagedFieldsEntry]);

impl<'a> FieldOwners<'a> {
    /// As an object has them.
    #[must_use]
    pub fn of(metadata: &'a ObjectMeta) -> Self {
        Self(metadata.managed_fields.as_deref().unwrap_or_default())
    }

    /// Whether certorder set this label or annotation (`kind` is `labels` or `annotations`) to the value that it has,
    /// and nobody else did.
    #[must_use]
    pub fn set_by_us_alone(self, kind: &str, name: &str) -> bool {
        let name = format!("f:{name}");
        let has = |entry: &&ManagedFieldsEntry| {
            let fields = below(entry, &["f:metadata", &format!("f:{kind}")]);
            fields.is_some_and(|fields| fields.contains_key(&name))
        };
        let managers: BTreeSet<_> = self.0.iter().filter(has).map(|entry| entry.manager.as_deref()).collect();
        managers.len() == 1 && managers.contains(&Some(FIELD_MANAGER))
    }

    /// Who else wrote an object last: its data, or, if nobody else holds any of them, whatever it was.
    #[must_use]
    pub fn last_other(self) -> Option<&'a str> {
        let others = self.0.iter().filter(|entry| entry.manager.as_deref() != Some(FIELD_MANAGER));
        let last = others.max_by_key(|entry| {
            (below(entry, &["f:data"]).is_some(), entry.time.as_ref().map(|time| time.0))
        });
        last.and_then(|entry| entry.manager.as_deref())
    }
}

/// The fields that an entry names below a path.
fn below<'a>(entry: &'a ManagedFieldsEntry, path: &[&str]) -> Option<&'a Map<String, Value>> {
    let all = entry.fields_v1.as_ref().and_then(|fields| fields.0.as_object())?;
    path.iter().try_fold(all, |fields, name| fields.get(*name).and_then(Value::as_object))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(managers: &Value) -> ObjectMeta {
        serde_json::from_value(json!({"managedFields": managers})).unwrap()
    }

    #[test]
    fn what_certorder_set_is_told_from_what_others_set() {
        let labels = |names: &[&str]| {
            let names: Map<_, _> = names.iter().map(|name| (format!("f:{name}"), json!({}))).collect();
            json!({"f:metadata": {"f:labels": names}})
        };
        let metadata = metadata(&json!([
            {"manager": FIELD_MANAGER, "operation": "Update", "fieldsV1": labels(&["team", "shared"])},
            {"manager": "kubectl-label", "operation": "Update", "fieldsV1": labels(&["theirs"])},
            {"manager": "helm", "operation": "Apply", "fieldsV1": labels(&["shared"])},
        ]));
        let owners = FieldOwners::of(&metadata);
        let ours = ["team", "shared", "theirs", "nobody"].map(|name| owners.set_by_us_alone("labels", name));
        assert_eq!(ours, [true, false, false, false]);
        assert!(!owners.set_by_us_alone("annotations", "team"));
        assert!(!FieldOwners::of(&ObjectMeta::default()).set_by_us_alone("labels", "team"));
    }

    #[test]
    fn the_neighbour_is_who_wrote_data_last() {
        let entry = |manager: &str, second: u32, fields: Value| {
            json!({"manager": manager, "operation": "Update", "time": format!("2026-11-28T04:00:{second:02}Z"),
                   "fieldsV1": fields})
        };
        let data = || json!({"f:data": {"f:tls.crt": {}}});
        let object = metadata(&json!([
            entry("old", 1, data()),
            entry("reloader", 5, data()),
            entry("kubectl-annotate", 8, json!({"f:metadata": {}})),
            entry(FIELD_MANAGER, 9, data()),
        ]));
        assert_eq!(FieldOwners::of(&object).last_other(), Some("reloader"));
        assert_eq!(FieldOwners::of(&ObjectMeta::default()).last_other(), None);
        let labels = metadata(&json!([entry("kubectl-annotate", 8, json!({"f:metadata": {}}))]));
        assert_eq!(FieldOwners::of(&labels).last_other(), Some("kubectl-annotate"));
    }
}
