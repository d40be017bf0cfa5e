//! One paid certificate at Huawei Cloud.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::Method;
use secrecy::SecretString;
use tokio::time::Instant;

use crate::core::application::Application;
use crate::core::chain;
use crate::core::conditions::Problem;
use crate::core::observation::{Bundle, Check, Deadline, Observation};
use crate::core::product::Product;
use crate::core::succession::{Candidate, Head};
use crate::provider::huawei::client::{EXPORT, Huawei, Message, SHOW, unreadable};
use crate::provider::huawei::writes::CALLS;
use crate::provider::huawei::{listing, observation, request, wire};
use crate::provider::{Accepted, Calls, Error, Payload, Provider, Request, RequestKind};

impl Huawei {
    async fn show(&self) -> Result<Observation, Error> {
        let (certificate, request_id) =
            self.get::<wire::Certificate>(SHOW, self.path(None), String::new()).await?;
        // An object without a status is not an answer of `show`.
        if certificate.status.is_none() {
            return Err(unreadable("the answer names no status", request_id));
        }
        Ok(observation::observation(certificate))
    }

    async fn export(&self) -> Result<Bundle, Error> {
        let message =
            Message { method: Method::POST, path: self.path(Some(EXPORT)), query: String::new(), body: b"" };
        let (exported, request_id) = self.call::<wire::Exported>(EXPORT, &message, None).await?;
        let bundle = bundle(exported);
        if bundle.certificate_pem.is_empty() {
            return Err(unreadable("the answer holds no certificate", request_id));
        }
        Ok(bundle)
    }
}

/// What an answer holds of the chain. One certificate is not an entire chain where the rest of it stands beside it.
pub(super) fn bundle(exported: wire::Exported) -> Bundle {
    let wire::Exported { entire_certificate, certificate, certificate_chain, private_key } = exported;
    // What is not whole is passed on as it is: its reader says why.
    let is_entire = |text: &String| chain::certificates(text).map_or(true, |found| found.len() > 1);
    let certificate_pem = match entire_certificate {
        Some(entire) if is_entire(&entire) => entire,
        entire => {
            [entire, certificate, certificate_chain].into_iter().flatten().collect::<Vec<_>>().join("\n")
        }
    };
    Bundle { certificate_pem, private_key_pem: private_key }
}

#[async_trait]
impl Provider for Huawei {
    fn prepare(&self, application: &Application, product: Option<&Product>) -> Result<Payload, Problem> {
        request::prepare(&self.order, application, product)
    }

    async fn observe(&self) -> Result<Observation, Error> {
        match self.show().await {
            Err(error) if listing::may_be_deleted(&error) => Err(self.not_found(error).await),
            seen => seen,
        }
    }

    fn write_delay(&self, kind: RequestKind) -> Duration {
        CALLS.name(kind).map_or(Duration::ZERO, |action| self.delay(action))
    }

    async fn write(&self, request: Request<'_>, begin_by: Instant) -> Result<Accepted, Error> {
        match request {
            Request::Submit(payload) => self.submit(payload, begin_by).await,
            Request::Withdraw => self.withdraw(begin_by).await,
            // `calls` has no name for them, so they are never requested.
            Request::Order
            | Request::Resubmit
            | Request::Revoke
            | Request::SendLetter(_)
            | Request::Reissue(_) => Err(Error::NotSent("Huawei Cloud has no such call".to_owned())),
        }
    }

    async fn download(&self) -> Result<Bundle, Error> {
        self.export().await
    }

    /// The cloud reports the records, but no result of a check.
    async fn check_validation(&self) -> Result<Vec<Check>, Error> {
        Ok(Vec::new())
    }

    /// The cloud reports no deadline.
    async fn deadline(&self) -> Result<Option<Deadline>, Error> {
        Ok(None)
    }

    async fn was_called(&self, _: RequestKind, _: Timestamp) -> Result<bool, Error> {
        Ok(false)
    }

    async fn successors(&self, head: &Head<'_>, max_age: Duration) -> Result<Vec<Candidate>, Error> {
        self.followed_by(head, max_age).await
    }

    fn sibling(&self, certificate_id: &str) -> Box<dyn Provider> {
        let mut sibling = self.clone();
        certificate_id.clone_into(&mut sibling.order.certificate_id);
        Box::new(sibling)
    }

    fn calls(&self) -> &'static Calls {
        &CALLS
    }

    fn sensitive(&self) -> Vec<SecretString> {
        self.credentials.sensitive()
    }
}
