//! The kinds that an installation is made of, as a chart renders them: stored and shown, and not acted on. Nothing
//! runs, no permission is asked for and no policy is evaluated here.

use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ResourceQuota, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::describe::{column, describe};
use crate::kube::field::invalid;
use crate::kube::object::at;
use crate::kube::resource::{Nature, Resource};
use crate::kube::schema::FieldError;
use crate::kube::strategy::Strategy;
use crate::kube::table::Column;

pub(super) fn resources() -> Vec<Resource> {
    vec![
        stored::<ServiceAccount>(&["sa"]),
        Resource {
            columns: vec![
                Column::of_name(),
                column("Type", "", ".spec.type"),
                column("Cluster-IP", "", ".spec.clusterIP"),
                Column::of_age(),
            ],
            has_status: true,
            ..stored::<Service>(&["svc"])
        },
        Resource { has_status: true, ..stored::<ResourceQuota>(&["quota"]) },
        Resource { has_status: true, ..counted::<Deployment>(&["deploy"], deployment) },
        counted::<NetworkPolicy>(&["netpol"], |_, _| Vec::new()),
        Resource { has_status: true, ..counted::<PodDisruptionBudget>(&["pdb"], |_, _| Vec::new()) },
        stored::<Role>(&[]),
        checked::<RoleBinding>(binding),
        Resource { namespaced: false, ..stored::<ClusterRole>(&[]) },
        Resource { namespaced: false, ..checked::<ClusterRoleBinding>(binding) },
        Resource {
            namespaced: false,
            has_status: true,
            ..counted::<ValidatingAdmissionPolicy>(&[], |_, _| Vec::new())
        },
        Resource { namespaced: false, ..counted::<ValidatingAdmissionPolicyBinding>(&[], |_, _| Vec::new()) },
    ]
}

type Validate = fn(&Value, Option<&Value>) -> Vec<FieldError>;

fn stored<T>(short_names: &[&str]) -> Resource
where
    T: k8s_openapi::Resource + DeserializeOwned + Serialize + JsonSchema,
{
    let short_names = short_names.iter().map(|name| (*name).to_owned()).collect();
    Resource { short_names, ..describe::<T>() }
}

fn checked<T>(validate: Validate) -> Resource
where
    T: k8s_openapi::Resource + DeserializeOwned + Serialize + JsonSchema,
{
    Resource { nature: Nature::BuiltIn(Strategy { validate, ..Strategy::of::<T>() }), ..stored::<T>(&[]) }
}

fn counted<T>(short_names: &[&str], validate: Validate) -> Resource
where
    T: k8s_openapi::Resource + DeserializeOwned + Serialize + JsonSchema,
{
    let strategy = Strategy { validate, counts_generations: true, ..Strategy::of::<T>() };
    Resource { nature: Nature::BuiltIn(strategy), ..stored::<T>(short_names) }
}

/// A Deployment owns Pods by its selector, so that must match its own Pods and stay.
fn deployment(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let selector = at(new, "spec.selector.matchLabels").and_then(Value::as_object);
    let labels = at(new, "spec.template.metadata.labels");
    let matches = selector.is_some_and(|selector| {
        selector.iter().all(|(name, value)| labels.and_then(|labels| labels.get(name)) == Some(value))
    });
    let mut errors = Vec::new();
    if !matches {
        let value = labels.cloned().unwrap_or_default();
        let message = "`selector` does not match template `labels`";
        errors.push(invalid("spec.template.metadata.labels", value, message));
    }
    errors.extend(old.and_then(|old| frozen(new, old, "spec.selector", "field is immutable")));
    errors
}

/// What a binding grants is fixed; only to whom may change.
fn binding(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    old.and_then(|old| frozen(new, old, "roleRef", "cannot change roleRef")).into_iter().collect()
}

fn frozen(new: &Value, old: &Value, field: &str, message: &str) -> Option<FieldError> {
    let value = at(new, field).cloned().unwrap_or_default();
    (at(old, field) != Some(&value)).then(|| invalid(field, value, message))
}
