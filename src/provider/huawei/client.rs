//! One call of an account to the service in a region.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, InvalidHeaderValue};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::api::v1alpha1::HuaweiCloudOrder;
use crate::core::clock::Clock;
use crate::provider::call::{Caller, CloudClient, sensitive};
use crate::provider::credentials::with_unread;
use crate::provider::error_class::{Call, ahead_by_date, with_clock};
use crate::provider::huawei::credentials::{Credentials, Identity};
use crate::provider::huawei::errors;
use crate::provider::huawei::region::{Region, Template};
use crate::provider::huawei::sign::{self, Signable};
use crate::provider::huawei::specification::Certificate;
use crate::provider::huawei::wire::{self, Reply};
use crate::provider::paging::Listing;
use crate::provider::shared_read::SharedReads;
use crate::provider::transport::{Answer, Endpoint, EndpointError, LARGEST_ANSWER, Transport};
use crate::provider::{Account, Error};

pub(super) const CERTIFICATES: &str = "/v3/scm/certificates";
const JSON: &str = "application/json";
pub(super) const SHOW: &str = "show";
pub(super) const LIST: &str = "list";
pub(super) const EXPORT: &str = "export";

/// The service in every region, and the client that all calls to it share.
#[derive(Debug)]
pub struct Service {
    cloud: CloudClient,
    template: Template,
    lists: Shared<Listing<Certificate>>,
    certificates: Shared<Certificate>,
}

/// Reads that orders share, by a digest of the whole credentials, the host, and what is read.
pub(super) type Shared<V> = SharedReads<([u8; 32], String, Read), V>;

/// What is read.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Read {
    /// The list.
    List,
    /// The part of it whose names have this text.
    Search(String),
    /// The certificate with this id.
    Show(String),
}

impl Service {
    /// `per_second` is the cloud's limit for each account and action.
    #[must_use]
    pub fn new(transport: Transport, per_second: NonZeroU32, template: Template, clock: Clock) -> Self {
        Self {
            cloud: CloudClient::new("Huawei Cloud", transport, per_second, clock),
            template,
            lists: Shared::default(),
            certificates: Shared::default(),
        }
    }

    /// The endpoint of the service in a region.
    pub fn endpoint(&self, region: &Region) -> Result<Endpoint, EndpointError> {
        self.template.fill(region)
    }
}

/// One paid certificate at Huawei Cloud.
#[derive(Clone, Debug)]
pub struct Huawei {
    service: Arc<Service>,
    pub(super) credentials: Credentials,
    pub(super) order: HuaweiCloudOrder,
    endpoint: Endpoint,
    account: Account,
    tenant: String,
}

/// What is sent.
pub(super) struct Message<'a> {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) body: &'a [u8],
}

impl Huawei {
    /// The certificate that an order of a namespace names, in its region.
    #[must_use]
    pub fn new(
        service: Arc<Service>,
        credentials: Credentials,
        tenant: &str,
        order: HuaweiCloudOrder,
        endpoint: Endpoint,
    ) -> Self {
        let account = credentials.account();
        Self { service, credentials, order, endpoint, account, tenant: tenant.to_owned() }
    }

    fn caller(&self, action: &'static str, begin_by: Option<Instant>) -> Caller<'_> {
        Caller { account: self.account, tenant: &self.tenant, action, begin_by, largest: LARGEST_ANSWER }
    }

    /// The path of the certificate, and of a call on it. The id has no character with a meaning in a path.
    pub(super) fn path(&self, action: Option<&str>) -> String {
        let certificate = format!("{CERTIFICATES}/{}", self.order.certificate_id);
        action.map_or_else(|| certificate.clone(), |action| format!("{certificate}/{action}"))
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        action: &'static str,
        path: String,
        query: String,
    ) -> Result<(T, Option<String>), Error> {
        self.call(action, &Message { method: Method::GET, path, query, body: b"" }, None).await
    }

    /// A read for all namespaces with these credentials, so it waits in no line of one of them.
    pub(super) async fn get_for_all<T: DeserializeOwned>(
        &self,
        action: &'static str,
        path: String,
        query: String,
    ) -> Result<(T, Option<String>), Error> {
        let caller = Caller { tenant: "", ..self.caller(action, None) };
        self.exchange(caller, &Message { method: Method::GET, path, query, body: b"" }).await
    }

    /// An answer that is at most `max_age` old: the one that is kept, or what `read` reads for all who wait.
    pub(super) async fn shared<V>(
        &self,
        kept: &Shared<V>,
        what: Read,
        max_age: Duration,
        read: impl Future<Output = Result<V, Error>>,
    ) -> Result<Arc<V>, Error> {
        let key = (self.credentials.fingerprint(), self.endpoint.host(), what);
        let answered = kept.get(key, max_age, read).await;
        answered.map_err(|error| with_unread(error, &self.credentials.unread))
    }

    pub(super) fn lists(&self) -> &Shared<Listing<Certificate>> {
        &self.service.lists
    }

    pub(super) fn certificates(&self) -> &Shared<Certificate> {
        &self.service.certificates
    }

    /// How long a call would wait for the rate limit now.
    pub(super) fn delay(&self, action: &'static str) -> Duration {
        self.service.cloud.delay(&self.caller(action, None))
    }

    /// One call; with `begin_by` it is a write.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        action: &'static str,
        message: &Message<'_>,
        begin_by: Option<Instant>,
    ) -> Result<(T, Option<String>), Error> {
        let answered = self.exchange(self.caller(action, begin_by), message).await;
        answered.map_err(|error| with_unread(error, &self.credentials.unread))
    }

    async fn exchange<T: DeserializeOwned>(
        &self,
        caller: Caller<'_>,
        message: &Message<'_>,
    ) -> Result<(T, Option<String>), Error> {
        let read = |call, answer: &Answer, now| self.outcome(call, answer, now);
        self.service.cloud.call(caller, |now| self.request(message, now), read).await
    }

    pub(super) fn request(
        &self,
        message: &Message<'_>,
        now: Timestamp,
    ) -> Result<reqwest::Request, InvalidHeaderValue> {
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

    /// Reads an answer.
    fn outcome<T: DeserializeOwned>(
        &self,
        call: Call,
        answer: &Answer,
        now: Timestamp,
    ) -> Result<(T, Option<String>), Error> {
        let status = answer.status.as_u16();
        match wire::read(answer) {
            Reply::Done { fields, request_id } => Ok((fields, request_id)),
            Reply::Refused { code, message, request_id } => {
                // A token has no time of its own in it.
                let is_signed = matches!(self.credentials.identity, Identity::Key { .. });
                let by_date = if is_signed { ahead_by_date(answer, now) } else { None };
                let clock = errors::clock(&code, &message, by_date, now);
                let text = errors::without_echo(message);
                Err(match clock {
                    Some(ahead) => errors::clock_skew(call, &code, with_clock(text, ahead), request_id),
                    None => errors::error(call, status, &code, text, request_id),
                })
            }
            Reply::Foreign => {
                let text =
                    "the answer is not one of Huawei Cloud; something on the way to it may have sent it";
                Err(errors::foreign(call, status, text, wire::request_id(answer)))
            }
        }
    }
}

/// An answer to a read, in which the requested data cannot be found.
pub(super) fn unreadable(text: &str, request_id: Option<String>) -> Error {
    errors::foreign(Call::Read, 200, text, request_id)
}
