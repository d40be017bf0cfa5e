//! One call to one cloud: waits for the rate limit, makes one exchange, and maps a missing or unusable answer to an error.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Request;
use reqwest::header::{HeaderValue, InvalidHeaderValue};
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroize;

use crate::core::clock::Clock;

use super::error_class::{Call, foreign};
use super::limit::Limiter;
use super::transport::{Answer, Failure, Transport};
use super::{Account, Error};

/// What all calls to one cloud share.
#[derive(Debug)]
pub struct CloudClient {
    cloud: &'static str,
    transport: Transport,
    limiter: Limiter,
    clock: Clock,
}

/// Who makes one call, and which.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    /// The account that the rate limit counts for.
    pub account: Account,
    /// The namespace that the call is for: those with calls of one kind to one account take turns.
    pub tenant: &'a str,
    /// The cloud's name of the call.
    pub action: &'static str,
    /// Set for a write: it begins by then or not at all.
    pub begin_by: Option<Instant>,
    /// The largest answer that is read, in bytes.
    pub largest: usize,
}

impl CloudClient {
    /// A client of this cloud, which allows `per_second` calls for each account and action.
    #[must_use]
    pub fn new(cloud: &'static str, transport: Transport, per_second: NonZeroU32, clock: Clock) -> Self {
        Self { cloud, transport, limiter: Limiter::new(per_second), clock }
    }

    /// Makes one call: waits for the rate limit, signs, sends, reads. Never repeats it.
    pub async fn call<T, E: fmt::Display>(
        &self,
        caller: Caller<'_>,
        sign: impl FnOnce(Timestamp) -> Result<Request, E>,
        read: impl FnOnce(Call, &Answer, Timestamp) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let call = self.permit(caller).await?;
        let now = self.clock.now();
        let request = sign(now).map_err(|error| Error::NotSent(error.to_string()))?;
        let answered = self.transport.exchange(request, caller.largest).await;
        let mut answer = answered.map_err(|failure| self.failed(call, failure))?;
        let outcome = read(call, &answer, now);
        // It may hold a private key or personal data.
        answer.body.zeroize();
        outcome
    }

    /// How long a call would wait for the rate limit now.
    #[must_use]
    pub fn delay(&self, caller: &Caller<'_>) -> Duration {
        self.limiter.delay(caller.account, caller.tenant, caller.action)
    }

    async fn permit(&self, caller: Caller<'_>) -> Result<Call, Error> {
        let permit = self.limiter.acquire(caller.account, caller.tenant, caller.action);
        let Some(begin_by) = caller.begin_by else {
            permit.await;
            return Ok(Call::Read);
        };
        // The timeout alone is not enough: it takes a permit that is free at once even after the deadline.
        if timeout_at(begin_by, permit).await.is_err() || Instant::now() >= begin_by {
            return Err(Error::NotSent(format!("{} had no turn in time", caller.action)));
        }
        if self.transport.shutdown.is_cancelled() {
            return Err(Error::NotSent("this replica ends, and begins nothing new".to_owned()));
        }
        Ok(Call::Write)
    }

    fn failed(&self, call: Call, failure: Failure) -> Error {
        match failure {
            Failure::NotSent(reason) => Error::NotSent(reason),
            Failure::NoAnswer(reason) => {
                tracing::debug!(cloud = self.cloud, reason, "no answer");
                Error::Unknown(None)
            }
            Failure::TooLarge(status, _) => foreign(call, status.as_u16(), &failure.to_string(), None),
        }
    }
}

/// A header whose value is not logged.
pub fn sensitive(value: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(value)?;
    value.set_sensitive(true);
    Ok(value)
}
