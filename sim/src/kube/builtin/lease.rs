//! Leases.

use k8s_openapi::api::coordination::v1::Lease;
use serde_json::Value;

use super::describe::{column, describe};
use crate::kube::field::invalid;
use crate::kube::object::at;
use crate::kube::resource::{Nature, Resource};
use crate::kube::schema::FieldError;
use crate::kube::strategy::Strategy;
use crate::kube::table::Column;

pub(super) fn resource() -> Resource {
    Resource {
        columns: vec![Column::of_name(), column("Holder", "", ".spec.holderIdentity"), Column::of_age()],
        nature: Nature::BuiltIn(Strategy { validate, create_on_update: true, ..Strategy::of::<Lease>() }),
        ..describe::<Lease>()
    }
}

fn validate(new: &Value, _old: Option<&Value>) -> Vec<FieldError> {
    let below = |field: &str, least: i64, message: &str| {
        let value = at(new, field)?.as_i64()?;
        (value < least).then(|| invalid(field, value, message))
    };
    let errors = [
        below("spec.leaseDurationSeconds", 1, "must be greater than 0"),
        below("spec.leaseTransitions", 0, "must be greater than or equal to 0"),
    ];
    errors.into_iter().flatten().collect()
}
