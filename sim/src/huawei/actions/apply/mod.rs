//! `apply`: files the application for a bought certificate and sends it to the authority. There is no way back from
//! here but to withdraw it.

mod applicant;
mod key;
mod names;
mod params;

use serde_json::json;

use super::action::Action;
use crate::{
    cloud::Answer,
    huawei::{certificate::Status, error::Refusal, invocation::Invocation, submission::Submission},
};

pub(super) const ACTION: Action = Action {
    name: "apply",
    method: "POST",
    path: "/v3/scm/certificates/{certificate_id}/apply",
    query: &[],
    params: params::ALL,
    run,
};

/// Inferred: the order of these checks.
fn run(call: &mut Invocation<'_>) -> Result<Answer, Refusal> {
    let certificate = call.certificate()?;
    check_state(call, certificate.status)?;
    if call.params.boolean("agree_privacy_protection") != Some(true) {
        return Err(Refusal::bad_parameter("agree_privacy_protection must be true."));
    }
    params::check_lengths(call.params)?;
    applicant::check(call.params, certificate.product)?;
    names::check(call.params, certificate)?;
    key::check(call.params, certificate.product)?;
    let (submission, now) = (Submission::new(call.params), call.now);
    let status = call.options.applied_status;
    call.certificate_mut()?.apply(submission, status, now);
    Ok(Answer::wrote(json!({ "request_info": "success" })))
}

/// Inferred: the code; the documents do not name the states in which one may apply. After a refusal some of their
/// pages tell users to hand in another CSR.
fn check_state(call: &Invocation<'_>, status: Status) -> Result<(), Refusal> {
    match status {
        Status::PAID => Ok(()),
        Status::UNPASSED if call.options.takes_application_after_refusal => Ok(()),
        _ => Err(Refusal::not_allowed()),
    }
}
