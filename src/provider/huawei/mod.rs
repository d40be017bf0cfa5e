//! Huawei Cloud SSL Certificate Manager (SCM, part of CCM), API version 3.
//!
//! - [`request`]: an application as the request of `apply`; [`person`]: the people in it; [`product`]: what a product
//!   allows and demands.
//! - [`wire`]: answers as JSON; [`observation`]: in the words of an order; [`evidence`]: what shows that a request
//!   arrived; [`errors`]: what a refusal means.
//! - [`writes`]: the calls that change something; [`listing`]: whether a certificate is gone.
//! - [`sign`] and [`credentials`]: who calls; [`region`]: where.
//!
//! One call, `apply`, takes the application and sends the order. A certificate that waits for an application (`PAID`)
//! was never applied for, or its application was withdrawn; what `show` still holds of one, and our own record, tell
//! which.

use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, InvalidHeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::api::v1alpha1::HuaweiCloudOrder;
use crate::core::conditions::Problem;
use crate::core::order::{Application, Bundle, Check, Deadline, Observation, Product};
use crate::core::pem;
use crate::provider::line::{Caller, Line, sensitive};
use crate::provider::meaning::{Call, with_clock};
use crate::provider::transport::{Answer, Endpoint, EndpointError, Transport};
use crate::provider::{Accepted, Calls, Error, Payload, Provider, Request, RequestKind};

pub mod credentials;
pub mod errors;
pub mod evidence;
pub mod listing;
pub mod observation;
pub mod person;
pub mod product;
pub mod region;
pub mod request;
pub mod sign;
#[cfg(test)]
mod tests;
pub mod wire;
pub mod writes;

use credentials::{Credentials, Identity};
use region::{Region, Template};
use sign::Signable;
use wire::Reply;
pub use writes::CALLS;

const CERTIFICATES: &str = "/v3/scm/certificates";
const JSON: &str = "application/json";
const SHOW: &str = "show";
const LIST: &str = "list";
const EXPORT: &str = "export";

/// The service in every region, and what all calls to it share.
#[derive(Debug)]
pub struct Service {
    line: Line,
    template: Template,
}

impl Service {
    /// `per_second` is the cloud's limit for each account and action.
    #[must_use]
    pub fn new(transport: Transport, per_second: NonZeroU32, template: Template) -> Self {
        Self { line: Line::new("Huawei Cloud", transport, per_second), template }
    }

    /// Where the service is reached in a region.
    pub fn endpoint(&self, region: &Region) -> Result<Endpoint, EndpointError> {
        self.template.fill(region)
    }
}

/// One paid certificate at Huawei Cloud.
#[derive(Debug)]
pub struct Huawei {
    service: Arc<Service>,
    credentials: Credentials,
    order: HuaweiCloudOrder,
    endpoint: Endpoint,
    account: SecretString,
}

/// What is sent.
struct Message<'a> {
    method: Method,
    path: String,
    query: String,
    body: &'a [u8],
}

impl Huawei {
    /// The certificate that an order names, in its region.
    #[must_use]
    pub fn new(
        service: Arc<Service>,
        credentials: Credentials,
        order: HuaweiCloudOrder,
        endpoint: Endpoint,
    ) -> Self {
        let account = credentials.account().into();
        Self { service, credentials, order, endpoint, account }
    }

    /// The path of the certificate, and of a call on it. The id has no character that means anything in a path.
    fn path(&self, action: Option<&str>) -> String {
        let certificate = format!("{CERTIFICATES}/{}", self.order.certificate_id);
        action.map_or_else(|| certificate.clone(), |action| format!("{certificate}/{action}"))
    }

    async fn get<T: DeserializeOwned>(
        &self,
        action: &'static str,
        path: String,
        query: String,
    ) -> Result<(T, Option<String>), Error> {
        self.call(action, &Message { method: Method::GET, path, query, body: b"" }, None).await
    }

    /// One call; with `begin_by` one that changes something.
    async fn call<T: DeserializeOwned>(
        &self,
        action: &'static str,
        message: &Message<'_>,
        begin_by: Option<Instant>,
    ) -> Result<(T, Option<String>), Error> {
        let caller = Caller { account: self.account.expose_secret(), action, begin_by };
        self.service.line.call(caller, |now| self.request(message, now), outcome).await
    }

    fn request(&self, message: &Message<'_>, now: Timestamp) -> Result<reqwest::Request, InvalidHeaderValue> {
        let mut url = self.endpoint.url().clone();
        url.set_path(&message.path);
        url.set_query(Some(message.query.as_str()).filter(|query| !query.is_empty()));
        let mut request = reqwest::Request::new(message.method.clone(), url);
        *request.headers_mut() = self.headers(message, now)?;
        if message.method != Method::GET {
            *request.body_mut() = Some(message.body.to_vec().into());
        }
        Ok(request)
    }

    /// Everything but the date is signed as it is sent: the gateway verifies what the signature names.
    fn headers(&self, message: &Message<'_>, now: Timestamp) -> Result<HeaderMap, InvalidHeaderValue> {
        let host = &self.endpoint.host();
        let mut headers = HeaderMap::from_iter([
            (HOST, HeaderValue::from_str(host)?),
            (CONTENT_TYPE, HeaderValue::from_static(JSON)),
        ]);
        let domain = self.credentials.domain_id.as_ref().map(|id| ("x-domain-id", id));
        let token = match &self.credentials.identity {
            Identity::Key { security_token, .. } => {
                security_token.as_ref().map(|token| ("x-security-token", token))
            }
            Identity::Token(token) => Some(("x-auth-token", token)),
        };
        let mut signed = vec![("content-type", JSON)];
        for (name, value) in domain.into_iter().chain(token) {
            headers.insert(name, sensitive(value.expose_secret())?);
            signed.push((name, value.expose_secret()));
        }
        if let Identity::Key { access_key, secret_key, .. } = &self.credentials.identity {
            let signable = Signable {
                method: message.method.as_str(),
                path: &message.path,
                query: &message.query,
                host,
                headers: &signed,
                payload: message.body,
            };
            let signature = sign::sign(&signable, now, access_key, secret_key);
            headers.insert(sign::DATE, HeaderValue::from_str(&signature.date)?);
            headers.insert(AUTHORIZATION, sensitive(&signature.authorization)?);
        }
        Ok(headers)
    }

    async fn show(&self) -> Result<Observation, Error> {
        let (certificate, request_id) =
            self.get::<wire::Certificate>(SHOW, self.path(None), String::new()).await?;
        // An object without a status is the answer of something else.
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
fn bundle(exported: wire::Exported) -> Bundle {
    let wire::Exported { entire_certificate, certificate, certificate_chain, private_key } = exported;
    // What is not whole goes on as it is: whoever reads it says why.
    let is_entire = |text: &String| pem::read(text).map_or(true, |blocks| blocks.len() > 1);
    let certificate_pem = match entire_certificate {
        Some(entire) if is_entire(&entire) => entire,
        entire => {
            [entire, certificate, certificate_chain].into_iter().flatten().collect::<Vec<_>>().join("\n")
        }
    };
    Bundle { certificate_pem, private_key_pem: private_key }
}

/// Reads an answer.
fn outcome<T: DeserializeOwned>(
    call: Call,
    answer: &Answer,
    now: Timestamp,
) -> Result<(T, Option<String>), Error> {
    let status = answer.status.as_u16();
    match wire::read(answer) {
        Reply::Done { fields, request_id } => Ok((fields, request_id)),
        Reply::Refused { code, message, request_id } => {
            let ahead = errors::clock_ahead(&message, now);
            let message = with_clock(errors::without_echo(message), ahead);
            Err(errors::error(call, status, &code, message, request_id))
        }
        Reply::Foreign => {
            let text = "the answer is not one of Huawei Cloud; something on the way to it may have sent it";
            Err(errors::foreign(call, status, text, wire::request_id(answer)))
        }
    }
}

/// An answer to a read, in which what was asked for cannot be found.
fn unreadable(text: &str, request_id: Option<String>) -> Error {
    errors::foreign(Call::Read, 200, text, request_id)
}

#[async_trait]
impl Provider for Huawei {
    fn prepare(&self, application: &Application, product: Option<&Product>) -> Result<Payload, Problem> {
        request::prepare(&self.order, application, product)
    }

    async fn observe(&self) -> Result<Observation, Error> {
        match self.show().await {
            Err(error) if listing::may_be_gone(&error) => Err(self.not_found(error).await),
            seen => seen,
        }
    }

    async fn write(&self, request: Request<'_>, begin_by: Instant) -> Result<Accepted, Error> {
        match request {
            Request::Submit(payload) => self.submit(payload, begin_by).await,
            Request::Withdraw => self.withdraw(begin_by).await,
            // `calls` says so, and nobody asks for them.
            Request::Order | Request::Resubmit | Request::Revoke | Request::SendLetter(_) => {
                Err(Error::NotSent("Huawei Cloud has no such call".to_owned()))
            }
        }
    }

    async fn download(&self) -> Result<Bundle, Error> {
        self.export().await
    }

    /// Nothing but the records is told of the checks.
    async fn check_validation(&self) -> Result<Vec<Check>, Error> {
        Ok(Vec::new())
    }

    /// No deadline is told.
    async fn deadline(&self) -> Result<Option<Deadline>, Error> {
        Ok(None)
    }

    async fn was_called(&self, _: RequestKind, _: Timestamp) -> Result<bool, Error> {
        Ok(false)
    }

    fn calls(&self) -> &'static Calls {
        &CALLS
    }

    fn sensitive(&self) -> Vec<SecretString> {
        self.credentials.sensitive()
    }
}
