//! The calls that change something at the cloud.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::ExposeSecret;
use tokio::time::Instant;

use crate::api::v1alpha1::conditions::Reason;
use crate::provider::lenient::is_certificate_id;
use crate::provider::{Accepted, Calls, Error, Letter, Payload, Reissue};

use super::certificate::{OBSERVE, Tencent};
use super::client::json;
use super::{errors, request, wire};

const ORDER: &str = "CertificateOrderSubmit";
const RESUBMIT: &str = "ModifyCertificateResubmit";
const WITHDRAW: &str = "CancelAuditCertificate";
const REVOKE: &str = "RevokeCertificate";
const SEND_LETTER: &str = "UploadConfirmLetter";
const REISSUE: &str = "ReplaceCertificate";

/// Tencent Cloud's names of its calls. `CancelCertificateOrder` is not used: it cancels what was paid for.
pub const CALLS: Calls = Calls {
    observe: OBSERVE,
    download: "DescribeCertificateDetail",
    submit: request::ACTION,
    order: Some(ORDER),
    resubmit: Some(RESUBMIT),
    withdraw: Some(WITHDRAW),
    revoke: Some(REVOKE),
    send_letter: Some(SEND_LETTER),
    reissue: Some(REISSUE),
};

/// The reason that is sent to the cloud, which may show it to the CA.
const REVOCATION_REASON: &str = "requested by the owner of the order";

impl Tencent {
    pub(super) async fn submit(&self, payload: &Payload, begin_by: Instant) -> Result<Accepted, Error> {
        let body = payload.body.expose_secret();
        let (_, request_id) = self.client.change::<wire::Nothing>(payload.action, body, begin_by).await?;
        Ok(accepted(request_id))
    }

    pub(super) async fn send_order(&self, begin_by: Instant) -> Result<Accepted, Error> {
        let body = json(&wire::CertificateOrderSubmit { cert_id: &self.order.certificate_id })?;
        let (ordered, request_id) = self.client.change::<wire::Ordered>(ORDER, &body, begin_by).await?;
        Ok(Accepted { request_id: Some(request_id), order_id: ordered.order_id, certificate_id: None })
    }

    pub(super) async fn resubmit(&self, begin_by: Instant) -> Result<Accepted, Error> {
        let (_, request_id) =
            self.client.change::<wire::Nothing>(RESUBMIT, &self.of_certificate()?, begin_by).await?;
        Ok(accepted(request_id))
    }

    pub(super) async fn withdraw(&self, begin_by: Instant) -> Result<Accepted, Error> {
        let (answer, request_id) =
            self.client.change::<wire::Withdrawn>(WITHDRAW, &self.of_certificate()?, begin_by).await?;
        if answer.result == Some(false) {
            let message = "the cloud did not stop the review";
            return Err(Error::NotNow(errors::refusal("Result: false", message, Some(request_id))));
        }
        Ok(accepted(request_id))
    }

    pub(super) async fn revoke(&self, begin_by: Instant) -> Result<Accepted, Error> {
        let certificate_id = &self.order.certificate_id;
        let body = json(&wire::RevokeCertificate { certificate_id, reason: REVOCATION_REASON })?;
        let (_, request_id) = self.client.change::<wire::Nothing>(REVOKE, &body, begin_by).await?;
        Ok(accepted(request_id))
    }

    pub(super) async fn send_letter(&self, letter: &Letter, begin_by: Instant) -> Result<Accepted, Error> {
        let confirm_letter = &BASE64_STANDARD.encode(letter.expose());
        let certificate_id = &self.order.certificate_id;
        let body = json(&wire::UploadConfirmLetter { certificate_id, confirm_letter })?;
        let (answer, request_id) =
            self.client.change::<wire::LetterSent>(SEND_LETTER, &body, begin_by).await?;
        if answer.is_success == Some(false) {
            let message = "the cloud did not take the letter";
            let refusal = errors::refusal("IsSuccess: false", message, Some(request_id));
            return Err(Error::Rejected { reason: Reason::InvalidRequest, refusal });
        }
        Ok(accepted(request_id))
    }

    pub(super) async fn reissue(&self, reissue: &Reissue, begin_by: Instant) -> Result<Accepted, Error> {
        let certificate_id = &self.order.certificate_id;
        let valid_type = request::verify_type(reissue.method);
        let valid_type = valid_type.map_err(|problem| Error::NotSent(problem.message))?;
        let csr_content = reissue.csr.as_deref().map(str::trim);
        let csr_type = if csr_content.is_some() { "upload" } else { "original" };
        let body = json(&wire::ReplaceCertificate { certificate_id, valid_type, csr_type, csr_content })?;
        let answered = self.client.change::<wire::Reissued>(REISSUE, &body, begin_by).await;
        let (reissued, request_id) = answered.map_err(errors::of_reissue)?;
        let certificate_id =
            reissued.certificate_id.filter(|new| is_certificate_id(new) && new != certificate_id);
        Ok(Accepted { certificate_id, ..accepted(request_id) })
    }
}

fn accepted(request_id: String) -> Accepted {
    Accepted { request_id: Some(request_id), order_id: None, certificate_id: None }
}
