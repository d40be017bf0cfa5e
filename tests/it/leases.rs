//! The claims of a story: the Leases that say which order has a certificate.

use std::time::Duration;

use certorder::api::v1alpha1::CertificateOrder;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::{Api, ResourceExt};

use crate::world::World;

const TIMEOUT: Duration = Duration::from_secs(30);

impl World {
    pub(crate) fn leases(&self) -> Api<Lease> {
        Api::namespaced(self.client(), &self.claims)
    }

    /// Every claim.
    pub(crate) async fn claims(&self) -> Vec<Lease> {
        self.leases().list(&ListParams::default()).await.unwrap().items
    }

    /// The claims that this order holds.
    pub(crate) async fn claims_of(&self, order: &CertificateOrder) -> Vec<Lease> {
        let mut claims = self.claims().await;
        claims.retain(|lease| holder(lease) == order.uid());
        claims
    }

    /// Waits until the claims are as wanted.
    pub(crate) async fn until_claims(&self, what: &str, wanted: impl Fn(&[Lease]) -> bool) {
        let seen = async {
            while !wanted(&self.claims().await) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let in_time = tokio::time::timeout(TIMEOUT, seen).await.is_ok();
        assert!(in_time, "the claims are not {what}: {:#?}", self.claims().await);
    }

    /// Lets an order hold a claim, as somebody else may have stored it.
    pub(crate) async fn give_claim(&self, mut lease: Lease, order: &CertificateOrder) {
        let annotations = lease.annotations_mut();
        annotations.insert("certorder.dev/order".to_owned(), order.name_any());
        annotations.insert("certorder.dev/order-namespace".to_owned(), order.namespace().unwrap());
        annotations.insert("certorder.dev/order-uid".to_owned(), order.uid().unwrap());
        let name = lease.name_any();
        self.leases().replace(&name, &PostParams::default(), &lease).await.unwrap();
    }

    /// Deletes every claim: what certorder 0.1.0 leaves behind.
    pub(crate) async fn delete_claims(&self) {
        for lease in self.claims().await {
            self.leases().delete(&lease.name_any(), &DeleteParams::default()).await.unwrap();
        }
    }
}

/// The UID of the order that holds a claim.
pub(crate) fn holder(lease: &Lease) -> Option<String> {
    lease.annotations().get("certorder.dev/order-uid").cloned()
}
