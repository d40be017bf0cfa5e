//! The finalizer of an order whose deletion has cleanup at the cloud.

use kube::api::{GetParams, Patch, PatchParams};
use kube::core::{PartialObjectMeta, Request};
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::api::v1alpha1::CertificateOrder;
use crate::cluster::FIELD_MANAGER;
use crate::cluster::bounded;
use crate::cluster::slim::{self, AsItIs};
use crate::core::annotations::FINALIZER;

/// Adds the finalizer. `None` on a conflict.
pub async fn add_finalizer(
    client: &Client,
    order: &CertificateOrder,
) -> Result<Option<CertificateOrder>, kube::Error> {
    set(client, order, |others| others.push(FINALIZER.to_owned())).await
}

/// Removes the finalizer, so that the API server deletes the object. `None` on a conflict.
pub async fn remove_finalizer(
    client: &Client,
    order: &CertificateOrder,
) -> Result<Option<CertificateOrder>, kube::Error> {
    set(client, order, |_| ()).await
}

/// Sets the finalizers of others, and what `change` makes of them.
async fn set(
    client: &Client,
    order: &CertificateOrder,
    change: impl FnOnce(&mut Vec<String>),
) -> Result<Option<CertificateOrder>, kube::Error> {
    let lacks_some = slim::lacks_finalizers(order);
    let _permit = if lacks_some { MANY_AT_ONCE.acquire().await.ok() } else { None };
    let mut finalizers = if lacks_some {
        let Some(read) = as_it_is(client, order).await? else { return Ok(None) };
        read.finalizers().to_vec()
    } else {
        order.finalizers().to_vec()
    };
    finalizers.retain(|finalizer| finalizer != FINALIZER);
    change(&mut finalizers);
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

/// One order with very many finalizers at a time: they may take as much memory as the API server takes.
static MANY_AT_ONCE: Semaphore = Semaphore::const_new(1);

/// The metadata of an order with all its finalizers; `None` if it has changed since or was deleted.
async fn as_it_is(
    client: &Client,
    order: &CertificateOrder,
) -> Result<Option<PartialObjectMeta<CertificateOrder>>, kube::Error> {
    let path = CertificateOrder::url_path(&(), order.namespace().as_deref());
    let mut request = Request::new(path)
        .get(&order.name_any(), &GetParams::default())
        .map_err(kube::Error::BuildRequest)?;
    request.extensions_mut().insert(AsItIs);
    match bounded(client.request::<PartialObjectMeta<CertificateOrder>>(request)).await {
        Ok(read) => Ok((read.resource_version() == order.resource_version()).then_some(read)),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::body::Bytes;
    use axum::http::Method;
    use axum::{Json, Router};
    use serde_json::Value;

    use super::*;

    /// Finalizers of others, a few or more than are kept of an order.
    fn others(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("acme.example/{number}-{}", "f".repeat(40))).collect()
    }

    /// Adds and removes the finalizer of an order with these others. Returns the lists that are written.
    async fn written(others: &[String]) -> Vec<Vec<String>> {
        let order = json!({
            "apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrder",
            "metadata": {"namespace": "shop", "name": "www", "resourceVersion": "7", "finalizers": others},
            "spec": {"provider": {"tencentCloud": {"certificateId": "J2lX2maH"}},
                     "credentialsRef": {"name": "cloud"}, "commonName": "www.acme.example"},
        });
        let (stored, written) = (Arc::new(Mutex::new(order)), Arc::new(Mutex::new(Vec::new())));
        let patched = Arc::clone(&written);
        let answer = async move |method: Method, body: Bytes| {
            let mut stored = stored.lock().unwrap();
            if method == Method::PATCH {
                let patch: Value = serde_json::from_slice(&body).unwrap();
                assert_eq!(patch["metadata"]["resourceVersion"], stored["metadata"]["resourceVersion"]);
                stored["metadata"]["finalizers"] = patch["metadata"]["finalizers"].clone();
                patched
                    .lock()
                    .unwrap()
                    .push(serde_json::from_value(patch["metadata"]["finalizers"].clone()).unwrap());
            }
            Json(stored.clone())
        };
        let client = slim::client(&Client::new(Router::new().fallback(answer), "default"));
        let order = Api::<CertificateOrder>::namespaced(client.clone(), "shop").get("www").await.unwrap();
        let added = add_finalizer(&client, &order).await.unwrap().unwrap();
        assert!(added.finalizers().iter().any(|finalizer| finalizer == FINALIZER));
        remove_finalizer(&client, &added).await.unwrap().unwrap();
        written.lock().unwrap().clone()
    }

    #[tokio::test]
    async fn the_finalizers_of_others_stay_however_many_there_are() {
        for count in [0, 2, 500] {
            let others = others(count);
            let mut with_ours = others.clone();
            with_ours.push(FINALIZER.to_owned());
            assert_eq!(written(&others).await, [with_ours, others]);
        }
    }
}
