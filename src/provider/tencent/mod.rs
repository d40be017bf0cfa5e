//! Tencent Cloud SSL: paid certificates of the international site and of the one for China.
//!
//! - [`request`]: an application as a request; [`saved`]: the saved profile that it names; [`product`]: what a product
//!   allows.
//! - [`client`]: one call of an account; [`sign`] and [`credentials`]: who calls.
//! - [`directory`]: the profiles saved in the console.
//! - [`wire`]: answers as JSON; [`observation`]: in the words of an order; [`evidence`]: what shows that a request
//!   arrived; [`errors`]: what a refusal means.
//! - [`writes`]: the calls that change something.
//! - [`validation`], [`listing`], [`operations`], [`download`]: the reads beside `DescribeCertificate`, one action
//!   each; [`archive`]: what a download is packed in.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::time::Instant;

use crate::api::v1alpha1::TencentCloudOrder;
use crate::core::conditions::Problem;
use crate::core::order::{Application, Bundle, Check, Deadline, Observation, Product};
use crate::provider::{Accepted, Account, Calls, Error, Payload, Provider, Request, RequestKind, body, time};

pub mod archive;
pub mod client;
pub mod credentials;
pub mod directory;
pub mod download;
pub mod errors;
pub mod evidence;
pub mod listing;
pub mod observation;
pub mod operations;
pub mod product;
pub mod request;
pub mod saved;
pub mod sign;
#[cfg(test)]
mod tests;
pub mod validation;
pub mod wire;
pub mod writes;

pub use client::{Client, Service};
use client::{json, unreadable};
use credentials::Credentials;
pub use writes::CALLS;

const OBSERVE: &str = "DescribeCertificate";

/// One paid certificate at Tencent Cloud.
#[derive(Debug)]
pub struct Tencent {
    client: Client,
    order: TencentCloudOrder,
}

impl Tencent {
    /// The certificate that an order names.
    #[must_use]
    pub fn new(service: Arc<Service>, credentials: Credentials, order: TencentCloudOrder) -> Self {
        Self { client: Client::new(service, credentials, order.site), order }
    }

    /// The request of the actions that take the certificate's id and nothing else.
    fn of_certificate(&self) -> Result<Vec<u8>, Error> {
        json(&wire::OfCertificate { certificate_id: &self.order.certificate_id })
    }
}

#[async_trait]
impl Provider for Tencent {
    fn prepare(&self, application: &Application, product: Option<&Product>) -> Result<Payload, Problem> {
        request::prepare(&self.order, application, product)
    }

    async fn observe(&self) -> Result<Observation, Error> {
        let (certificate, _) = self.client.read(OBSERVE, &self.of_certificate()?).await?;
        Ok(observation::observation(certificate))
    }

    async fn write(&self, request: Request<'_>, begin_by: Instant) -> Result<Accepted, Error> {
        match request {
            Request::Submit(payload) => self.submit(payload, begin_by).await,
            Request::Order => self.send_order(begin_by).await,
            Request::Resubmit => self.resubmit(begin_by).await,
            Request::Withdraw => self.withdraw(begin_by).await,
            Request::Revoke => self.revoke(begin_by).await,
            Request::SendLetter(letter) => self.send_letter(letter, begin_by).await,
        }
    }

    async fn download(&self) -> Result<Bundle, Error> {
        self.fetch().await
    }

    async fn check_validation(&self) -> Result<Vec<Check>, Error> {
        self.check().await
    }

    async fn deadline(&self) -> Result<Option<Deadline>, Error> {
        self.listed().await
    }

    async fn was_called(&self, kind: RequestKind, since: Timestamp) -> Result<bool, Error> {
        self.has_logged(kind, since).await
    }

    fn calls(&self) -> &'static Calls {
        &CALLS
    }

    fn sensitive(&self) -> Vec<SecretString> {
        let email = self.order.contact_email.iter().map(|email| email.expose().into());
        self.client.sensitive().chain(email).collect()
    }

    fn account(&self) -> Option<Account> {
        Some(self.client.account())
    }
}
