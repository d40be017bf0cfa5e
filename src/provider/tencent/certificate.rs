//! One paid certificate of an account.

use std::sync::Arc;

use crate::api::v1alpha1::TencentCloudOrder;
use crate::provider::Error;
use crate::provider::tencent::client::{Client, Service, json};
use crate::provider::tencent::credentials::Credentials;
use crate::provider::tencent::wire;

pub(super) const OBSERVE: &str = "DescribeCertificate";

/// One paid certificate at Tencent Cloud.
#[derive(Debug)]
pub struct Tencent {
    pub(super) client: Client,
    pub(super) order: TencentCloudOrder,
}

impl Tencent {
    /// The certificate that an order of a namespace names.
    #[must_use]
    pub fn new(
        service: Arc<Service>,
        credentials: Credentials,
        tenant: &str,
        order: TencentCloudOrder,
    ) -> Self {
        Self { client: Client::new(service, credentials, tenant, order.site), order }
    }

    /// The request of the actions that take the certificate's id and nothing else.
    pub(super) fn of_certificate(&self) -> Result<Vec<u8>, Error> {
        json(&wire::OfCertificate { certificate_id: &self.order.certificate_id })
    }
}
