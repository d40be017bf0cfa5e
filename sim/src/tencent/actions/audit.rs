//! `CancelAuditCertificate` stops a running review; `ModifyCertificateResubmit` opens a failed or cancelled order again.

use serde_json::json;

use super::action::Action;
use crate::cloud::{
    Answer,
    params::{Kind, required},
};
use crate::tencent::{certificate::Status, error::Refusal, invocation::Invocation, term::Plan};

pub(super) const CANCEL: Action = Action {
    name: "CancelAuditCertificate",
    params: &[required("CertificateId", Kind::String)],
    run: cancel,
};

pub(super) const RESUBMIT: Action = Action {
    name: "ModifyCertificateResubmit",
    params: &[required("CertificateId", Kind::String)],
    run: resubmit,
};

/// The authority confirms later: status 6 until then, and 7 afterwards.
fn cancel(call: &mut Invocation<'_>) -> Result<Answer, Refusal> {
    let refused = || {
        let message = "The certificate does not exist or cannot be canceled.";
        Refusal::new("FailedOperation.CertificateNotFoundOrCantCancel", message)
    };
    let certificate = call.certificate_mut("CertificateId").map_err(|_| refused())?;
    if !certificate.status.is_running() {
        return Err(refused());
    }
    if certificate.term.plan == Plan::MultiYear && certificate.predecessors.renewal_of.is_some() {
        let message = "A certificate of a later year cannot be canceled; do not validate it instead.";
        return Err(Refusal::new("FailedOperation.CertificateCancelFailedMulti", message));
    }
    certificate.status = Status::CANCELLING;
    certificate.status_message.clear();
    let id = certificate.id.clone();
    call.log(&id, CANCEL.name, "cancel");
    Ok(Answer::wrote(json!({ "Result": true })))
}

/// Inferred: the status afterwards, and that the stored information and the old order number stay visible.
fn resubmit(call: &mut Invocation<'_>) -> Result<Answer, Refusal> {
    let certificate = call.certificate_mut("CertificateId")?;
    if !matches!(certificate.status, Status::REVIEW_FAILED | Status::CANCELLED) {
        let message = "The certificate status does not allow resubmission.";
        return Err(Refusal::new("FailedOperation.CertificateStatusNotAllowResubmit", message));
    }
    certificate.status = Status::pending(certificate.product);
    certificate.status_message.clear();
    certificate.auths.clear();
    certificate.validation_deadline = None;
    let id = certificate.id.clone();
    call.log(&id, RESUBMIT.name, "Resubmit");
    Ok(Answer::wrote(json!({ "CertificateId": id })))
}
