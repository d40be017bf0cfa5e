//! Tencent Cloud SSL: paid certificates of the international site and of the one for China.
//!
//! - [`request`]: an application as a request; [`product`]: what a product allows.
//! - [`wire`]: answers as JSON; [`observation`]: in the words of an order; [`evidence`]: what shows that a request
//!   arrived; [`errors`]: what a refusal means.
//! - [`writes`]: the calls that change something.
//! - [`validation`], [`listing`], [`operations`], [`download`]: the reads beside `DescribeCertificate`, one action
//!   each; [`archive`]: what a download is packed in.
//! - [`sign`] and [`credentials`]: who calls.

use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::api::v1alpha1::{TencentCloudOrder, TencentSite};
use crate::core::conditions::Problem;
use crate::core::order::{Application, Bundle, Check, Deadline, Observation, Product};
use crate::provider::line::{Caller, Line, sensitive};
use crate::provider::meaning::{foreign, with_clock};
use crate::provider::transport::{Answer, Endpoint, EndpointError, Transport};
use crate::provider::{Accepted, Calls, Error, Payload, Provider, Request, RequestKind, body, time};

pub mod archive;
pub mod credentials;
pub mod download;
pub mod errors;
pub mod evidence;
pub mod listing;
pub mod observation;
pub mod operations;
pub mod product;
pub mod request;
pub mod sign;
#[cfg(test)]
mod tests;
pub mod validation;
pub mod wire;
pub mod writes;

use credentials::Credentials;
use errors::Call;
use sign::Signable;
use wire::Reply;
pub use writes::CALLS;

const INTERNATIONAL: &str = "ssl.intl.tencentcloudapi.com";
const CHINA: &str = "ssl.tencentcloudapi.com";
const SERVICE: &str = "ssl";
const VERSION: &str = "2019-12-05";
const JSON: &str = "application/json";
const OBSERVE: &str = "DescribeCertificate";

/// Both sites, and what all calls to them share.
#[derive(Debug)]
pub struct Service {
    line: Line,
    international: Endpoint,
    china: Endpoint,
}

impl Service {
    /// Both sites, or one endpoint that stands for both. `per_second` is the cloud's limit for each account and
    /// action.
    pub fn new(
        transport: Transport,
        per_second: NonZeroU32,
        endpoint: Option<&Endpoint>,
    ) -> Result<Self, EndpointError> {
        let site = |host| endpoint.cloned().map_or_else(|| Endpoint::https(host), Ok);
        Ok(Self {
            line: Line::new("Tencent Cloud", transport, per_second),
            international: site(INTERNATIONAL)?,
            china: site(CHINA)?,
        })
    }

    fn endpoint(&self, site: TencentSite) -> &Endpoint {
        match site {
            TencentSite::International => &self.international,
            TencentSite::China => &self.china,
        }
    }
}

/// One paid certificate at Tencent Cloud.
#[derive(Debug)]
pub struct Tencent {
    service: Arc<Service>,
    credentials: Credentials,
    order: TencentCloudOrder,
}

impl Tencent {
    /// The certificate that an order names.
    #[must_use]
    pub fn new(service: Arc<Service>, credentials: Credentials, order: TencentCloudOrder) -> Self {
        Self { service, credentials, order }
    }

    async fn read<T: DeserializeOwned>(
        &self,
        action: &'static str,
        body: &[u8],
    ) -> Result<(T, String), Error> {
        self.call(action, body, None).await
    }

    /// The request of the actions that take the certificate's id and nothing else.
    fn of_certificate(&self) -> Result<Vec<u8>, Error> {
        json(&wire::OfCertificate { certificate_id: &self.order.certificate_id })
    }

    /// A call that changes something: it begins in time or not at all.
    async fn change<T: DeserializeOwned>(
        &self,
        action: &'static str,
        body: &[u8],
        begin_by: Instant,
    ) -> Result<(T, String), Error> {
        self.call(action, body, Some(begin_by)).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        action: &'static str,
        body: &[u8],
        begin_by: Option<Instant>,
    ) -> Result<(T, String), Error> {
        let caller = Caller { account: self.credentials.secret_id.expose_secret(), action, begin_by };
        self.service.line.call(caller, |now| self.request(action, body, now), outcome).await
    }

    fn request(
        &self,
        action: &'static str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<reqwest::Request, InvalidHeaderValue> {
        let endpoint = self.service.endpoint(self.order.site);
        let mut request = reqwest::Request::new(Method::POST, endpoint.url().clone());
        *request.headers_mut() = self.headers(&endpoint.host(), action, body, now)?;
        *request.body_mut() = Some(body.to_vec().into());
        Ok(request)
    }

    fn headers(
        &self,
        host: &str,
        action: &'static str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<HeaderMap, InvalidHeaderValue> {
        let signable = Signable { method: "POST", query: "", content_type: JSON, host, payload: body };
        let Credentials { secret_id, secret_key, token } = &self.credentials;
        let signed = sign::sign(&signable, SERVICE, now, secret_id.expose_secret(), secret_key);
        let mut headers = HeaderMap::from_iter([
            (HOST, HeaderValue::from_str(host)?),
            (CONTENT_TYPE, HeaderValue::from_static(JSON)),
            (AUTHORIZATION, sensitive(&signed.authorization)?),
            (HeaderName::from_static("x-tc-action"), HeaderValue::from_static(action)),
            (HeaderName::from_static("x-tc-version"), HeaderValue::from_static(VERSION)),
            (HeaderName::from_static("x-tc-timestamp"), HeaderValue::from(now.as_second())),
            (HeaderName::from_static("x-tc-language"), HeaderValue::from_static("en-US")),
        ]);
        if let Some(token) = token {
            headers.insert("x-tc-token", sensitive(token.expose_secret())?);
        }
        Ok(headers)
    }
}

/// Reads an answer.
fn outcome<T: DeserializeOwned>(call: Call, answer: &Answer, now: Timestamp) -> Result<(T, String), Error> {
    match wire::read(answer) {
        Reply::Done { fields, request_id } => Ok((fields, request_id)),
        Reply::Refused { code, message, request_id } => {
            let is_clock = code == "AuthFailure.SignatureExpire";
            let ahead = if is_clock { errors::clock_ahead(&message, now) } else { None };
            let message = with_clock(message, ahead);
            Err(errors::error(call, errors::refusal(&code, message, request_id)))
        }
        Reply::Foreign => {
            let text = "the answer is not one of Tencent Cloud; something on the way to it may have sent it";
            Err(foreign(call, answer.status.as_u16(), text, None))
        }
    }
}

/// An answer of the service to a read, in which what was asked for cannot be read.
fn unreadable(text: &str, request_id: String) -> Error {
    foreign(Call::Read, 200, text, Some(request_id))
}

fn json(request: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(request).map_err(|error| Error::NotSent(error.to_string()))
}

#[async_trait]
impl Provider for Tencent {
    fn prepare(&self, application: &Application, product: Option<&Product>) -> Result<Payload, Problem> {
        request::prepare(&self.order, application, product)
    }

    async fn observe(&self) -> Result<Observation, Error> {
        let (certificate, _) = self.read(OBSERVE, &self.of_certificate()?).await?;
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
        let Credentials { secret_id, secret_key, token } = &self.credentials;
        let email = self.order.contact_email.iter().map(|email| email.expose().into());
        [secret_id, secret_key].into_iter().chain(token).cloned().chain(email).collect()
    }
}
