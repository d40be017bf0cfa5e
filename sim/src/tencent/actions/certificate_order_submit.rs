//! `CertificateOrderSubmit`: sends the order to the authority. There is no way back from here but to cancel.

use serde_json::json;

use super::action::Action;
use crate::cloud::{
    Answer,
    names::is_mail_address,
    params::{Kind, optional, required},
};
use crate::tencent::{
    certificate::Certificate, error::Refusal, invocation::Invocation, submission::Submission,
};

pub(super) const ACTION: Action = Action {
    name: "CertificateOrderSubmit",
    params: &[
        required("CertId", Kind::String),
        optional("VerifyType", Kind::String),
        optional("DeleteDnsAutoRecord", Kind::Integer),
    ],
    run,
};

fn run(call: &mut Invocation<'_>) -> Result<Answer, Refusal> {
    let submission = check_state(call)?;
    check_mail_addresses(submission)?;
    let verify_type = verify_type(call, submission)?;
    if let Some(flag) = call.params.integer("DeleteDnsAutoRecord").filter(|flag| !(0..=1).contains(flag)) {
        return Err(Refusal::invalid_value("DeleteDnsAutoRecord", flag));
    }
    let order_id = call.state.next_order_id();
    let now = call.now;
    let certificate = call.certificate_mut("CertId")?;
    let needs_review = certificate.order(order_id, &verify_type, now);
    let Certificate { id, order_id, status, .. } = certificate;
    let fields = json!({ "OrderId": order_id, "Status": status.0, "IsAudited": needs_review });
    let id = id.clone();
    call.log(&id, ACTION.name, "applyVIP");
    Ok(Answer::wrote(fields))
}

/// Inferred: which code each state gets; the documents name the codes only.
fn check_state<'a>(call: &'a Invocation<'_>) -> Result<&'a Submission, Refusal> {
    let certificate = call.certificate("CertId")?;
    call.check_identity()?;
    if certificate.status.is_running() && is_processing(call, certificate) {
        let message = "The order is being submitted. Please wait.";
        return Err(Refusal::new("FailedOperation.CertificateOrderSubmitProcessing", message));
    }
    if !certificate.status.awaits_submission() {
        return Err(Refusal::wrong_status());
    }
    let nothing_stored = || Refusal::invalid_param("The certificate's information is not submitted yet.");
    certificate.submission.as_ref().ok_or_else(nothing_stored)
}

fn is_processing(call: &Invocation<'_>, certificate: &Certificate) -> bool {
    certificate.ordered_at.is_some_and(|ordered| {
        call.now.duration_since(ordered).unsigned_abs() < call.options.order_processing
    })
}

/// Inferred: a mail address is checked here and not when it is stored, since only this action lists the code.
fn check_mail_addresses(submission: &Submission) -> Result<(), Refusal> {
    let addresses =
        ["AdminEmail", "TechEmail", "ContactEmail"].iter().filter_map(|name| submission.text(name));
    if addresses.into_iter().all(is_mail_address) {
        return Ok(());
    }
    Err(Refusal::new("FailedOperation.CertificatePreVerifyEmailInvalid", "The email address is invalid."))
}

/// This call's method, else the stored one.
///
/// Inferred: DNS where neither call named one.
fn verify_type(call: &Invocation<'_>, submission: &Submission) -> Result<String, Refusal> {
    let chosen = call.params.text("VerifyType").or(submission.text("VerifyType")).unwrap_or("DNS");
    match chosen {
        "DNS" | "FILE" => Ok(chosen.to_owned()),
        other => Err(Refusal::invalid_value("VerifyType", other)),
    }
}
