//! Checks an order against the other ones: from the cache before each step, and live before a call.

use std::sync::Arc;

use kube::api::ListParams;
use kube::core::DeserializeGuard;
use kube::{Api, ResourceExt};

use crate::api::v1alpha1::CertificateOrder;
use crate::cluster::bounded;
use crate::cluster::cache::Cache;
use crate::core::conditions::Problem;
use crate::order::claim::budget;
use crate::order::claim::rivals;
use crate::order::controller::Controller;
use crate::order::references;
use crate::provider::registry;

/// An order of a live list; `Err` where this version of certorder cannot read it.
type Listed = DeserializeGuard<CertificateOrder>;

impl Controller {
    /// Whether another cached order contests the certificate of this one. The cache has no orders that cannot be read;
    /// if there are any, only a live list shows whether one of them is for this certificate.
    pub async fn contested(&self, order: &CertificateOrder) -> Result<Option<Problem>, kube::Error> {
        if self.orders.iter().any(Cache::has_unreadable) {
            return self.contested_live(order).await;
        }
        let certificate = references::certificate(order);
        let others = self.orders.iter().flat_map(|orders| orders.referring_to(&certificate));
        Ok(rivals::contested(order, &others.collect::<Vec<Arc<_>>>()))
    }

    /// The same, read live.
    pub async fn contested_live(&self, order: &CertificateOrder) -> Result<Option<Problem>, kube::Error> {
        if rivals::is_settled(order) {
            return Ok(None);
        }
        let params = ListParams::default().fields(&registry::certificate_selector(&order.spec.provider));
        let all = [Api::all(self.context.client.clone())];
        let some = self
            .context
            .namespaces
            .iter()
            .map(|namespace| Api::namespaced(self.context.client.clone(), namespace));
        let apis: Vec<Api<Listed>> =
            if self.context.namespaces.is_empty() { all.into() } else { some.collect() };
        let mut others = Vec::new();
        for api in apis {
            for DeserializeGuard(other) in bounded(api.list(&params)).await?.items {
                match other {
                    Ok(other) => others.push(other),
                    Err(other) => {
                        let metadata = other.metadata;
                        let key = (metadata.namespace.unwrap_or_default(), metadata.name.unwrap_or_default());
                        return Ok(Some(rivals::unreadable(order, &key)));
                    }
                }
            }
        }
        Ok(rivals::contested(order, &others))
    }

    /// Whether the cached orders of the namespace use up its budget without this one.
    pub fn over_budget(&self, order: &CertificateOrder) -> Option<Problem> {
        let most = self.max_orders.filter(|_| !budget::runs(order))?;
        let all: Vec<_> = self.orders.iter().flat_map(|orders| orders.objects().state()).collect();
        budget::exceeded(order, &all, most)
    }

    /// The same, read live, for an order that is about to start. An order that cannot be read does not count.
    pub async fn over_budget_live(&self, order: &CertificateOrder) -> Result<Option<Problem>, kube::Error> {
        let Some(most) = self.max_orders else { return Ok(None) };
        let api: Api<Listed> =
            Api::namespaced(self.context.client.clone(), &order.namespace().unwrap_or_default());
        let others = bounded(api.list(&ListParams::default())).await?.items;
        let readable: Vec<_> = others.iter().filter_map(|listed| listed.0.as_ref().ok()).collect();
        Ok(budget::exceeded(order, &readable, most))
    }
}
