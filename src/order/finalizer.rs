//! The finalizer of an order whose deletion has cleanup at the cloud.

use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::json;

use crate::api::v1alpha1::CertificateOrder;
use crate::cluster::FIELD_MANAGER;
use crate::cluster::bounded;
use crate::core::annotations::FINALIZER;

/// Adds the finalizer. `None` on a conflict.
pub async fn add_finalizer(
    client: &Client,
    order: &CertificateOrder,
) -> Result<Option<CertificateOrder>, kube::Error> {
    let others = order.finalizers().iter().map(String::as_str);
    set(client, order, others.chain([FINALIZER]).collect()).await
}

/// Removes the finalizer, so that the API server deletes the object. `None` on a conflict.
pub async fn remove_finalizer(
    client: &Client,
    order: &CertificateOrder,
) -> Result<Option<CertificateOrder>, kube::Error> {
    let others = order.finalizers().iter().map(String::as_str).filter(|finalizer| *finalizer != FINALIZER);
    set(client, order, others.collect()).await
}

async fn set(
    client: &Client,
    order: &CertificateOrder,
    finalizers: Vec<&str>,
) -> Result<Option<CertificateOrder>, kube::Error> {
    let api: Api<CertificateOrder> = Api::namespaced(client.clone(), &order.namespace().unwrap_or_default());
    // The version makes it a compare-and-swap: a merge patch replaces the whole list.
    let patch = json!({"metadata": {"resourceVersion": order.resource_version(), "finalizers": finalizers}});
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    match bounded(api.patch(&order.name_any(), &params, &Patch::Merge(patch))).await {
        Ok(order) => Ok(Some(order)),
        Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
