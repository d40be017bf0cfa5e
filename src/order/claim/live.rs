//! Checks an order against the other ones: from the cache before each step, and live before a call.

use std::sync::Arc;

use kube::api::ListParams;
use kube::{Api, ResourceExt};
use tokio::sync::Semaphore;

use crate::api::v1alpha1::CertificateOrder;
use crate::cluster::bounded;
use crate::cluster::listed::Listed;
use crate::core::conditions::Problem;
use crate::order::claim::budget;
use crate::order::claim::rivals;
use crate::order::controller::Controller;
use crate::order::references;
use crate::provider::registry;

/// How many orders one request lists.
const PAGE: u32 = 100;

/// How many pages are in memory at the same time. A page is held while the API server sends it, and no longer.
static PAGES: Semaphore = Semaphore::const_new(4);

/// Shows each order of a live list to `see`, until that returns a problem.
async fn each(
    api: &Api<Listed<CertificateOrder>>,
    mut params: ListParams,
    mut see: impl FnMut(Listed<CertificateOrder>) -> Option<Problem>,
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
    /// Whether another cached order contests the certificate of this one. The cache has no orders that cannot be read; if one of
    /// them may be for this certificate, a live list shows it.
    pub async fn contested(&self, order: &CertificateOrder) -> Result<Option<Problem>, kube::Error> {
        let certificate = references::certificate(order);
        if self.orders.iter().any(|orders| orders.may_hide(&certificate)) {
            return self.contested_live(order).await;
        }
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
        let apis: Vec<Api<Listed<CertificateOrder>>> =
            if self.context.namespaces.is_empty() { all.into() } else { some.collect() };
        let mut others = Vec::new();
        for api in apis {
            let see = |Listed(other): Listed<CertificateOrder>| match other {
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
        budget::exceeded(order, &all, most)
    }

    /// The same, read live, for an order that is about to start. An order that cannot be read does not count.
    pub async fn over_budget_live(&self, order: &CertificateOrder) -> Result<Option<Problem>, kube::Error> {
        let Some(most) = self.max_orders else { return Ok(None) };
        let api: Api<Listed<CertificateOrder>> =
            Api::namespaced(self.context.client.clone(), &order.namespace().unwrap_or_default());
        let mut running = Vec::new();
        each(&api, ListParams::default(), |Listed(other)| {
            // Those that run, and those whose successors may.
            let is_renewed = |order: &CertificateOrder| {
                order.status.as_ref().is_some_and(|status| status.renewal.is_some())
            };
            running.extend(other.ok().filter(|order| budget::runs(order) || is_renewed(order)));
            None
        })
        .await?;
        Ok(budget::exceeded(order, &running, most))
    }
}
