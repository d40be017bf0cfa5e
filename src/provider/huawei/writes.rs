//! The calls that change something at the cloud.

use reqwest::Method;
use secrecy::ExposeSecret;
use tokio::time::Instant;

use crate::provider::error_class::{Call, foreign};
use crate::provider::{Accepted, Calls, Error, Payload};

use super::client::{EXPORT, Huawei, Message, SHOW};
use super::request;
use super::wire::Taken;

const WITHDRAW: &str = "cancel-cert";

/// Huawei Cloud's names of its calls. `apply` also sends the order to the CA, also after a refusal or a withdrawal. No
/// call revokes. `unsubscribe` and `delete` are not used: they cancel what was paid for.
pub const CALLS: Calls = Calls {
    observe: SHOW,
    download: EXPORT,
    submit: request::ACTION,
    order: None,
    resubmit: None,
    withdraw: Some(WITHDRAW),
    revoke: None,
    send_letter: None,
    reissue: None,
};

impl Huawei {
    pub(super) async fn submit(&self, payload: &Payload, begin_by: Instant) -> Result<Accepted, Error> {
        self.change(payload.action, payload.body.expose_secret(), begin_by).await
    }

    pub(super) async fn withdraw(&self, begin_by: Instant) -> Result<Accepted, Error> {
        self.change(WITHDRAW, b"", begin_by).await
    }

    /// A call that changes something: it begins by the deadline or not at all.
    async fn change(&self, action: &'static str, body: &[u8], begin_by: Instant) -> Result<Accepted, Error> {
        let message =
            Message { method: Method::POST, path: self.path(Some(action)), query: String::new(), body };
        let (taken, request_id) = self.call::<Taken>(action, &message, Some(begin_by)).await?;
        if taken.is_success() {
            return Ok(Accepted { request_id, order_id: None, certificate_id: None });
        }
        // A status of success without the expected word: the outcome is unknown.
        Err(foreign(Call::Write, 200, "the answer does not say that the call succeeded", request_id))
    }
}
