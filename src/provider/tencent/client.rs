//! One call of an account: takes its turn, signs, sends, reads.

use std::num::NonZeroU32;
use std::sync::Arc;

use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroize;

use crate::api::v1alpha1::TencentSite;
use crate::clock::Clock;
use crate::provider::limit::Limiter;
use crate::provider::transport::{Answer, Endpoint, EndpointError, Failure, Transport};
use crate::provider::{Account, Error};

use super::credentials::Credentials;
use super::errors::{self, Call};
use super::sign::{self, Signable};
use super::wire::{self, Reply};

const INTERNATIONAL: &str = "ssl.intl.tencentcloudapi.com";
const CHINA: &str = "ssl.tencentcloudapi.com";
const SERVICE: &str = "ssl";
const VERSION: &str = "2019-12-05";
const JSON: &str = "application/json";

/// Both sites, and what all calls to them share.
#[derive(Debug)]
pub struct Service {
    transport: Transport,
    limiter: Limiter,
    clock: Clock,
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
            transport,
            limiter: Limiter::new(per_second),
            // Never one that a test has set ahead: the cloud refuses a request whose time is not its own.
            clock: Clock::default(),
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
#[derive(Debug)]
pub struct Client {
    service: Arc<Service>,
    credentials: Credentials,
    site: TencentSite,
}

impl Client {
    /// The account of these credentials.
    #[must_use]
    pub fn new(service: Arc<Service>, credentials: Credentials, site: TencentSite) -> Self {
        Self { service, credentials, site }
    }

    /// Whose calls these are. A key belongs to one site, so its id is enough.
    pub(super) fn account(&self) -> Account {
        Account::new("TencentCloud", self.credentials.secret_id.expose_secret())
    }

    /// Credentials that must not show up in any text.
    pub(super) fn sensitive(&self) -> impl Iterator<Item = SecretString> {
        let Credentials { secret_id, secret_key, token } = &self.credentials;
        [secret_id, secret_key].into_iter().chain(token).cloned()
    }

    /// A call that changes nothing.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        action: &'static str,
        body: &[u8],
    ) -> Result<(T, String), Error> {
        self.turn(action).await;
        self.call(Call::Read, action, body).await
    }

    /// A call that changes something: it begins in time or not at all.
    pub(super) async fn change<T: DeserializeOwned>(
        &self,
        action: &'static str,
        body: &[u8],
        begin_by: Instant,
    ) -> Result<(T, String), Error> {
        let turn = timeout_at(begin_by, self.turn(action)).await;
        // A turn that is free at once is taken even when the time is over.
        if turn.is_err() || Instant::now() >= begin_by {
            return Err(Error::NotSent(format!("{action} had no turn in time")));
        }
        self.call(Call::Write, action, body).await
    }

    async fn turn(&self, action: &'static str) {
        self.service.limiter.turn(self.credentials.secret_id.expose_secret(), action).await;
    }

    /// One call: signs, sends, reads.
    async fn call<T: DeserializeOwned>(
        &self,
        call: Call,
        action: &'static str,
        body: &[u8],
    ) -> Result<(T, String), Error> {
        let now = self.service.clock.now();
        let request = self.request(action, body, now).map_err(|error| Error::NotSent(error.to_string()))?;
        let mut answer =
            self.service.transport.exchange(request).await.map_err(|failure| failed(call, failure))?;
        let outcome = outcome(call, &answer, now);
        // It may hold a private key, or the key password in what it shows of an application.
        answer.body.zeroize();
        outcome
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

fn sensitive(value: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(value)?;
    value.set_sensitive(true);
    Ok(value)
}

/// What it means that nothing usable came back.
fn failed(call: Call, failure: Failure) -> Error {
    match failure {
        Failure::NotSent(reason) => Error::NotSent(reason),
        Failure::NoAnswer(reason) => {
            tracing::debug!(reason, "no answer from Tencent Cloud");
            Error::Unknown(None)
        }
        Failure::TooLarge(status) => foreign(call, status.as_u16(), &failure.to_string()),
    }
}

fn outcome<T: DeserializeOwned>(call: Call, answer: &Answer, now: Timestamp) -> Result<(T, String), Error> {
    match wire::read(answer) {
        Reply::Done { fields, request_id } => Ok((fields, request_id)),
        Reply::Refused { code, message, request_id } => {
            let message = with_clock(&code, message, now);
            Err(errors::error(call, errors::refusal(&code, message, request_id)))
        }
        Reply::Foreign => {
            let text = "the answer is not one of Tencent Cloud; something on the way to it may have sent it";
            Err(foreign(call, answer.status.as_u16(), text))
        }
    }
}

/// An answer that the service did not write says nothing about what the service did.
fn foreign(call: Call, status: u16, text: &str) -> Error {
    errors::error(call, errors::refusal(&format!("HTTP {status}"), text, None))
}

/// An answer of the service to a read, in which what was asked for cannot be read.
pub(super) fn unreadable(text: &str, request_id: String) -> Error {
    errors::error(Call::Read, errors::refusal("HTTP 200", text, Some(request_id)))
}

/// The cloud tells its own time when it refuses ours; the difference is what the reader needs.
fn with_clock(code: &str, message: String, now: Timestamp) -> String {
    match errors::clock_ahead(&message, now) {
        Some(ahead) if code == "AuthFailure.SignatureExpire" => {
            let direction = if ahead < 0 { "behind" } else { "ahead of" };
            format!("{message} (this machine's clock is {} s {direction} the cloud's)", ahead.abs())
        }
        _ => message,
    }
}

/// The body of a call.
pub(super) fn json(request: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(request).map_err(|error| Error::NotSent(error.to_string()))
}
