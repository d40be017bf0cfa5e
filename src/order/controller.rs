//! The state of the controller of CertificateOrders. It is in memory only: what must survive the process is in the
//! status and at the cloud.

use std::sync::Arc;
use std::time::Duration;

use kube::Api;

use crate::api::v1alpha1::CertificateOrder;
use crate::cluster::cache::{Cache, Key};
use crate::cluster::{bounded, slim, trim};
use crate::controller::context::Context;
use crate::controller::queue::AccountQueue;
use crate::controller::schedule::Schedule;
use crate::order::ages::RecordAges;
use crate::order::claim::claims::Claims;
use crate::order::claim::locks::CertificateLocks;
use crate::order::dns_endpoint::memory::DnsEndpoints;
use crate::order::export::kept::{Kept, Repairs};
use crate::order::export::places::HeldUp;
use crate::order::export::template::Prefixes;
use crate::order::validation::Validations;
use crate::profile::lookups::Lookups;

/// The controller of CertificateOrders.
pub struct Controller {
    /// The state that it shares with the controller of profiles.
    pub context: Arc<Context>,
    /// The shortest pause between two polls of a running order.
    pub poll_interval: Duration,
    /// How many orders of one namespace may run at the same time.
    pub max_orders: Option<usize>,
    /// How much of a certificate's life must be left for its cloud to reissue it.
    pub reissue_bar: Duration,
    /// The prefixes of labels and annotations that templates may have.
    pub template_prefixes: Prefixes,
    /// The caches of orders, one for each watch.
    pub orders: Vec<Cache<CertificateOrder>>,
    /// When each order is due.
    pub schedule: Schedule,
    /// Which order of an account is reconciled next.
    pub queue: Arc<AccountQueue>,
    /// What the accounts have saved at their clouds.
    pub lookups: Arc<Lookups>,
    /// Which order has a certificate, in the whole cluster.
    pub claims: Arc<Claims>,
    /// One pass at a time for each certificate of a namespace.
    pub locks: CertificateLocks,
    /// How long this process has observed what each status records.
    pub ages: RecordAges,
    /// Orders that others keep from being submitted, since they write the same Secret.
    pub held_up: HeldUp,
    /// What the clouds handed over last.
    pub kept: Kept,
    /// How often Secrets were repaired.
    pub repairs: Repairs,
    /// The results of the CA's checks of the proofs of control.
    pub validations: Validations,
    /// What is known of the `DNSEndpoint`s with these proofs.
    pub dns_endpoints: DnsEndpoints,
}

impl Controller {
    /// Removes an order that was deleted.
    pub fn forget(&self, key: &Key) {
        self.schedule.forget(key);
        self.held_up.forget(key);
        self.kept.forget(key);
        self.repairs.forget(key);
        self.ages.forget(key);
        self.validations.forget(key);
        self.dns_endpoints.forget(key);
        self.claims.order_deleted(key);
    }

    /// An order from the cache; `None` if it was deleted. The cache holds only a part of a settled order and of a long one,
    /// so these are read live.
    pub async fn whole(&self, key: &Key) -> Result<Option<Arc<CertificateOrder>>, kube::Error> {
        let cached = self.cached(key);
        if !cached.as_deref().is_some_and(|order| trim::is_settled(order) || slim::is_partial(order)) {
            return Ok(cached);
        }
        self.live(key).await
    }

    /// An order as far as it is cached.
    pub fn cached(&self, key: &Key) -> Option<Arc<CertificateOrder>> {
        self.orders.iter().find_map(|orders| orders.get(key))
    }

    /// An order as it is now, unless it is gone: the cache may not show yet what the last pass wrote.
    pub async fn live(&self, (namespace, name): &Key) -> Result<Option<Arc<CertificateOrder>>, kube::Error> {
        let api: Api<CertificateOrder> = Api::namespaced(self.context.client.clone(), namespace);
        Ok(bounded(api.get_opt(name)).await?.map(Arc::new))
    }
}
