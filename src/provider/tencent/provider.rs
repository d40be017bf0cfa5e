//! One paid certificate at Tencent Cloud.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::time::Instant;

use crate::api::v1alpha1::TencentCloudOrder;
use crate::core::application::Application;
use crate::core::conditions::Problem;
use crate::core::observation::{Bundle, Check, Deadline, Observation};
use crate::core::product::Product;
use crate::core::succession::{Candidate, Head};
use crate::provider::tencent::certificate::{OBSERVE, Tencent};
use crate::provider::tencent::writes::CALLS;
use crate::provider::tencent::{observation, request};
use crate::provider::{Accepted, Account, Calls, Error, Payload, Provider, Request, RequestKind};

#[async_trait]
impl Provider for Tencent {
    fn prepare(&self, application: &Application, product: Option<&Product>) -> Result<Payload, Problem> {
        request::prepare(&self.order, application, product)
    }

    async fn observe(&self) -> Result<Observation, Error> {
        let (certificate, _) = self.client.read(OBSERVE, &self.of_certificate()?).await?;
        Ok(observation::observation(certificate))
    }

    async fn observe_unused(&self) -> Option<Observation> {
        self.listed_unused().await
    }

    fn write_delay(&self, kind: RequestKind) -> Duration {
        CALLS.name(kind).map_or(Duration::ZERO, |action| self.client.delay(action))
    }

    async fn write(&self, request: Request<'_>, begin_by: Instant) -> Result<Accepted, Error> {
        match request {
            Request::Submit(payload) => self.submit(payload, begin_by).await,
            Request::Order => self.send_order(begin_by).await,
            Request::Resubmit => self.resubmit(begin_by).await,
            Request::Withdraw => self.withdraw(begin_by).await,
            Request::Revoke => self.revoke(begin_by).await,
            Request::SendLetter(letter) => self.send_letter(letter, begin_by).await,
            Request::Reissue(reissue) => self.reissue(reissue, begin_by).await,
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

    async fn successors(&self, head: &Head<'_>, max_age: Duration) -> Result<Vec<Candidate>, Error> {
        self.followed_by(head, max_age).await
    }

    async fn reissue_that_runs(&self, max_age: Duration) -> Result<Option<String>, Error> {
        self.reissue_in_the_way(max_age).await
    }

    fn sibling(&self, certificate_id: &str) -> Box<dyn Provider> {
        let order = TencentCloudOrder { certificate_id: certificate_id.to_owned(), ..self.order.clone() };
        Box::new(Self { client: self.client.clone(), order })
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
