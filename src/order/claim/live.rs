//! Checks an order against the other ones: from the cache before each step, and live before a call.

use std::borrow::Borrow;
use std::sync::Arc;

use kube::api::ListParams;
use kube::core::DeserializeGuard;
use kube::{Api, ResourceExt};
use tokio::sync::Semaphore;

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

/// How many orders one request lists.
const PAGE: u32 = 100;

/// How many pages are in memory at the same time. A page is held while the API server sends it, and no longer.
static PAGES: Semaphore = Semaphore::const_new(4);

/// Shows each order of a live list to `see`, until that returns a problem.
async fn each(
    api: &Api<Listed>,
    mut params: ListParams,
    mut see: impl FnMut(Listed) -> Option<Problem>,
) -> Result<Option<Problem>, kube::Error> {
    params = params.limit(PAGE);
    loop {
        let permit = PAGES.acquire().await;
        let page = bounded(api.list(&params)).await?;
        for order in page.items {
            if let Some(problem) = see(order) {
                return Ok(Some(problem));
            }
        }
        drop(permit);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params.continue_token = Some(token),
            None => return Ok(None),
        }
    }
}

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
            let see = |DeserializeGuard(other): Listed| match other {
                Ok(other) => {
                    others.extend(rivals::has_claim(&other).then_some(other));
                    None
                }
                Err(other) => {
                    let metadata = other.metadata;
                    let key = (metadata.namespace.unwrap_or_default(), metadata.name.unwrap_or_default());
                    Some(rivals::unreadable(order, &key))
                }
            };
            if let Some(problem) = each(&api, params.clone(), see).await? {
                return Ok(Some(problem));
            }
        }
        Ok(rivals::contested(order, &others))
    }

    /// Whether the cached orders of the namespace use up its budget without this one.
    pub fn over_budget(&self, order: &CertificateOrder) -> Option<Problem> {
        let most = self.max_orders.filter(|_| !budget::runs(order))?;
        let all: Vec<_> = self.orders.iter().flat_map(|orders| orders.objects().state()).collect();
        budget::exceeded(order, all.iter().map(Borrow::borrow), most)
    }

    /// The same, read live, for an order that is about to start. An order that cannot be read does not count.
    pub async fn over_budget_live(&self, order: &CertificateOrder) -> Result<Option<Problem>, kube::Error> {
        let Some(most) = self.max_orders else { return Ok(None) };
        let api: Api<Listed> =
            Api::namespaced(self.context.client.clone(), &order.namespace().unwrap_or_default());
        let mut running = Vec::new();
        each(&api, ListParams::default(), |DeserializeGuard(other)| {
            running.extend(other.ok().filter(budget::runs));
            None
        })
        .await?;
        Ok(budget::exceeded(order, &running, most))
    }
}
