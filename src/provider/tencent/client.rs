//! One call of an account: waits for the rate limit, signs, sends, reads.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::api::v1alpha1::TencentSite;
use crate::core::clock::Clock;
use crate::core::observation::Observation;
use crate::provider::call::{Caller, CloudClient, sensitive};
use crate::provider::credentials::with_unread;
use crate::provider::error_class::{Call, ahead_by_date, foreign, with_clock};
use crate::provider::shared_read::SharedReads;
use crate::provider::transport::{Answer, Endpoint, EndpointError, LARGEST_ANSWER, LARGEST_PAGE, Transport};
use crate::provider::{Account, Error};

use super::batch::{Batches, Key};
use super::credentials::Credentials;
use super::errors;
use super::links::Certificates;
use super::sign::{self, Signable};
use super::wire::{self, Reply};

const INTERNATIONAL: &str = "ssl.intl.tencentcloudapi.com";
const CHINA: &str = "ssl.tencentcloudapi.com";
const SERVICE: &str = "ssl";
const VERSION: &str = "2019-12-05";
const JSON: &str = "application/json";

/// Both sites, and the client that all calls to them share.
#[derive(Debug)]
pub struct Service {
    cloud: CloudClient,
    batches: Batches<Option<Observation>>,
    certificates: SharedReads<(Key, TencentSite), Certificates>,
    international: Endpoint,
    china: Endpoint,
}

impl Service {
    /// Both sites, or one endpoint that replaces both. `per_second` is the cloud's limit for each account and
    /// action.
    pub fn new(
        transport: Transport,
        per_second: NonZeroU32,
        endpoint: Option<&Endpoint>,
        clock: Clock,
    ) -> Result<Self, EndpointError> {
        let site = |host| endpoint.cloned().map_or_else(|| Endpoint::https(host), Ok);
        Ok(Self {
            cloud: CloudClient::new("Tencent Cloud", transport, per_second, clock),
            batches: Batches::default(),
            certificates: SharedReads::default(),
            international: site(INTERNATIONAL)?,
            china: site(CHINA)?,
        })
    }

    pub(super) fn endpoint(&self, site: TencentSite) -> &Endpoint {
        match site {
            TencentSite::International => &self.international,
            TencentSite::China => &self.china,
        }
    }
}

/// An account at one site.
#[derive(Clone, Debug)]
pub struct Client {
    service: Arc<Service>,
    credentials: Credentials,
    tenant: String,
    site: TencentSite,
}

impl Client {
    /// The account of these credentials, for calls of a namespace.
    #[must_use]
    pub fn new(service: Arc<Service>, credentials: Credentials, tenant: &str, site: TencentSite) -> Self {
        Self { service, credentials, tenant: tenant.to_owned(), site }
    }

    /// The account of these calls.
    pub(super) fn account(&self) -> Account {
        self.credentials.account()
    }

    fn caller(&self, action: &'static str, begin_by: Option<Instant>) -> Caller<'_> {
        Caller { account: self.account(), tenant: &self.tenant, action, begin_by, largest: LARGEST_ANSWER }
    }

    /// The reads of many orders with exactly these credentials.
    pub(super) fn batches(&self) -> &Batches<Option<Observation>> {
        &self.service.batches
    }

    /// Identifies these credentials, for a map in memory.
    pub(super) fn fingerprint(&self) -> Key {
        self.credentials.fingerprint()
    }

    /// Credentials that must not appear in any text.
    pub(super) fn sensitive(&self) -> impl Iterator<Item = SecretString> {
        let Credentials { secret_id, secret_key, token, .. } = &self.credentials;
        [secret_id, secret_key].into_iter().chain(token).cloned()
    }

    /// A call that changes nothing.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        action: &'static str,
        body: &[u8],
    ) -> Result<(T, String), Error> {
        self.call(action, body, None).await
    }

    /// How long a call would wait for the rate limit now.
    pub(super) fn delay(&self, action: &'static str) -> Duration {
        self.service.cloud.delay(&self.caller(action, None))
    }

    /// A read for all namespaces with these credentials, so it waits in no line of one of them. The body is built once the
    /// rate limit allows the call.
    pub(super) async fn read_for_all<T: DeserializeOwned>(
        &self,
        action: &'static str,
        body: impl FnOnce() -> Result<Vec<u8>, serde_json::Error>,
    ) -> Result<(T, String), Error> {
        let caller = Caller { tenant: "", ..self.caller(action, None) };
        let request = |now| {
            let body = body().map_err(|error| error.to_string())?;
            self.request(action, &body, now).map_err(|error| error.to_string())
        };
        self.service.cloud.call(caller, request, outcome).await
    }

    /// One page of a list for all namespaces with these credentials.
    pub(super) async fn read_page<T: DeserializeOwned>(
        &self,
        action: &'static str,
        body: &[u8],
    ) -> Result<(T, String), Error> {
        let caller = Caller { tenant: "", largest: LARGEST_PAGE, ..self.caller(action, None) };
        self.service.cloud.call(caller, |now| self.request(action, body, now), outcome).await
    }

    /// The account's certificates, at most `max_age` old: those that are kept, or what `read` reads for all who wait.
    pub(super) async fn certificates(
        &self,
        max_age: Duration,
        read: impl Future<Output = Result<Certificates, Error>>,
    ) -> Result<Arc<Certificates>, Error> {
        let key = (self.fingerprint(), self.site);
        let answered = self.service.certificates.get(key, max_age, read).await;
        answered.map_err(|error| with_unread(error, &self.credentials.unread))
    }

    /// A call that changes something: it begins by the deadline or not at all.
    pub(super) async fn change<T: DeserializeOwned>(
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
        let caller = self.caller(action, begin_by);
        let answered = self.service.cloud.call(caller, |now| self.request(action, body, now), outcome).await;
        answered.map_err(|error| with_unread(error, &self.credentials.unread))
    }

    pub(super) fn request(
        &self,
        action: &'static str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<reqwest::Request, InvalidHeaderValue> {
        let endpoint = self.service.endpoint(self.site);
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
        let Credentials { secret_id, secret_key, token, .. } = &self.credentials;
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
            let told = || errors::clock_ahead(&message, now).or_else(|| ahead_by_date(answer, now));
            let ahead = if is_clock { told() } else { None };
            let message = with_clock(message, ahead);
            Err(errors::error(call, errors::refusal(&code, message, request_id)))
        }
        Reply::Foreign => {
            let text = "the answer is not one of Tencent Cloud; something on the way to it may have sent it";
            Err(foreign(call, answer.status.as_u16(), text, None))
        }
    }
}

/// An answer of the service to a read, in which the requested data cannot be read.
pub(super) fn unreadable(text: &str, request_id: String) -> Error {
    foreign(Call::Read, 200, text, Some(request_id))
}

/// The body of a call.
pub(super) fn json(request: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(request).map_err(|error| Error::NotSent(error.to_string()))
}
